"""Both versions of the built-in encoder out of one analysis, and of the built-in separator."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from soundalike.analysis.analyser import Analyser
from soundalike.analysis.recipe import make_recipe
from soundalike.models.encoders.builtin.builtin_encoder import BuiltinEncoder, fuse
from soundalike.models.encoders.builtin.builtin_spectra import SAMPLE_RATE, compute_spectra
from soundalike.models.encoders.builtin.signal_encoder import CONSTANTS, WEIGHTS, SignalEncoder, mono
from soundalike.models.encoders.builtin.whitened_features import WhitenedFeatures

Float32 = NDArray[np.float32]
Version = Literal["1", "2"]
VERSIONS: tuple[Version, ...] = ("1", "2")


class BothVersions:
    """Both versions of the built-in encoder, which compute the spectra of a waveform once."""

    name = "builtin"
    version = "2"
    sample_rate = SAMPLE_RATE
    dimension = BuiltinEncoder.dimension + SignalEncoder.dimension
    clip_seconds: float | None = None

    def __init__(self) -> None:
        self._older = WhitenedFeatures(CONSTANTS, WEIGHTS)
        self._newer = BuiltinEncoder()

    def embed(self, waveforms: Sequence[Float32]) -> Float32:
        """Rows (N, D) of N mono waveforms (samples,) at 32 kHz, of which `as_version` takes either vector; zeros for silence."""
        rows = np.zeros((len(waveforms), self.dimension), dtype=np.float32)
        for row, waveform in zip(rows, waveforms, strict=True):
            spectra = compute_spectra(mono(waveform), with_mels=True)
            if spectra is not None:
                row[:] = np.concatenate([fuse(self._newer.hear(spectra)), self._older.vector(spectra)])
        return rows


def as_version(rows: Float32, version: Version) -> Float32:
    """The vectors (..., D) of one version out of rows of `BothVersions`. Raises ValueError for rows of another length."""
    if rows.shape[-1] != BothVersions.dimension:
        raise ValueError(
            f"rows of {rows.shape[-1]} numbers do not hold both versions; those have {BothVersions.dimension}"
        )
    newer, older = np.split(rows, [BuiltinEncoder.dimension], axis=-1)
    return newer if version == "2" else older


def analyser_of_both(separator: Version = VERSIONS[-1]) -> Analyser:
    """An analyser with the encoder `BothVersions` and a version of the built-in separator."""
    encoder = BothVersions()
    analyser = Analyser(replace(make_recipe(), separator_version=separator, dimension=encoder.dimension))
    analyser.__dict__["encoder"] = encoder
    return analyser


def add_separator_option(parser: argparse.ArgumentParser) -> None:
    """Add `--separator`, the version that `analyser_of_both` takes."""
    parser.add_argument("--separator", choices=VERSIONS, default=VERSIONS[-1], help="version of the built-in separator")
