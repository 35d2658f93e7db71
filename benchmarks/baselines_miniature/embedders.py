"""Vectors of mixtures by a trained network, by its initial weights and by MFCC, and their distances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import librosa
import numpy as np
from numpy.typing import NDArray

from benchmarks.baselines_miniature.training import RUNTIME
from soundalike.models.encoders.trained.cascade_network import PART_DIMENSION, Cascade
from soundalike.models.encoders.trained.mel_spectra import SAMPLE_RATE
from soundalike.models.encoders.trained.trained_encoder import TrainedEncoder
from soundalike.models.encoders.trained.trained_file import TrainedNetwork
from soundalike.parts import MIX

Matrix = NDArray[np.float64]
Embed = Callable[[NDArray[np.float32], str], Matrix]
"""The vectors (parts, D) of a mixture; those of one part (the others are zero), or of all for `mix`."""


def embedder(system: str, trained: TrainedNetwork) -> Embed:
    """What embeds mixtures with a trained network, on one core."""
    parts = trained.architecture.parts
    encoders = _encoders(system, trained)

    def embed(mixture: NDArray[np.float32], part: str) -> Matrix:
        vectors = np.zeros((len(parts), PART_DIMENSION))
        for own, encoder in encoders.items():
            if part == MIX or part in own:
                of_mixture = encoder.embed_parts([mixture])[0]
                for number, name in enumerate(own):
                    values = of_mixture[encoder.parts.index(name)]
                    vectors[parts.index(name)] = values[PART_DIMENSION * number : PART_DIMENSION * (number + 1)]
        return vectors

    return embed


def _encoders(system: str, trained: TrainedNetwork) -> dict[tuple[str, ...], TrainedEncoder]:
    """One encoder for each network that can run by itself, by its parts: all of D-CSN, each part of Cascade."""
    architecture = trained.architecture
    if not isinstance(trained.network, Cascade):
        return {architecture.parts: TrainedEncoder(system, trained, RUNTIME)}
    encoders = {}
    for part in architecture.parts:
        network = Cascade((part,), architecture.width)
        network.of_part[part] = trained.network.of_part[part]
        alone = TrainedNetwork(replace(architecture, parts=(part,)), network, {})
        encoders[part,] = TrainedEncoder(system, alone, RUNTIME)
    return encoders


def mfcc_statistics(mixture: NDArray[np.float32], _: str) -> Matrix:
    """(1, 40) means and standard deviations of 20 coefficients of a mixture."""
    coefficients = librosa.feature.mfcc(y=mixture, sr=SAMPLE_RATE, n_mfcc=20)
    row = np.concatenate([coefficients.mean(axis=1), coefficients.std(axis=1)])
    return np.asarray(row[np.newaxis], np.float64)


def euclidean(first: Matrix, second: Matrix) -> float:
    """Their Euclidean distance."""
    return float(np.linalg.norm(first - second))


def cosine(first: Matrix, second: Matrix) -> float:
    """Minus their cosine: the more alike, the less, as distances are."""
    return -float(first @ second / max(float(np.linalg.norm(first) * np.linalg.norm(second)), 1e-12))
