"""Version 2 of the built-in encoder: what it promises beside version 1, and that it hears a hit through other sounds."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from soundalike.errors import InputError
from soundalike.models.encoders import load_encoder
from soundalike.models.encoders.builtin.builtin_encoder import (
    INSTANCE,
    PIECES,
    SHARES,
    BuiltinEncoder,
    both_heard_through_music,
    heard_through_music,
)
from soundalike.models.encoders.builtin.builtin_network import HEADS
from soundalike.models.encoders.builtin.builtin_spectra import SAMPLE_RATE, Array, Spectra, compute_spectra
from soundalike.models.encoders.builtin.signal_encoder import SignalEncoder
from soundalike.synth.drum_shapes import VOICES
from soundalike.synth.drums import KITS, render_hit
from soundalike.synth.songs import render_song
from soundalike.synth.specs import song_specs

ENCODER = BuiltinEncoder()


def noise(seconds: float, seed: int = 0) -> Array:
    return (0.1 * np.random.default_rng(seed).standard_normal(round(seconds * SAMPLE_RATE))).astype(np.float32)


def chord(seconds: float) -> Array:
    """Three sines with harmonics."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    tones = [
        np.sin(2 * np.pi * 220 * ratio * order * time) / order for ratio in (1, 1.25, 1.5) for order in (1, 2, 3, 4)
    ]
    return np.asarray(0.1 * np.sum(tones, axis=0), np.float32)


def hits() -> list[Array]:
    """Every voice of every kit of the synth."""
    return [np.asarray(render_hit(kit, voice), np.float32) for kit in KITS for voice in VOICES]


@pytest.fixture(scope="module")
def song() -> Array:
    """A made-up song, mono, at the rate of the hits."""
    mixture = render_song(song_specs(seed=3, count=1, length=12.0)[0]).mixture
    return np.asarray(mixture.mean(axis=0), np.float32)


@pytest.fixture(scope="module")
def pool() -> Array:
    return ENCODER.embed(hits())


def spectra_of(clip: Array) -> Spectra:
    spectra = compute_spectra(clip, with_mels=True)
    assert spectra is not None
    return spectra


def cosines(one: dict[str, Array], other: dict[str, Array]) -> dict[str, float]:
    return {name: float(one[name] @ other[name]) for name in PIECES}


def test_the_cosine_is_the_mean_of_the_pieces_by_their_shares() -> None:
    clips = [noise(0.5), noise(1.0, seed=1) ** 3]
    each = cosines(*(ENCODER.hear(spectra_of(clip)) for clip in clips))
    rows = ENCODER.embed(clips)
    assert rows[0] @ rows[1] == pytest.approx(sum(SHARES[name] * each[name] for name in PIECES), abs=1e-5)


@pytest.mark.parametrize("clip", [noise(0.05), noise(10), chord(0.8)], ids=["50 ms", "long", "chord"])
def test_every_sound_has_the_same_shares(clip: Array) -> None:
    """Where shares differ, sounds are less alike than any of their pieces."""
    (row,) = ENCODER.embed([clip])
    squares = np.add.reduceat(row.astype(np.float64) ** 2, np.cumsum([0, *PIECES.values()])[:-1])
    assert squares == pytest.approx([SHARES[name] for name in PIECES], abs=1e-4)
    assert sum(SHARES.values()) == pytest.approx(1)


@pytest.mark.parametrize("network", [0.0, 0.3, 0.7, 1.0])
def test_through_music_the_network_counts_by_its_share(network: float) -> None:
    clips = [noise(0.5), chord(0.8)]
    each = cosines(*(ENCODER.hear(spectra_of(clip)) for clip in clips))
    rows = ENCODER.embed(clips)
    learned = INSTANCE * each["instance"] + (1 - INSTANCE) * each["group"]
    expected = (1 - network) * each["signal"] + network * learned
    assert heard_through_music(rows[0], network) @ rows[1] == pytest.approx(expected, abs=1e-4)
    assert heard_through_music(rows[0], network) @ rows[0] == pytest.approx(1, abs=1e-4)
    both = both_heard_through_music(rows, network)
    assert both @ both.T == pytest.approx(np.array([[1, expected], [expected, 1]]), abs=1e-4)


def test_through_music_vectors_lose_little_in_float16() -> None:
    rows = ENCODER.embed(hits()[:8])
    exact = heard_through_music(rows[0], 0.7) @ rows.T
    stored = heard_through_music(rows[0].astype(np.float16), 0.7) @ rows.astype(np.float16).T
    np.testing.assert_allclose(stored, exact, atol=2e-3)


