"""Fits the weights by which tempo and key are chosen, to made-up songs of known tempo and key.

    python -m benchmarks.tempo_and_key_fit --seeds 21 22 23

Prints `WEIGHTS` of `audio/metadata/metrical_level.py` and of `audio/metadata/tonality.py`: those of a softmax over the
candidates of each song (the levels of its rhythm, the 24 keys), with a penalty on their squares. Before that, how many
songs are right if each seed is estimated with weights from the other seeds, and if each style of music is estimated with weights
from the other styles. `benchmarks.tempo_and_key` measures the result on songs of other seeds.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from benchmarks.shared.markdown import print_table
from benchmarks.tempo_and_key import TOLERANCE
from soundalike.audio.metadata import metrical_level, tonality
from soundalike.audio.metadata.tempo import find_rhythm
from soundalike.audio.waveform import Waveform
from soundalike.synth.songs import render_song
from soundalike.synth.specs import song_specs

PENALTIES = {"tempo": 3.0, "key": 1.0}
"""On the squares of the weights of features scaled to a standard deviation of 1."""


@dataclass(frozen=True)
class Example:
    """One song. features: (candidates, features); right: (candidates,) bool; the song's seed and style."""

    features: NDArray[np.float64]
    right: NDArray[np.bool_]
    seed: int
    style: str


def tempo_example(mono: NDArray[np.float32], rate: int, tempo: float, seed: int, style: str) -> Example | None:
    """The levels of a song's rhythm; None if it has none."""
    rhythm = find_rhythm(mono, rate)
    if rhythm is None or rhythm.levels is None:
        return None
    candidates = metrical_level.candidate_tempos(rhythm.tempo)
    features = np.array([rhythm.levels.features(one) for one in candidates])
    return Example(features, np.abs(np.array(candidates) / tempo - 1) < TOLERANCE, seed, style)


def key_example(mono: NDArray[np.float32], rate: int, key: str, seed: int, style: str) -> Example | None:
    """The keys of a song; None if it has no pitch."""
    features = tonality.key_features(mono, rate)
    if features is None:
        return None
    return Example(features, np.array([str(one) == key for one in tonality.KEYS]), seed, style)


def fit(examples: Sequence[Example], penalty: float) -> NDArray[np.float64]:
    """The weights of the features as they are."""
    usable = [one for one in examples if one.right.any()]
    scale = np.concatenate([one.features for one in usable]).std(axis=0) + 1e-9
    scaled = [one.features / scale for one in usable]

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        value, slope = penalty * float(weights @ weights), 2 * penalty * weights
        for features, one in zip(scaled, usable, strict=True):
            scores = features @ weights
            shares = np.exp(scores - scores.max())
            shares /= shares.sum()
            right = shares * one.right
            value -= float(np.log(right.sum()))
            slope = slope - features.T @ (right / right.sum() - shares)
        return value, slope

    found = scipy.optimize.minimize(loss, np.zeros(len(scale)), jac=True, method="L-BFGS-B")
    return np.asarray(found.x / scale, dtype=np.float64)


def share_right(weights: NDArray[np.float64], examples: Iterable[Example]) -> float:
    """The share of songs whose best candidate is right."""
    return float(np.mean([one.right[np.argmax(one.features @ weights)] for one in examples]))


def left_out(examples: Sequence[Example], group: Callable[[Example], object], penalty: float) -> float:
    """The share right if each group is estimated with weights from the others."""
    shares = []
    for name in sorted({group(one) for one in examples}, key=str):
        weights = fit([one for one in examples if group(one) != name], penalty)
        shares += [share_right(weights, [one]) for one in examples if group(one) == name]
    return float(np.mean(shares))


def report(name: str, examples: Sequence[Example]) -> tuple[str, ...]:
    """A row of the table."""
    penalty = PENALTIES[name]
    by_seed = left_out(examples, lambda one: one.seed, penalty)
    by_style = left_out(examples, lambda one: one.style, penalty)
    same = share_right(fit(examples, penalty), examples)
    return name, f"{len(examples)}", f"{same:.3f}", f"{by_seed:.3f}", f"{by_style:.3f}"


def print_result(tempos: Sequence[Example], keys: Sequence[Example]) -> None:
    """The table and the weights."""
    header = ("", "songs", "right, same songs", "weights of other seeds", "weights of other styles")
    print_table(header, [report("tempo", tempos), report("key", keys)])
    for name, features, examples in (("tempo", metrical_level.FEATURES, tempos), ("key", tonality.FEATURES, keys)):
        print(f"\n{name}")
        for feature, weight in zip(features, fit(examples, PENALTIES[name]), strict=True):
            print(f"    {weight:.3f},  # {feature}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[21, 22, 23], help="of the songs (default %(default)s)")
    parser.add_argument("--songs", type=int, default=40, help="for each seed (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=28.0, help="of each song (default %(default)g)")
    options = parser.parse_args()
    tempos, keys = [], []
    for seed in options.seeds:
        for spec in song_specs(seed, options.songs, options.seconds):
            song = render_song(spec)
            mono = Waveform(song.mixture, song.sample_rate).mono()
            tempos.append(tempo_example(mono, song.sample_rate, spec.tempo, seed, spec.style))
            keys.append(key_example(mono, song.sample_rate, spec.key.name, seed, spec.style))
    print_result([one for one in tempos if one is not None], [one for one in keys if one is not None])


if __name__ == "__main__":
    main()
