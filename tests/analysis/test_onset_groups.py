"""From a stem to its hits."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike.analysis.analyser import Analyser
from soundalike.analysis.onset_groups import LONGEST, cut, group_hits
from soundalike.analysis.recipe import make_recipe
from soundalike.audio.waveform import resample
from soundalike.errors import AudioError
from soundalike.synth.drums import render_hit

RATE = 32_000


def beat() -> tuple[np.ndarray, dict[str, list[float]]]:
    """Kicks and snares in turn, two seconds of each kit piece, and when they strike."""
    strokes = {"kick": [0.1 + 1.0 * n for n in range(6)], "snare": [0.6 + 1.0 * n for n in range(6)]}
    out = np.zeros(7 * RATE, np.float32)
    for voice, times in strokes.items():
        sound = np.atleast_2d(render_hit("maple", voice)).mean(axis=0)
        sound = resample(sound.astype(np.float32), 44_100, RATE)[: round(0.45 * RATE)]
        for time in times:
            at = round(time * RATE)
            out[at : at + len(sound)] += sound
    return out, strokes


def test_hits_are_cut_at_their_onsets_loudest_first() -> None:
    samples, strokes = beat()
    starts, ends = cut(samples, RATE)
    expected = sorted(time for times in strokes.values() for time in times)
    assert len(starts) == len(expected)
    np.testing.assert_allclose(np.sort(starts), expected, atol=0.015)
    assert (ends - starts <= LONGEST + 1e-9).all()


def test_like_hits_are_put_together() -> None:
    samples, strokes = beat()
    groups = group_hits(Analyser(make_recipe()), samples, RATE, alike=0.7)
    assert len(groups) == 2
    for group in groups:
        nearest = {min(strokes, key=lambda voice: min(abs(time - s) for s in strokes[voice])) for time in group.starts}
        assert len(nearest) == 1


def test_a_stem_without_hits_is_named() -> None:
    with pytest.raises(AudioError, match="no hits"):
        group_hits(Analyser(make_recipe()), np.zeros(RATE, np.float32), RATE, alike=0.7)
