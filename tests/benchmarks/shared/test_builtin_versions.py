"""What the benchmarks hear by both versions is what the shipped encoders hear."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks.shared.builtin_versions import BothVersions, analyser_of_both, as_version
from soundalike.analysis.analyser import Analyser
from soundalike.analysis.recipe import make_recipe
from soundalike.models.encoders import Encoder
from soundalike.models.encoders.builtin.builtin_encoder import BuiltinEncoder
from soundalike.models.encoders.builtin.signal_encoder import SignalEncoder


def clips() -> list[np.ndarray]:
    """A decaying tone, noise and silence."""
    rng = np.random.default_rng(0)
    time = np.arange(24_000) / 32_000
    tone = np.sin(2 * np.pi * 220 * time) * np.exp(-4 * time)
    return [clip.astype(np.float32) for clip in (tone, rng.normal(size=20_000), np.zeros(1_000))]


@pytest.mark.parametrize("encoder", [SignalEncoder(), BuiltinEncoder()], ids=["1", "2"])
def test_each_version_is_that_of_the_shipped_encoder(encoder: Encoder) -> None:
    rows = as_version(BothVersions().embed(clips()), encoder.version)
    np.testing.assert_allclose(rows, encoder.embed(clips()), atol=1e-6)
    assert rows[:2].any(axis=1).all()
    assert not rows[2].any()


def test_the_versions_differ_in_their_signal_features() -> None:
    rows = BothVersions().embed(clips()[:1])
    older, newer = as_version(rows, "1")[0], as_version(rows, "2")[0, : SignalEncoder.dimension]
    assert older @ newer / np.linalg.norm(newer) < 0.99


def test_an_analyser_hears_both(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    soundfile.write(path, clips()[0], 32_000)
    analyser = analyser_of_both("1")
    assert analyser.recipe.separator_version == "1"
    rows = analyser.analyse(path, "one-shot", with_facts=False).vectors
    expected = Analyser(make_recipe()).analyse(path, "one-shot", with_facts=False).vectors
    np.testing.assert_allclose(as_version(rows, "2"), expected, atol=1e-6)


def test_vectors_of_one_version_are_refused() -> None:
    with pytest.raises(ValueError, match="do not hold both versions"):
        as_version(BuiltinEncoder().embed(clips()), "1")
