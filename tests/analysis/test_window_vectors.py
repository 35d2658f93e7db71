"""Segments and clips to vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from soundalike.analysis.recipe import Recipe
from soundalike.analysis.segments import SeparatedSegment
from soundalike.analysis.window_vectors import WindowVectors, embed_clip, embed_windows, trim_silence
from soundalike.audio.waveform import Waveform

RATE = 1_000
RECIPE = Recipe("peak", "1", "none", "1", ("bass", "drums", "mix"), 2)


class PeakEncoder:
    """Embeds a sound as the direction (peak, 1); records how many sounds each call got."""

    name, version, sample_rate, dimension, clip_seconds = "peak", "1", RATE, 2, None

    def __init__(self) -> None:
        self.calls: list[int] = []

    def embed(self, waveforms: Sequence[np.ndarray]) -> np.ndarray:
        self.calls.append(len(waveforms))
        rows = np.array([[np.abs(samples).max(), 1] for samples in waveforms], dtype=np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_gated_parts_and_silent_windows_are_not_embedded() -> None:
    mix = np.repeat([0.5, 0.0, 0.25], RATE).astype(np.float32)
    segment = SeparatedSegment({"bass": mix / 1_000, "drums": mix / 2, "mix": mix}, RATE, 7.0)
    starts = np.array([7.0, 8.0, 9.0])
    encoder = PeakEncoder()
    found = embed_windows(encoder, RECIPE, ["bass", "drums", "mix"], segment, starts, starts + 1)
    assert found.starts.tolist() == [7, 9]
    assert found.present.tolist() == [[False, True, True]] * 2
    assert encoder.calls == [4], "all in one batch"
    expected = PeakEncoder().embed([mix[:RATE] / 2, mix[:RATE]])
    np.testing.assert_array_equal(found.vectors[0, 1:], expected)
    assert not found.vectors[:, 0].any()


def test_quiet_vocals_of_the_built_in_separator_are_absent_where_those_of_others_are_present() -> None:
    """They are more often something like a voice than one."""
    mix = np.full(RATE, 0.5, dtype=np.float32)
    for decibels, separator, present in ((-19, "builtin", True), (-21, "builtin", False), (-21, "htdemucs", True)):
        recipe = replace(RECIPE, separator=separator, parts=("vocals", "mix"))
        stem = mix * np.float32(10 ** (decibels / 20))
        segment = SeparatedSegment({"vocals": stem, "mix": mix}, RATE, 0.0)
        found = embed_windows(PeakEncoder(), recipe, recipe.parts, segment, np.zeros(1), np.ones(1))
        assert found.present.tolist() == [[present, True]]


def test_drums_of_the_built_in_separator_are_struck_and_noise_is_not() -> None:
    rate, rng = 16_000, np.random.default_rng(0)
    steady = rng.normal(scale=0.1, size=20 * rate).astype(np.float32)
    drums = steady.copy()
    drums[:rate] = drums[8 * rate : 10 * rate] = 0  # a break in the first window
    for separator, version, present in (
        ("builtin", "2", [True, False]),
        ("builtin", "1", [True] * 2),
        ("htdemucs", "2", [True] * 2),
    ):
        recipe = replace(RECIPE, separator=separator, separator_version=version, parts=("drums", "mix"))
        segment = SeparatedSegment({"drums": drums, "mix": 2 * drums}, rate, 0.0)
        starts = np.array([0.0, 10.0])
        found = embed_windows(PeakEncoder(), recipe, recipe.parts, segment, starts, starts + 10)
        assert found.present[:, 0].tolist() == present
        assert found.present[:, 1].all()
        assert found.vectors[:, 0].any(axis=1).tolist() == present


class MixtureEncoder(PeakEncoder):
    """Hears mixtures: the first value is the peak, the second the number of the part."""

    parts, tuned_tracks = ("bass", "drums", "piano", "mix"), frozenset[str]()

    def embed_parts(self, mixtures: Sequence[np.ndarray]) -> np.ndarray:
        self.calls.append(len(mixtures))
        rows = [[(10 * np.abs(one).max(), number + 1) for number in range(4)] for one in mixtures]
        return np.array(rows, dtype=np.float32)


def test_an_encoder_that_hears_mixtures_gets_them_and_the_stems_decide_what_is_present() -> None:
    mix = np.repeat([0.5, 0.0, 0.25], RATE).astype(np.float32)
    segment = SeparatedSegment({"bass": mix / 1_000, "drums": mix / 2, "mix": mix}, RATE, 7.0)
    starts = np.array([7.0, 8.0, 9.0])
    encoder = MixtureEncoder()
    found = embed_windows(encoder, RECIPE, ["bass", "drums", "mix"], segment, starts, starts + 1)
    assert encoder.calls == [2]
    assert found.present.tolist() == [[False, True, True]] * 2
    assert not found.vectors[:, 0].any()
    for window, peak in enumerate((5.0, 2.5)):
        for column, number in ((1, 2), (2, 4)):
            expected = np.array([peak, number]) / np.hypot(peak, number)
            np.testing.assert_allclose(found.vectors[window, column], expected, atol=1e-6)


def test_parts_that_are_not_wanted_are_absent() -> None:
    mix = np.full(RATE, 0.5, dtype=np.float32)
    found = embed_windows(
        PeakEncoder(), RECIPE, ["mix"], SeparatedSegment({"mix": mix}, RATE, 0.0), np.zeros(1), np.ones(1)
    )
    assert found.present.tolist() == [[False, False, True]]


def test_a_clip_is_embedded_without_the_silence_around_it() -> None:
    clip = np.pad(np.full(300, 0.5, dtype=np.float32), 100)
    assert len(trim_silence(clip)) == 300
    found = embed_clip(PeakEncoder(), 2, Waveform(clip[np.newaxis], RATE))
    assert (found.starts.tolist(), found.ends.tolist(), found.present.tolist()) == ([0], [0.5], [[True]])
    np.testing.assert_array_equal(found.vectors[0], PeakEncoder().embed([clip]))


def test_a_silent_clip_has_no_vector() -> None:
    for level in (0.0, 1e-4):
        found = embed_clip(PeakEncoder(), 2, Waveform(np.full((1, 500), level, dtype=np.float32), RATE))
        assert found.vectors.shape == (0, 1, 2)
    assert len(trim_silence(np.zeros(0, dtype=np.float32))) == 0


def test_windows_are_concatenated_in_order() -> None:
    one = WindowVectors(np.zeros(1), np.ones(1), np.ones((1, 3, 2), np.float32), np.ones((1, 3), bool))
    joined = WindowVectors.concatenate([WindowVectors.none(3, 2), one, one])
    assert joined.vectors.shape == (2, 3, 2)
    assert joined.present.all()
