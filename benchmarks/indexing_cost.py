"""What the stages of indexing cost in processor time, in this checkout and in another one, in turn.

    python -m benchmarks.indexing_cost FOLDER ... --against CHECKOUT --pairs 5
    python -m benchmarks.indexing_cost FOLDER ... --against CHECKOUT --encoder-version 1 [--whole]
    python -m benchmarks.indexing_cost FOLDER --make

Two processes, one with the code of CHECKOUT (another worktree of the repository) and one with that of this one, analyse all
files of the folders, by turns, `--pairs` times each, with one thread and a new process each time, because where its memory
happens to lie makes a process faster or slower for as long as it lives. Reported: median processor time in seconds of each
stage, without the stages inside it. Both use the packages of the environment that runs this script.

With --encoder-version 1, both have version 1 of the built-in encoder. With --whole, whole commands are compared instead:
`soundalike index FOLDER ... --jobs 1` into a new library, user and system time of all its processes. With --make, FOLDER is
filled with files for these: 2,000 one-shots, 200 loops and 20 songs of 60 s in several formats, varied from the samples and
songs in SOUNDALIKE_TEST_DATA.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
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
    (f"{BUILTIN}.signal_encoder", "compute_spectra", "embed: spectra"),
    (f"{BUILTIN}.signal_encoder", "features", "embed: features"),  # in older checkouts
    (f"{BUILTIN}.whitened_features", "features", "embed: features"),
    (f"{BUILTIN}.builtin_network", "Network.heads", "embed: network"),
)
"""Module, function or method, stage. What a checkout does not have is not measured."""

WORKER = "--worker"
VERSION = "ENCODER_VERSION"
"""The environment variable that names the version of the built-in encoder, if not the current one."""

AT_START = f"""
import os
from dataclasses import replace

from soundalike.models.encoders import ENCODERS

row = ENCODERS["builtin"]
earlier = getattr(row, "earlier", {{}}).get(os.environ.get("{VERSION}"))
if earlier is not None:
    ENCODERS["builtin"] = replace(row, load=earlier)
"""
"""What every process of both checkouts runs first (as `sitecustomize`)."""

MOST_SECONDS = 1800.0  # for a whole command


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


def environment(checkout: Path, first: Path, version: str | None) -> dict[str, str]:
    """Variables with which Python runs the code of `checkout`, with one thread; first: the folder of `sitecustomize`."""
    paths = os.pathsep.join((str(first), str(checkout / "src")))
    named = {} if version is None else {VERSION: version}
    return {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", **named}


def start(checkout: Path, files: list[str], variables: dict[str, str]) -> subprocess.Popen[str]:
    """A process with the code of `checkout` that waits for lines."""
    command = [sys.executable, str(Path(__file__).resolve()), WORKER, *files]
    process = subprocess.Popen(command, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
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


def whole_command(folders: list[Path], variables: dict[str, str]) -> float:
    """Processor time in seconds (user and system, of all processes) of indexing the folders into a new library."""
    with tempfile.TemporaryDirectory(prefix="indexing-cost-") as place:
        command = [sys.executable, "-m", "soundalike", "index", *map(str, folders), "--jobs", "1", "--quiet"]
        before = os.times()
        subprocess.run(
            [*command, "--library", str(Path(place) / "library")],
            env=variables,
            stdout=subprocess.DEVNULL,
            timeout=MOST_SECONDS,
            check=True,
        )
        after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def make_files(folder: Path) -> None:
    """2,000 one-shots, 200 loops and 20 songs, each a variation of a file of the real audio."""
    import numpy as np
    import soundfile

    from benchmarks.shared.audio_data import audio_files, audio_folder
    from soundalike.audio import decode
    from soundalike.audio.waveform import resample

    rng = np.random.default_rng(0)
    suffixes = (".wav", ".wav", ".flac", ".aiff", ".ogg", ".mp3")
    samples = [decode.read(path) for path in audio_files(audio_folder("samples"))]
    wanted = {
        "one-shots": (2_000, [sound for sound in samples if sound.duration < 2.0], None),
        "loops": (200, [sound for sound in samples if 2.5 < sound.duration < 12.0], None),
        "songs": (20, list(map(decode.read, audio_files(audio_folder("songs")))), 60.0),
    }
    for name, (count, sounds, seconds) in wanted.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            sound = sounds[number % len(sounds)]
            end = None if seconds is None else round(seconds * sound.sample_rate)
            faster = round(sound.sample_rate * 2 ** rng.uniform(-0.2, 0.2))
            varied = resample(sound.samples[:, :end], faster, 44_100) * np.float32(rng.uniform(0.3, 0.9))
            path = folder / name / f"{name} {number:04d}{suffixes[number % len(suffixes)]}"
            with soundfile.SoundFile(path, "w", 44_100, len(varied)) as file:
                for begin in range(
                    0, varied.shape[1], 65_536
                ):  # libsndfile crashes if it gets a song of Vorbis at once
                    file.write(np.clip(varied[:, begin : begin + 65_536].T, -1, 1))


def main() -> None:
    import numpy as np

    from benchmarks.shared.audio_data import audio_files
    from benchmarks.shared.markdown import print_table

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--against", type=Path, help="another checkout of the repository")
    parser.add_argument("--pairs", type=int, default=5, help="(default %(default)s)")
    parser.add_argument("--encoder-version", help="version of the built-in encoder in both (default: the current one)")
    parser.add_argument("--whole", action="store_true", help="compare whole commands")
    parser.add_argument("--make", action="store_true", help="make the files in a new folder, and measure nothing")
    options = parser.parse_args()
    if options.make:
        make_files(options.folders[0])
        return
    if options.against is None:
        parser.error("--against is missing")
    folders = [folder.resolve() for folder in options.folders]
    checkouts = (options.against.resolve(), HERE)
    with tempfile.TemporaryDirectory(prefix="indexing-cost-") as first:
        Path(first, "sitecustomize.py").write_text(AT_START)
        variables = [environment(checkout, Path(first), options.encoder_version) for checkout in checkouts]
        if options.whole:
            seconds = [[whole_command(folders, each) for each in variables] for _ in range(options.pairs)]
            print_table(
                ("pair", "other checkout (s)", "this one (s)", "this / other"),
                [(number, f"{a:.2f}", f"{b:.2f}", f"{b / a:.3f}") for number, (a, b) in enumerate(seconds, 1)],
            )
            print(f"median of this / other: {np.median([b / a for a, b in seconds]):.3f}")
            return
        files = [str(path) for folder in folders for path in audio_files(folder)]
        runs: list[list[dict[str, float]]] = [[], []]
        for _ in range(options.pairs):
            for place, each, results in zip(checkouts, variables, runs, strict=True):
                process = start(place, files, each)
                results.append(json.loads(answer(process, "go")))
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
    print(
        f"this / other, pair by pair: {', '.join(f'{ratio:.3f}' for ratio in ratios)}; median {np.median(ratios):.3f}"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == [WORKER]:
        work([Path(argument) for argument in sys.argv[2:]])
    else:
        main()
