"""Version 1 of the built-in encoder: what must not change its vectors, what must, and extreme sounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from soundalike.errors import InputError
from soundalike.models.encoders.builtin.builtin_features import BLOCKS, features
from soundalike.models.encoders.builtin.builtin_spectra import (
    SAMPLE_RATE,
    Array,
    compute_spectra,
    erb_frequency,
    erb_rate,
)
from soundalike.models.encoders.builtin.signal_encoder import SignalEncoder

ENCODER = SignalEncoder()


def tone(
    pitch: float = 262.0, tilt: float = 9.0, attack: float = 0.01, decay: float = 0.5, seconds: float = 1.0
) -> Array:
    """Harmonics falling by `tilt` dB an octave, a linear attack, an exponential decay (s)."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    orders = np.arange(1, 30)
    levels = 10 ** (-tilt * np.log2(orders) / 20)
    phases = np.random.default_rng(0).uniform(0, 2 * np.pi, 29)
    waves = np.sin(2 * np.pi * pitch * orders[:, None] * time[None, :] + phases[:, None])
    envelope = np.minimum(time / attack, 1) * np.exp(-np.maximum(time - attack, 0) / decay)
    return (0.1 * levels @ waves * envelope).astype(np.float32)


def hit(length: float = 0.2, seed: int = 0, low: bool = False) -> Array:
    """A drum-like burst: noise, or a falling sine."""
    time = np.arange(int(2 * length * SAMPLE_RATE)) / SAMPLE_RATE
    noise = np.random.default_rng(seed).standard_normal(len(time))
    body = np.sin(2 * np.pi * (50 * time - 4 * np.exp(-time / 0.03))) if low else noise
    return (0.3 * body * np.exp(-time / length * 3)).astype(np.float32)


def loop(clip: Array, step: float, seconds: float = 5.0) -> Array:
    whole = np.zeros(int(seconds * SAMPLE_RATE), np.float32)
    for first in range(0, len(whole), int(step * SAMPLE_RATE)):
        count = min(len(clip), len(whole) - first, int(step * SAMPLE_RATE))
        whole[first : first + count] = clip[:count]
    return whole


def cosine(one: Array, other: Array) -> float:
    rows = ENCODER.embed([one, other])
    return float(rows[0] @ rows[1])


@pytest.mark.parametrize("gain", [1e-4, 0.25, 3.0, 1000.0])
def test_vectors_are_independent_of_level(gain: float) -> None:
    clip = loop(hit(), 0.4)
    assert cosine(clip, clip * np.float32(gain)) > 0.9999


def test_silence_after_a_hit_changes_its_vector_little() -> None:
    clip = hit()
    assert cosine(clip, np.append(clip, np.zeros(2 * SAMPLE_RATE, np.float32))) > 0.97


def test_a_small_change_of_speed_changes_the_vector_little() -> None:
    clip = loop(tone(), 0.4)
    faster = np.asarray(soxr.resample(clip, 1.02 * SAMPLE_RATE, SAMPLE_RATE), np.float32)
    assert cosine(clip, faster) > 0.8


def test_ogg_compression_changes_the_vector_little(tmp_path: Path) -> None:
    clip = loop(tone(), 0.4) + loop(hit(), 0.2)
    soundfile.write(tmp_path / "clip.ogg", clip, SAMPLE_RATE)
    coded, _ = soundfile.read(tmp_path / "clip.ogg", dtype="float32")
    assert cosine(clip, coded) > 0.95


@pytest.mark.parametrize(
    ("parameter", "values"),
    [("attack", (0.002, 0.02, 0.2)), ("tilt", (15.0, 9.0, 3.0)), ("decay", (0.1, 0.4, 1.6))],
)
@pytest.mark.parametrize("pitch", [196.0, 392.0])
def test_distance_increases_along_dimensions_of_timbre(parameter: str, values: tuple[float, ...], pitch: float) -> None:
    near, middle, far = (tone(pitch=pitch, **{parameter: value}) for value in values)
    assert cosine(near, far) < cosine(near, middle) - 0.02
    assert cosine(near, far) < cosine(middle, far) - 0.02


def test_a_loop_is_similar_to_its_own_hit() -> None:
    hits = [hit(0.2, low=True), hit(0.05), hit(0.5), tone(attack=0.002, decay=0.15)]
    similarity = ENCODER.embed([loop(clip, 0.5) for clip in hits]) @ ENCODER.embed(hits).T
    np.testing.assert_array_equal(similarity.argmax(axis=1), range(len(hits)))


