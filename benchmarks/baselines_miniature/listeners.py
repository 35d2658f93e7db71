"""Agreement with simulated listeners about held-out tracks: before and after PAFT, and of MFCC of the true stems."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.baselines_miniature.embedders import Matrix, embedder, euclidean, mfcc_statistics
from benchmarks.baselines_miniature.training import PAFT
from benchmarks.shared.markdown import print_table
from soundalike.models.encoders.trained.trained_file import TrainedNetwork, read_trained
from soundalike.preferences.cluster_robust import Links, paired_test
from soundalike.preferences.triplets import Triplet, above_cut_off, merge_mirrored
from soundalike.research.baselines.preference_tuning import ClipAudio
from soundalike.research.datasets.inst_sim_abx import read_answers, read_configurations
from soundalike.research.datasets.slakh import ClipCut, Slakh

Vector = Callable[[ClipCut, str], Matrix]
"""The vector (D,) of a part in a clip."""


def print_listeners(folder: Path, split: str, networks: Sequence[str]) -> None:
    """Agreement of trainings of Cascade with simulated listeners about the tracks of a split, and their differences."""
    trained = {name: _read(folder, name) for name in networks}
    parts = trained[networks[0]].architecture.parts
    answers = [t for t in read_answers(folder / f"answers-{split}").triplets if t.part in parts]
    kept = [t for t in merge_mirrored(above_cut_off(answers, PAFT["cut_off"])) if t.label()]
    names = list(dict.fromkeys(name for t in kept for name in (t.reference, t.a, t.b)))
    cuts = read_configurations(folder / f"answers-{split}")
    slakh = Slakh(folder / "slakh")
    clips = ClipAudio(slakh, cuts, names)
    right = {name: _agrees(kept, cuts, _by_networks(network, name, clips)) for name, network in trained.items()}
    right["MFCC of stems"] = _agrees(kept, cuts, _by_stems(slakh, cuts, kept))
    pairs = [(second, first) for number, second in enumerate(networks) for first in networks[:number]]
    rows = []
    for part in (*parts, "all"):
        for kind in ("XAB", "XYC", "both"):
            chosen = np.array([part in (t.part, "all") and kind in (t.kind, "both") for t in kept])
            links = Links([frozenset(t.tracks) for t, use in zip(kept, chosen, strict=True) if use])
            shares = [f"{100 * values[chosen].mean():.1f}" for values in right.values()]
            tests = [paired_test(right[second][chosen], right[first][chosen], links) for second, first in pairs]
            differences = [
                f"{100 * test.difference:+.1f} [{100 * test.interval.low:+.1f}, {100 * test.interval.high:+.1f}]"
                for test in tests
            ]
            rows.append([f"{kind}, {part}", str(chosen.sum()), *shares, *differences])
    header = ["triplets", "number", *(f"{name}, %" for name in right), *(f"{a} - {b}" for a, b in pairs)]
    print(f"\nSimulated listeners, {split} tracks\n")
    print_table(header, rows)


def _read(folder: Path, name: str) -> TrainedNetwork:
    return read_trained(folder / name / f"{name}.pt", "cascade" if name == "cascade" else "cascade-paft")


def _by_networks(network: TrainedNetwork, name: str, clips: ClipAudio) -> Vector:
    embed, parts = embedder(name, network), network.architecture.parts
    return lambda cut, part: embed(clips.mixture_at(cut), part)[parts.index(part)]


def _by_stems(slakh: Slakh, cuts: Mapping[str, ClipCut], triplets: Sequence[Triplet]) -> Vector:
    """MFCC statistics of the true stems, standardised over the clips of each part."""
    found: dict[str, dict[ClipCut, Matrix]] = {}
    for triplet in triplets:
        of_part = found.setdefault(triplet.part, {})
        for cut in (cuts[name] for name in (triplet.reference, triplet.a, triplet.b)):
            if cut not in of_part:
                stem = slakh.cut_stem(cut, triplet.part)
                assert stem is not None
                of_part[cut] = mfcc_statistics(stem.mono(), triplet.part)[0]
    scales = {part: np.stack(list(rows.values())) for part, rows in found.items()}
    return lambda cut, part: (found[part][cut] - scales[part].mean(axis=0)) / scales[part].std(axis=0)


def _agrees(triplets: Sequence[Triplet], cuts: Mapping[str, ClipCut], vector: Vector) -> NDArray[np.bool_]:
    """(N,) in which triplets the vectors prefer what the listeners prefer. cuts: of the clips, by name."""
    vectors: dict[tuple[ClipCut, str], Matrix] = {}
    right = []
    for triplet in triplets:
        own = []
        for name in (triplet.reference, triplet.a, triplet.b):
            key = cuts[name], triplet.part
            if key not in vectors:
                vectors[key] = vector(*key)
            own.append(vectors[key])
        reference, a, b = own
        right.append(np.sign(euclidean(reference, b) - euclidean(reference, a)) == triplet.label())
    return np.array(right)