@pytest.mark.parametrize(
    ("shape", "network", "message"), [((334,), 0.5, "no pieces"), ((512,), 1.5, "0 to 1"), ((512,), -0.1, "0 to 1")]
)
def test_other_vectors_and_shares_are_refused(shape: tuple[int], network: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        heard_through_music(np.zeros(shape), network)
    with pytest.raises(InputError, match=message):
        both_heard_through_music(np.zeros((2, *shape), np.float32), network)


def test_spectra_without_mels_are_refused() -> None:
    spectra = compute_spectra(noise(0.2))
    assert spectra is not None
    with pytest.raises(InputError, match="with_mels"):
        ENCODER.hear(spectra)


def test_the_dimension_is_that_of_its_parts() -> None:
    assert ENCODER.dimension == SignalEncoder.dimension + HEADS["instance"] + HEADS["group"] == 512


def test_vectors_are_the_same_on_one_thread_and_on_two_and_in_any_batch() -> None:
    clips = [noise(0.1), noise(3.0), noise(0.7, seed=2)]
    with threadpool_limits(1):
        alone = np.concatenate([ENCODER.embed([clip]) for clip in clips])
    with threadpool_limits(2):
        together = ENCODER.embed(clips)
    np.testing.assert_allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize("gain", [1e-4, 0.25, 1000.0])
def test_vectors_are_independent_of_level(gain: float) -> None:
    rows = ENCODER.embed([noise(1), noise(1) * np.float32(gain)])
    assert rows[0] @ rows[1] > 0.999


@pytest.mark.parametrize("length", [0, 1, 10 * SAMPLE_RATE])
def test_silence_has_a_zero_row(length: int) -> None:
    assert not ENCODER.embed([np.zeros(length, np.float32)]).any()


@pytest.mark.parametrize("length", [1, 2, 32, 1600])
def test_very_short_sounds_have_unit_rows(length: int) -> None:
    row = ENCODER.embed([np.ones(length, np.float32)])[0]
    assert np.linalg.norm(row) == pytest.approx(1, abs=1e-5)


def test_waveforms_that_are_not_mono_or_not_finite_are_refused() -> None:
    with pytest.raises(InputError, match="mono"):
        ENCODER.embed([np.zeros((2, 100), np.float32)])
    with pytest.raises(InputError, match="finite"):
        ENCODER.embed([np.array([0, np.nan, 1], np.float32)])


def found_in_song(song: Array, pool: Array, encoder: BuiltinEncoder | SignalEncoder, early: float) -> float:
    """Mean reciprocal rank of hits laid over a song, by regions that begin `early` s before the hit and last longer."""
    known, reciprocal = hits(), []
    for number in range(0, len(known), 3):
        at = (number + 2) * len(song) // (len(known) + 6)
        hit = known[number][: round(0.6 * SAMPLE_RATE)]
        region = song[at - round(early * SAMPLE_RATE) : at + round(0.7 * SAMPLE_RATE)].copy()
        start = round(early * SAMPLE_RATE)
        loud = np.sqrt(np.mean(region**2) / np.mean(hit**2)) * 2  # 6 dB
        region[start : start + len(hit)] += loud * hit
        (direction,) = encoder.embed([region])
        heard = direction if isinstance(encoder, SignalEncoder) else heard_through_music(direction, 0.7)
        scores = pool @ heard
        reciprocal.append(1 / (1 + np.sum(scores > scores[number])))
    return float(np.mean(reciprocal))


@pytest.mark.parametrize(
    "early", [pytest.param(0.0, marks=pytest.mark.long), 0.04, pytest.param(0.1, marks=pytest.mark.long)]
)
def test_a_hit_is_heard_through_a_song_though_the_region_begins_early(song: Array, pool: Array, early: float) -> None:
    version_1 = SignalEncoder()
    before = found_in_song(song, version_1.embed(hits()), version_1, early)
    assert found_in_song(song, pool, ENCODER, early) > max(0.45, before + 0.1)


@pytest.mark.long
def test_early_regions_cost_little(song: Array, pool: Array) -> None:
    exact, early = (found_in_song(song, pool, ENCODER, seconds) for seconds in (0.0, 0.08))
    assert early > 0.7 * exact


def test_both_versions_can_be_loaded() -> None:
    assert load_encoder("builtin").version == "2"
    assert load_encoder("builtin", version="2").version == "2"
    former = load_encoder("builtin", version="1")
    assert (former.version, former.dimension) == ("1", 334)
    clip = noise(0.3)
    np.testing.assert_array_equal(former.embed([clip]), SignalEncoder().embed([clip]))
