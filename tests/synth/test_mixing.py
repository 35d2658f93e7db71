import numpy as np
import pytest
from scipy.signal import fftconvolve

from soundalike.synth import dsp, mixing

RATE = dsp.SAMPLE_RATE


def _noise(seed: int, seconds: float, level: float = 0.1) -> np.ndarray:
    return (level * np.random.default_rng(seed).standard_normal((2, round(seconds * RATE)))).astype(np.float32)


def test_place_adds_within_the_bus_only() -> None:
    bus = np.zeros((2, 10), dtype=np.float32)
    mixing.place(bus, np.ones(4, dtype=np.float32), 8, 1.0, 0.5)
    mixing.place(bus, np.ones(4, dtype=np.float32), 12, 1.0, 1.0)
    assert bus.sum(axis=1).tolist() == [2.0, 1.0]


@pytest.mark.parametrize("seconds", [0.5, 4.0])
def test_room_is_a_convolution(seconds: float) -> None:
    bus = _noise(0, seconds)
    response = mixing.room(np.random.default_rng(1), 0.8)
    wet = np.stack([fftconvolve(bus.mean(axis=0), side)[: bus.shape[1]] for side in response])
    np.testing.assert_allclose(mixing.add_room(bus, response, 0.3), bus + 0.3 * wet, atol=2e-6)
    assert mixing.add_room(bus, response, 0.0) is bus


def test_longest_room_fits_the_transform() -> None:
    assert mixing.room(np.random.default_rng(1), 1.5).shape[1] < 2**16


def test_active_level_ignores_rests() -> None:
    tone = _noise(2, 1.0)
    rests = np.concatenate([tone, np.zeros_like(tone)], axis=1)
    assert mixing.active_level(rests) == pytest.approx(mixing.active_level(tone), rel=0.05)
    assert mixing.active_level(np.zeros((2, 9000), dtype=np.float32)) == 0.0
    assert mixing.active_level(np.full((2, 10), 0.5, dtype=np.float32)) == pytest.approx(0.5)


def test_master_keeps_the_sum_and_the_ceiling() -> None:
    stems = {"bass": _noise(3, 3.0, 0.05), "drums": _noise(4, 3.0, 0.001)}
    stems["drums"][:, 30_000:30_050] = 3.0
    final, mixture = mixing.master(stems)
    assert np.array_equal(final["bass"] + final["drums"], mixture)
    assert np.abs(mixture).max() <= mixing.CEILING + 1e-6
    ratio = final["bass"] / stems["bass"]
    assert ratio[:, 29_000:31_000].min() < 0.9 * ratio[:, :1000].mean(), "the peak was not caught"
    steps = np.abs(np.diff(ratio, axis=1))
    assert steps.max() < 0.01 * ratio.max(), "the gain jumps"


def test_master_reaches_its_loudness() -> None:
    _, mixture = mixing.master({"bass": _noise(5, 3.0, 0.01)})
    assert mixing.loudness(mixture) == pytest.approx(mixing.LOUDNESS, abs=0.1)
    assert mixing.loudness(np.zeros((2, RATE), dtype=np.float32)) == -70.0
