"""Speed of the models of the paper: soundalike and the original packages in one run, with random weights.

    PYTHONPATH=. python -m benchmarks.models_speed FOLDER --original PYTHON [--only clap htdemucs ...] [--song]

FOLDER: full-size checkpoints as written by `parity_clap original` (clap.pt, clap-music.pt) and `parity_muq_mulan original`
(in muq-mulan/); those of Demucs are created here. PYTHON: the interpreter with the original packages of CLAP and MuQ (see
those benchmarks); Demucs runs in this environment. Every measurement is a process of its own, one after the other, on all
cores; loading is not included; peak memory is that of the process during the measurement.

Without --song: single models, in seconds of audio per second, on four clips of ten seconds (encoders) or one of 17.5 s,
which is three segments (separators). On a shared machine single runs differ by half and more, so each implementation runs
`--rounds` times in turn, three times each, and the best counts. With --song: a stereo track of four minutes to 7 parts (6
stems and the mix), all windows of 10 s, without level gate, once: the original packages as in their documentation;
soundalike on the same windows, exact and fast, and with `--max-windows 4`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

SIDES = ("original", "exact", "fast")
ENCODERS = ("clap", "clap-music", "muq-mulan")
SEPARATORS = ("htdemucs", "htdemucs_6s")
RATES = {"clap": 48_000, "clap-music": 48_000, "muq-mulan": 24_000}
SONG_SECONDS = 240
PARTS = 7
WINDOWS = 4

Measured = dict[str, Any]


def timed(call: Callable[[], object], repeats: int) -> float:
    """Seconds of the fastest of several runs; resets the memory peak first."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best


