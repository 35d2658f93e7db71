"""Table 4: what the fitted weights are, and those of single perspectives."""

from __future__ import annotations

from collections.abc import Sequence

from soundalike.errors import InputError
from soundalike.preferences.estimators import METHODS, Fit
from soundalike.preferences.evaluation import OverSplits, triplets_until_apart
from soundalike.preferences.triplet_data import judged
from soundalike.preferences.triplets import PERSPECTIVES
from soundalike.research.reproduce import published
from soundalike.research.reproduce.experiments import DESCRIBED_BY, Case, Judgement
from soundalike.research.reproduce.tables import Figure, Section, Table, row

MANY = 100_000
"""Triplets that nobody will ask for."""


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
        theirs = published.weights(case.encoder, case.stems)
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
        often = f"about {round(more):,} more triplets" if more < MANY else "more than anybody could ask: they are alike"
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
