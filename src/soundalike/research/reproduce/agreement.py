"""Table 1: how often the cosine of Eq. 1 agrees with the majority, part by part; and what the answers say without audio."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from soundalike.parts import MIX
from soundalike.preferences.evaluation import SPLITS, TEST_SHARE, shuffle_splits
from soundalike.preferences.intervals import Interval, clustered_bootstrap, wilson
from soundalike.preferences.noise_ceiling import ceiling, ceiling_interval
from soundalike.preferences.triplet_data import judged
from soundalike.preferences.triplets import KINDS, Kind, Triplet, kept, labels, without_repeats
from soundalike.research.reproduce import published
from soundalike.research.reproduce.tables import Figure, Row, Section, Table, count, percent, row

Predictions = Mapping[tuple[str, str, str], int]
"""By the triplet's clips (reference, A, B): +1 for A, -1 for B, 0 for neither; without those that could not be used."""


def asked(triplet: Triplet) -> tuple[str, str, str]:
    """What a triplet is known by."""
    return triplet.reference, triplet.a, triplet.b


def share(triplets: Sequence[Triplet], predictions: Predictions) -> Figure | None:
    """Agreement in percent, with Wilson's 95 % interval, of the `triplets` that have a prediction; None without any."""
    usable = [triplet for triplet in triplets if asked(triplet) in predictions]
    if not usable:
        return None
    right = sum(predictions[asked(triplet)] == triplet.label() for triplet in usable)
    bounds = wilson(right, len(usable))
    return Figure(
        percent(right / len(usable)),
        low=percent(bounds.low),
        high=percent(bounds.high),
        right=right,
        total=len(usable),
    )


def by_track(triplets: Sequence[Triplet], predictions: Predictions) -> Figure | None:
    """The same with the interval of a bootstrap over tracks."""
    usable = [triplet for triplet in triplets if asked(triplet) in predictions]
    if not usable:
        return None
    right = np.array([predictions[asked(triplet)] for triplet in usable]) == labels(usable)
    bounds = clustered_bootstrap(right, [frozenset(triplet.tracks) for triplet in usable])
    return Figure(percent(float(right.mean())), low=percent(bounds.low), high=percent(bounds.high))


def table_1(triplets: Sequence[Triplet], predictions: Mapping[str, Predictions], cut_offs: Sequence[float]) -> Table:
    """Agreement of the cosine by encoder, cut-off, kind and part."""
    sections = [
        _section(encoder, cut_off, kind, triplets, found)
        for encoder, found in predictions.items()
        for cut_off in cut_offs
        for kind in KINDS
    ]
    sections += [_others(kind) for kind in KINDS]
    return Table(
        "table-1",
        "Table 1: agreement of the cosine, part by part",
        tuple(sections),
        "Agreement in percent [95 % interval] (right/kept). The columns of single parts compare the true stems' clips by "
        "themselves; mix compares full mixtures. XAB asks about three different tracks, XYC offers another segment of the "
        "reference's own track, so XAB is the hard question. The paper keeps triplets from 75 % on for CLAP and from 80 % on "
        "for MuQ-MuLan; its two rows are about different triplets.",
    )


def _section(
    encoder: str, cut_off: float, kind: Kind, triplets: Sequence[Triplet], predictions: Predictions
) -> Section:
    columns = {
        part: [triplet for triplet in triplets if triplet.part == part and triplet.kind == kind]
        for part in published.COLUMNS
    }
    chosen = {part: kept(several, cut_off) for part, several in columns.items()}
    once = {part: kept(without_repeats(several), cut_off) for part, several in columns.items()}
    rows = [
        row("agreement, Wilson", [share(several, predictions) for several in chosen.values()]),
        row("the same, by track", [by_track(several, predictions) for several in chosen.values()]),
        row("each question once", [share(several, predictions) for several in once.values()]),
        _ceilings(columns, cut_off, lambda triplet: asked(triplet) in predictions),
    ]
    if published.CUT_OFFS.get(encoder) == cut_off:
        rows.append(row("the paper", [_theirs(encoder, kind, part) for part in columns]))
    lacking = [len(several) - _usable(several, predictions) for several in chosen.values()]
    if any(lacking):
        rows.append(row("kept, but without audio", [count(number) for number in lacking]))
    return Section(f"{encoder}, {kind}, agreement of {cut_off:.0%} or more", published.COLUMNS, tuple(rows))


def _others(kind: Kind) -> Section:
    """Other systems' agreement as the paper reports it."""
    columns = published.COLUMNS[:-1]
    systems = {name: values for (name, of_kind), values in published.OTHERS.items() if of_kind == kind}
    rows = [
        row(name, [Figure(values[part]) if part in values else None for part in columns])
        for name, values in systems.items()
    ]
    return Section(f"Other systems, {kind}, as the paper reports them (on other subsets)", columns, tuple(rows))


def _usable(triplets: Sequence[Triplet], predictions: Predictions) -> int:
    return sum(asked(triplet) in predictions for triplet in triplets)


def _ceilings(
    columns: Mapping[str, Sequence[Triplet]], cut_off: float, of: Callable[[Triplet], bool] = lambda _: True
) -> Row:
    return row("noise ceiling", [Figure(percent(ceiling(several, cut_off, of=of))) for several in columns.values()])


def _theirs(encoder: str, kind: Kind, part: str) -> Figure:
    right, total = published.RIGHT[encoder, kind][part], published.KEPT[kind, published.CUT_OFFS[encoder]][part]
    return Figure(percent(right / total), right=right, total=total)


