"""Cutting audio into segments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

from soundalike.analysis import segments
from soundalike.analysis.segments import (
    Segment,
    Segmenter,
    Separation,
    fits_one_segment,
    group_windows,
    read_beginning,
    read_segments,
    separate_waveform,
)
from soundalike.audio.waveform import Waveform
from soundalike.errors import AudioError

RATE = 8_000


class HalfSeparator:
    """Returns half of the mixture as drums; records the seconds of its input."""

    name, version, parts, sample_rate, channels, context, segment_seconds = "half", "1", ("drums",), RATE, 1, 0.5, 4.0

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def separate(self, mixture: np.ndarray) -> dict[str, np.ndarray]:
        self.seconds.append(mixture.shape[1] / RATE)
        return {"drums": mixture / 2}


class FileOfOnes:
    """Stands in for stem files: drums are ones, everything else is absent."""

    name, version, parts = "ones", "1", ("bass", "drums")

    def files(self, mixture: Path) -> dict[str, tuple[Path, ...]]:
        return {"drums": (mixture,)}

    def read(
        self, mixture: Path, start: float, seconds: float, parts: Sequence[str], *, among: Sequence[str]
    ) -> dict[str, Waveform]:
        return {"drums": Waveform(np.full((1, round(seconds * RATE)), start, dtype=np.float32), RATE)}


@pytest.fixture
def song(tmp_path: Path) -> Path:
    samples = 0.1 * np.random.default_rng(1).standard_normal(10 * RATE)
    soundfile.write(tmp_path / "song.wav", samples, RATE, subtype="FLOAT")
    return tmp_path / "song.wav"


def samples_of(path: Path) -> np.ndarray:
    return soundfile.read(path, dtype="float32")[0]


def test_windows_are_grouped_by_length_and_by_gaps() -> None:
    starts = np.array([0.0, 10, 20, 50, 60])
    ends = starts + 10
    assert [(s.start, s.stop) for s in group_windows(starts, ends, 30)] == [(0, 3), (3, 5)]
    assert [(s.start, s.stop) for s in group_windows(starts, ends, 1000)] == [(0, 5)]
    assert [(s.start, s.stop) for s in group_windows(starts, ends, 1000, gap=5)] == [(0, 3), (3, 5)]
    assert [(s.start, s.stop) for s in group_windows(starts, ends, 3)] == [(n, n + 1) for n in range(5)]
    assert list(group_windows(starts[:0], ends[:0], 10)) == []


@pytest.mark.parametrize(
    ("start", "end", "first", "count"), [(0, 1, 0, 8), (-1, 1, 0, 8), (0.5, 9, 4, 12), (3, 4, 24, 0), (-2, -1, 0, 0)]
)
def test_a_crop_holds_what_there_is(start: float, end: float, first: int, count: int) -> None:
    segment = Segment(Waveform(np.arange(16, dtype=np.float32)[np.newaxis], 8), 5.0)
    crop = segment.crop(5 + start, 5 + end)
    assert crop.offset == 5 + first / 8
    assert crop.waveform.samples[0].tolist() == list(range(first, min(16, first + count)))
    assert segment.end == 7.0


def test_decoded_segments_hold_their_windows_and_reach_to_the_end(song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "SEGMENT_SECONDS", 4.0)
    segmenter = Segmenter(song, 10.0, Separation(None, ("mix",), ("mix",), RATE))
    starts = np.array([0.0, 2.0, 4.0, 6.0])
    found = list(segmenter.decoded(starts, starts + 2.0))
    assert [(windows.start, windows.stop) for windows, _ in found] == [(0, 2), (2, 4)]
    assert [(segment.offset, segment.end) for _, segment in found] == [(0, 4), (4, 10)]


def test_a_decoded_file_is_its_only_segment(song: Path) -> None:
    whole = Segment(Waveform(samples_of(song)[np.newaxis], RATE), 0.0)
    segmenter = Segmenter(Path("nowhere"), 10.0, Separation(None, ("mix",), ("mix",), RATE), whole)
    starts = np.array([0.0, 5.0])
    assert [(windows.stop, segment) for windows, segment in segmenter.decoded(starts, starts + 5)] == [(2, whole)]
    ((_, separated),) = segmenter.separated(starts[1:], starts[1:] + 5)
    np.testing.assert_array_equal(separated.stems["mix"], samples_of(song)[5 * RATE :])


def test_separated_segments_have_context_and_bounded_length(song: Path) -> None:
    separator = HalfSeparator()
    segmenter = Segmenter(song, 10.0, Separation(separator, ("drums", "mix"), ("drums", "mix"), RATE))
    starts = np.arange(0.0, 10.0, 2.0)
    found = list(segmenter.separated(starts, starts + 2.0))
    assert [(windows.start, windows.stop) for windows, _ in found] == [(0, 2), (2, 4), (4, 5)]
    assert [segment.offset for _, segment in found] == [0, 3.5, 7.5]
    assert separator.seconds == [4.5, 5, 2.5]
    within = Segment(Waveform(samples_of(song)[np.newaxis, RATE:], RATE), 1.0)
    for (_, read), (_, cropped) in zip(
        segmenter.separated(starts[1:], starts[1:] + 2.0),
        segmenter.separated(starts[1:], starts[1:] + 2.0, within=within),
        strict=True,
    ):
        assert read.offset == cropped.offset
        np.testing.assert_array_equal(read.stems["drums"], cropped.stems["drums"])


def test_nothing_between_distant_windows_is_separated(song: Path) -> None:
    separator = HalfSeparator()
    segmenter = Segmenter(song, 10.0, Separation(separator, ("drums",), ("drums", "mix"), RATE))
    assert len(list(segmenter.separated(np.array([1.0, 3.5]), np.array([2.0, 4.5]), gap=1.0))) == 2
    assert separator.seconds == [2, 2]


def test_stems_of_a_region_are_joined_without_a_seam(song: Path) -> None:
    segmenter = Segmenter(song, 10.0, Separation(HalfSeparator(), ("drums",), ("drums", "mix"), RATE))
    stems = segmenter.stems(0.5, 9.75)
    expected = samples_of(song)[RATE // 2 : round(9.75 * RATE)]
    np.testing.assert_array_equal(stems["mix"], expected)
    np.testing.assert_array_equal(stems["drums"], expected / 2)


def test_a_part_without_a_true_stem_is_silent(song: Path) -> None:
    separation = Separation(FileOfOnes(), ("bass", "drums", "mix"), ("bass", "drums", "mix"), RATE)
    segment = separation.separate(song, Segment(Waveform(np.ones((2, RATE), dtype=np.float32), RATE), 3.0))
    assert not segment.stems["bass"].any()
    assert len(segment.stems["bass"]) == RATE
    assert set(segment.stems["drums"]) == {3.0}, "read from where the segment begins"


def test_stems_of_a_waveform_are_mono_at_the_rate_of_the_separator() -> None:
    tone = np.sin(np.arange(2 * RATE) / 5).astype(np.float32)
    stems = separate_waveform(HalfSeparator(), Waveform(np.stack([tone, tone]), 2 * RATE), ["drums"])
    assert stems["drums"].sample_rate == RATE
    assert stems["drums"].samples.shape == (1, RATE)


def test_the_beginning_of_a_file_is_its_first_segment(song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_beginning(song, 10.0).duration == 10
    assert fits_one_segment(10.0)
    monkeypatch.setattr(segments, "SEGMENT_SECONDS", 4.0)
    assert read_beginning(song, 10.0).duration == 4
    assert not fits_one_segment(10.0)


@pytest.mark.parametrize(("seconds", "values"), [(3.0, 10**9), (100.0, 3 * RATE)])
def test_consecutive_segments_are_the_whole_file(song: Path, seconds: float, values: int) -> None:
    found = list(read_segments(song, seconds=seconds, values=values))
    assert [segment.offset for segment in found] == [0, 3, 6, 9]
    np.testing.assert_array_equal(np.concatenate([s.waveform.samples[0] for s in found]), samples_of(song))
    some = list(read_segments(song, 2.0, 9.5, seconds=seconds, values=values))
    assert [(segment.offset, segment.end) for segment in some] == [(2, 5), (5, 8), (8, 9.5)]


def test_segments_end_where_the_file_does(song: Path) -> None:
    assert [segment.end for segment in read_segments(song, seconds=5.0, values=10**9)] == [5, 10]
    with pytest.raises(AudioError, match="nothing to decode"):
        list(read_segments(song, 11.0, seconds=5.0, values=10**9))
