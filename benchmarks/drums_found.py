"""Where the built-in separator finds drums: of each song, how many of its windows have them for indexing.

    python -m benchmarks.drums_found

The songs and multitracks of SOUNDALIKE_TEST_DATA, in windows of 10 s: how many have a stem of drums above the level gate, how
many of these also have an attack, and the attacks (dB) of the windows that have none and of those that have one.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.shared.audio_data import audio_folder
from benchmarks.shared.markdown import print_table
from benchmarks.vocals_found import RATE, WINDOW, levels
from soundalike.analysis.attacks import strongest_attack
from soundalike.analysis.recipe import attack_of, make_recipe
from soundalike.audio import decode
from soundalike.models.separators.builtin.builtin_separator import BuiltinSeparator

RECIPE = make_recipe()
LEAST = attack_of(RECIPE, "drums")
HEADER = ("song", "windows", "above the level gate", "with drums", "attacks of others, dB", "attacks of drums, dB")


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    print_table(HEADER, rows(audio_folder()))


def rows(audio: Path) -> Iterator[tuple[str, ...]]:
    """The rows of the table."""
    separator = BuiltinSeparator()
    songs = [(path.stem, path) for path in sorted((audio / "songs").iterdir()) if path.suffix in (".ogg", ".m4a")]
    songs += [
        (f"multitrack {path.parent.name}", path) for path in sorted((audio / "multitracks").glob("*/mixture.flac"))
    ]
    for name, path in songs:
        mixture = decode.load(path, RATE, 1).samples
        drums = separator.separate(mixture)["drums"][0]
        found, size = levels(drums, mixture[0]), WINDOW * RATE
        loud = np.flatnonzero(found > RECIPE.gate_db)
        attacks = np.array([strongest_attack(drums[at * size : (at + 1) * size], RATE) for at in loud])
        struck = attacks >= LEAST
        yield (
            name,
            str(len(found)),
            str(len(loud)),
            str(struck.sum()),
            _range(attacks[~struck]),
            _range(attacks[struck]),
        )


def _range(values: np.ndarray) -> str:
    return f"{values.min():.1f} to {values.max():.1f}" if len(values) else "-"


if __name__ == "__main__":
    main()
