"""Tables 2 to 4: weights fitted to the mix triplets, what they agree with, and what they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from soundalike.errors import InputError
from soundalike.parts import MIX
from soundalike.preferences.ceiling import ceiling
from soundalike.preferences.evaluation import (
    SPLITS,
    TEST_SHARE,
    LeftOut,
    OverSplits,
    Split,
    leave_one_out,
    over_splits,
    predict,
    right,
    shuffle_splits,
    triplets_until_apart,
)
from soundalike.preferences.intervals import mcnemar, nadeau_bengio, wilson
from soundalike.preferences.judged import Bool, Float64, Judged, judged
from soundalike.preferences.models import METHODS, Fit, Method
from soundalike.preferences.triplets import KINDS, PERSPECTIVES, Perspective, Triplet
from soundalike.reproduce import paper
from soundalike.reproduce.tables import Figure, Row, Section, Table, percent, row

BASELINE = "cosine of the mix"
TABLES = {"clap": ("table-2", "Table 2: CLAP"), "muq-mulan": ("table-3", "Table 3: MuQ-MuLan")}
DESCRIBED_BY = "ordinal-cv"
"""The method whose fits the plots and the perspectives show: it learns from all votes and their strength."""


@dataclass(frozen=True)
class Case:
    """One encoder with one way of taking mixtures apart, and the features of the mix triplets that could be used.

    stems: the key of `soundalike.reproduce.rows`; title: what its row is called; gate: level gate in dB, None as in the
    paper; triplets: N; features (N, K) of `parts`; cut_off: agreement from which a triplet is kept; perspective: whose answers
    count.
    """

    encoder: str
    stems: str
    title: str
    gate: float | None
    parts: tuple[str, ...]
    triplets: tuple[Triplet, ...]
    features: Float64
    cut_off: float = paper.FIT_CUT_OFF
    perspective: Perspective = "total"

    @property
    def label(self) -> str:
        """The row's label."""
        return self.title if self.gate is None else f"{self.title}, gated at {self.gate:g} dB"


@dataclass(frozen=True)
class Judgement:
    """A case with each method fitted and tested in every way. whole: fits to all triplets; failed: by method, why it could
    not be fitted."""

    case: Case
    judged: Judged
    over: Mapping[str, OverSplits]
    apart: Mapping[str, LeftOut]
    whole: Mapping[str, Fit]
    failed: Mapping[str, str]
    baseline: OverSplits


def judge(
    case: Case,
    methods: Sequence[Method],
    *,
    splits: int = SPLITS,
    seed: int = 0,
    report: Callable[[str], None] = lambda _: None,
) -> Judgement:
    """Fit and test each method on a case. Raises InputError where there are too few triplets to split."""
    data = judged(case.features, case.triplets, case.cut_off, case.perspective)
    drawn = shuffle_splits(data, splits, TEST_SHARE, seed)
    over: dict[str, OverSplits] = {}
    apart: dict[str, LeftOut] = {}
    whole: dict[str, Fit] = {}
    failed: dict[str, str] = {}
    report(f"fitting {case.encoder}, {case.label}: {len(methods)} methods, {splits} splits")
    for method in methods:
        try:
            fit, tested = method.fit(data), over_splits(data, method, drawn)
        except InputError as error:
            failed[method.name] = str(error)
            continue
        whole[method.name], over[method.name] = fit, tested
        apart[method.name] = leave_one_out(data, method)
    return Judgement(case, data, over, apart, whole, failed, _baseline(case, data, drawn))


def _baseline(case: Case, data: Judged, drawn: Sequence[Split]) -> OverSplits:
    """The cosine of the mix on the same splits."""
    weights = _only_mix(case)
    fixed = Method(BASELINE, "", "none", lambda some: Fit(BASELINE, weights, None, len(some)))
    return over_splits(data, fixed, drawn)


def _only_mix(case: Case) -> Float64:
    return np.array([part == MIX for part in case.parts], dtype=np.float64)


def cosine_right(judgement: Judgement) -> Bool:
    """(N,) where the cosine of the mix is right."""
    data = judgement.judged
    return right(data, predict(data.features, _only_mix(judgement.case)))


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
                tuple(_kind_row(one, columns, _of_kind(one, kind)) for one in judgements),
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
                tuple(_apart_row(one, columns, _of_kind(one, kind)) for one in judgements),
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


def _of_kind(judgement: Judgement, kind: str) -> Bool:
    chosen = _voted(judgement.case)
    return np.array([triplet.kind == kind for triplet in chosen]) & judgement.judged.kept


