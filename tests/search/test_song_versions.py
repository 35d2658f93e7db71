"""Versions of one recording, on made-up vectors: each window is the mean of ten made-up seconds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from soundalike.models.encoders.builtin.builtin_encoder import CONSTANTS, WEIGHTS, BuiltinEncoder
from soundalike.models.encoders.builtin.builtin_features import BLOCKS
from soundalike.models.encoders.builtin.stored_chroma import LENGTHS
from soundalike.models.encoders.builtin.whitened_features import compose
from soundalike.search.song_versions import SongWindows, Thresholds, are_versions, shared
from soundalike.similarity.cosine import unit

SONG = 1
SCALE = np.array([0, 2, 4, 5, 7, 9, 11])
Seconds = NDArray[np.float32]
THRESHOLDS = Thresholds(0.78, 0.85, 0.78, 0.8, 0.7)
SIZES = list(BLOCKS.values())
CHROMA = slice(sum(SIZES[: list(BLOCKS).index("chroma")]), sum(SIZES[: list(BLOCKS).index("chroma") + 1]))
LEARNED = BuiltinEncoder.dimension - sum(SIZES)


def made_up_seconds(seed: int, count: int = 120, semitones: float = 0.0) -> Seconds:
    """The vectors of the seconds of a song: what all share, what fifteen in a row share, and noise; of the features all but the
    chroma are made up whitened. semitones (0..11, or a half more): how much higher the pitch classes are."""
    rng = np.random.default_rng(seed)
    lengths = np.repeat([LENGTHS[block] / size**0.5 for block, size in BLOCKS.items()], SIZES)

    def course(size: int) -> NDArray[np.float64]:
        song, phrases = rng.normal(size=(1, size)), np.repeat(rng.normal(size=(-(-count // 15), size)), 15, axis=0)
        return np.asarray(0.5 * song + 0.8 * phrases[:count] + 0.2 * rng.normal(size=(count, size)))

    with np.load(CONSTANTS) as constants:
        mean, whitening = constants["mean"].astype(np.float32), constants["whitening"].astype(np.float32)
    features = (lengths * course(sum(SIZES)) @ np.linalg.inv(whitening.astype(np.float64)) + mean).astype(np.float32)
    notes = np.repeat(SCALE[rng.integers(0, 7, size=(-(-count // 15), 3))], 15, axis=0)[:count]
    chroma = np.stack([np.bincount(chord, minlength=12) / 3 - 1 / 12 for chord in notes])
    whole = int(semitones)
    share = semitones - whole
    features[:, CHROMA] = (1 - share) * np.roll(chroma, whole, axis=1) + share * np.roll(chroma, whole + 1, axis=1)
    learned = unit(course(LEARNED)) * 0.4
    signal = np.stack([compose(row, {}, mean, whitening, WEIGHTS) for row in features])
    return np.concatenate([0.9 * signal, learned], axis=1).astype(np.float32)


def windows(seconds: Seconds) -> SongWindows:
    """The windows of a song, the last of which ends with it."""
    starts = [float(start) for start in range(0, len(seconds) - 9, 10)]
    if len(seconds) % 10:
        starts.append(float(len(seconds) - 10))
    vectors = unit(np.array([seconds[int(start) : int(start) + 10].mean(axis=0) for start in starts]))
    return SongWindows.of(np.array(starts), vectors.astype(np.float16).astype(np.float32), 10.0)


@pytest.mark.parametrize("shift", range(1, 10))
def test_a_shift_by_part_of_a_window_is_recognised(shift: int) -> None:
    song = made_up_seconds(1)
    assert are_versions(windows(song), windows(song[shift:]), THRESHOLDS)
    assert shared(windows(song[shift:]), windows(song), THRESHOLDS) > 0.9


def test_cuts_are_recognised_and_other_songs_are_not() -> None:
    song, other = made_up_seconds(1), made_up_seconds(2)
    cuts = {"half": song[:60], "from the middle": song[37:91], "edit": np.concatenate([song[:45], song[83:]])}
    for name, cut in cuts.items():
        assert are_versions(windows(song), windows(cut), THRESHOLDS), name
        assert not are_versions(windows(other), windows(cut), THRESHOLDS), name
    assert shared(windows(song), windows(other), THRESHOLDS) == 0


def test_the_order_of_the_windows_counts() -> None:
    """The same windows in another order are another piece of music, as alike as they may be."""
    song = made_up_seconds(3)
    order = [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]
    mixed = np.concatenate([song[10 * number : 10 * number + 10] for number in order])
    assert shared(windows(song), windows(mixed), THRESHOLDS) == 0
    assert not are_versions(windows(song), windows(mixed), THRESHOLDS)


def test_a_short_passage_in_common_is_no_version() -> None:
    song, other = made_up_seconds(4), made_up_seconds(5)
    medley = np.concatenate([other[:80], song[:40]])
    assert 0.2 < shared(windows(song), windows(medley), THRESHOLDS) < 0.5
    assert not are_versions(windows(song), windows(medley), THRESHOLDS)
    whatever = replace(THRESHOLDS, song=0.0)  # however different they are as a whole
    assert not are_versions(windows(song), windows(medley), whatever)
    assert are_versions(windows(song), windows(medley), whatever, share=0.2)


def test_windows_that_are_silent_or_were_not_kept_do_not_count() -> None:
    song = made_up_seconds(6)
    vectors = windows(song).vectors
    kept = np.array([0, 1, 2, 5, 6, 7, 8])
    sparse = SongWindows.of(10.0 * kept, vectors[kept], 10.0)
    assert sparse.present.sum() == 7
    assert are_versions(windows(song), sparse, THRESHOLDS)
    nothing = SongWindows.of(np.array([3.0]), vectors[:1], 10.0)
    assert not nothing.present.any()
    assert shared(windows(song), nothing, THRESHOLDS) == 0


@pytest.mark.parametrize("semitones", range(1, 12))
def test_the_same_in_another_key_is_no_version(semitones: int) -> None:
    """Twelve numbers of several hundred differ, which the cosine of the mix does not show."""
    song, other = made_up_seconds(SONG), made_up_seconds(SONG, semitones=semitones)
    assert shared(windows(song), windows(other), THRESHOLDS) == 1
    assert not are_versions(windows(song), windows(other), THRESHOLDS)


def test_a_copy_half_a_semitone_higher_or_lower_is_a_version() -> None:
    song = made_up_seconds(SONG)
    for semitones in (0.5, 11.5):
        assert are_versions(windows(song), windows(made_up_seconds(SONG, semitones=semitones)), THRESHOLDS)
    assert not are_versions(windows(song), windows(made_up_seconds(SONG, semitones=5.5)), THRESHOLDS)


def test_one_window_of_another_harmony_does_not_decide() -> None:
    song, other = made_up_seconds(SONG), made_up_seconds(SONG, semitones=3)
    assert are_versions(windows(song), windows(np.concatenate([other[:20], song[20:]])), THRESHOLDS)
    assert not are_versions(windows(song), windows(np.concatenate([other[:70], song[70:]])), THRESHOLDS)
