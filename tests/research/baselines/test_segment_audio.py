from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra: train")

from soundalike.audio import decode
from soundalike.research.baselines.segment_audio import SegmentAudio
from soundalike.research.baselines.training_triplets import Recombination, SegmentRef, Sound
from soundalike.research.datasets.slakh import Slakh
from tests.research.baselines.made_up_tracks import RATE, write_tracks

pytestmark = pytest.mark.neural


def test_mixtures_are_the_sum_of_a_part_and_the_others(tmp_path: Path) -> None:
    write_tracks(tmp_path, 2)
    audio = SegmentAudio(Slakh(tmp_path / "train"), 1.0, 1 << 24)
    first, second = SegmentRef("Track00001", 1.0), SegmentRef("Track00002", 2.0)
    stems = tmp_path / "train"
    bass = decode.read(stems / "Track00001" / "stems" / "S01.flac", 1.0, 1.0).mono()
    drums = decode.read(stems / "Track00002" / "stems" / "S00.flac", 2.0, 1.0).mono()
    for _ in range(2):  # the second time from memory
        np.testing.assert_allclose(audio.stem(first, "bass"), bass, atol=1e-4)
        np.testing.assert_allclose(audio.mixture(Sound(first, second), "bass"), bass + drums, atol=2e-4)
    recombined = audio.recombined(Recombination({"bass": first, "drums": second, "piano": first}))
    np.testing.assert_allclose(recombined, bass + drums, atol=2e-4)
    assert recombined.dtype == np.float32
    mixture = Recombination({"drums": second})
    np.testing.assert_allclose(audio.recombined_stem(mixture, "drums"), drums, atol=1e-4)
    np.testing.assert_array_equal(audio.recombined_stem(mixture, "bass"), np.zeros(RATE, np.float32))
    whole = decode.read(stems / "Track00001" / "mix.flac", 1.0, 1.0).mono()
    np.testing.assert_allclose(audio.mixture(Sound.real(first), "bass"), whole, atol=1e-4)
    assert not audio.stem(first, "piano").any()


def test_memory_is_bounded(tmp_path: Path) -> None:
    write_tracks(tmp_path, 1)
    audio = SegmentAudio(Slakh(tmp_path / "train"), 1.0, 3 * 2 * RATE)
    for start in range(4):
        audio.stem(SegmentRef("Track00001", float(start)), "bass")
    assert audio._kept.currsize <= 3 * 2 * RATE
    small = SegmentAudio(Slakh(tmp_path / "train"), 1.0, 10)
    assert small.stem(SegmentRef("Track00001", 0.0), "bass").any()
