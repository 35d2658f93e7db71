"""Agreement with simulated listeners about held-out tracks, before and after PAFT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.baselines_miniature.embedders import Embed, Matrix, embedder, euclidean
from benchmarks.baselines_miniature.training import PAFT
from benchmarks.shared.markdown import print_table
from soundalike.models.encoders.trained.trained_file import TrainedNetwork, read_trained
from soundalike.preferences.cluster_robust import Links, paired_test
from soundalike.preferences.triplets import Triplet, above_cut_off, merge_mirrored
from soundalike.research.baselines.preference_tuning import ClipAudio
from soundalike.research.datasets.inst_sim_abx import read_answers, read_configurations
from soundalike.research.datasets.slakh import ClipCut, Slakh


def print_listeners(folder: Path, split: str, first: str, second: str) -> None:
    """Agreement of two trainings of Cascade with simulated listeners about the tracks of a split, and their difference."""
    trained = {name: _read(folder, name) for name in (first, second)}
    parts = trained[first].architecture.parts
    answers = [t for t in read_answers(folder / f"answers-{split}").triplets if t.part in parts]
    kept = [t for t in merge_mirrored(above_cut_off(answers, PAFT["cut_off"])) if t.label()]
    names = list(dict.fromkeys(name for t in kept for name in (t.reference, t.a, t.b)))
    cuts = read_configurations(folder / f"answers-{split}")
    clips = ClipAudio(Slakh(folder / "slakh"), cuts, names)
    right = {name: _agrees(kept, cuts, clips, parts, embedder(name, network)) for name, network in trained.items()}
    rows = []
    for part in (*parts, "all"):
        for kind in ("XAB", "XYC", "both"):
            chosen = np.array([part in (t.part, "all") and kind in (t.kind, "both") for t in kept])
            links = Links([frozenset(t.tracks) for t, use in zip(kept, chosen, strict=True) if use])
            before, after = right[first][chosen], right[second][chosen]
            test = paired_test(after, before, links)
            interval = f"[{100 * test.interval.low:+.1f}, {100 * test.interval.high:+.1f}]"
            shares = (f"{100 * values.mean():.1f}" for values in (before, after))
            rows.append([f"{kind}, {part}", str(len(before)), *shares, f"{100 * test.difference:+.1f} {interval}"])
    header = ["triplets", "number", f"{first}, %", f"{second}, %", "difference, points"]
    print(f"\nSimulated listeners, {split} tracks\n")
    print_table(header, rows)


def _read(folder: Path, name: str) -> TrainedNetwork:
    return read_trained(folder / name / f"{name}.pt", "cascade" if name == "cascade" else "cascade-paft")


def _agrees(
    triplets: Sequence[Triplet], cuts: Mapping[str, ClipCut], clips: ClipAudio, parts: Sequence[str], embed: Embed
) -> NDArray[np.bool_]:
    """(N,) in which triplets the vectors prefer what the listeners prefer. cuts: of the clips, by name."""
    vectors: dict[tuple[ClipCut, str], Matrix] = {}
    right = []
    for triplet in triplets:
        own = []
        for name in (triplet.reference, triplet.a, triplet.b):
            key = cuts[name], triplet.part
            if key not in vectors:
                vectors[key] = embed(clips.mixture(name), triplet.part)[parts.index(triplet.part)]
            own.append(vectors[key])
        reference, a, b = own
        right.append(np.sign(euclidean(reference, b) - euclidean(reference, a)) == triplet.label())
    return np.array(right)
