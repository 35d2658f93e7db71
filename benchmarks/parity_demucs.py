"""Compare soundalike's Demucs separators with the package demucs, with random weights of the same architecture.

demucs is a dependency of soundalike[neural], so one environment has both. From the root of the repository, with
PYTHONPATH=src:. :

    python -m benchmarks.parity_demucs golden                   write tests/models/neural/golden_demucs.npz (narrow)
    python -m benchmarks.parity_demucs compare htdemucs FOLDER  full size; the checkpoint is written to FOLDER
    python -m benchmarks.parity_demucs speed htdemucs FOLDER    seconds per segment

The original is `demucs.api.Separator` with shifts=0. `compare` prints for each stem its level relative to the mixture, its
correlation with the mixture and its highest correlation with another stem, and the deviation of ours, exact and fast: the
largest, and in decibels below the stem. Weights are N(0, 1 / fan-in), scales of layers N(0, 0.1), with which stems are 10
to 14 dB below the mixture and uncorrelated with it. With gains of 1.6 in the convolutions the network is chaotic:
rounding to bfloat16 alone leaves 14 dB.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.config import PRECISIONS, Precision, Runtime
from soundalike.errors import InputError
from soundalike.models.separators.demucs.demucs_separator import DemucsSeparator
from tests.models.neural.narrow_demucs import (
    FILES,
    SOURCES,
    Original,
    arguments,
    decibels,
    demucs_checkpoint,
    mixture,
    write_demucs,
)

Samples = NDArray[np.float32]

GOLDEN = Path(__file__).parents[1] / "tests/models/neural/golden_demucs.npz"
GOLDEN_SECONDS, GOLDEN_STEP = 0.6, 37


def write_golden(folder: Path) -> None:
    """Write GOLDEN: every 37th sample of the original's stems, at a narrow size."""
    arrays: dict[str, NDArray[np.generic]] = {
        "seconds": np.float64(GOLDEN_SECONDS),
        "step": np.int64(GOLDEN_STEP),
    }
    for name in SOURCES:
        path = write_demucs(folder / FILES[name], arguments(name))
        for part, stem in original_parts(path, mixture(GOLDEN_SECONDS)).items():
            arrays[f"{name}/{part}"] = stem[:, ::GOLDEN_STEP]
    np.savez_compressed(GOLDEN, **arrays)
    print(f"{GOLDEN}: {GOLDEN.stat().st_size} bytes")


def original_parts(path: Path, mix: Samples) -> dict[str, Samples]:
    """Stems of the package demucs by our names of the parts."""
    stems = Original(path).separate(mix)
    return {"residuals" if source == "other" else source: stem for source, stem in stems.items()}


def checkpoint(name: str, folder: Path) -> Path:
    """A full-size checkpoint with random weights, written unless it exists."""
    path = folder / FILES[name]
    return path if path.exists() else write_demucs(path, arguments(name, full=True))


def load(path: Path, name: str, precision: Precision) -> DemucsSeparator | None:
    """Our separator, None if the processor does not support the precision."""
    try:
        return DemucsSeparator.load(demucs_checkpoint(path, name), Runtime("cpu", precision))
    except InputError as error:
        print(f"{precision}: {error}")
        return None


def compare(name: str, folder: Path, seconds: float) -> None:
    """Print the deviation of our stems from the original's."""
    path, mix = checkpoint(name, folder), mixture(seconds)
    expected = original_parts(path, mix)
    correlations = np.corrcoef(np.stack([mix, *expected.values()]).reshape(len(expected) + 1, -1)) - np.eye(
        len(expected) + 1
    )
    for row, (part, stem) in enumerate(expected.items(), start=1):
        level = 20 * np.log10(stem.std() / mix.std())
        other = np.abs(correlations[row, 1:]).max()
        print(
            f"{part:10} {level:6.1f} dB, correlation {correlations[row, 0]:5.2f} with the mixture, {other:.2f} with a stem"
        )
    print(f"peak {peak():.2f} GB after the original")
    for precision in PRECISIONS:
        begin = time.perf_counter()
        ours = load(path, name, precision)
        if ours is None:
            continue
        print(f"{precision}: loaded in {time.perf_counter() - begin:.1f} s, peak {peak():.2f} GB")
        for part, stem in ours.separate(mix).items():
            largest = np.abs(stem - expected[part]).max()
            print(f"{precision:6} {part:10} {decibels(stem, expected[part]):6.1f} dB, at most {largest:.1e}")
        print(f"{precision}: peak {peak():.2f} GB after {seconds} s")


def speed(name: str, folder: Path, rounds: int) -> None:
    """Print the minimum time for a mixture of two segments; the implementations take turns."""
    path, mix = checkpoint(name, folder), mixture(11.7)
    implementations: dict[str, Callable[[Samples], object]] = {"demucs": Original(path).separate}
    for precision in PRECISIONS:
        if ours := load(path, name, precision):
            implementations[precision] = ours.separate
    least = dict.fromkeys(implementations, np.inf)
    for _ in range(rounds):
        for label, separate in implementations.items():
            begin = time.perf_counter()
            separate(mix)
            least[label] = min(least[label], time.perf_counter() - begin)
    for label, seconds in least.items():
        print(
            f"{name} {label:6} {seconds / 2:6.2f} s per segment, {11.7 / seconds:5.2f} x real time, "
            f"{least['demucs'] / seconds:.2f} x demucs"
        )


def peak() -> float:
    """Peak memory of this process in GB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare soundalike's Demucs separators with the package demucs.")
    parser.add_argument("action", choices=("golden", "compare", "speed"))
    parser.add_argument("name", nargs="?", choices=sorted(SOURCES), default="htdemucs")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("build/parity_demucs"))
    parser.add_argument("--seconds", type=float, default=30.0, help="length of the mixture of `compare`")
    parser.add_argument("--rounds", type=int, default=5, help="number of measurements of `speed`")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.action == "golden":
        write_golden(options.folder)
    elif options.action == "compare":
        compare(options.name, options.folder, options.seconds)
    else:
        speed(options.name, options.folder, options.rounds)


if __name__ == "__main__":
    main()
