"""Whether two songs have the same pitch classes at the same time, by the chromas of windows that are aligned already."""

from __future__ import annotations

import math

import numpy as np

from soundalike.errors import InputError
from soundalike.search.index.table_rows import Float32


def agreement(one: Float32, other: Float32, semitones: float = 0.0) -> float:
    """The median cosine (-1..1) of the chromas (N, 12) of N windows of one song with those of the other, where the other is
    `semitones` (-1..1) higher; 0 for windows of which one has no chroma. The median, because where a song begins or was cut a
    window may hold little of what the other does.

    A chroma cannot be shifted exactly by a part of a semitone, only blurred, so either is shifted and the better one counts.
    Raises InputError without windows.
    """
    if not len(one):
        raise InputError("there are no windows to compare; compare only songs that have some in common")
    return max(_median_cosine(_shifted(one, semitones), other), _median_cosine(one, _shifted(other, -semitones)))


def _shifted(chroma: Float32, semitones: float) -> Float32:
    """A chroma (N, 12) `semitones` (-1..1) higher: each pitch class is divided between the two next to it."""
    share = abs(semitones)
    return np.asarray((1 - share) * chroma + share * np.roll(chroma, int(math.copysign(1, semitones)), axis=1))


def _median_cosine(one: Float32, other: Float32) -> float:
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return float(np.median((one * other).sum(axis=1) / np.maximum(lengths, 1e-9)))
