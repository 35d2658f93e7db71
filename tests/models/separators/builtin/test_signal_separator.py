"""Version 1 of the built-in separator: its contract, its edges, and that it separates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from numpy.typing import NDArray

from soundalike.models.separators import SEPARATORS, Separator, load_separator
from soundalike.models.separators.builtin.signal_separator import SignalSeparator

Samples = NDArray[np.float32]
RATE = 32000


@pytest.fixture(scope="module")
def separator() -> SignalSeparator:
    return SignalSeparator()


def kick(frequency: float = 55.0) -> NDArray[np.float64]:
    """A falling sine of a quarter of a second with a click."""
    time = np.arange(RATE // 4) / RATE
    pitch = frequency + 250 * np.exp(-time / 0.02)
    body = np.sin(2 * np.pi * np.cumsum(pitch) / RATE) * np.exp(-time / 0.08)
    click = np.random.default_rng(1).standard_normal(len(time)) * np.exp(-time / 0.003)
    return body + 0.3 * click


def hat() -> NDArray[np.float64]:
    noise = np.diff(np.random.default_rng(2).standard_normal(RATE // 10 + 1))
    return 0.3 * noise * np.exp(-np.arange(RATE // 10) / RATE / 0.02)


def drum_track(seconds: float) -> Samples:
    """Kicks on the beat and hats in between, at 120 BPM."""
    out = np.zeros(int(seconds * RATE))
    for sound, offset in ((kick(), 0), (hat(), RATE // 4)):
        for start in range(offset, len(out) - len(sound), RATE // 2):
            out[start : start + len(sound)] += sound
    return (0.3 * out).astype(np.float32)


def tones(seconds: float, frequencies: tuple[float, ...], harmonics: int) -> Samples:
    """Sustained notes with a few harmonics."""
    time = np.arange(int(seconds * RATE)) / RATE
    parts = [np.sin(2 * np.pi * f * k * time + f) / k for f in frequencies for k in range(1, harmonics + 1)]
    return (0.15 * np.sum(parts, axis=0)).astype(np.float32)


def noise(shape: tuple[int, ...], seed: int = 0) -> Samples:
    return (0.1 * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)


def sdr(reference: Samples, estimate: Samples) -> float:
    """Signal to distortion ratio, dB."""
    error = float(np.sum((reference - estimate) ** 2))
    return 10 * np.log10(float(np.sum(reference**2)) / error)


def test_it_agrees_with_its_row_in_the_table(separator: SignalSeparator) -> None:
    assert isinstance(separator, Separator)
    assert isinstance(load_separator("builtin", version="1"), SignalSeparator)
    assert separator.parts == SEPARATORS["builtin"].parts_of("1") == ("bass", "drums", "residuals")
    assert separator.licence == SEPARATORS["builtin"].licence
    assert (separator.name, separator.sample_rate, separator.channels) == ("builtin", RATE, 1)


def test_stems_are_those_that_version_1_always_gave(separator: SignalSeparator) -> None:
    """Values from before; if they change, the version has to."""
    assert separator.version == "1"
    expected = {
        "bass": [-0.0725423, -0.2214466, 0.0910174, 0.12109, 0.1124852, -0.1989995, -0.045906],
        "drums": [-0.0303119, -0.0149623, 0.0064678, 0.0307103, -0.0408684, -0.2424065, -0.0050388],
        "residuals": [-0.2011734, -0.3455009, 0.0823972, 0.0878485, 0.1483649, -0.1371883, -0.2893457],
    }
    mixture = drum_track(2) + tones(2, (49.0,), 3) + tones(2, (330.0, 415.3), 5)
    for part, stem in separator.separate(mixture[None]).items():
        np.testing.assert_allclose(stem[0, 4000::9000], expected[part], rtol=0, atol=2e-6)


def test_a_constant_is_not_taken_for_drums(separator: SignalSeparator) -> None:
    stems = separator.separate(np.full((1, 2 * RATE), 0.5, np.float32))
    assert float(np.mean(stems["drums"] ** 2)) < 0.15 * 0.25


@pytest.mark.parametrize("block", [1, 7, 64, 4096])
def test_the_block_size_does_not_change_the_stems(separator: SignalSeparator, block: int) -> None:
    mixture = noise((2, 70000)) + np.stack([drum_track(70000 / RATE)] * 2)
    expected = separator.separate(mixture)
    found = SignalSeparator(block=block).separate(mixture)
    for part, stem in expected.items():
        np.testing.assert_allclose(found[part], stem, rtol=0, atol=2e-6)


@pytest.mark.parametrize("gain", [1e-3, 0.1, 8.0])
def test_stems_scale_with_the_mixture(separator: SignalSeparator, gain: float) -> None:
    mixture = (drum_track(2) + tones(2, (220.0, 277.0), 4))[None] + noise((1, 2 * RATE)) * np.float32(0.01)
    expected, found = separator.separate(mixture), separator.separate(mixture * np.float32(gain))
    for part in separator.parts:
        np.testing.assert_allclose(found[part] / gain, expected[part], rtol=0, atol=1e-3)


def test_channels_share_one_mask(separator: SignalSeparator) -> None:
    mixture = noise((1, RATE))
    alone = separator.separate(mixture)
    both = separator.separate(np.concatenate([mixture, -mixture]))
    for part in separator.parts:
        np.testing.assert_allclose(both[part][0], alone[part][0], atol=1e-6)
        np.testing.assert_array_equal(both[part][0], -both[part][1])


def test_stems_depend_on_no_more_than_the_context(separator: SignalSeparator) -> None:
    """Changes further away than `context` do not change the stems."""
    middle = slice(int((2 + separator.context) * RATE), int(4 * RATE))
    mixture = noise((1, 6 * RATE))
    changed = mixture.copy()
    changed[:, : 2 * RATE] = noise((1, 2 * RATE), seed=9)
    changed[:, int((4 + separator.context) * RATE) :] = 0
    for part, stem in separator.separate(mixture).items():
        np.testing.assert_allclose(separator.separate(changed)[part][:, middle], stem[:, middle], atol=2e-6)


def test_drums_bass_and_chords_are_separated(separator: SignalSeparator) -> None:
    drums, bass = drum_track(8), tones(8, (49.0,), 3)
    chords = tones(8, (330.0, 415.3, 493.9), 5)
    stems = separator.separate((drums + bass + chords)[None])
    assert sdr(drums, stems["drums"][0]) > 3
    assert sdr(bass, stems["bass"][0]) > 5
    assert sdr(chords, stems["residuals"][0]) > 10


def test_the_sdr_of_real_drums_improves(separator: SignalSeparator, test_data: Path) -> None:
    """On multitracks that the masks were not fitted to, the SDR is at least 4 dB above that of the mixture."""
    for song in ("caesium", "lithium"):
        pair = []
        for name in ("mixture.flac", "drums.ogg"):
            samples, rate = soundfile.read(test_data / "multitracks" / song / name, 882000, 441000, dtype="float32")
            pair.append(soxr.resample(samples.mean(axis=1), rate, RATE).astype(np.float32))
        mixture, drums = pair
        stem = separator.separate(mixture[None])["drums"][0]
        assert sdr(drums, stem) > sdr(drums, mixture) + 4
