"""Matrices of human dissimilarities between sounds, as CSV: the sounds' file names in the first row and the first column.

    ,violin.wav,flute.wav,horn.wav
    violin.wav,0,3.5,6
    flute.wav,3.5,0,4
    horn.wav,6,,0

Higher is less alike, in any unit; an empty cell is a pair without a judgement; the diagonal is ignored.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.errors import InputError
from soundalike.research.datasets.csv_tables import parse_number, read_csv

FORMAT_HINT = "it must be a CSV matrix with file names in the first row and, in the same order, in the first column"


@dataclass(frozen=True)
class Dissimilarities:
    """Human dissimilarities. sounds: N file names; values: (N, N), NaN for pairs without a judgement."""

    sounds: tuple[str, ...]
    values: NDArray[np.float64]


def read_dissimilarities(file: Path) -> Dissimilarities:
    """Read the matrix in a CSV file. Raises InputError, naming the cell, if it is invalid."""
    if not file.is_file():
        raise InputError(f"there is no file {file}; {FORMAT_HINT}")
    rows = read_csv(file).rows
    if len(rows) < 4:
        raise InputError(f"{file} has {max(0, len(rows) - 1)} sounds; at least three are needed; {FORMAT_HINT}")
    sounds = list(rows[0][1:])
    if len(set(sounds)) != len(sounds) or not all(sounds):
        raise InputError(f"{file}: the names in the first row must be non-empty and unique; {FORMAT_HINT}")
    if [row[0] for row in rows[1:]] != sounds:
        raise InputError(f"{file}: the first column does not name the same sounds in the same order; {FORMAT_HINT}")
    values = np.full((len(sounds), len(sounds)), math.nan)
    for i, row in enumerate(rows[1:]):
        if len(row) != len(sounds) + 1:
            raise InputError(f"{file}: the row of {row[0]} has {len(row) - 1} values; {len(sounds)} are needed")
        for j, cell in enumerate(row[1:]):
            values[i, j] = _number(file, sounds[i], sounds[j], cell)
    return Dissimilarities(tuple(sounds), values)


def _number(file: Path, first: str, second: str, cell: str) -> float:
    if cell in ("", "NA", "nan", "NaN"):
        return math.nan
    try:
        value = parse_number(cell)
    except ValueError:
        value = math.inf
    if not math.isfinite(value):
        raise InputError(f"{file}: the value of {first} beside {second} is {cell!r}; it must be a number or empty")
    return value
