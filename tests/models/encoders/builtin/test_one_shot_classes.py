"""Classes of one-shots read from their vectors."""

from __future__ import annotations

import numpy as np
import pytest
import soxr

from soundalike.errors import InputError
from soundalike.models.encoders.builtin.builtin_encoder import BuiltinEncoder
from soundalike.models.encoders.builtin.one_shot_classes import CLASSES, classify, probabilities
from soundalike.synth.drums import KITS, render_hit
from soundalike.synth.patches import PATCHES, render_note


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    """A kick, a snare and a closed hat of every kit, then a note of every patch."""
    sounds = [render_hit(kit, voice) for voice in ("kick", "snare", "closed_hat") for kit in KITS]
    sounds += [render_note(name, patch.low + 7, 0.8) for name, patch in PATCHES.items()]
    return BuiltinEncoder().embed([soxr.resample(sound, 44_100, 32_000).astype(np.float32) for sound in sounds])


def test_hits_and_notes_are_of_their_class(vectors: np.ndarray) -> None:
    expected = [name for name in ("kick", "snare", "hat") for _ in KITS] + ["other"] * len(PATCHES)
    right = [found.name == name for found, name in zip(classify(vectors), expected, strict=True)]
    assert np.mean(right) > 0.85


def test_probabilities_sum_to_one_and_the_confidence_is_the_largest(vectors: np.ndarray) -> None:
    chances = probabilities(vectors)
    assert chances.shape == (len(vectors), len(CLASSES))
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose([found.confidence for found in classify(vectors)], chances.max(axis=1), atol=1e-6)


def test_vectors_as_they_are_stored_have_the_same_classes(vectors: np.ndarray) -> None:
    stored = classify(vectors.astype(np.float16))
    assert [found.name for found in stored] == [found.name for found in classify(vectors)]


def test_silence_has_no_class() -> None:
    (found,) = classify(np.zeros((1, BuiltinEncoder.dimension), np.float32))
    assert (found.name, found.confidence) == ("", 0.0)


def test_vectors_of_version_1_are_refused() -> None:
    with pytest.raises(InputError, match="upgrade"):
        classify(np.zeros((2, 334), np.float32))