def test_the_same_instrument_on_other_notes_is_closer_than_another_instrument() -> None:
    def phrase(pitches: tuple[float, ...], **sound: float) -> Array:
        return np.concatenate([tone(pitch=pitch, seconds=0.4, **sound) for pitch in pitches] * 3)

    first, second = (262.0, 330.0, 392.0, 330.0), (294.0, 392.0, 349.0, 262.0)
    plucked = phrase(first, attack=0.002, decay=0.15)
    assert (
        cosine(plucked, phrase(second, attack=0.002, decay=0.15))
        > cosine(plucked, phrase(first, attack=0.15, decay=2)) + 0.1
    )


def test_a_single_hit_has_no_rhythm_and_a_loop_has() -> None:
    sound, repeated = compute_spectra(hit()), compute_spectra(loop(hit(), 0.5))
    assert sound is not None
    assert repeated is not None
    assert features(sound)[1]["rhythm"] < 0.3
    assert features(repeated)[1]["rhythm"] > 0.8


def test_rhythm_distinguishes_tempos() -> None:
    slow, slower, fast = loop(hit(), 0.5), loop(hit(), 0.51), loop(hit(), 0.31)
    rows = ENCODER.embed([slow, slower, fast])
    end = np.cumsum(list(BLOCKS.values()))[list(BLOCKS).index("rhythm")]
    part = rows[:, end - BLOCKS["rhythm"] : end]
    part = part / np.linalg.norm(part, axis=1, keepdims=True)
    assert part[0] @ part[1] > 0.8
    assert part[0] @ part[2] < 0.6


@pytest.mark.parametrize(
    "clip",
    [
        np.ones(1, np.float32),
        np.full(2, 1e-30, np.float32),
        np.full(SAMPLE_RATE, 0.5, np.float32),
        np.sign(np.sin(np.arange(SAMPLE_RATE) * 0.05)).astype(np.float32),
        hit()[:1600],
        hit()[: SAMPLE_RATE // 1000],
        np.append(np.zeros(5 * SAMPLE_RATE, np.float32), np.float32(1)),
    ],
    ids=["1 sample", "tiny", "DC", "clipped", "50 ms", "1 ms", "click at the end"],
)
def test_extreme_sounds_have_unit_rows(clip: Array) -> None:
    row = ENCODER.embed([clip])[0]
    assert np.isfinite(row).all()
    assert np.linalg.norm(row) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("length", [0, 1, 10 * SAMPLE_RATE])
def test_silence_has_a_zero_row(length: int) -> None:
    assert not ENCODER.embed([np.zeros(length, np.float32)]).any()


def test_ten_minutes_are_similar_to_ten_seconds_of_the_same_sound() -> None:
    clip = loop(tone(), 0.5, seconds=10)
    assert cosine(clip, np.tile(clip, 60)) > 0.75


def test_other_than_mono_waveforms_are_refused() -> None:
    with pytest.raises(InputError, match="finite"):
        ENCODER.embed([np.array([0, np.nan, 1], np.float32)])
    with pytest.raises(InputError, match="finite"):
        ENCODER.embed([np.array([0, np.inf, 1], np.float32)])
    with pytest.raises(InputError, match="mono"):
        ENCODER.embed([np.zeros((2, 100), np.float32)])


def test_erb_rate_and_its_inverse() -> None:
    frequency = np.array([50.0, 1000.0, 14000.0])
    np.testing.assert_allclose(erb_frequency(erb_rate(frequency)), frequency)
    assert erb_rate(np.array([1000.0]))[0] == pytest.approx(15.6, abs=0.1)  # Glasberg & Moore 1990


def test_samples_of_a_class_are_close(test_data: Path) -> None:
    """Kicks next to kicks and hats next to hats, by far more often than by chance."""
    paths = sorted(path for kind in ("bd_*", "hat_*") for path in (test_data / "samples").glob(f"{kind}.flac"))
    clips = []
    for path in paths:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        clips.append(np.asarray(soxr.resample(samples.mean(axis=1), rate, SAMPLE_RATE), np.float32))
    rows = ENCODER.embed(clips)
    similarity = rows @ rows.T
    np.fill_diagonal(similarity, -2)
    kinds = np.array([path.name[:2] for path in paths])
    assert np.mean(kinds[similarity.argmax(axis=1)] == kinds) > 0.9
