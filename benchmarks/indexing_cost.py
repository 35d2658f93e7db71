"""What the stages of indexing cost in processor time, in this checkout and in another one, in turn.

    python -m benchmarks.indexing_cost FOLDER ... --against CHECKOUT --pairs 5

Two processes, one with the code of CHECKOUT (another worktree of the repository) and one with that of this one, analyse all
files of the folders, one after the other and so many times in turn, with one thread. Reported: median processor time in
seconds of each stage, without the stages inside it. Both use the packages of the environment that runs this script.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parents[1]
BUILTIN = "soundalike.models.encoders.builtin"
STAGES = (
    ("soundalike.audio.decode", "probe", "header"),
    ("soundalike.audio.decode", "read", "decode"),
    ("soundalike.analysis.preparation", "read_tags", "tags"),
    ("soundalike.analysis.preparation", "detect_kind", "kind"),
    ("soundalike.analysis.preparation", "remove_offset", "offset"),
    ("soundalike.analysis.segments", "remove_offset", "offset"),
    ("soundalike.analysis.analyser", "remove_offset", "offset"),
    ("soundalike.audio.metadata.facts", "estimate_tempo", "tempo"),
    ("soundalike.audio.metadata.facts", "estimate_key", "key"),
    ("soundalike.audio.waveform", "Waveform.mono", "mono"),
    ("soundalike.analysis.segments", "resample", "resample"),
    ("soundalike.analysis.window_vectors", "resample", "resample"),
    ("soundalike.audio.audio_summary", "AudioSummary.add", "loudness and overview"),
    ("soundalike.audio.audio_summary", "AudioSummary.loudness", "loudness and overview"),
    ("soundalike.audio.audio_summary", "AudioSummary.overview", "loudness and overview"),
    ("soundalike.models.separators.builtin.builtin_separator", "BuiltinSeparator.separate", "separate"),
    (f"{BUILTIN}.builtin_encoder", "compute_spectra", "embed: spectra"),
    (f"{BUILTIN}.builtin_encoder", "features", "embed: features"),
    (f"{BUILTIN}.builtin_network", "Network.heads", "embed: network"),
)
"""Module, function or method, stage. What a checkout does not have is not measured."""

WORKER = "--worker"


def measured(function: Callable[..., Any], stage: str, spent: Counter[str], inner: list[float]) -> Callable[..., Any]:
    """`function`, whose processor time without that of other measured functions inside it is added to `spent`."""

    def run(*arguments: Any, **options: Any) -> Any:
        begin = time.process_time()
        inner.append(0.0)
        try:
            return function(*arguments, **options)
        finally:
            seconds = time.process_time() - begin
            spent[stage] += seconds - inner.pop()
            if inner:
                inner[-1] += seconds

    return run


def work(files: list[Path]) -> None:
    """Analyse all files for each line of standard input, and print the seconds of each stage as a line of JSON."""
    analysers = importlib.import_module("soundalike.analysis.analyser")
    spent: Counter[str] = Counter()
    inner: list[float] = []
    for module_name, path, stage in STAGES:
        try:
            place: Any = importlib.import_module(module_name)
        except ModuleNotFoundError:
            continue
        *owners, name = path.split(".")
        for owner in owners:
            place = getattr(place, owner)
        if hasattr(place, name):
            setattr(place, name, measured(getattr(place, name), stage, spent, inner))
    analyser = analysers.Analyser(importlib.import_module("soundalike.analysis.recipe").make_recipe())
    analyser.load()
    analyser.analyse(files[0])
    print("ready", flush=True)
    for _ in sys.stdin:
        spent.clear()
        begin = time.process_time()
        for path in files:
            analyser.analyse(path)
        total = time.process_time() - begin
        rest = total - sum(spent.values())
        print(json.dumps({**spent, "rest": rest, "all": total}), flush=True)


def start(checkout: Path, files: list[str]) -> subprocess.Popen[str]:
    """A process with the code of `checkout` that waits for lines."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(checkout / "src"),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    command = [sys.executable, str(Path(__file__).resolve()), WORKER, *files]
    process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if answer(process) != "ready":
        raise SystemExit(f"{checkout}: its code does not run in this environment")
    return process


def answer(process: subprocess.Popen[str], line: str = "") -> str:
    """Send a line, if any, and return the next one."""
    assert process.stdin is not None
    assert process.stdout is not None
    if line:
        process.stdin.write(f"{line}\n")
        process.stdin.flush()
    return process.stdout.readline().strip()


def main() -> None:
    import numpy as np

    from benchmarks.shared.audio_data import audio_files
    from benchmarks.shared.markdown import print_table

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--against", type=Path, required=True, help="another checkout of the repository")
    parser.add_argument("--pairs", type=int, default=5, help="(default %(default)s)")
    options = parser.parse_args()
    files = [str(path) for folder in options.folders for path in audio_files(folder.resolve())]
    processes = [start(checkout, files) for checkout in (options.against.resolve(), HERE)]
    runs: list[list[dict[str, float]]] = [[], []]
    for _ in range(options.pairs):
        for process, results in zip(processes, runs, strict=True):
            results.append(json.loads(answer(process, "again")))
    for process in processes:
        process.communicate(timeout=60)
    stages = [*dict.fromkeys(stage for _, _, stage in STAGES), "rest", "all"]
    medians = [
        [float(np.median([result.get(stage, 0.0) for result in results])) for results in runs] for stage in stages
    ]
    print_table(
        ("stage", "other checkout (s)", "this one (s)"),
        [(stage, f"{other:.2f}", f"{this:.2f}") for stage, (other, this) in zip(stages, medians, strict=True)],
    )
    ratios = [this["all"] / other["all"] for other, this in zip(*runs, strict=True)]
    print(f"this / other, pair by pair: {', '.join(f'{ratio:.2f}' for ratio in ratios)}")


if __name__ == "__main__":
    if sys.argv[1:2] == [WORKER]:
        work([Path(argument) for argument in sys.argv[2:]])
    else:
        main()
