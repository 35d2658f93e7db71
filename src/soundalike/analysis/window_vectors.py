"""Separated segments, and clips, to vectors: one for each part of each window in which it sounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soundalike.analysis.attacks import strongest_attack
from soundalike.analysis.level_gate import SILENCE_DB, above_gate
from soundalike.analysis.recipe import Recipe, attack_of, gate_of
from soundalike.analysis.segments import SeparatedSegment, Times
from soundalike.audio.level import rms_level
from soundalike.audio.waveform import Waveform, resample
from soundalike.models.encoders import Encoder, PartEncoder
from soundalike.parts import MIX

Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]

_AUDIBLE = 1e-3
"""A clip is trimmed to the samples within 60 dB of its peak."""


@dataclass(frozen=True)
class WindowVectors:
    """Vectors of N windows: starts, ends (N,) in s; vectors (N, K, D), unit rows or zero; present (N, K)."""

    starts: Times
    ends: Times
    vectors: Float32
    present: Bool

    @classmethod
    def none(cls, parts: int, dimension: int) -> WindowVectors:
        """No windows, of so many parts and dimensions."""
        return cls(
            np.empty(0), np.empty(0), np.empty((0, parts, dimension), np.float32), np.empty((0, parts), dtype=bool)
        )

    @classmethod
    def concatenate(cls, several: Sequence[WindowVectors]) -> WindowVectors:
        """The windows of all, in order; `several` must not be empty."""
        return cls(
            np.concatenate([one.starts for one in several]),
            np.concatenate([one.ends for one in several]),
            np.concatenate([one.vectors for one in several]),
            np.concatenate([one.present for one in several]),
        )


def embed_windows(
    encoder: Encoder, recipe: Recipe, parts: Sequence[str], segment: SeparatedSegment, starts: Times, ends: Times
) -> WindowVectors:
    """Gate and embed `parts` of the windows in a segment, all in one batch; silent windows are left out.

    An encoder that hears mixtures gets the mixture of each window; the stems only decide which parts are present.
    """
    rate = segment.sample_rate
    first = np.round((starts - segment.offset) * rate).astype(int)
    last = np.round((ends - segment.offset) * rate).astype(int)

    def levels(part: str) -> NDArray[np.float64]:
        stem = segment.stems[part]
        return np.array([rms_level(stem[a:b]) for a, b in zip(first, last, strict=True)])

    mixture = levels(MIX)
    present = np.zeros((len(starts), len(recipe.parts)), dtype=bool)
    for part in parts:
        found, least = above_gate(levels(part), mixture, gate_of(recipe, part)), attack_of(recipe, part)
        if least > -np.inf:
            stem = segment.stems[part]
            for window in np.flatnonzero(found):
                found[window] = strongest_attack(stem[first[window] : last[window]], rate) >= least
        present[:, recipe.parts.index(part)] = found
    audible = mixture >= SILENCE_DB
    present &= audible[:, np.newaxis]
    rows, columns = np.nonzero(present)
    vectors = np.zeros((*present.shape, recipe.dimension), dtype=np.float32)
    if len(rows) and isinstance(encoder, PartEncoder):
        windows = np.unique(rows)
        crops = [segment.stems[MIX][first[window] : last[window]] for window in windows]
        vectors[windows] = _heard_in_mixtures(encoder, recipe.parts, crops)
        vectors[~present] = 0.0
    elif len(rows):
        crops = [
            segment.stems[recipe.parts[column]][first[row] : last[row]]
            for row, column in zip(rows, columns, strict=True)
        ]
        vectors[rows, columns] = encoder.embed(crops)
    return WindowVectors(starts[audible], ends[audible], vectors[audible], present[audible])


def _heard_in_mixtures(encoder: PartEncoder, parts: Sequence[str], mixtures: Sequence[Float32]) -> Float32:
    """Unit vectors (N, K, D) of `parts` in N mixtures."""
    columns = [encoder.parts.index(part) for part in parts]
    vectors = encoder.embed_parts(mixtures)[:, columns]
    norms = np.maximum(np.linalg.norm(vectors, axis=2, keepdims=True), 1e-12)
    return np.asarray(vectors / norms, np.float32)


def embed_clip(encoder: Encoder, dimension: int, waveform: Waveform) -> WindowVectors:
    """The one vector of a loop or one-shot, embedded whole without the silence around it; none if it is silent."""
    mono = trim_silence(resample(waveform.mono(), waveform.sample_rate, encoder.sample_rate))
    if rms_level(mono) < SILENCE_DB:
        return WindowVectors.none(1, dimension)
    vectors = encoder.embed([mono])[:, np.newaxis]
    return WindowVectors(np.zeros(1), np.array([waveform.duration]), vectors, np.ones((1, 1), dtype=bool))


def trim_silence(samples: Float32) -> Float32:
    """`samples` from the first to the last that is within 60 dB of the peak; nothing of digital silence."""
    audible = np.flatnonzero(np.abs(samples) > _AUDIBLE * np.abs(samples).max(initial=0.0))
    return samples[audible[0] : audible[-1] + 1] if len(audible) else samples[:0]
