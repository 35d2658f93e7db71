from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from soundalike.audio.metadata.estimate import Estimate
from soundalike.audio.metadata.tempo import estimate_tempo, loop_tempo, tempo_matches
from soundalike.audio.waveform import Waveform
from soundalike.synth.songs import render_song
from soundalike.synth.specs import song_specs

RATE = 22_050


def beat(tempo: float, seconds: float = 20.0, rate: int = RATE) -> NDArray[np.float32]:
    """Kick, snare and eighth-note hats."""
    random = np.random.default_rng(4)
    time = np.arange(round(0.2 * rate)) / rate
    kick = np.sin(2 * np.pi * 60 * time) * np.exp(-15 * time)
    snare = 0.6 * random.standard_normal(time.size) * np.exp(-25 * time)
    hat = 0.2 * random.standard_normal(time.size) * np.exp(-80 * time)
    sound = np.zeros(round(seconds * rate) + time.size, dtype=np.float32)
    for eighth in range(int(seconds * tempo / 30)):
        first = round(eighth * 30 / tempo * rate)
        parts = [hat, kick if eighth % 4 == 0 else snare if eighth % 4 == 2 else 0 * hat]
        sound[first : first + time.size] += sum(parts)
    return sound[: round(seconds * rate)]


@pytest.mark.parametrize("tempo", [85.0, 100.0, 117.3, 128.0, 140.0])
def test_tempo_of_a_drum_beat(tempo: float) -> None:
    found = estimate_tempo(beat(tempo), RATE)
    assert found.value == pytest.approx(tempo, rel=0.002)
    assert 0.5 < found.confidence <= 1.0


@pytest.mark.parametrize("tempo", [62.0, 174.0, 190.0])
def test_extreme_tempos_up_to_a_factor_of_two(tempo: float) -> None:
    found = estimate_tempo(beat(tempo), RATE)
    assert isinstance(found.value, float)
    assert tempo_matches(found.value, 0.99 * tempo, 1.01 * tempo)


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
def test_the_sample_rate_does_not_matter(rate: int) -> None:
    assert estimate_tempo(beat(120.0, 10.0, rate), rate).value == pytest.approx(120.0, rel=0.002)


def test_two_bars_are_enough() -> None:
    assert estimate_tempo(beat(120.0, 4.0), RATE).value == pytest.approx(120.0, rel=0.01)


def test_only_the_middle_of_a_long_file_is_analysed() -> None:
    long = np.concatenate([beat(90.0, 60.0), beat(125.0, 90.0), beat(90.0, 60.0)])
    assert estimate_tempo(long, RATE).value == pytest.approx(125.0, rel=0.002)


def test_sounds_without_a_pulse_have_no_tempo() -> None:
    random = np.random.default_rng(1)
    drone = np.sin(2 * np.pi * 110 * np.arange(20 * RATE) / RATE)
    for sound in (np.zeros(20 * RATE), drone, random.standard_normal(20 * RATE), beat(120.0, 1.0), np.zeros(0)):
        found = estimate_tempo(sound.astype(np.float32), RATE)
        assert (found.value, found.confidence) == (None, 0.0)


def test_a_noisy_pulse_has_lower_confidence() -> None:
    random = np.random.default_rng(3)
    strict = beat(120.0)
    loose = strict + 0.15 * random.standard_normal(strict.size).astype(np.float32)
    assert estimate_tempo(loose, RATE).confidence < estimate_tempo(strict, RATE).confidence


def test_half_and_double_tempos_match() -> None:
    assert tempo_matches(87.0, 170.0, 176.0)
    assert tempo_matches(174.0, 85.0, 90.0)
    assert tempo_matches(120.0, 120.0, 120.0)
    assert not tempo_matches(120.0, 100.0, 119.0)
    assert not tempo_matches(120.0, 170.0, 190.0)


@pytest.mark.parametrize(
    ("duration", "heard", "tempo", "confidence"),
    [
        (8.0, 120.4, 120.0, 0.9),  # 16 beats, as heard
        (8.0, 161.0, 120.0, 0.6),  # heard by dotted eighths
        (2.474, 130.35, 97.01, 0.6),
        (16 * 60 / 174, 87.0, 87.0, 0.9),
        (16 * 60 / 174, 174.2, 174.0, 0.9),
        (1.753, None, 136.91, 0.4),  # too short to hear a pulse in
        (7.3, 113.0, 113.0, 0.5),  # not cut to beats: as heard
        (300.0, 113.0, 113.0, 0.5),
        (0.1, None, None, 0.5),
    ],
)
def test_the_length_of_a_loop_decides(
    duration: float, heard: float | None, tempo: float | None, confidence: float
) -> None:
    found = loop_tempo(duration, Estimate(heard, 0.5))
    faint = loop_tempo(2.474, Estimate(89.07, 0.15))
    assert (faint.value, faint.confidence) == (pytest.approx(97.01, abs=0.01), 0.4)
    assert (found.value, found.confidence) == (pytest.approx(tempo, abs=0.01) if tempo else None, confidence)


@pytest.mark.long
def test_the_beat_of_made_up_songs_of_slow_and_fast_styles() -> None:
    """Their strongest level is twice or half the tempo in most of them. None of these songs was used to fit the weights."""
    wanted = {"ballad": 2, "reggae": 1, "dnb": 2, "house": 1}
    specs = [spec for spec in song_specs(11, 24, 28.0) if spec.style in wanted]
    chosen = [spec for style, count in wanted.items() for spec in [one for one in specs if one.style == style][:count]]
    right = 0
    for spec in chosen:
        song = render_song(spec)
        found = estimate_tempo(Waveform(song.mixture, song.sample_rate).mono(), song.sample_rate).value
        right += found == pytest.approx(spec.tempo, rel=0.01)
    assert len(chosen) == 6
    assert right >= 5
