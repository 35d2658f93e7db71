"""Versions of one recording, on made-up vectors: each window is the mean of ten made-up seconds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from soundalike.models.encoders.builtin.builtin_encoder import BuiltinEncoder
from soundalike.models.encoders.builtin.builtin_features import BLOCKS
from soundalike.search.song_versions import SongWindows, Thresholds, are_versions, shared
from soundalike.similarity.cosine import unit

THRESHOLDS = Thresholds(0.78, 0.85, 0.78, 0.8, 0.7)
SIZE = BuiltinEncoder.dimension
SONG = 9
"""Of a harmony that is unlike itself a semitone higher, as that of music is."""
Seconds = NDArray[np.float32]


def made_up_seconds(seed: int, count: int = 120) -> Seconds:
    """The vectors of the seconds of a song: what all share, what fifteen in a row share, and noise."""
    rng = np.random.default_rng(seed)
    song, phrases = rng.normal(size=(1, SIZE)), np.repeat(rng.normal(size=(-(-count // 15), SIZE)), 15, axis=0)[:count]
    return (0.5 * song + 0.8 * phrases + 0.2 * rng.normal(size=(count, SIZE))).astype(np.float32)


def transposed(seconds: Seconds, semitones: int) -> Seconds:
    """The same with all pitch classes so much higher."""
    sizes = np.cumsum([0, *BLOCKS.values()])
    first = int(sizes[list(BLOCKS).index("chroma")])
    result = seconds.copy()
    result[:, first : first + 12] = np.roll(seconds[:, first : first + 12], semitones, axis=1)
    return result


def windows(seconds: Seconds) -> SongWindows:
    """The windows of a song, the last of which ends with it."""
    starts = [float(start) for start in range(0, len(seconds) - 9, 10)]
    if len(seconds) % 10:
        starts.append(float(len(seconds) - 10))
    vectors = unit(np.array([seconds[int(start) : int(start) + 10].mean(axis=0) for start in starts]))
    return SongWindows.of(np.array(starts), vectors.astype(np.float32), 10.0)


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
    song = made_up_seconds(SONG)
    other = transposed(song, semitones)
    assert shared(windows(song), windows(other), THRESHOLDS) == 1
    assert not are_versions(windows(song), windows(other), THRESHOLDS)
    assert are_versions(windows(song), windows(song[3:]), THRESHOLDS)


def test_a_copy_half_a_semitone_higher_or_lower_is_a_version() -> None:
    song = made_up_seconds(SONG)
    for semitones in (1, -1):
        assert are_versions(windows(song), windows((song + transposed(song, semitones)) / 2), THRESHOLDS)
    between = (transposed(song, 5) + transposed(song, 6)) / 2
    assert not are_versions(windows(song), windows(between), THRESHOLDS)


def test_one_window_of_another_harmony_does_not_decide() -> None:
    song = made_up_seconds(SONG)
    other = np.concatenate([transposed(song[:20], 3), song[20:]])
    assert are_versions(windows(song), windows(other), THRESHOLDS)
    assert not are_versions(windows(song), windows(np.concatenate([transposed(song[:70], 3), song[70:]])), THRESHOLDS)
