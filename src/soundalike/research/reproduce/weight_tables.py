"""Table 4: fitted weights, and weights by perspective."""

from __future__ import annotations

from collections.abc import Sequence

from soundalike.errors import InputError
from soundalike.preferences.estimators import METHODS, Fit
from soundalike.preferences.evaluation import CrossValidation, triplets_needed
from soundalike.preferences.triplet_data import TripletData
from soundalike.preferences.triplets import PERSPECTIVES
from soundalike.research.reproduce import published
from soundalike.research.reproduce.experiments import PREFERRED_METHOD, Experiment, ExperimentResult
from soundalike.research.reproduce.tables import Cell, Section, Table, row

MAX_TRIPLETS = 100_000
"""More triplets than this are reported as out of reach."""


def weights_table(results: Sequence[ExperimentResult]) -> Table:
    """Table 4: weights by encoder and stems."""
    sections = []
    for result in results:
        experiment = result.experiment
        rows = [row(f"{name}, mean over splits", _mean_weights(cv)) for name, cv in result.cross_validated.items()]
        rows += [
            row(f"{name}, all triplets", _fitted_weights(fit))
            for name, fit in result.fits.items()
            if fit.covariance is not None
        ]
        paper = published.weights(experiment.encoder, experiment.stems)
        if paper and experiment.gate is None:
            rows.append(row("the paper", [_weight(paper.get(part)) for part in experiment.parts]))
        title = f"{experiment.encoder}, {experiment.label}"
        sections.append(Section(title, experiment.parts, tuple(rows), power_message(result)))
    return Table(
        "table-4",
        "Table 4: weights",
        tuple(sections),
        "Mean ± standard deviation over the splits, or fitted to all triplets with 95 % intervals. The paper does not state "
        "which fit its weights come from. Methods differ in scale: compare proportions within a row only. Slakh has no vocals: "
        "the weight of a separated vocal stem is that of leakage.",
    )


def _weight(value: float | None) -> Cell | None:
    return None if value is None else Cell(value, decimals=2)


def _mean_weights(cv: CrossValidation) -> list[Cell]:
    means, deviations = cv.weights.mean(axis=0), cv.weights.std(axis=0, ddof=1)
    return [Cell(float(m), deviation=float(d), decimals=2) for m, d in zip(means, deviations, strict=True)]


def _fitted_weights(fit: Fit) -> list[Cell]:
    intervals = fit.intervals()
    assert intervals is not None  # callers select fits with a covariance
    return [
        Cell(float(w), low=float(low), high=float(high), decimals=2)
        for w, (low, high) in zip(fit.weights, intervals, strict=True)
    ]


def power_message(result: ExperimentResult) -> str:
    """How many more triplets are needed to tell the weights of drums and bass apart; empty if that is unknown."""
    parts = result.experiment.parts
    if not {"drums", "bass"} <= set(parts):
        return ""
    messages: list[str] = []
    for name in dict.fromkeys([PREFERRED_METHOD, "ols", *result.fits]):
        fit = result.fits.get(name)
        if len(messages) < 2 and fit is not None and fit.covariance is not None:
            messages.append(f"{name}: {_needed(triplets_needed(fit, parts.index('drums'), parts.index('bass')))}")
    if not messages:
        return ""
    return f"To tell the weights of drums and bass apart (80 % power): {'; '.join(messages)}."


def _needed(triplets: float) -> str:
    if not triplets:
        return "these triplets suffice"
    if triplets < MAX_TRIPLETS:
        return f"about {round(triplets):,} more triplets"
    return "out of reach, the weights are nearly equal"


def perspectives_table(experiments: Sequence[Experiment]) -> Table:
    """Weights for the answers about timbre, rhythm and melody, fitted separately."""
    method = METHODS[PREFERRED_METHOD]
    sections = []
    for experiment in experiments:
        rows = []
        for perspective in PERSPECTIVES:
            data = TripletData.from_triplets(experiment.features, experiment.triplets, experiment.cut_off, perspective)
            try:
                fit = method.fit(data)
            except InputError:
                continue
            rows.append(row(f"{perspective}, {fit.triplets} triplets", _fitted_weights(fit)))
        if rows:
            sections.append(Section(f"{experiment.encoder}, {experiment.label}", experiment.parts, tuple(rows)))
    return Table(
        "perspectives",
        "Weights by perspective",
        tuple(sections),
        f"Fitted ({PREFERRED_METHOD}) to all votes from each perspective, with 95 % intervals.",
    )
