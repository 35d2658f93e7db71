"""Fit the network of the built-in separator to synthesised music.

    python -m benchmarks.separator_fit [--examples 400] [--out builtin_masks.npz]

Only synthesised music is used (`separator_sounds`), so that every recording and every song of `soundalike.synth` is
unseen: `benchmarks.separator_evaluation` and `benchmarks.part_retrieval` evaluate on those. The loss is the squared
error of the masks, weighted by energy within each band and evenly (fourth root) between bands. Plain NumPy,
deterministic except for the order of summation in the BLAS, some minutes on one core. The file is replaced atomically.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.separator_sounds import SAMPLE_RATE, example
from soundalike.models.separators.builtin import masks
from soundalike.models.separators.builtin.short_time import power_spectrum

Floats = NDArray[np.float32]

HIDDEN = 32
ROWS = 5000  # kept from each example
BUMPS = 7  # smooth basis functions of the band, so that neighbouring bands learn similar masks
BASS_BELOW = 110.0  # Hz: below, energy of the residuals counts as bass


def training_rows(seed: int) -> tuple[Floats, Floats, Floats]:
    """Inputs (ROWS, cues), true masks (ROWS, 3) and weights (ROWS,) drawn from one example."""
    rng = np.random.default_rng(seed)
    stems = example(seed)
    own, group = masks.cues(power_spectrum(np.sum(stems, axis=0)[None]))
    inner = slice(masks.REACH, -masks.REACH)
    energy = [np.add.reduceat(power_spectrum(s[None])[inner], masks.EDGES[:-1], axis=1) for s in stems]
    total = np.sum(energy, axis=0)
    shares = np.stack(energy, axis=-1) / (total + 1e-20)[..., None]
    centres = (masks.EDGES[:-1] + masks.EDGES[1:] - 1) / 2 * SAMPLE_RATE / masks.FRAME
    moved = shares[..., 2] / (1 + (centres / BASS_BELOW) ** 8)
    shares[..., 1] += moved
    shares[..., 2] -= moved
    weight = np.minimum(total / (total.mean(axis=0) + 1e-20), 10)
    weight *= (total.mean(axis=0) / (total.sum() + 1e-20)) ** 0.25
    weight /= weight.mean() + 1e-20
    chance = (weight + 0.1).ravel()
    rows = rng.choice(chance.size, ROWS, replace=False, p=chance / chance.sum())
    frame, band = np.divmod(rows, masks.BANDS)
    inputs = np.concatenate([own[:, frame, band].T, group[:, frame].T, band_basis()[band]], axis=1)
    return inputs, shares[frame, band].astype(np.float32), (weight.ravel()[rows] / chance[rows]).astype(np.float32)


def band_basis() -> Floats:
    """Smooth basis functions over the bands: (BANDS, BUMPS)."""
    centres = np.linspace(0, masks.BANDS - 1, BUMPS)
    return np.exp(-0.5 * ((np.arange(masks.BANDS)[:, None] - centres) / (masks.BANDS / 10)) ** 2).astype(np.float32)


def forward(layers: list[Floats], x: Floats) -> tuple[list[Floats], Floats]:
    """Activations before each layer, and the masks; `layers` alternates weights and biases."""
    activations = [x]
    for index in range(0, len(layers), 2):
        x = x @ layers[index] + layers[index + 1]
        if index + 2 < len(layers):
            x = np.maximum(x, 0)
            activations.append(x)
    x = np.exp(x - x.max(axis=1, keepdims=True))
    return activations, x / x.sum(axis=1, keepdims=True)


def gradients(layers: list[Floats], x: Floats, y: Floats, w: Floats) -> tuple[float, list[Floats]]:
    """Weighted squared error of the masks, and its gradient with respect to every layer."""
    activations, shares = forward(layers, x)
    error = shares - y
    slope = 2 * w[:, None] * error / len(x)
    slope = shares * (slope - (slope * shares).sum(axis=1, keepdims=True))
    result: list[Floats] = []
    for index in range(len(layers) - 2, -1, -2):
        inputs = activations[index // 2]
        result = [inputs.T @ slope, slope.sum(axis=0), *result]
        if index:
            slope = (slope @ layers[index].T) * (inputs > 0)
    return float((w[:, None] * error**2).sum() / len(x)), result


def fit(x: Floats, y: Floats, w: Floats, epochs: int, batch: int = 4096, rate: float = 3e-3) -> list[Floats]:
    """The layers, fitted by Adam with a cosine schedule and seed 0."""
    rng = np.random.default_rng(0)
    sizes = [x.shape[1], HIDDEN, HIDDEN, 3]
    layers: list[Floats] = []
    for before, after in pairwise(sizes):
        layers += [(rng.standard_normal((before, after)) / np.sqrt(before)).astype(np.float32)]
        layers += [np.zeros(after, np.float32)]
    mean, square = [np.zeros_like(p) for p in layers], [np.zeros_like(p) for p in layers]
    steps, step = epochs * (len(x) // batch), 0
    for epoch in range(epochs):
        order, losses = rng.permutation(len(x)), []
        for start in range(0, len(x) - batch + 1, batch):
            rows = order[start : start + batch]
            loss, steepest = gradients(layers, x[rows], y[rows], w[rows])
            losses.append(loss)
            step += 1
            now = rate * 0.5 * (1 + np.cos(np.pi * step / steps))
            for p, g, m, v in zip(layers, steepest, mean, square, strict=True):
                m += 0.1 * (g - m)
                v += 0.001 * (g * g - v)
                p -= (now * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)).astype(np.float32)
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}", flush=True)
    return layers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=400)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--out", type=Path, default=masks.WEIGHTS)
    options = parser.parse_args()
    drawn = [training_rows(seed) for seed in range(options.examples)]
    x, y, w = (np.concatenate(column) for column in zip(*drawn, strict=True))
    del drawn
    mean, deviation = x.mean(axis=0), x.std(axis=0) + 1e-3
    x -= mean
    x /= deviation
    layers = fit(x, y, w, options.epochs)
    first = layers[0] / deviation[:, None]
    bias = layers[1] - mean @ first
    count = x.shape[1] - BUMPS - 40
    network = {
        "own": first[:count],
        "group": first[count : count + 40],
        "bias": band_basis() @ first[count + 40 :] + bias,
        "hidden": layers[2],
        "hidden_bias": layers[3],
        "out": layers[4],
        "out_bias": layers[5],
    }
    unfinished = options.out.with_name(f"{options.out.name}.part.npz")
    np.savez(unfinished, **{name: value.astype(np.float32) for name, value in network.items()})
    unfinished.replace(options.out)
    print(f"{options.out}: {sum(v.size for v in network.values())} numbers")


if __name__ == "__main__":
    main()