def _voted(case: Case) -> list[Triplet]:
    """The triplets behind a case's `Judged`: those with a vote."""
    return [triplet for triplet in case.triplets if sum(triplet.counts(case.perspective))]


def _split_rows(judgement: Judgement, columns: Sequence[str]) -> list[Row]:
    case = judgement.case
    found = {BASELINE: judgement.baseline, **judgement.over}
    rows = [row(case.label, [_over(found.get(name)) for name in columns])]
    theirs = {name: paper.AGREEMENT.get((case.encoder, case.stems, name)) for name in columns}
    theirs[BASELINE] = paper.BASELINE.get(case.encoder)
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
    hits = {BASELINE: cosine_right(judgement)}
    hits |= {name: right(judgement.judged, found.predictions) for name, found in judgement.apart.items()}
    return row(judgement.case.label, [counted_share(hits[name][chosen]) if name in hits else None for name in columns])


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
    return words + (f" For up to {failed} triplets no model could be fitted; they count as wrong." if failed else "")


def _paired_rows(judgement: Judgement, columns: Sequence[str]) -> list[Row]:
    kept, cosine = judgement.judged.kept, cosine_right(judgement)
    tests = {
        name: mcnemar(right(judgement.judged, found.predictions)[kept], cosine[kept])
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


def weights_table(judgements: Sequence[Judgement]) -> Table:
    """Table 4: the weights, by encoder and stems."""
    sections = []
    for one in judgements:
        case = one.case
        rows = [row(f"{name}, mean over splits", _mean_weights(found)) for name, found in one.over.items()]
        rows += [
            row(f"{name}, all triplets", _fitted_weights(fit))
            for name, fit in one.whole.items()
            if fit.covariance is not None
        ]
        theirs = paper.weights(case.encoder, case.stems)
        if theirs and case.gate is None:
            rows.append(row("the paper", [_weight(theirs.get(part)) for part in case.parts]))
        sections.append(Section(f"{case.encoder}, {case.label}", case.parts, tuple(rows), apart_words(one)))
    return Table(
        "table-4",
        "Table 4: weights",
        tuple(sections),
        "Mean ± deviation over the splits, or fitted to all triplets with 95 % intervals. The paper does not say which fit its "
        "weights come from. Methods differ in scale; only the proportions within a row compare. Slakh has no vocals: their "
        "weight is that of what separation leaks into an empty stem.",
    )


def _weight(value: float | None) -> Figure | None:
    return None if value is None else Figure(value, decimals=2)


def _mean_weights(found: OverSplits) -> list[Figure]:
    means, deviations = found.weights.mean(axis=0), found.weights.std(axis=0, ddof=1)
    return [Figure(float(m), deviation=float(d), decimals=2) for m, d in zip(means, deviations, strict=True)]


def _fitted_weights(fit: Fit) -> list[Figure]:
    intervals = fit.intervals()
    assert intervals is not None  # the caller has looked
    return [
        Figure(float(w), low=float(low), high=float(high), decimals=2)
        for w, (low, high) in zip(fit.weights, intervals, strict=True)
    ]


def apart_words(judgement: Judgement) -> str:
    """How many more triplets until drums and bass can be told apart, in words; empty where that cannot be said."""
    parts = judgement.case.parts
    words: list[str] = []
    for name in dict.fromkeys([DESCRIBED_BY, "ols", *judgement.whole]):
        if len(words) == 2:
            break
        fit = judgement.whole.get(name)
        if fit is None or fit.covariance is None or not {"drums", "bass"} <= set(parts):
            continue
        more = triplets_until_apart(fit, parts.index("drums"), parts.index("bass"))
        often = "never, as they stand" if not np.isfinite(more) else f"about {round(more):,} more triplets"
        words.append(f"{name}: {often if more else 'they can be'}")
    return f"Until the weights of drums and bass can be told apart (80 % power): {'; '.join(words)}." if words else ""


def perspectives_table(cases: Sequence[Case]) -> Table:
    """Weights of their own for what listeners answered about timbre, rhythm and melody."""
    method = METHODS[DESCRIBED_BY]
    sections = []
    for case in cases:
        rows = []
        for perspective in PERSPECTIVES:
            try:
                fit = method.fit(judged(case.features, case.triplets, case.cut_off, perspective))
            except InputError:
                continue
            rows.append(row(f"{perspective}, {fit.triplets} triplets", _fitted_weights(fit)))
        if rows:
            sections.append(Section(f"{case.encoder}, {case.label}", case.parts, tuple(rows)))
    return Table(
        "perspectives",
        "Weights by perspective",
        tuple(sections),
        f"Fitted ({DESCRIBED_BY}) to all votes from each perspective, with 95 % intervals.",
    )
