"""The class of a one-shot (kick, snare, ...) with a confidence, read from its vector by version 2 of the built-in encoder.

A linear read-out with a softmax, fitted by `python -m training classes`. It needs the vector only, so that the items of a
library have classes without being read again: `classify(vectors)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.errors import InputError
from soundalike.models.encoders.builtin.builtin_encoder import both_heard_through_music

Array = NDArray[np.float32]

CLASSES: tuple[str, ...] = ("kick", "snare", "clap", "hat", "tom", "cymbal", "percussion", "other")
"""In the order of the outputs. `other` is every sound that is not struck percussion: notes, chords, voices, effects."""

READOUT = Path(__file__).with_name("builtin_classes.npz")
"""`weights` (D, classes) and `bias` (classes,), of vectors in which the network has the share `NETWORK`."""

NETWORK = 0.6
"""Share of the network in what is read: it was trained with these classes."""


@dataclass(frozen=True)
class OneShotClass:
    """The most probable class of a sound; confidence: its probability, 0..1; empty with confidence 0 for silence."""

    name: str
    confidence: float


def classify(vectors: Array) -> list[OneShotClass]:
    """The class of each of N one-shots from their vectors (N, D), in float16 or float32, by version 2 of `builtin`.

    Raises InputError for vectors of another dimension.
    """
    chances = probabilities(vectors)
    silent = np.abs(vectors).max(axis=1, initial=0) == 0
    best = chances.argmax(axis=1)
    return [
        OneShotClass("", 0.0) if quiet else OneShotClass(CLASSES[number], float(row[number]))
        for row, number, quiet in zip(chances, best, silent, strict=True)
    ]


def probabilities(vectors: Array) -> Array:
    """(N, classes) probabilities of `CLASSES`, which sum to 1. Arguments as of `classify`."""
    weights, bias = _readout()
    values = np.asarray(vectors, dtype=np.float32)
    if values.ndim != 2 or values.shape[1] != len(weights):
        raise InputError(
            f"vectors of the shape {values.shape} have no classes; give (N, {len(weights)}), made by version 2 of the encoder "
            "builtin (`soundalike index --upgrade` renews a library)"
        )
    logits = inputs(values) @ weights + bias
    chances = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(chances / chances.sum(axis=1, keepdims=True), dtype=np.float32)


def inputs(vectors: Array) -> Array:
    """(N, D) what the read-out is applied to, from vectors (N, D) as they are stored. Raises InputError for another D."""
    return both_heard_through_music(vectors, NETWORK)


@cache
def _readout() -> tuple[Array, Array]:
    with np.load(READOUT) as stored:
        return stored["weights"].astype(np.float32), stored["bias"].astype(np.float32)
