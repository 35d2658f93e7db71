"""What the answers show without audio: triplets kept, noise ceilings, and properties of the shuffled splits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from soundalike.parts import MIX
from soundalike.preferences.evaluation import SPLITS, TEST_SHARE, Split, shuffle_splits
from soundalike.preferences.listeners import human_agreement
from soundalike.preferences.triplet_data import TripletData
from soundalike.preferences.triplets import KINDS, Kind, Triplet, above_cut_off, labels, merge_mirrored
from soundalike.research.reproduce import published
from soundalike.research.reproduce.agreement_cells import (
    CEILING,
    HUMAN,
    agreement_cell,
    ceiling_cell,
    ceiling_row,
    human_row,
    same_track_predictions,
    share_cell,
)
from soundalike.research.reproduce.tables import Cell, Section, Table, count, percent, row


def answers_table(
    triplets: Sequence[Triplet], cut_offs: Sequence[float], parts: Sequence[str] = published.COLUMNS
) -> Table:
    """How many triplets are kept, how often listeners agree, the noise ceiling, and the agreement of always choosing the
    reference's own track."""
    sections = [_kind_section(triplets, cut_off, kind, parts) for cut_off in cut_offs for kind in KINDS]
    if MIX in parts:
        sections.append(_mix_section(triplets))
    return Table(
        "answers",
        "The answers alone",
        tuple(sections),
        "These figures involve no audio and no model. The noise ceiling is how often a perfect model of all listeners would "
        "agree with the majority of the few who were asked; a single listener is how often one agrees with the majority of the "
        "others, where that reaches the cut-off. 95 % intervals, robust to shared tracks and listeners.",
    )


def _kind_section(triplets: Sequence[Triplet], cut_off: float, kind: Kind, parts: Sequence[str]) -> Section:
    columns = {part: [t for t in triplets if t.part == part and t.kind == kind] for part in parts}
    kept = {part: above_cut_off(of_part, cut_off) for part, of_part in columns.items()}
    merged = [above_cut_off(merge_mirrored(of_part), cut_off) for of_part in columns.values()]
    rows = [
        row("triplets", [count(len(of_part)) for of_part in columns.values()]),
        row("kept", [count(len(of_part)) for of_part in kept.values()]),
        row("kept, mirrored triplets merged", [count(len(of_part)) for of_part in merged]),
        row("kept that prefer A", [count(int(np.sum(labels(of_part) == 1))) for of_part in kept.values()]),
        human_row(columns, cut_off),
        ceiling_row(columns, cut_off),
    ]
    if kind == "XYC":
        cells = [agreement_cell(of_part, same_track_predictions(of_part)) for of_part in kept.values()]
        rows.append(row("always the same track", cells))
    return Section(f"{kind}, agreement of {cut_off:.0%} or more", tuple(parts), tuple(rows))


def _mix_section(triplets: Sequence[Triplet]) -> Section:
    """The triplets that weights are fitted to: mixes of both kinds."""
    mixes = [triplet for triplet in triplets if triplet.part == MIX]
    cut_off = published.FIT_CUT_OFF
    kept = above_cut_off(mixes, cut_off)
    by_kind: dict[str, list[Triplet]] = {kind: [t for t in mixes if t.kind == kind] for kind in KINDS}
    by_kind["both"] = mixes
    votes = [sum(triplet.counts()) for triplet in kept]
    tracks = {track for triplet in kept for track in triplet.tracks}
    cells: dict[str, Cell | None] = {
        "triplets": count(len(mixes)),
        "votes": count(sum(sum(triplet.counts()) for triplet in mixes)),
        "kept": count(len(kept)),
        "votes of those kept": count(sum(votes)),
        "fewest votes of a kept triplet": count(min(votes, default=0)),
        "most votes of a kept triplet": count(max(votes, default=0)),
        "kept unanimously": count(sum(triplet.agreement() == 1 for triplet in kept)),
        "tracks of those kept": count(len(tracks)),
        **{f"{HUMAN}, {name}": share_cell(human_agreement(some, cut_off)) for name, some in by_kind.items()},
        **{f"{CEILING}, {name}": ceiling_cell(some, cut_off) for name, some in by_kind.items()},
        "always the same track, otherwise chance": _same_track_or_chance(kept),
    }
    return Section(
        f"Mixes, both kinds, agreement of {published.FIT_CUT_OFF:.0%} or more: the triplets that weights are fitted to",
        ("",),
        tuple(row(label, [cell]) for label, cell in cells.items()),
    )


def _same_track_or_chance(kept: Sequence[Triplet]) -> Cell | None:
    same_track = agreement_cell(kept, same_track_predictions(kept))
    if same_track is None or same_track.right is None or same_track.total is None:
        return None
    return Cell(percent((same_track.right + (len(kept) - same_track.total) / 2) / len(kept)))


def splits_table(triplets: Sequence[Triplet], *, splits: int = SPLITS, seed: int = 0) -> Table:
    """What the paper's shuffled splits do to the mix triplets, independent of any model.

    First section: share of test triplets that share a track with a training triplet. Second: standard deviation over the
    splits of fixed classifiers, each correct on a random set of as many triplets as its column states.
    """
    mixes = [triplet for triplet in triplets if triplet.part == MIX]
    data = TripletData.from_triplets(np.zeros((len(mixes), 1)), mixes, published.FIT_CUT_OFF)
    drawn = shuffle_splits(data, splits, TEST_SHARE, seed)
    shared = Cell(percent(_share_with_shared_tracks(data, drawn)))
    noise = {f"correct on {p} %": Cell(percent(_fixed_deviation(data, drawn, p / 100, seed))) for p in (70, 85, 90)}
    return Table(
        "splits",
        "The shuffled splits alone",
        (
            Section("Test triplets that share a track with training", ("%",), (row("", [shared]),)),
            Section(
                "Standard deviation over the splits of a fixed classifier",
                tuple(noise),
                (row("", list(noise.values())),),
            ),
        ),
        f"{splits} splits of {int(data.kept.sum())} mix triplets, {1 - TEST_SHARE:.0%} training, as in the paper. The "
        "deviation comes from which triplets are tested; a ± of this size carries no information about a model.",
    )


def _share_with_shared_tracks(data: TripletData, splits: Sequence[Split]) -> float:
    shares = []
    for training, tested in splits:
        tracks = frozenset().union(*(data.tracks[index] for index in training.tolist() if data.kept[index]))
        shares.append(np.mean([not tracks.isdisjoint(data.tracks[index]) for index in tested.tolist()]))
    return float(np.mean(shares))


def _fixed_deviation(data: TripletData, splits: Sequence[Split], share: float, seed: int) -> float:
    """Mean standard deviation over the splits of classifiers that are correct on a fixed random `share` of the triplets."""
    rng, kept = np.random.default_rng(seed), np.flatnonzero(data.kept)
    deviations = []
    for _ in range(50):
        correct = np.zeros(len(data), dtype=bool)
        correct[rng.permutation(kept)[: round(len(kept) * share)]] = True
        deviations.append(np.std([correct[tested].mean() for _, tested in splits], ddof=1))
    return float(np.mean(deviations))
