"""Tables 2 and 3: what fitted weights agree with, by stems and method."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from soundalike.preferences.estimators import METHODS
from soundalike.preferences.evaluation import TEST_SHARE, OverSplits, right
from soundalike.preferences.intervals import mcnemar, nadeau_bengio, wilson
from soundalike.preferences.noise_ceiling import ceiling
from soundalike.preferences.triplet_data import Bool
from soundalike.preferences.triplets import KINDS, Triplet
from soundalike.research.reproduce import published
from soundalike.research.reproduce.experiments import BASELINE, Judgement, cosine_right, of_kind
from soundalike.research.reproduce.tables import Figure, Row, Section, Table, percent, row

TABLES = {"clap": ("table-2", "Table 2: CLAP"), "muq-mulan": ("table-3", "Table 3: MuQ-MuLan")}


def agreement_table(encoder: str, judgements: Sequence[Judgement]) -> Table:
    """Table 2 or 3 of the paper, or that of another encoder: rows of stems, columns of methods."""
    name, title = TABLES.get(encoder, (f"weights-{encoder}", f"As Tables 2 and 3: {encoder}"))
    columns = (BASELINE, *(method for method in METHODS if any(method in one.whole for one in judgements)))
    first = judgements[0]
    sections = [
        Section(
            f"Agreement over {len(first.baseline.agreements)} shuffled splits (the paper's protocol)",
            columns,
            tuple(line for one in judgements for line in _split_rows(one, columns)),
            "Mean ± deviation over the splits [95 %, Nadeau & Bengio]. Test triplets share tracks with training ones.",
        ),
        *(
            Section(
                f"The same splits, {kind} alone",
                columns,
                tuple(_kind_row(one, columns, of_kind(one, kind)) for one in judgements),
            )
            for kind in KINDS
        ),
        Section(
            "Leave one triplet out, and with it all training triplets that share a track",
            columns,
            tuple(_apart_row(one, columns, one.judged.kept) for one in judgements),
            _training_words(judgements),
        ),
        *(
            Section(
                f"Leave one out without shared tracks, {kind} alone",
                columns,
                tuple(_apart_row(one, columns, of_kind(one, kind)) for one in judgements),
            )
            for kind in KINDS
        ),
        Section(
            "McNemar's test of leave-one-out without shared tracks against the cosine of the mix, on the same triplets",
            columns[1:],
            tuple(line for one in judgements for line in _paired_rows(one, columns[1:])),
        ),
        _ceiling_section(first),
    ]
    failures = [f"{one.case.label}, {name}: {why}." for one in judgements for name, why in one.failed.items()]
    kept_ones = int(first.judged.kept.sum())
    return Table(
        name,
        title,
        tuple(sections),
        " ".join(
            [
                f"Agreement in percent on {kept_ones} mix triplets (XAB and XYC pooled unless said) with agreement of "
                f"{first.case.cut_off:.0%} or more. No intercept. Rows without a gate are the paper's; gated ones take parts "
                "that are nearly silent as absent.",
                *failures,
            ]
        ),
    )


def _split_rows(judgement: Judgement, columns: Sequence[str]) -> list[Row]:
    case = judgement.case
    found = {BASELINE: judgement.baseline, **judgement.over}
    rows = [row(case.label, [_over(found.get(name)) for name in columns])]
    theirs = {name: published.AGREEMENT.get((case.encoder, case.stems, name)) for name in columns}
    theirs[BASELINE] = published.BASELINE.get(case.encoder)
    if case.gate is None and any(theirs[name] for name in columns[1:]):
        rows.append(row(f"{case.label}: the paper", [_plus_minus(theirs[name]) for name in columns]))
    return rows


def _over(found: OverSplits | None) -> Figure | None:
    if found is None:
        return None
    bounds = nadeau_bengio(found.agreements, TEST_SHARE)
    return Figure(
        percent(float(found.agreements.mean())),
        deviation=percent(float(found.agreements.std(ddof=1))),
        low=percent(bounds.low),
        high=percent(bounds.high),
    )


def _plus_minus(pair: tuple[float, float] | None) -> Figure | None:
    return None if pair is None else Figure(pair[0], deviation=pair[1])


def _kind_row(judgement: Judgement, columns: Sequence[str], chosen: Bool) -> Row:
    found = {BASELINE: judgement.baseline, **judgement.over}
    return row(
        judgement.case.label,
        [Figure(percent(found[name].agreement_of(chosen))) if name in found else None for name in columns],
    )


def _apart_row(judgement: Judgement, columns: Sequence[str], chosen: Bool) -> Row:
    figures = {BASELINE: counted_share(cosine_right(judgement)[chosen])}
    for name, found in judgement.apart.items():
        figures[name] = counted_share(right(judgement.judged, found.predictions)[chosen & found.tested])
    return row(judgement.case.label, [figures.get(name) for name in columns])


def counted_share(hits: Bool) -> Figure | None:
    """Agreement in percent from what was right (N,), with Wilson's interval; None of nothing."""
    if not len(hits):
        return None
    bounds = wilson(int(hits.sum()), len(hits))
    return Figure(
        percent(float(hits.mean())),
        low=percent(bounds.low),
        high=percent(bounds.high),
        right=int(hits.sum()),
        total=len(hits),
    )


def _training_words(judgements: Sequence[Judgement]) -> str:
    sizes = [found.training[one.judged.kept] for one in judgements for found in one.apart.values()]
    failed = max((found.failed for one in judgements for found in one.apart.values()), default=0)
    if not sizes:
        return ""
    several = np.concatenate(sizes)
    words = (
        f"Wilson's 95 % interval. A triplet's model learnt from {int(several.min())} or more triplets, median "
        f"{int(np.median(several))}."
    )
    return words + (
        f" For up to {failed} triplets too little was left to fit a model to: they are not tested." if failed else ""
    )


def _paired_rows(judgement: Judgement, columns: Sequence[str]) -> list[Row]:
    cosine = cosine_right(judgement)
    tests = {
        name: mcnemar(right(judgement.judged, found.predictions)[found.tested], cosine[found.tested])
        for name, found in judgement.apart.items()
    }
    label = judgement.case.label

    def line(words: str, value: Callable[[str], Figure]) -> Row:
        return row(f"{label}: {words}", [value(name) if name in tests else None for name in columns])

    return [
        line("p", lambda name: Figure(tests[name].p, decimals=3)),
        line("only the weights right", lambda name: Figure(tests[name].only_first, decimals=0)),
        line("only the cosine right", lambda name: Figure(tests[name].only_second, decimals=0)),
    ]


def _ceiling_section(judgement: Judgement) -> Section:
    case = judgement.case
    triplets = case.triplets
    kinds: dict[str, tuple[Triplet, ...]] = {"pooled": triplets}
    kinds |= {kind: tuple(t for t in triplets if t.kind == kind) for kind in KINDS}
    return Section(
        "Noise ceiling of the same triplets",
        tuple(kinds),
        (
            row(
                "a perfect model of all listeners",
                [Figure(percent(ceiling(some, case.cut_off, case.perspective))) for some in kinds.values()],
            ),
        ),
    )
