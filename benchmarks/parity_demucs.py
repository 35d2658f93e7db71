"""The package demucs against soundalike's separators, with random weights of the same architecture.

demucs is a dependency of soundalike[neural], so one environment has both. From the root of the repository, with
PYTHONPATH=src:. :

    python benchmarks/parity_demucs.py golden                      writes tests/neural/golden_demucs.npz, at a narrow size
    python benchmarks/parity_demucs.py compare htdemucs FOLDER     the true size; the checkpoint is written into FOLDER
    python benchmarks/parity_demucs.py speed htdemucs FOLDER       seconds a segment, of the same segments

The original is `demucs.api.Separator` with shifts=0. `compare` prints, a stem each: how loud it is against the mixture,
its correlation with the mixture and the highest with another stem, and the deviation of ours, exact and fast, largest
and in decibels below the stem. Weights are N(0, 1 / fan-in), scales of layers N(0, 0.1): stems then are 10 to 14 dB
below the mixture and not correlated with it. With gains of 1.6 in the convolutions, the network is chaotic, and
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

GOLDEN = Path(__file__).parents[1] / "tests/neural/golden_demucs.npz"
GOLDEN_SECONDS, GOLDEN_STEP = 0.6, 37


def write_golden(folder: Path) -> None:
    """Every 37th sample of the original's stems, at a narrow size."""
    found: dict[str, NDArray[np.generic]] = {
        "seconds": np.float64(GOLDEN_SECONDS),
        "step": np.int64(GOLDEN_STEP),
    }
    for name in SOURCES:
        path = write_demucs(folder / FILES[name], arguments(name))
        for part, stem in original_parts(path, mixture(GOLDEN_SECONDS)).items():
            found[f"{name}/{part}"] = stem[:, ::GOLDEN_STEP]
    np.savez_compressed(GOLDEN, **found)
    print(f"{GOLDEN}: {GOLDEN.stat().st_size} bytes")


def original_parts(path: Path, mix: Samples) -> dict[str, Samples]:
    """Stems of the package demucs, under our names for them."""
    stems = Original(path).separate(mix)
    return {"residuals" if source == "other" else source: stem for source, stem in stems.items()}


def checkpoint(name: str, folder: Path) -> Path:
    """A checkpoint of true size with random weights, written where it is not there yet."""
    path = folder / FILES[name]
    return path if path.exists() else write_demucs(path, arguments(name, full=True))


def load(path: Path, name: str, precision: Precision) -> DemucsSeparator | None:
    """Our separator, or None where the processor has no fast way."""
    try:
        return DemucsSeparator.load(demucs_checkpoint(path, name), Runtime("cpu", precision))
    except InputError as error:
        print(f"{precision}: {error}")
        return None


def compare(name: str, folder: Path, seconds: float) -> None:
    """Print how far our stems are from the original's."""
    path, mix = checkpoint(name, folder), mixture(seconds)
    wanted = original_parts(path, mix)
    everything = np.corrcoef(np.stack([mix, *wanted.values()]).reshape(len(wanted) + 1, -1)) - np.eye(len(wanted) + 1)
    for row, (part, stem) in enumerate(wanted.items(), start=1):
        level = 20 * np.log10(stem.std() / mix.std())
        like = np.abs(everything[row, 1:]).max()
        print(
            f"{part:10} {level:6.1f} dB, correlation {everything[row, 0]:5.2f} with the mixture, {like:.2f} with a stem"
        )
    print(f"peak {peak():.2f} GB after the original")
    for precision in PRECISIONS:
        begin = time.perf_counter()
        ours = load(path, name, precision)
        if ours is None:
            continue
        print(f"{precision}: loaded in {time.perf_counter() - begin:.1f} s, peak {peak():.2f} GB")
        for part, stem in ours.separate(mix).items():
            largest = np.abs(stem - wanted[part]).max()
            print(f"{precision:6} {part:10} {decibels(stem, wanted[part]):6.1f} dB, at most {largest:.1e}")
        print(f"{precision}: peak {peak():.2f} GB after {seconds} s")


def speed(name: str, folder: Path, rounds: int) -> None:
    """Print the least seconds that a mixture of two segments takes, the ways taking turns."""
    path, mix = checkpoint(name, folder), mixture(11.7)
    ways: dict[str, Callable[[Samples], object]] = {"demucs": Original(path).separate}
    for precision in PRECISIONS:
        if ours := load(path, name, precision):
            ways[precision] = ours.separate
    least = dict.fromkeys(ways, np.inf)
    for _ in range(rounds):
        for way, separate in ways.items():
            begin = time.perf_counter()
            separate(mix)
            least[way] = min(least[way], time.perf_counter() - begin)
    for way, taken in least.items():
        print(
            f"{name} {way:6} {taken / 2:6.2f} s a segment, {11.7 / taken:5.2f} x real time, {least['demucs'] / taken:.2f}x"
        )


def peak() -> float:
    """The most memory that this process has had so far, in GB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description="The package demucs against soundalike's separators.")
    parser.add_argument("what", choices=("golden", "compare", "speed"))
    parser.add_argument("name", nargs="?", choices=sorted(SOURCES), default="htdemucs")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("build/parity_demucs"))
    parser.add_argument("--seconds", type=float, default=30.0, help="length of the mixture of `compare`")
    parser.add_argument("--rounds", type=int, default=5, help="how often `speed` measures")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    if given.what == "golden":
        write_golden(given.folder)
    elif given.what == "compare":
        compare(given.name, given.folder, given.seconds)
    else:
        speed(given.name, given.folder, given.rounds)


if __name__ == "__main__":
    main()