def peak_megabytes() -> float:
    """Peak memory of this process since `timed` began."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def ten_seconds(name: str, count: int) -> list[np.ndarray]:
    """Different clips of ten seconds at the sample rate of the encoder."""
    from tests.models.neural.clips import clip

    clips = [clip(10.0, RATES[name], seed) for seed in range(8)]
    return [clips[index % 8] for index in range(count)]


def stereo(seconds: float) -> np.ndarray:
    """(2, T) at 44.1 kHz."""
    from tests.models.neural.clips import clip

    tens = [[clip(10.0, 44_100, 2 * n + side) for n in range(round(seconds / 10))] for side in (0, 1)]
    return np.stack([np.concatenate(one) for one in tens])


def original_encoder(name: str, folder: Path) -> Callable[[list[np.ndarray]], object]:
    """The embedding function of the original package for a list of clips, eight at a time if it supports batches."""
    if name == "muq-mulan":
        from benchmarks import parity_muq_mulan as parity
        from tests.models.neural.narrow_muq_mulan import FULL

        with tempfile.TemporaryDirectory() as scratch:
            module = parity.original_module(Path(scratch), FULL)
        return lambda clips: parity.original_audio(module, clips)
    from benchmarks import parity_clap

    clap = parity_clap.original_module(parity_clap.PUBLISHED[name])
    clap.load_ckpt(str(folder / f"{name}.pt"), verbose=False)
    return lambda clips: [parity_clap.original_audio(clap, clips[n : n + 8]) for n in range(0, len(clips), 8)]


def our_encoder(name: str, folder: Path, precision: str) -> Any:
    """Our encoder with the checkpoint in `folder`."""
    from soundalike.config import Runtime, check_precision
    from soundalike.models.checkpoints import LocalCheckpoint

    runtime = Runtime(precision=check_precision(precision))
    if name == "muq-mulan":
        from soundalike.models.encoders.muq_mulan.muq_mulan_encoder import MuqMulanEncoder
        from tests.models.neural.narrow_muq_mulan import muq_checkpoint

        return MuqMulanEncoder.load(muq_checkpoint(folder / "muq-mulan"), runtime)
    from soundalike.models.encoders.clap.clap_encoder import MODELS, ClapEncoder

    return ClapEncoder.load(LocalCheckpoint(name, {MODELS[name].weights: folder / f"{name}.pt"}, "0" * 16), runtime)


def demucs_file(name: str, folder: Path) -> Path:
    """A full-size checkpoint with random weights."""
    from tests.models.neural.narrow_demucs import arguments, write_demucs

    path = folder / f"{name}.safetensors"
    return path if path.exists() else write_demucs(path, arguments(name, full=True))


def original_separator(name: str, folder: Path) -> Callable[[np.ndarray], object]:
    """The separation function of demucs: standardises and separates as `demucs.api.Separator` does."""
    import torch
    from demucs.apply import apply_model

    from soundalike.models.separators.demucs.demucs_network import load_core

    model = load_core(demucs_file(name, folder), name).model

    def run(mixture: np.ndarray) -> object:
        wave = torch.from_numpy(mixture)
        mono = wave.mean(0)
        with torch.no_grad():
            standard = (wave - mono.mean()) / (mono.std() + 1e-8)
            return apply_model(model, standard[None], shifts=0, split=True, overlap=0.25, device="cpu")

    return run


def our_separator(name: str, folder: Path, precision: str) -> Any:
    """Our separator with the same checkpoint."""
    from soundalike.config import Runtime, check_precision
    from soundalike.models.separators.demucs.demucs_separator import DemucsSeparator
    from tests.models.neural.narrow_demucs import demucs_checkpoint

    local = demucs_checkpoint(demucs_file(name, folder), name)
    return DemucsSeparator.load(local, Runtime(precision=check_precision(precision)))


def measure_model(name: str, side: str, folder: Path) -> Measured:
    """Measure one implementation of one model."""
    start = time.perf_counter()
    if name in ENCODERS:
        clips = ten_seconds(name, 4)
        call = original_encoder(name, folder) if side == "original" else our_encoder(name, folder, side).embed
        call(clips[:1])
        audio = 40.0
    else:
        clips = stereo(20.0)[:, : round(17.5 * 44_100)]
        call = original_separator(name, folder) if side == "original" else our_separator(name, folder, side).separate
        call(clips[:, : 44_100 * 5])
        audio = 17.5
    ready = time.perf_counter() - start
    return {"ready": ready, "audio": audio, "seconds": timed(lambda: call(clips), 3)}


def measure_song(name: str, side: str, folder: Path) -> Measured:
    """Measure a whole track; side: original-stems, original-vectors, exact, fast, exact-4 or fast-4."""
    if side == "original-stems":
        mixture = stereo(SONG_SECONDS)
        run = original_separator("htdemucs_6s", folder)
        return {"seconds": timed(lambda: run(mixture), 1), "audio": SONG_SECONDS}
    if side == "original-vectors":
        clips = ten_seconds(name, PARTS * SONG_SECONDS // 10)
        embed = original_encoder(name, folder)
        return {"seconds": timed(lambda: embed(clips), 1), "audio": SONG_SECONDS}
    import soundfile

    from soundalike.analysis.analyser import Analyser
    from soundalike.analysis.recipe import make_recipe
    from soundalike.models.encoders import ENCODERS as ROWS
    from soundalike.models.encoders import EncoderRow
    from soundalike.models.separators import SEPARATORS as SEPARATOR_ROWS
    from soundalike.models.separators import SeparatorRow

    precision, _, windows = side.partition("-")
    row, stems = ROWS[name], SEPARATOR_ROWS["htdemucs_6s"]
    ROWS[name] = EncoderRow(
        lambda runtime: our_encoder(name, folder, runtime.precision), "", "", precisions=row.precisions
    )
    SEPARATOR_ROWS["htdemucs_6s"] = SeparatorRow(
        lambda runtime: our_separator("htdemucs_6s", folder, runtime.precision),
        "",
        stems.parts,
        "",
        precisions=stems.precisions,
    )
    recipe = make_recipe(
        name, "htdemucs_6s", gate_db=-300.0, precision=precision, windows=int(windows) if windows else None
    )
    analyser = Analyser(recipe)
    start = time.perf_counter()
    analyser.load()
    ready = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "song.wav"
        soundfile.write(path, 0.5 * stereo(SONG_SECONDS).T, 44_100)
        analyses = []
        seconds = timed(lambda: analyses.append(analyser.analyse(path, "song")), 1)
    return {
        "seconds": seconds,
        "audio": SONG_SECONDS,
        "ready": ready,
        "windows": len(analyses[0].starts),
        "vectors": int(analyses[0].present.sum()),
    }


def measure_in_process(arguments: argparse.Namespace, what: str, name: str, side: str) -> Measured:
    """Measure in a separate process."""
    original = side.startswith("original") and name in ENCODERS and side != "original-stems"
    python = arguments.original if original else sys.executable
    command = [str(python), "-m", "benchmarks.models_speed", str(arguments.folder), "--measure", what, name, side]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=os.environ, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}")
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def models(arguments: argparse.Namespace) -> None:
    """Print the table of single models."""
    print("| model | original | exact | fast | exact, ratio | fast, ratio | peak MB: original, exact, fast |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for name in arguments.only or ENCODERS + SEPARATORS:
        rounds = [
            [measure_in_process(arguments, "model", name, side) for side in SIDES] for _ in range(arguments.rounds)
        ]
        best = [min(runs, key=lambda run: float(run["seconds"])) for runs in zip(*rounds, strict=True)]
        speed = [run["audio"] / run["seconds"] for run in best]
        print(
            f"| {name} | "
            + " | ".join(f"{value:.2f}" for value in speed)
            + f" | {speed[1] / speed[0]:.2f} | {speed[2] / speed[0]:.2f} | "
            + ", ".join(f"{run['peak']:.0f}" for run in best)
            + " |",
            flush=True,
        )


def song(arguments: argparse.Namespace) -> None:
    """Print the table of a whole track."""
    print(f"| {SONG_SECONDS} s, {PARTS} parts | windows | seconds | speed relative to the original | peak MB |")
    print("|---|---|---|---|---|", flush=True)
    stems = measure_in_process(arguments, "song", "htdemucs_6s", "original-stems")
    for name in arguments.only or ("clap", "muq-mulan"):
        vectors = measure_in_process(arguments, "song", name, "original-vectors")
        whole = stems["seconds"] + vectors["seconds"]
        peak = max(stems["peak"], vectors["peak"])
        sum_text = f"stems {stems['seconds']:.1f} + vectors {vectors['seconds']:.1f} ="
        print(
            f"| {name}: original packages | {SONG_SECONDS // 10} | {sum_text} {whole:.1f} | 1 | {peak:.0f} |",
            flush=True,
        )
        for side in ("exact", "fast", f"exact-{WINDOWS}", f"fast-{WINDOWS}"):
            run = measure_in_process(arguments, "song", name, side)
            print(
                f"| {name}: {side.replace('-', ', --max-windows ')} | {run['windows']} | {run['seconds']:.1f} | "
                f"{whole / run['seconds']:.2f} | {run['peak']:.0f} |",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--original", type=Path, help="the Python interpreter with the original packages")
    parser.add_argument("--only", nargs="+", choices=ENCODERS + SEPARATORS)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--song", action="store_true")
    parser.add_argument("--measure", nargs=3, metavar=("WHAT", "NAME", "SIDE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        what, name, side = arguments.measure
        measured = (measure_model if what == "model" else measure_song)(name, side, arguments.folder)
        print("\n" + json.dumps({**measured, "peak": peak_megabytes()}))
    elif arguments.original is None:
        parser.error("--original PYTHON is needed: the interpreter with laion-clap and muq")
    elif arguments.song:
        song(arguments)
    else:
        models(arguments)


if __name__ == "__main__":
    main()
