"""Examples for the separator, of small stores of sounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from soundalike.models.separators.builtin.learned_masks import INPUTS, MASK_BANDS, NETWORK_REACH
from training.alterations import RATE
from training.clip_store import HITS, NOTES, REST, Clip, save_clips
from training.separator_examples import LENGTH, example, mixed_stems

Float32 = NDArray[np.float32]


def tone(frequency: float, seconds: float) -> Float32:
    return np.sin(2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE).astype(np.float32)


def burst(seed: int) -> Float32:
    samples = np.random.default_rng(seed).standard_normal(RATE // 4) * np.exp(-np.arange(RATE // 4) / 1000)
    return samples.astype(np.float32)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two songs with a beat, one of them undivided; single hits and notes."""
    folder = tmp_path_factory.mktemp("work")
    beat = np.tile(np.pad(burst(0), (0, RATE // 4)), 24)
    stems = {
        "a": {"drums": beat, "bass": tone(60, 12), "residuals": tone(500, 12)},
        "b": {"drums": beat, REST: tone(300, 12)},
    }
    clips = [
        Clip(stem, "s", part, -1, f"{song}/{part}") for song, parts in stems.items() for part, stem in parts.items()
    ]
    save_clips(folder, "stems-all", clips)
    save_clips(folder, HITS, [Clip(burst(seed), "kit", "hit", -1, f"hit {seed}") for seed in range(1, 4)])
    save_clips(folder, NOTES, [Clip(tone(400, 1.0), "f", "note", -1, "n"), Clip(tone(50, 1.0), "f", "bass", -1, "b")])
    return folder


def test_an_example_is_finite_and_depends_on_its_number_only(work: Path) -> None:
    first, other, again = (example(work, 1, number) for number in (0, 1, 0))
    frames = first["power"].shape[0]
    assert first["inputs"].shape == (frames + 2 * NETWORK_REACH, INPUTS)
    assert first["shares"].shape == (frames, 2, MASK_BANDS)
    for name, values in first.items():
        assert np.isfinite(values).all()
        np.testing.assert_array_equal(values, again[name])
    assert not np.array_equal(first["power"], other["power"])


def test_some_examples_have_a_few_hits_and_no_beat(work: Path) -> None:
    """A beat has a hit in every half second."""
    lone = 0
    for seed in range(40):
        drums = mixed_stems(work, np.random.default_rng(seed), undivided=False)["drums"]
        assert drums.shape == (LENGTH,)
        assert np.isfinite(drums).all()
        sounding = np.square(drums.reshape(20, -1)).mean(axis=1) > 1e-7
        lone += 0 < sounding.sum() <= 16
    assert 2 <= lone <= 20
