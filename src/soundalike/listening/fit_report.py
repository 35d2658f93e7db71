"""The report of a listening test: tables and plots of weights, agreement, listeners, and how the interval shrank."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from soundalike.errors import InputError
from soundalike.listening.fit_messages import (
    agreement_of,
    answer_lines,
    caveat_lines,
    difference_lines,
    random_triplets,
    screening_lines,
)
from soundalike.listening.held_out import baseline_name
from soundalike.listening.open_test import OpenTest
from soundalike.listening.weight_fit import QuestionFit
from soundalike.preferences.active_design import Contrast
from soundalike.preferences.hierarchical import HierarchicalFit, fit_hierarchical
from soundalike.preferences.listeners import human_agreement
from soundalike.preferences.noise_ceiling import noise_ceiling
from soundalike.preferences.triplets import KINDS
from soundalike.research.reproduce.agreement_cells import ceiling_row, human_row
from soundalike.research.reproduce.listener_tables import listeners_table, side_table
from soundalike.research.reproduce.plot_data import Plot, Series
from soundalike.research.reproduce.report import Report
from soundalike.research.reproduce.tables import Cell, Section, Table, percent, row

CUT_OFF = 0.8
STEPS = 12
"""Points of the plot of the interval by number of answers."""
FIRST_STEP = 8
MAX_LISTENERS_SHOWN = 12


def make_report(test: OpenTest, fits: Sequence[QuestionFit]) -> Report:
    """The report of a test with at least one fitted question. Raises InputError if there is none."""
    if not fits:
        raise InputError(f"no question of {test.design.name} has enough answers yet, so there is nothing to report")
    design = test.design
    plots: list[Plot | None] = []
    for fitted in fits:
        plots += [_weights_plot(fitted), _agreement_plot(fitted), _interval_plot(test, fitted), _own_plot(fitted)]
    return Report(
        f"Listening test {design.name}",
        {
            "test": f"{len(design.triplets)} triplets of {len({one.item for one in design.excerpts})} songs, "
            f"{design.presentation}, seed {design.seed}, made {design.created}",
            "questions": ", ".join(design.questions),
            "clips": f"{design.excerpts[0].seconds:g} s at {design.loudness:g} LUFS",
            "models": f"{design.encoder}, stems by {design.separator}",
            "weights": "hierarchical ordinal model with effects of listeners and triplets; 95 % credible intervals (Laplace)",
        },
        tuple(dict.fromkeys(line for fitted in fits for line in _notes(fitted))),
        tuple(table for fitted in fits for table in _tables(fitted)),
        tuple(plot for plot in plots if plot is not None),
        notes_title="Answers and caveats",
    )


def _notes(fitted: QuestionFit) -> list[str]:
    question = fitted.answered.question
    lines = [*screening_lines(fitted), *answer_lines(fitted), *difference_lines(fitted)]
    return [*caveat_lines(fitted), *(f"{question}: {line}" for line in lines)]


def _tables(fitted: QuestionFit) -> list[Table]:
    question = fitted.answered.question
    side = side_table(fitted.answered.triplets)
    listeners = listeners_table(fitted.summaries, fitted.excluded)
    return [
        _weights_table(fitted),
        _agreement_table(fitted),
        Table(f"sides-{question}", f"{side.title}: {question}", side.sections, side.note),
        Table(f"listeners-{question}", f"{listeners.title}: {question}", listeners.sections, listeners.note),
        _reliability_table(fitted),
    ]


def _weight_cells(weights: np.ndarray, intervals: np.ndarray) -> list[Cell | None]:
    return [
        Cell(float(weight), low=float(low), high=float(high), decimals=2)
        for weight, (low, high) in zip(weights, intervals, strict=True)
    ]


def _weights_table(fitted: QuestionFit) -> Table:
    question, fit = fitted.answered.question, fitted.fit
    rows = [row("all listeners", _weight_cells(fit.weights, fit.intervals()))]
    if len(fitted.listeners) > 1:
        rows += [
            row(name, _weight_cells(fit.own[number], fit.own_intervals(number)))
            for number, name in enumerate(fitted.listeners)
        ]
    return Table(
        f"weights-{question}",
        f"Weights: {question}",
        (Section("", fitted.parts, tuple(rows)),),
        "Log-odds for a difference of 1 between two cosines. Those of one listener are shrunk towards all listeners', the more "
        f"so the fewer answers there are. Tastes differ by {fit.taste:.2f}, triplets by {fit.triplet_effect:.2f} (standard "
        "deviations, log-odds for a typical triplet).",
    )


def _agreement_table(fitted: QuestionFit) -> Table:
    held_out, answered = fitted.held_out, fitted.answered
    kinds = np.array([triplet.kind for triplet in answered.triplets])
    selections = {kind: held_out.tested & (kinds == kind) for kind in KINDS} | {"all": held_out.tested}
    columns = {
        name: [triplet for triplet in random_triplets(fitted) if name in ("all", triplet.kind)] for name in selections
    }
    rows = [
        row("these weights", [agreement_of(fitted, held_out.correct, one) for one in selections.values()]),
        row(baseline_name(answered), [agreement_of(fitted, held_out.baseline, one) for one in selections.values()]),
        human_row(columns, CUT_OFF, answered.perspective),
        ceiling_row(columns, CUT_OFF, perspective=answered.perspective),
    ]
    return Table(
        f"agreement-{answered.question}",
        f"Agreement with listeners, %: {answered.question}",
        (Section("", tuple(selections), tuple(rows)),),
        "Random triplets only, each predicted by weights fitted without any triplet that shares a song with it; 95 % intervals, "
        "robust to shared songs. In XYC triplets one candidate is from the song of X: choosing that one is nearly always right.",
    )


def _reliability_table(fitted: QuestionFit) -> Table:
    question = fitted.answered.question
    columns = ("repeated", "same preference, %", "same grade, %", "can't tell")
    rows = []
    for name in fitted.listeners:
        repeats = fitted.answered.repeats.get(name)
        cells: list[Cell | None] = [None, None, None]
        if repeats is not None:
            cells = [
                Cell(repeats.pairs, decimals=0),
                Cell(percent(repeats.same / repeats.pairs), right=repeats.same, total=repeats.pairs),
                Cell(percent(repeats.exactly / repeats.pairs), right=repeats.exactly, total=repeats.pairs),
            ]
        rows.append(row(name, [*cells, Cell(fitted.answered.cant_tell.get(name, 0), decimals=0)]))
    return Table(f"reliability-{question}", f"Repeated trials: {question}", (Section("", columns, tuple(rows)),))


def _weights_plot(fitted: QuestionFit) -> Plot:
    low, high = fitted.fit.intervals().T
    places = tuple(float(k) for k in range(len(fitted.parts)))
    return Plot(
        f"weights-{fitted.answered.question}",
        f"Weights: {fitted.answered.question}",
        "part",
        "weight",
        (Series("all listeners", places, _floats(fitted.fit.weights), _floats(low), _floats(high)),),
        categories=fitted.parts,
        references=(("zero", 0.0),),
        note="With 95 % credible intervals.",
    )


def _own_plot(fitted: QuestionFit) -> Plot | None:
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
    )


def _agreement_plot(fitted: QuestionFit) -> Plot | None:
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
        "a single listener": percent(human_agreement(triplets, CUT_OFF, answered.perspective).value),
        "noise ceiling": percent(noise_ceiling(triplets, CUT_OFF, answered.perspective)),
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
    )


def _interval_plot(test: OpenTest, fitted: QuestionFit) -> Plot | None:
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
    counts = np.unique(np.geomspace(min(FIRST_STEP, total), total, STEPS).round().astype(int)).tolist()
    return [(count, fit_hierarchical(observations.take(rank < count), *effects)) for count in counts]


def _floats(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
