"""How far each subspace of D-CSN moves when one stem of a mixture is replaced, as a table and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray

from benchmarks.baselines_miniature.embedders import embedder
from benchmarks.baselines_miniature.training import CLIP
from benchmarks.shared.markdown import print_table
from soundalike.models.encoders.trained.trained_file import TrainedNetwork
from soundalike.parts import MIX
from soundalike.research.baselines.segment_audio import SegmentAudio
from soundalike.research.baselines.track_scan import scan_tracks
from soundalike.research.baselines.training_triplets import SegmentRef, TripletSampler
from soundalike.research.datasets.slakh import Slakh

SWAPS = 30
"""Stems of each part that are replaced."""


def print_movement(folder: Path, split: str, trained: TrainedNetwork, picture: Path) -> None:
    """How far each subspace moves when the stem of one part is replaced by that of another track."""
    parts = trained.architecture.parts
    slakh = Slakh(folder / "slakh" / split)
    facts, _ = scan_tracks(slakh, folder / f"tracks-{split}.jsonl")
    sampler, audio = TripletSampler(facts, parts, CLIP, CLIP), SegmentAudio(slakh, CLIP, 1 << 30)
    embed, rng = embedder("dcsn", trained), np.random.default_rng(2)
    usual = np.stack([embed(audio.stem(one, MIX), MIX) for one in _some(sampler.segments, 40, rng)])
    pairs = [np.linalg.norm(usual[a] - usual[b], axis=1) for a in range(40) for b in range(a)]
    scale = np.median(pairs, axis=0)
    means, most = [], []
    for number, part in enumerate(parts):
        triplets = [sampler.draw(part, rng, True) for _ in range(SWAPS)]
        moved = np.stack(
            [
                np.linalg.norm(
                    embed(audio.mixture(t.negative, part), MIX) - embed(audio.mixture(t.anchor, part), MIX), axis=1
                )
                for t in triplets
            ]
        )
        means.append((moved / scale).mean(axis=0))
        most.append(100 * np.mean((moved / scale).argmax(axis=1) == number))
    print(
        "\nD-CSN: movement of each subspace (columns) when one stem (rows) is replaced; 1: as far as other mixtures are\n"
    )
    rows = [
        [part, *(f"{value:.2f}" for value in values), f"{share:.0f}"]
        for part, values, share in zip(parts, means, most, strict=True)
    ]
    print_table(["replaced", *parts, "its own moves most, %"], rows)
    draw_movement(picture, parts, np.stack(means))


def draw_movement(path: Path, parts: Sequence[str], means: NDArray[np.float64]) -> None:
    """The table of `print_movement` as shades."""
    figure, axes = plt.subplots(figsize=(5, 4), layout="constrained")
    shades = axes.imshow(means, cmap="Blues", vmin=0.0)
    axes.set(xlabel="subspace that moves", ylabel="stem that is replaced")
    axes.set_xticks(range(len(parts)), parts)
    axes.set_yticks(range(len(parts)), parts)
    for (row, column), value in np.ndenumerate(means):
        colour = "white" if value > 0.6 * means.max() else "black"
        axes.text(column, row, f"{value:.2f}", ha="center", va="center", color=colour)
    figure.colorbar(shades, label="movement / median distance between mixtures")
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _some(segments: Sequence[SegmentRef], count: int, rng: np.random.Generator) -> list[SegmentRef]:
    return [segments[int(index)] for index in rng.choice(len(segments), count, replace=False)]
