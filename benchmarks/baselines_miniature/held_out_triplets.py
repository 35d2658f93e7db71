"""How many held-out triplets of each part are ordered correctly: trained, untrained, MFCC."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.baselines_miniature.embedders import Matrix, cosine, embedder, euclidean, mfcc_statistics
from benchmarks.baselines_miniature.training import CLIP
from benchmarks.shared.markdown import print_table
from soundalike.models.encoders.trained.trained_file import TrainedNetwork
from soundalike.parts import MIX
from soundalike.preferences.cluster_robust import Links, paired_test, share_interval
from soundalike.research.baselines.segment_audio import SegmentAudio
from soundalike.research.baselines.track_scan import scan_tracks
from soundalike.research.baselines.training_triplets import Sound, TrainingTriplet, TripletSampler
from soundalike.research.datasets.slakh import Slakh


@dataclass(frozen=True)
class HeldOut:
    """A triplet, and its three mixtures by index into the list of all."""

    triplet: TrainingTriplet
    pseudo: bool
    sounds: tuple[int, int, int]


@dataclass(frozen=True)
class Evaluated:
    """Which held-out triplets (N,) a network orders correctly."""

    held_out: Sequence[HeldOut]
    right: NDArray[np.bool_]


def print_triplets(
    folder: Path, split: str, system: str, trained: TrainedNetwork, counts: tuple[int, int]
) -> Evaluated:
    """Agreements and differences, of so many real and pseudo triplets of each part from the tracks of a split."""
    parts = trained.architecture.parts
    slakh = Slakh(folder / "slakh" / split)
    facts, _ = scan_tracks(slakh, folder / f"tracks-{split}.jsonl")
    held_out, mixtures = _draw(TripletSampler(facts, parts, CLIP, CLIP), parts, counts)
    torch.manual_seed(0)
    untrained = TrainedNetwork(trained.architecture, trained.architecture.build(), {})
    embeds = [embedder(system, trained), embedder(system, untrained), mfcc_statistics]
    audio = SegmentAudio(slakh, CLIP, 1 << 30)
    found: list[list[Matrix]] = [[] for _ in embeds]
    for sound, part in mixtures:
        mixture = audio.mixture(sound, part)
        for vectors, embed in zip(found, embeds, strict=True):
            vectors.append(embed(mixture, part))
    ours, initial, mfcc = (np.stack(vectors) for vectors in found)
    mfcc = np.repeat((mfcc - mfcc.mean(axis=0)) / mfcc.std(axis=0), len(parts), axis=1)
    columns = {
        "trained": _right(held_out, ours, parts, euclidean),
        "initial": _right(held_out, initial, parts, euclidean),
        "MFCC": _right(held_out, mfcc, parts, cosine),
    }
    rows = []
    for kind in ("real", "pseudo"):
        for part in (*parts, "all"):
            chosen = np.array(
                [one.pseudo == (kind == "pseudo") and part in (one.triplet.part, "all") for one in held_out]
            )
            rows.append([f"{kind}, {part}", *_cells(columns, held_out, chosen)])
    header = ["triplets", *(f"{name}, %" for name in columns), "trained - initial, points", "trained - MFCC, points"]
    print(f"\n{system}: {split} triplets of each part, {counts[0]} real and {counts[1]} pseudo\n")
    print_table(header, rows)
    return Evaluated(held_out, columns["trained"])


def print_difference(first: Evaluated, second: Evaluated, names: tuple[str, str]) -> None:
    """By how much the second network is better than the first, on the same triplets of all parts."""
    rows = []
    for kind in ("real", "pseudo"):
        chosen = np.array([one.pseudo == (kind == "pseudo") for one in first.held_out])
        links = Links([_tracks(one.triplet) for one, use in zip(first.held_out, chosen, strict=True) if use])
        test = paired_test(second.right[chosen], first.right[chosen], links)
        low, high = 100 * test.interval.low, 100 * test.interval.high
        rows.append([f"{kind}, all", f"{100 * test.difference:+.1f} [{low:+.1f}, {high:+.1f}]"])
    print()
    print_table(["triplets", f"{names[1]} - {names[0]}, points"], rows)


def _draw(
    sampler: TripletSampler, parts: Sequence[str], counts: tuple[int, int]
) -> tuple[list[HeldOut], list[tuple[Sound, str]]]:
    """So many real and pseudo triplets of each part, and their mixtures with the parts that are their targets."""
    rng = np.random.default_rng(1)
    numbers: dict[tuple[Sound, str], int] = {}
    found = []
    for part in parts:
        for pseudo, count in zip((False, True), counts, strict=True):
            for _ in range(count):
                triplet = sampler.draw(part, rng, pseudo)
                first, second, third = (
                    numbers.setdefault((sound, MIX if sound.target == sound.others else part), len(numbers))
                    for sound in (triplet.anchor, triplet.positive, triplet.negative)
                )
                found.append(HeldOut(triplet, pseudo, (first, second, third)))
    return found, list(numbers)


def _right(
    held_out: Sequence[HeldOut],
    vectors: NDArray[np.float64],
    parts: Sequence[str],
    distance: Callable[[Matrix, Matrix], float],
) -> NDArray[np.bool_]:
    """(N,) which triplets are ordered correctly by the vectors (mixtures, parts, D)."""
    right = []
    for one in held_out:
        anchor, positive, negative = vectors[list(one.sounds), parts.index(one.triplet.part)]
        right.append(distance(anchor, positive) < distance(anchor, negative))
    return np.array(right)


def _tracks(triplet: TrainingTriplet) -> frozenset[str]:
    sounds = (triplet.anchor, triplet.positive, triplet.negative)
    return frozenset(segment.track for sound in sounds for segment in (sound.target, sound.others))


def _cells(
    columns: Mapping[str, NDArray[np.bool_]], held_out: Sequence[HeldOut], chosen: NDArray[np.bool_]
) -> list[str]:
    links = Links([_tracks(one.triplet) for one, use in zip(held_out, chosen, strict=True) if use])
    cells = []
    for right in columns.values():
        interval = share_interval(right[chosen], links)
        cells.append(f"{100 * right[chosen].mean():.1f} [{100 * interval.low:.0f}, {100 * interval.high:.0f}]")
    for other in ("initial", "MFCC"):
        test = paired_test(columns["trained"][chosen], columns[other][chosen], links)
        low, high = 100 * test.interval.low, 100 * test.interval.high
        cells.append(f"{100 * test.difference:+.1f} [{low:+.1f}, {high:+.1f}]")
    return cells
