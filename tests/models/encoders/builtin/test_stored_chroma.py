"""The chroma that vectors hold, against the pitch classes that sound."""

from __future__ import annotations

import numpy as np
import pytest
import soxr

from soundalike.errors import InputError
from soundalike.models.encoders.builtin.builtin_encoder import BuiltinEncoder
from soundalike.models.encoders.builtin.builtin_features import chroma as measured
from soundalike.models.encoders.builtin.builtin_features import spectral_peaks
from soundalike.models.encoders.builtin.builtin_spectra import compute_spectra
from soundalike.models.encoders.builtin.stored_chroma import chroma
from soundalike.synth.songs import render_song
from soundalike.synth.specs import song_specs


def songs() -> list[np.ndarray]:
    """Made-up songs, mono, at the encoder's rate."""
    mixtures = [render_song(spec).mixture for spec in song_specs(5, 6, 12.0)]
    return [soxr.resample(mixture.mean(axis=0), 44_100, 32_000).astype(np.float32) for mixture in mixtures]


def test_vectors_of_songs_hold_about_their_chroma() -> None:
    sounds = songs()
    spectra = [compute_spectra(sound) for sound in sounds]
    true = [measured(*spectral_peaks(one)[:2]) for one in spectra if one is not None]
    found = chroma(BuiltinEncoder().embed(sounds).astype(np.float16))
    assert len(true) == len(found) == len(sounds)
    assert np.abs(found.sum(axis=1)).max() < 1e-5
    cosines = found @ np.transpose(true) / np.outer(np.linalg.norm(found, axis=1), np.linalg.norm(true, axis=1))
    assert np.median(np.diag(cosines)) > 0.95
    assert np.diag(cosines).min() > 0.7
    assert np.median(cosines[~np.eye(len(sounds), dtype=bool)]) < 0.5


def test_silence_has_no_chroma_and_vectors_of_version_1_are_refused() -> None:
    assert not chroma(np.zeros((2, BuiltinEncoder.dimension), np.float32)).any()
    with pytest.raises(InputError, match="version 2"):
        chroma(np.zeros((2, 334), np.float32))
