"""The plots of the report of a listening test: weights, agreement, listeners, and how the interval shrank."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from soundalike.listening.fit_messages import agreement_of, random_triplets
from soundalike.listening.held_out import baseline_name
from soundalike.listening.open_test import OpenTest
from soundalike.listening.weight_fit import QuestionFit, listeners_text
from soundalike.preferences.active_design import Contrast
from soundalike.preferences.hierarchical import HierarchicalFit, fit_hierarchical
from soundalike.preferences.listeners import human_agreement
from soundalike.preferences.noise_ceiling import noise_ceiling
from soundalike.preferences.triplets import KINDS
from soundalike.research.reproduce.plot_data import Plot, Series
from soundalike.research.reproduce.tables import percent

STEPS = 12
"""Points of the plot of the interval by number of answers."""
FIRST_STEP = 10
MAX_LISTENERS_SHOWN = 12


def weights_plot(fitted: QuestionFit) -> Plot:
    low, high = fitted.fit.intervals().T
    places = tuple(float(k) for k in range(len(fitted.parts)))
    return Plot(
        f"weights-{fitted.answered.question}",
        f"Weights: {fitted.answered.question}",
        "part",
        "weight",
        (
            Series(
                listeners_text(len(fitted.listeners)), places, _floats(fitted.fit.weights), _floats(low), _floats(high)
            ),
        ),
        categories=fitted.parts,
        references=(("zero", 0.0),),
        note="With 95 % credible intervals.",
        table=f"weights-{fitted.answered.question}",
    )


def own_plot(fitted: QuestionFit) -> Plot | None:
    """Weights of each listener; None for one listener."""
    if len(fitted.listeners) < 2:
        return None
    places = np.arange(len(fitted.parts), dtype=np.float64)
    series = []
    for number, name in enumerate(fitted.listeners[:MAX_LISTENERS_SHOWN]):
        low, high = fitted.fit.own_intervals(number).T
        series.append(Series(name, _floats(places), _floats(fitted.fit.own[number]), _floats(low), _floats(high)))
    return Plot(
        f"own-{fitted.answered.question}",
        f"Weights of each listener: {fitted.answered.question}",
        "part",
        "weight",
        tuple(series),
        categories=fitted.parts,
        references=(("zero", 0.0),),
        note="Shrunk towards all listeners' weights, with 95 % credible intervals."
        + (f" The first {MAX_LISTENERS_SHOWN} listeners." if len(fitted.listeners) > MAX_LISTENERS_SHOWN else ""),
        table=f"weights-{fitted.answered.question}",
    )


def agreement_plot(fitted: QuestionFit) -> Plot | None:
    """Agreement of weights and baseline by kind; None if nothing was predicted."""
    held_out, answered = fitted.held_out, fitted.answered
    kinds = np.array([triplet.kind for triplet in answered.triplets])
    selections = {kind: held_out.tested & (kinds == kind) for kind in KINDS} | {"all": held_out.tested}
    shown = {name: selection for name, selection in selections.items() if selection.any()}
    if not shown:
        return None
    series = []
    for label, correct in (("these weights", held_out.correct), (baseline_name(answered), held_out.baseline)):
        cells = [cell for one in shown.values() if (cell := agreement_of(fitted, correct, one)) is not None]
        series.append(
            Series(
                label,
                tuple(float(x) for x in range(len(cells))),
                tuple(cell.value for cell in cells),
                tuple(cell.low or 0.0 for cell in cells),
                tuple(cell.high or 0.0 for cell in cells),
            )
        )
    triplets = random_triplets(fitted)
    references = {
        "a single listener": percent(human_agreement(triplets, fitted.cut_off, answered.perspective).value),
        "noise ceiling": percent(noise_ceiling(triplets, fitted.cut_off, answered.perspective)),
    }
    return Plot(
        f"agreement-{answered.question}",
        f"Agreement, a single listener and the noise ceiling: {answered.question}",
        "kind of triplet",
        "agreement, %",
        tuple(series),
        categories=tuple(shown),
        references=tuple((label, value) for label, value in references.items() if np.isfinite(value)),
        note="Held-out random triplets, 95 % intervals.",
        table=f"agreement-{answered.question}",
    )


def listeners_plot(fitted: QuestionFit) -> Plot | None:
    """What the table of listeners shows that can go wrong: agreement, checks, reliability, side bias; None for one listener."""
    if len(fitted.summaries) < 2:
        return None
    summaries = fitted.summaries[:MAX_LISTENERS_SHOWN]
    repeats = [fitted.all_answered.repeats.get(one.listener) for one in summaries]
    shares = {
        "agrees with the others": [one.agreement for one in summaries],
        "catch trials right": [one.checks_right / one.checks if one.checks else np.nan for one in summaries],
        "same answer to a repeat": [np.nan if one is None else one.same / one.pairs for one in repeats],
        "chose the side shown first": [one.first for one in summaries],
    }
    return Plot(
        f"listeners-{fitted.answered.question}",
        f"Listeners: {fitted.answered.question}",
        "listener",
        "share of answers, %",
        tuple(
            Series(label, _floats(np.flatnonzero(known)), _floats(np.array([percent(one) for one in values])[known]))
            for label, values in shares.items()
            if (known := np.isfinite(values)).any()
        ),
        categories=tuple(one.listener for one in summaries),
        references=(("one half", 50.0),),
        note="Guesses would be near one half throughout."
        + (f" The first {MAX_LISTENERS_SHOWN} listeners." if len(fitted.summaries) > MAX_LISTENERS_SHOWN else ""),
        table=f"listeners-{fitted.answered.question}",
    )


def interval_plot(test: OpenTest, fitted: QuestionFit) -> Plot | None:
    """The 95 % interval of the goal's contrast (drums - bass without a goal) by number of answers; None without those parts."""
    goal, parts = fitted.design.goal, fitted.parts
    first, second = (goal.first, goal.second) if goal else ("drums", "bass")
    if first not in parts or (second and second not in parts):
        return None
    contrast = Contrast(parts.index(first), parts.index(second) if second else None)
    steps = _fits_in_time(test, fitted)
    if len(steps) < 2:
        return None
    counts = tuple(float(count) for count, _ in steps)
    low, high = np.array([contrast.interval(fit.weights, fit.covariance) for _, fit in steps]).T
    name = f"{first} - {second}" if second else first
    return Plot(
        f"interval-{fitted.answered.question}",
        f"How the interval of {name} shrank: {fitted.answered.question}",
        "answers",
        f"weight of {name}",
        (Series(name, counts, _floats((low + high) / 2), _floats(low), _floats(high)),),
        references=(("zero", 0.0),),
        note="95 % credible interval after so many answers, in the order in which they were given.",
        table=f"weights-{fitted.answered.question}",
    )


def _fits_in_time(test: OpenTest, fitted: QuestionFit) -> list[tuple[int, HierarchicalFit]]:
    """Fits to the first answers, by their number; sizes of effects as in the fit to all."""
    observations, total = fitted.observations, len(fitted.observations)
    times = {
        (record.triplet, record.listener): datetime.fromisoformat(record.answered_at).timestamp()
        for record in test.records
        if record.question == fitted.answered.question and not record.catch and record.repeat_of is None
    }
    given = [
        times[fitted.answered.designed[triplet].id, fitted.listeners[listener]]
        for triplet, listener in zip(observations.triplet.tolist(), observations.listener.tolist(), strict=True)
    ]
    rank = np.argsort(np.argsort(given, kind="stable"))
    effects = (fitted.fit.taste,), (fitted.fit.triplet_effect,)
    counts = np.unique(np.linspace(min(FIRST_STEP, total), total, STEPS).round().astype(int)).tolist()
    return [(count, fit_hierarchical(observations.take(rank < count), *effects)) for count in counts]


def _floats(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
