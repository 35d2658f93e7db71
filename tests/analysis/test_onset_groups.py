"""From a stem to its onset groups."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike.analysis.analyser import Analyser
from soundalike.analysis.onset_groups import LONGEST, cut_onsets, group_onsets
from soundalike.analysis.recipe import make_recipe
from soundalike.audio.level import rms_level
from soundalike.audio.waveform import resample
from soundalike.errors import AudioError
from soundalike.synth.drums import render_hit

RATE = 32_000


def beat() -> tuple[np.ndarray, dict[str, list[float]]]:
    """Kicks and snares in turn, and the times at which they are struck."""
    struck = {"kick": [0.1 + 1.0 * n for n in range(6)], "snare": [0.6 + 1.0 * n for n in range(6)]}
    out = np.zeros(7 * RATE, np.float32)
    for voice, times in struck.items():
        sound = np.atleast_2d(render_hit("maple", voice)).mean(axis=0)
        sound = resample(sound.astype(np.float32), 44_100, RATE)[: round(0.45 * RATE)]
        for time in times:
            at = round(time * RATE)
            out[at : at + len(sound)] += sound
    return out, struck


def test_a_stem_is_cut_at_its_onsets() -> None:
    samples, struck = beat()
    starts, ends = cut_onsets(samples, RATE)
    expected = sorted(time for times in struck.values() for time in times)
    assert len(starts) == len(expected)
    np.testing.assert_allclose(np.sort(starts), expected, atol=0.015)
    assert (ends - starts <= LONGEST + 1e-9).all()
    levels = [rms_level(samples[int(a * RATE) : int(b * RATE)]) for a, b in zip(starts, ends, strict=True)]
    assert levels == sorted(levels, reverse=True), "loudest first"


def test_onsets_that_sound_alike_are_grouped() -> None:
    samples, struck = beat()
    groups = group_onsets(Analyser(make_recipe()), samples, RATE)
    assert len(groups) == 2
    for group in groups:
        nearest = {min(struck, key=lambda voice: min(abs(time - s) for s in struck[voice])) for time in group.starts}
        assert len(nearest) == 1


def test_a_stem_without_onsets_is_rejected() -> None:
    with pytest.raises(AudioError, match="no onsets"):
        group_onsets(Analyser(make_recipe()), np.zeros(RATE, np.float32), RATE)
