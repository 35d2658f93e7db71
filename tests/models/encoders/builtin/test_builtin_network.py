"""The network of the built-in encoder: its arithmetic against a slow oracle, its input, and its weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from soundalike.models.encoders.builtin.builtin_network import (
    CHANNELS,
    HEADS,
    HIDDEN,
    STRIDE,
    WEIGHTS,
    Network,
    network_input,
    shipped_network,
)
from soundalike.models.encoders.builtin.builtin_spectra import MELS, Array

LAYERS = {
    "stem": (5, 1, CHANNELS[0], 2),
    "block0.first": (3, CHANNELS[0], CHANNELS[0], 1),
    "block0.second": (3, CHANNELS[0], CHANNELS[0], 1),
    "down0": (3, CHANNELS[0], CHANNELS[1], 2),
    "block1.first": (3, CHANNELS[1], CHANNELS[1], 1),
    "block1.second": (3, CHANNELS[1], CHANNELS[1], 1),
    "down1": (3, CHANNELS[1], CHANNELS[2], 2),
    "block2.first": (3, CHANNELS[2], CHANNELS[2], 1),
    "block2.second": (3, CHANNELS[2], CHANNELS[2], 1),
}
"""Name: size, inputs, outputs, stride."""


def mels(frames: int, seed: int = 0) -> Array:
    """Power of a decaying noise."""
    rng = np.random.default_rng(seed)
    return (rng.random((frames, MELS)) ** 6 * np.exp(-np.arange(frames) / 15)[:, None]).astype(np.float32)


def slow_convolution(x: Array, weights: Array, bias: Array, size: int, stride: int) -> Array:
    """One output at a time, in float64."""
    times, frequencies, channels = x.shape
    kernel = weights.astype(np.float64).reshape(size, size, channels, -1)
    around = np.pad(x.astype(np.float64), ((size // 2,) * 2, (size // 2,) * 2, (0, 0)))
    out = np.zeros((times // stride, frequencies // stride, kernel.shape[-1]))
    for time in range(out.shape[0]):
        for frequency in range(out.shape[1]):
            seen = around[time * stride :, frequency * stride :][:size, :size]
            out[time, frequency] = np.einsum("tfc,tfco->o", seen, kernel) + bias
    return out


def slow_heads(weights: dict[str, Array], power: Array) -> dict[str, Array]:
    """The heads by loops over positions."""
    inputs = network_input(power).astype(np.float64)
    level = inputs.reshape(-1, STRIDE, MELS).mean(axis=(1, 2))
    x, outer = inputs[:, :, None], None
    for name, (size, _, _, stride) in LAYERS.items():
        if name.endswith("first"):
            outer = x
        x = slow_convolution(x, weights[name], weights[f"{name}.bias"], size, stride)
        x = np.maximum(x + outer if name.endswith("second") else x, 0)
    x = np.maximum(x.reshape(len(x), -1) @ weights["over_frequency"] + weights["over_frequency.bias"], 0)
    pooled = np.concatenate([level @ x / level.sum(), x.max(axis=0)])
    heads = {name: pooled @ weights[name] + weights[f"{name}.bias"] for name in HEADS}
    return {name: head / np.linalg.norm(head) for name, head in heads.items()}


def test_the_network_computes_what_a_slow_oracle_does() -> None:
    with np.load(WEIGHTS) as stored:
        weights = {name: stored[name].astype(np.float32) for name in stored.files}
    found, expected = shipped_network().heads(mels(20)), slow_heads(weights, mels(20))
    for name, head in expected.items():
        np.testing.assert_allclose(found[name], head, atol=2e-5)


def test_pieces_of_time_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = shipped_network().heads(mels(100))
    monkeypatch.setattr("soundalike.models.encoders.builtin.builtin_network._PIECE", 5_000)
    for name, head in shipped_network().heads(mels(100)).items():
        np.testing.assert_allclose(head, whole[name], atol=1e-5)


def test_weights_fit_the_architecture_and_the_budget() -> None:
    with np.load(WEIGHTS) as stored:
        weights = {name: stored[name] for name in stored.files}
    for name, (size, inputs, outputs, _) in LAYERS.items():
        assert weights[name].shape == (size * size * inputs, outputs)
    assert weights["over_frequency"].shape == (MELS // STRIDE * CHANNELS[-1], HIDDEN)
    for name, size in HEADS.items():
        assert weights[name].shape == (2 * HIDDEN, size)
    assert set(weights) == {base + end for base in (*LAYERS, "over_frequency", *HEADS) for end in ("", ".bias")}
    assert all(np.isfinite(values).all() and values.dtype == np.float16 for values in weights.values())
    assert sum(values.size for values in weights.values()) <= 2_000_000
    assert WEIGHTS.stat().st_size <= 8_000_000


@pytest.mark.parametrize("frames", [1, 7, 8, 100])
def test_the_input_is_filled_with_silence_and_independent_of_level(frames: int) -> None:
    power = mels(frames)
    inputs = network_input(power)
    assert inputs.shape[0] % STRIDE == 0
    assert inputs.shape[0] > frames
    assert not inputs[frames:].any()
    assert inputs.min() >= 0
    assert inputs.max() == pytest.approx(2)
    np.testing.assert_allclose(network_input(power * np.float32(1e-4)), inputs, atol=1e-4)


def test_silence_after_a_sound_changes_the_heads_little() -> None:
    padded = np.concatenate([mels(60), np.zeros((300, MELS), np.float32)])
    for name, head in shipped_network().heads(padded).items():
        assert head @ shipped_network().heads(mels(60))[name] > 0.97


def test_weights_of_another_file_are_used(tmp_path: Path) -> None:
    with np.load(WEIGHTS) as stored:
        weights = {name: stored[name] for name in stored.files}
    weights["instance.bias"] = weights["instance.bias"] + np.float16(100)
    np.savez(tmp_path / "other.npz", **weights)
    heads = Network(tmp_path / "other.npz").heads(mels(20))["instance"]
    np.testing.assert_allclose(heads, np.full(len(heads), len(heads) ** -0.5), atol=0.01)