def answers_table(
    triplets: Sequence[Triplet], cut_offs: Sequence[float], parts: Sequence[str] = published.COLUMNS
) -> Table:
    """What the answers say without any audio: how many triplets are kept, how often listeners agree, what a perfect model
    could reach, and what is reached by always choosing the reference's own track."""
    sections = []
    for cut_off in cut_offs:
        for kind in KINDS:
            columns = {part: [t for t in triplets if t.part == part and t.kind == kind] for part in parts}
            chosen = {part: kept(several, cut_off) for part, several in columns.items()}
            rows = [
                row("triplets asked", [count(len(several)) for several in columns.values()]),
                row("kept", [count(len(several)) for several in chosen.values()]),
                row(
                    "kept, each question once",
                    [count(len(kept(without_repeats(several), cut_off))) for several in columns.values()],
                ),
                row("kept that prefer A", [count(int(np.sum(labels(several) == 1))) for several in chosen.values()]),
                _ceilings(columns, cut_off),
            ]
            if kind == "XYC":
                rows.append(row("always the same track", [share(s, same_track(s)) for s in chosen.values()]))
            sections.append(Section(f"{kind}, agreement of {cut_off:.0%} or more", tuple(parts), tuple(rows)))
    if MIX in parts:
        sections.append(_mix_section(triplets))
    return Table(
        "answers",
        "The answers alone",
        tuple(sections),
        "No audio and no model is in these figures. The noise ceiling is how often a perfect model of all listeners would agree "
        "with the few that were asked.",
    )


def _mix_section(triplets: Sequence[Triplet]) -> Section:
    """The triplets that weights are learnt from: both kinds of mixtures."""
    mixes = [triplet for triplet in triplets if triplet.part == MIX]
    chosen = kept(mixes, published.FIT_CUT_OFF)
    votes = [sum(triplet.counts()) for triplet in chosen]
    tracks = {track for triplet in chosen for track in triplet.tracks}
    own = share(chosen, same_track(chosen))
    coin = None
    if own is not None and own.right is not None and own.total is not None and chosen:
        coin = Figure(percent((own.right + (len(chosen) - own.total) / 2) / len(chosen)))
    figures: dict[str, Figure | None] = {
        "triplets asked": count(len(mixes)),
        "their votes": count(sum(sum(triplet.counts()) for triplet in mixes)),
        "kept": count(len(chosen)),
        "votes of those kept": count(sum(votes)),
        "fewest voters of one kept": count(min(votes, default=0)),
        "most voters of one kept": count(max(votes, default=0)),
        "kept with one voice": count(sum(triplet.share() == 1 for triplet in chosen)),
        "tracks of those kept": count(len(tracks)),
        **{f"noise ceiling, {kind}": _sure_ceiling([t for t in mixes if t.kind == kind]) for kind in KINDS},
        "noise ceiling, both": _sure_ceiling(mixes),
        "always the same track, else a coin": coin,
    }
    return Section(
        f"Mixtures, both kinds, agreement of {published.FIT_CUT_OFF:.0%} or more: what weights are learnt from",
        ("",),
        tuple(row(label, [figure]) for label, figure in figures.items()),
    )


def _sure_ceiling(triplets: Sequence[Triplet]) -> Figure:
    """The ceiling with its interval under resampling of triplets."""
    bounds = ceiling_interval(triplets, published.FIT_CUT_OFF) if triplets else Interval(math.nan, math.nan)
    value = percent(ceiling(triplets, published.FIT_CUT_OFF))
    if math.isnan(bounds.low):
        return Figure(value)
    return Figure(value, low=percent(bounds.low), high=percent(bounds.high))


def splits_table(triplets: Sequence[Triplet], *, splits: int = SPLITS, seed: int = 0) -> Table:
    """What the paper's shuffled splits do to the mix triplets, whatever the model.

    Shared: the share of test triplets that share a track with a training triplet. Noise: the deviation over the splits of
    classifiers that learn nothing: each is right on a fixed random set of as many triplets as its column says.
    """
    mixes = [triplet for triplet in triplets if triplet.part == MIX]
    data = judged(np.zeros((len(mixes), 1)), mixes, published.FIT_CUT_OFF)
    drawn = shuffle_splits(data, splits, TEST_SHARE, seed)
    shared = []
    for training, tested in drawn:
        touched = frozenset().union(*(data.tracks[index] for index in training.tolist() if data.kept[index]))
        shared.append(np.mean([not touched.isdisjoint(data.tracks[index]) for index in tested.tolist()]))
    rng, total = np.random.default_rng(seed), int(data.kept.sum())
    noise: dict[str, Figure] = {}
    for percentage in (70, 85, 90):
        deviations = []
        for _ in range(50):
            hits = np.zeros(len(data), dtype=bool)
            hits[rng.permutation(np.flatnonzero(data.kept))[: round(total * percentage / 100)]] = True
            deviations.append(np.std([hits[tested].mean() for _, tested in drawn], ddof=1))
        noise[f"right on {percentage} %"] = Figure(percent(float(np.mean(deviations))))
    return Table(
        "splits",
        "The shuffled splits alone",
        (
            Section(
                "Test triplets that share a track with training",
                ("%",),
                (row("", [Figure(percent(float(np.mean(shared))))]),),
            ),
            Section(
                "Deviation over the splits of a classifier that never changes",
                tuple(noise),
                (row("", list(noise.values())),),
            ),
        ),
        f"{splits} splits of {total} mix triplets, {1 - TEST_SHARE:.0%} training, as in the paper. What deviates here is which "
        "triplets are tested, so a ± of this size says nothing of a model.",
    )


def same_track(triplets: Sequence[Triplet]) -> dict[tuple[str, str, str], int]:
    """Predictions for XYC triplets of one who always chooses the candidate of the reference's own track."""
    return {asked(t): 1 if t.tracks[0] == t.tracks[1] else -1 for t in triplets if t.kind == "XYC"}
