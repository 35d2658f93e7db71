from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from soundalike.audio.decode import read
from soundalike.audio.onsets import onset_strength, onset_strengths, onset_times, snap_to_onset
from soundalike.errors import InputError

RATE = 44_100


def struck(times: NDArray[np.float64], kind: str, seconds: float = 10.0, rate: int = RATE) -> NDArray[np.float32]:
    """Decaying sounds of 0.3 s at `times`."""
    random = np.random.default_rng(5)
    sound = np.zeros(round(seconds * rate), dtype=np.float32)
    time = np.arange(round(0.3 * rate)) / rate
    fade = np.minimum(1.0, (0.3 - time) / 0.1)
    for begin in times:
        shapes = {
            "click": random.standard_normal(time.size) * np.exp(-80 * time),
            "kick": np.sin(2 * np.pi * (50 * time + 100 * (1 - np.exp(-30 * time)) / 30)) * np.exp(-12 * time),
            "note": np.sin(2 * np.pi * random.choice([220, 330, 440]) * time)
            * np.minimum(1, time / 0.005)
            * np.exp(-6 * time),
        }
        first = round(begin * rate)
        sound[first : first + time.size] += (shapes[kind] * fade)[: sound.size - first]
    return sound


def onsets(count: int = 20) -> NDArray[np.float64]:
    return 0.3 + np.cumsum(np.random.default_rng(2).uniform(0.33, 0.55, count))


@pytest.mark.parametrize(("kind", "precision"), [("click", 0.003), ("kick", 0.005), ("note", 0.006)])
def test_each_onset_is_found_precisely(kind: str, precision: float) -> None:
    times = onsets()
    found = onset_times(struck(times, kind), RATE)
    assert found.dtype == np.float64
    assert found.size == times.size
    assert np.abs(found - times).max() < precision


@pytest.mark.parametrize("rate", [8_000, 22_050, 96_000, 192_000])
def test_onsets_at_other_sample_rates(rate: int) -> None:
    times = onsets(6)
    found = onset_times(struck(times, "click", 5.0, rate), rate)
    assert found == pytest.approx(times, abs=0.004)


def test_gain_does_not_matter() -> None:
    sound = struck(onsets(), "kick")
    assert np.array_equal(onset_times(sound, RATE), onset_times(sound * np.float32(0.001), RATE))


def test_a_sound_present_at_the_first_sample_begins_at_0() -> None:
    time = np.arange(RATE) / RATE
    tone = np.sin(2 * np.pi * 200 * time).astype(np.float32)
    assert onset_times(tone, RATE).tolist() == [0.0]


def test_vibrato_and_tremolo_have_one_onset() -> None:
    time = np.arange(5 * RATE) / RATE
    vibrato = np.sin(2 * np.pi * 440 * time + 3 * np.sin(2 * np.pi * 6 * time))
    assert onset_times(vibrato.astype(np.float32), RATE).size == 1
    tremolo = np.sin(2 * np.pi * 440 * time) * (1 + 0.3 * np.sin(2 * np.pi * 5 * time))
    assert onset_times(tremolo.astype(np.float32), RATE).size == 1


def test_noise_has_few_onsets() -> None:
    hiss = np.random.default_rng(0).standard_normal(10 * RATE).astype(np.float32)
    assert onset_times(hiss, RATE).size < 12


@pytest.mark.parametrize("length", [0, 1, 10, 300])
def test_very_short_sounds(length: int) -> None:
    assert onset_times(np.zeros(length, dtype=np.float32), RATE).size == 0
    assert onset_times(np.ones(length, dtype=np.float32), RATE).tolist() == [0.0] * (length > 0)
    assert np.isfinite(onset_strength(np.ones(length, dtype=np.float32), RATE, 128)).all()


def test_onset_strength_peaks_at_an_onset_and_is_never_negative() -> None:
    strength = onset_strength(struck(np.array([2.0]), "click", 4.0), RATE, 441)
    assert strength.min() >= 0
    assert abs(int(np.argmax(strength)) * 0.01 - 2.0) < 0.03


def test_snapping_within_the_tolerance_only() -> None:
    sound = struck(np.array([2.0, 5.0]), "click")
    assert snap_to_onset(sound, RATE, 2.03) == pytest.approx(2.0, abs=0.003)
    assert snap_to_onset(sound, RATE, 4.96) == pytest.approx(5.0, abs=0.003)
    assert snap_to_onset(sound, RATE, 3.5) == 3.5
    assert snap_to_onset(sound, RATE, 2.2) == 2.2
    assert snap_to_onset(sound, RATE, 2.2, tolerance=0.25) == pytest.approx(2.0, abs=0.003)


def test_the_edge_of_the_analysed_excerpt_is_no_onset() -> None:
    time = np.arange(10 * RATE) / RATE
    tone = np.sin(2 * np.pi * 200 * time).astype(np.float32)
    assert snap_to_onset(tone, RATE, 5.0, tolerance=1.5) == 5.0
    assert snap_to_onset(tone, RATE, 50.0) == 50.0


def test_stereo_and_a_rate_of_zero_are_rejected() -> None:
    with pytest.raises(InputError, match="one channel"):
        onset_times(np.zeros((2, 5), dtype=np.float32), RATE)
    with pytest.raises(InputError, match="0 Hz"):
        onset_times(np.zeros(5, dtype=np.float32), 0)


def test_real_drum_samples_have_one_onset_and_loops_many(test_data: Path) -> None:
    def count(path: Path) -> int:
        sound = read(path)
        return int(onset_times(sound.mono(), sound.sample_rate).size)

    singles = sorted([*(test_data / "samples").glob("bd_*.flac"), *(test_data / "samples").glob("sn_*.flac")])
    assert len(singles) > 15
    assert np.mean([count(path) == 1 for path in singles]) > 0.9
    assert count(test_data / "samples" / "loop_amen_full.flac") > 30


def test_the_strength_in_ranges_of_frequency() -> None:
    """A thump of 60 Hz at .5 s and a burst above 3 kHz at 1.5 s: each in its own range."""
    time = np.arange(2 * RATE) / RATE
    thump = np.sin(2 * np.pi * 60 * time) * np.exp(-20 * (time - 0.5)) * (time >= 0.5)
    burst = np.sin(2 * np.pi * 4_000 * time) * np.exp(-40 * (time - 1.5)) * (time >= 1.5)
    sound = np.asarray(0.5 * thump * np.minimum(1, np.maximum(0, time - 0.5) / 0.01) + 0.2 * burst, dtype=np.float32)
    hop = RATE // 100
    whole, low, high, none = onset_strengths(sound, RATE, hop, [(0, 160), (3_000, 6_000), (90_000, 99_000)])
    np.testing.assert_array_equal(whole, onset_strength(sound, RATE, hop))
    assert np.argmax(low) / 100 == pytest.approx(0.5, abs=0.04)
    assert np.argmax(high) / 100 == pytest.approx(1.5, abs=0.04)
    assert low[130:].max() < 0.2 * low.max()
    assert not none.any()
