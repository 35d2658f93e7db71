"""Where the built-in separator finds vocals: of each song, how many of its windows have them for the gate of indexing.

    python -m benchmarks.vocals_found

The songs and multitracks of SOUNDALIKE_TEST_DATA, in windows of 10 s; of the multitracks also the windows in which there really
is a voice, the SDR of the vocals (dB), and that of vocals and residuals together, as they were before they were split.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.separator_evaluation import sdr
from benchmarks.shared.audio_data import audio_folder
from benchmarks.shared.markdown import print_table
from soundalike.analysis.recipe import gate_of, make_recipe
from soundalike.audio import decode
from soundalike.audio.level import rms_level
from soundalike.models.separators.builtin.builtin_separator import BuiltinSeparator

Samples = NDArray[np.float32]
RATE, WINDOW = 32_000, 10
GATE_DB, TRUE_DB = gate_of(make_recipe(), "vocals"), make_recipe().gate_db
"""Levels (dB above the mixture) from which found and true vocals count."""


HEADER = ("song", "windows", "with vocals", "level of these, dB", "with a true voice", "SDR of vocals", "unsplit")


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    print_table(HEADER, rows(audio_folder()))


def rows(audio: Path) -> Iterator[tuple[str, ...]]:
    """The rows of the table."""
    separator = BuiltinSeparator()
    songs = [(path.stem, path, None) for path in sorted((audio / "songs").iterdir()) if path.suffix in (".ogg", ".m4a")]
    for folder in sorted((audio / "multitracks").iterdir()):
        if folder.is_dir():
            songs.append((f"multitrack {folder.name}", folder / "mixture.flac", folder / "vocals.ogg"))
    for name, path, voice in songs:
        mixture = decode.load(path, RATE, 1).samples
        stems = separator.separate(mixture)
        vocals = stems["vocals"][0]
        found = levels(vocals, mixture[0])
        heard = found[found > GATE_DB]
        known = ("", "", "")
        if voice is not None:
            true = decode.load(voice, RATE, 1).samples[0, : len(vocals)]
            count, unsplit = int((levels(true, mixture[0]) > TRUE_DB).sum()), vocals + stems["residuals"][0]
            known = (str(count), f"{sdr(true, vocals[: len(true)]):.2f}", f"{sdr(true, unsplit[: len(true)]):.2f}")
        level = f"{heard.min():.0f} to {heard.max():.0f}" if len(heard) else "-"
        yield name, str(len(found)), str(len(heard)), level, *known


def levels(stem: Samples, mixture: Samples) -> NDArray[np.float64]:
    """dB above the mixture in each whole window; -99 where either is silent."""
    size, found = WINDOW * RATE, []
    for first in range(0, min(len(stem), len(mixture)) - size + 1, size):
        whole, part = (rms_level(samples[first : first + size]) for samples in (mixture, stem))
        found.append(max(part - whole, -99.0) if np.isfinite(whole) else -99.0)
    return np.array(found)


if __name__ == "__main__":
    main()
