"""The mask of the vocals: inputs, bounds, what is a voice and what is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from soundalike.audio import decode
from soundalike.models.separators.builtin.builtin_separator import BuiltinSeparator
from soundalike.models.separators.builtin.dilated_network import DilatedNetwork
from soundalike.models.separators.builtin.masks import BINS, REACH
from soundalike.models.separators.builtin.vocal_masks import (
    VOCAL_BANDS,
    VOCAL_CHANNELS,
    VOCAL_DILATIONS,
    VOCAL_INPUTS,
    VOCAL_REACH,
    VOCAL_WEIGHTS,
    VOCAL_WIDE,
    load_vocal_network,
    vocal_inputs,
    vocal_mask,
)
from tests.models.separators.builtin.test_builtin_separator import level, pad
from tests.models.separators.builtin.test_signal_separator import RATE, drum_track, sdr, tones

Floats = NDArray[np.float32]
FRAMES = 5 + 2 * (REACH + VOCAL_REACH)


@pytest.fixture(scope="module")
def separator() -> BuiltinSeparator:
    return BuiltinSeparator()


def constant_network(folder: Path, score: float) -> DilatedNetwork:
    """A network that gives every band the same score."""
    shapes = {"first": (VOCAL_INPUTS, VOCAL_WIDE), "second": (VOCAL_WIDE, VOCAL_CHANNELS)}
    for index in range(len(VOCAL_DILATIONS)):
        shapes |= {f"block{index}.spread": (3, VOCAL_CHANNELS, VOCAL_CHANNELS)}
        shapes |= {f"block{index}.back": (VOCAL_CHANNELS, VOCAL_CHANNELS)}
    shapes |= {"last": (VOCAL_CHANNELS, VOCAL_BANDS.count)}
    weights = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    weights |= {f"{name}.bias": np.zeros(shape[-1], np.float32) for name, shape in shapes.items()}
    weights["last.bias"][:] = score
    np.savez(folder / "weights.npz", **weights)
    return load_vocal_network(folder / "weights.npz")


@pytest.mark.parametrize(("score", "share"), [(0.0, 0.5), (np.log(3), 0.75), (-1e4, 0.0), (1e4, 1.0)])
def test_the_mask_is_the_share_of_what_is_neither_bass_nor_drums(tmp_path: Path, score: float, share: float) -> None:
    rng = np.random.default_rng(1)
    power = rng.random((FRAMES, BINS), dtype=np.float32)
    bass, drums = (0.6 * rng.random((FRAMES, BINS), dtype=np.float32) for _ in range(2))
    inner = slice(REACH + VOCAL_REACH, FRAMES - REACH - VOCAL_REACH)
    residuals = np.maximum(1 - bass - drums, 0)
    mask = vocal_mask(power, bass, drums, constant_network(tmp_path, score))
    assert mask.dtype == np.float32
    np.testing.assert_allclose(mask, share * residuals[inner], atol=1e-6)


def test_inputs_do_not_depend_on_the_level() -> None:
    rng = np.random.default_rng(2)
    power, mask = (rng.random((2 * REACH + 3, BINS), dtype=np.float32) for _ in range(2))
    quiet, loud = vocal_inputs(power * np.float32(1e-4), mask), vocal_inputs(power * np.float32(1e4), mask)
    assert quiet.shape == (3, VOCAL_INPUTS)
    np.testing.assert_allclose(quiet, loud, atol=2e-3)
    np.testing.assert_allclose(quiet[:, VOCAL_BANDS.count :][:, :127], mask[REACH:-REACH, :127], atol=1e-6)


def test_the_shipped_weights_are_of_the_size_that_is_stated() -> None:
    with np.load(VOCAL_WEIGHTS, allow_pickle=False) as stored:
        assert sum(stored[name].size for name in stored.files) == 494_546
        assert {stored[name].dtype for name in stored.files} == {np.dtype(np.float16)}
    assert VOCAL_WEIGHTS.stat().st_size < 1_200_000


def test_chords_drums_and_a_bass_have_no_vocals(separator: BuiltinSeparator) -> None:
    for mixture in (pad(8), pad(8) + drum_track(8) + tones(8, (49.0,), 3)):
        assert level(separator.separate(mixture[None])["vocals"], mixture[None]) < -40


@pytest.mark.parametrize(
    ("song", "first", "sings"),
    [
        ("Karissa_Hobbs - Lets Go Fishin.ogg", 20, True),
        ("US Army Strings - Hungarian Dance No 5.ogg", 0, False),
        ("Kevin_MacLeod - Vibe Ace.ogg", 0, False),
    ],
)
def test_real_songs_have_vocals_where_someone_sings(
    separator: BuiltinSeparator, test_data: Path, song: str, first: int, sings: bool
) -> None:
    mixture = decode.load(test_data / "songs" / song, RATE, 1).samples[:, first * RATE : (first + 20) * RATE]
    found = level(separator.separate(mixture)["vocals"], mixture)
    assert found > -15 if sings else found < -40


def test_the_vocals_of_a_real_song_are_nearer_to_the_true_ones_than_the_residuals(
    separator: BuiltinSeparator, test_data: Path
) -> None:
    folder = test_data / "multitracks" / "potassium"
    mixture, voice = (decode.load(folder / name, RATE, 1).samples for name in ("mixture.flac", "vocals.ogg"))
    stems = separator.separate(mixture)
    voice = voice[0, : mixture.shape[1]]
    assert sdr(voice, stems["vocals"][0]) > 1
    assert sdr(voice, stems["vocals"][0]) > sdr(voice, stems["residuals"][0])
