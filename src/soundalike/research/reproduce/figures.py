"""Plots of fitted weights and of what they agree with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import expit

from soundalike.preferences.estimators import METHODS
from soundalike.preferences.evaluation import learning_curve, right
from soundalike.preferences.intervals import wilson
from soundalike.preferences.noise_ceiling import ceiling
from soundalike.preferences.triplet_data import Bool, Float64
from soundalike.research.reproduce import published
from soundalike.research.reproduce.experiments import BASELINE, DESCRIBED_BY, Judgement, cosine_right
from soundalike.research.reproduce.plot_data import Plot, Series
from soundalike.research.reproduce.tables import percent

SHOWN = ("ols", "ridge", DESCRIBED_BY)
"""Methods that plots show where several were fitted; tables have them all."""

BINS = 8
CURVE_SIZES = (20, 30, 45, 65, 95, 140, 200, 260)


def _shown(judgement: Judgement) -> tuple[str, ...]:
    return tuple(name for name in SHOWN if name in judgement.whole) or tuple(judgement.whole)


def weights_plot(judgement: Judgement) -> Plot:
    """Weights with 95 % intervals, scaled so that their absolute values sum to 1, the paper's beside them."""
    case = judgement.case
    places = tuple(float(k) for k in range(len(case.parts)))
    series = []
    for name in _shown(judgement):
        fit = judgement.whole.get(name)
        intervals = None if fit is None else fit.intervals()
        if fit is None or intervals is None or not fit.weights.any():
            continue
        size = float(np.abs(fit.weights).sum())
        low, high = intervals.T / size
        series.append(Series(name, places, _floats(fit.weights / size), _floats(low), _floats(high)))
    theirs = published.weights(case.encoder, case.stems)
    if theirs and case.gate is None:
        values = np.array([theirs.get(part, 0.0) for part in case.parts])
        series.append(Series("the paper", places, _floats(values / np.abs(values).sum())))
    return Plot(
        f"weights-{case.encoder}-{case.stems}",
        f"Weights: {case.encoder}, {case.label}",
        "part",
        "weight / sum of |weights|",
        tuple(series),
        categories=case.parts,
        references=(("none", 0.0),),
        note="Fitted to all triplets, with 95 % intervals.",
    )


def agreement_plot(encoder: str, judgements: Sequence[Judgement]) -> Plot:
    """Agreement without shared tracks beside the noise ceiling."""
    places = tuple(float(n) for n in range(len(judgements)))
    series = []
    for name in (BASELINE, *dict.fromkeys(name for one in judgements for name in _shown(one))):
        hits = [_hits(one, name) for one in judgements]
        there = [(x, found) for x, found in zip(places, hits, strict=True) if found is not None]
        bounds = [wilson(int(found.sum()), len(found)) for _, found in there]
        series.append(
            Series(
                name,
                tuple(x for x, _ in there),
                tuple(percent(float(found.mean())) for _, found in there),
                tuple(percent(one.low) for one in bounds),
                tuple(percent(one.high) for one in bounds),
            )
        )
    case = judgements[0].case
    top = percent(ceiling(case.triplets, case.cut_off, case.perspective))
    return Plot(
        f"agreement-{encoder}",
        f"Agreement and its ceiling: {encoder}",
        "stems",
        "agreement, %",
        tuple(series),
        categories=tuple(one.case.label.replace(", ", ",\n") for one in judgements),
        references=(("noise ceiling", top),) if np.isfinite(top) else (),
        note="Each triplet predicted by a model that saw none of its tracks; 95 % intervals (Wilson).",
    )


def _hits(judgement: Judgement, name: str) -> Bool | None:
    kept = judgement.judged.kept
    if name == BASELINE:
        return cosine_right(judgement)[kept]
    found = judgement.apart.get(name)
    if found is None or not found.tested.any():
        return None
    return right(judgement.judged, found.predictions)[found.tested]


def calibration_plot(judgement: Judgement) -> Plot | None:
    """Predicted against observed preference; None where no model of votes was fitted."""
    by_votes = [name for name in judgement.apart if METHODS[name].uses == "votes"]
    if not by_votes:
        return None
    shown = DESCRIBED_BY if DESCRIBED_BY in by_votes else by_votes[0]
    found = judgement.apart[shown]
    if not found.tested.any():
        return None
    data = judgement.judged.take(found.tested)
    predicted = expit(found.scores[found.tested])
    order = np.argsort(predicted)
    x, y, low, high = [], [], [], []
    for group in np.array_split(order, min(BINS, len(order))):
        for_a, total = int(data.for_a[group].sum()), int(data.total[group].sum())
        bounds = wilson(for_a, total)
        x.append(float(np.average(predicted[group], weights=data.total[group])))
        y.append(for_a / total)
        low.append(bounds.low)
        high.append(bounds.high)
    case = judgement.case
    return Plot(
        f"calibration-{case.encoder}-{case.stems}",
        f"Calibration: {case.encoder}, {case.label}",
        "predicted probability of A",
        "share of votes for A",
        (Series(shown, tuple(x), tuple(y), tuple(low), tuple(high)),),
        diagonal=True,
        note=f"{shown}, each triplet predicted without its tracks, in {len(x)} groups of equal size. Kept triplets are "
        "clearer than the average, so the observed shares lie further out. Intervals are Wilson's over votes.",
    )


def learning_plot(judgement: Judgement, *, seed: int = 0) -> Plot | None:
    """Agreement by number of training triplets; None where there are too few for a curve."""
    case, data = judgement.case, judgement.judged
    sizes = [size for size in CURVE_SIZES if size <= 0.8 * int(data.kept.sum())]
    series = []
    for name in _shown(judgement):
        points = learning_curve(data, METHODS[name], sizes, seed=seed)
        if len(points) < 2:
            continue
        mean = np.array([percent(point.agreement) for point in points])
        around = np.array([percent(point.deviation) for point in points])
        x = tuple(float(point.triplets) for point in points)
        series.append(Series(name, x, _floats(mean), _floats(mean - around), _floats(mean + around)))
    if not series:
        return None
    return Plot(
        f"learning-{case.encoder}-{case.stems}",
        f"Learning curve: {case.encoder}, {case.label}",
        "training triplets",
        "agreement on the others, %",
        tuple(series),
        references=((BASELINE, percent(float(cosine_right(judgement)[data.kept].mean()))),),
        note="Mean and standard deviation over random draws; training and test triplets share tracks here.",
    )


def _floats(values: Float64) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
