"""Plots of fitted weights and of their agreement."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import expit

from soundalike.preferences.cluster_robust import Links, share_interval
from soundalike.preferences.estimators import METHODS
from soundalike.preferences.evaluation import learning_curve
from soundalike.preferences.intervals import Interval
from soundalike.preferences.listeners import human_agreement
from soundalike.preferences.noise_ceiling import noise_ceiling
from soundalike.preferences.triplet_data import Float64, TripletData
from soundalike.research.reproduce import published
from soundalike.research.reproduce.agreement_cells import CEILING, HUMAN, correct_cell
from soundalike.research.reproduce.experiments import (
    BASELINE,
    PREFERRED_METHOD,
    ExperimentResult,
    baseline_correct,
    links_of,
    model_correct,
)
from soundalike.research.reproduce.plot_data import Plot, Series
from soundalike.research.reproduce.tables import percent

SHOWN = ("ols", "ridge", PREFERRED_METHOD)
"""Methods that plots show if several were fitted; tables show all."""

BINS = 8
CURVE_SIZES = (20, 30, 45, 65, 95, 140, 200, 260)


def _shown(result: ExperimentResult) -> tuple[str, ...]:
    return tuple(name for name in SHOWN if name in result.fits) or tuple(result.fits)


def weights_plot(result: ExperimentResult) -> Plot:
    """Weights with 95 % intervals, scaled so that their absolute values sum to 1, beside the paper's."""
    experiment = result.experiment
    places = tuple(float(k) for k in range(len(experiment.parts)))
    series = []
    for name in _shown(result):
        fit = result.fits[name]
        intervals = fit.intervals()
        if intervals is None or not fit.weights.any():
            continue
        size = float(np.abs(fit.weights).sum())
        low, high = intervals.T / size
        series.append(Series(name, places, _floats(fit.weights / size), _floats(low), _floats(high)))
    paper = published.weights(experiment.encoder, experiment.stems)
    if paper and experiment.gate is None:
        values = np.array([paper.get(part, 0.0) for part in experiment.parts])
        series.append(Series("the paper", places, _floats(values / np.abs(values).sum())))
    return Plot(
        f"weights-{experiment.encoder}-{experiment.stems}",
        f"Weights: {experiment.encoder}, {experiment.label}",
        "part",
        "weight / sum of |weights|",
        tuple(series),
        categories=experiment.parts,
        references=(("zero", 0.0),),
        note="Fitted to all triplets, with 95 % intervals.",
    )


def agreement_plot(encoder: str, results: Sequence[ExperimentResult]) -> Plot:
    """Agreement without shared tracks, beside a single listener and the noise ceiling."""
    series = []
    for name in (BASELINE, *dict.fromkeys(name for result in results for name in _shown(result))):
        evaluations = {x: e for x, result in enumerate(results) if (e := model_correct(result, name)) is not None}
        cells = [
            correct_cell(correct[tested], links_of(results[x], tested)) for x, (tested, correct) in evaluations.items()
        ]
        shown = {x: cell for x, cell in zip(evaluations, cells, strict=True) if cell is not None}
        series.append(
            Series(
                name,
                tuple(float(x) for x in shown),
                tuple(cell.value for cell in shown.values()),
                tuple(cell.low or 0.0 for cell in shown.values()),
                tuple(cell.high or 0.0 for cell in shown.values()),
            )
        )
    first = results[0].experiment
    references = {
        HUMAN: percent(human_agreement(first.triplets, first.cut_off, first.perspective).value),
        CEILING: percent(noise_ceiling(first.triplets, first.cut_off, first.perspective)),
    }
    return Plot(
        f"agreement-{encoder}",
        f"Agreement, a single listener and the noise ceiling: {encoder}",
        "stems",
        "agreement, %",
        tuple(series),
        categories=tuple(result.experiment.label.replace(", ", ",\n") for result in results),
        references=tuple((label, value) for label, value in references.items() if np.isfinite(value)),
        note="Each triplet predicted by a model fitted without its tracks; 95 % intervals, robust to shared tracks.",
    )


def calibration_plot(result: ExperimentResult) -> Plot | None:
    """Predicted against observed preference; None if no model of votes was fitted."""
    vote_models = [name for name in result.leave_tracks_out if METHODS[name].uses == "votes"]
    if not vote_models:
        return None
    shown = PREFERRED_METHOD if PREFERRED_METHOD in vote_models else vote_models[0]
    evaluation = result.leave_tracks_out[shown]
    if not evaluation.tested.any():
        return None
    data = result.data.take(evaluation.tested)
    predicted = expit(evaluation.scores[evaluation.tested])
    order = np.argsort(predicted)
    x, y, low, high = [], [], [], []
    for group in np.array_split(order, min(BINS, len(order))):
        for_a, total = int(data.for_a[group].sum()), int(data.total[group].sum())
        interval = _votes_interval(data.take(group))
        x.append(float(np.average(predicted[group], weights=data.total[group])))
        y.append(for_a / total)
        low.append(interval.low)
        high.append(interval.high)
    experiment = result.experiment
    return Plot(
        f"calibration-{experiment.encoder}-{experiment.stems}",
        f"Calibration: {experiment.encoder}, {experiment.label}",
        "predicted probability of A",
        "share of votes for A",
        (Series(shown, tuple(x), tuple(y), tuple(low), tuple(high)),),
        diagonal=True,
        note=f"{shown}, each triplet predicted without its tracks, in {len(x)} groups of equal size. Kept triplets are "
        "clearer than average, so observed shares are more extreme. Intervals are robust to shared tracks.",
    )


def _votes_interval(data: TripletData) -> Interval:
    """Interval of the share of votes for A; votes for triplets that share a track are linked."""
    triplets = np.repeat(np.arange(len(data)), data.total)
    chosen = np.concatenate([np.arange(n) < a for a, n in zip(data.for_a, data.total, strict=True)])
    return share_interval(chosen, Links(data.tracks, triplets))


def learning_plot(result: ExperimentResult, *, seed: int = 0) -> Plot | None:
    """Agreement by number of training triplets; None if there are too few for a curve."""
    experiment, data = result.experiment, result.data
    sizes = [size for size in CURVE_SIZES if size <= 0.8 * int(data.kept.sum())]
    series = []
    for name in _shown(result):
        points = learning_curve(data, METHODS[name], sizes, seed=seed)
        if len(points) < 2:
            continue
        mean = np.array([percent(point.agreement) for point in points])
        deviation = np.array([percent(point.deviation) for point in points])
        x = tuple(float(point.triplets) for point in points)
        series.append(Series(name, x, _floats(mean), _floats(mean - deviation), _floats(mean + deviation)))
    if not series:
        return None
    return Plot(
        f"learning-{experiment.encoder}-{experiment.stems}",
        f"Learning curve: {experiment.encoder}, {experiment.label}",
        "training triplets",
        "agreement on the others, %",
        tuple(series),
        references=((BASELINE, percent(float(baseline_correct(result)[data.kept].mean()))),),
        note="Mean and standard deviation over random draws; training and test triplets share tracks here.",
    )


def _floats(values: Float64) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
