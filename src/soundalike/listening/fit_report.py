"""The report of a listening test: tables of weights, agreement and listeners, each with its plots."""

from __future__ import annotations

from collections.abc import Sequence

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
from soundalike.listening.fit_plots import agreement_plot, interval_plot, listeners_plot, own_plot, weights_plot
from soundalike.listening.held_out import baseline_name
from soundalike.listening.open_test import OpenTest
from soundalike.listening.weight_fit import QuestionFit
from soundalike.preferences.triplets import KINDS
from soundalike.research.reproduce.agreement_cells import ceiling_row, human_row
from soundalike.research.reproduce.listener_tables import listeners_table, side_table
from soundalike.research.reproduce.plot_data import Plot
from soundalike.research.reproduce.report import Report
from soundalike.research.reproduce.tables import Cell, Section, Table, percent, row


def make_report(test: OpenTest, fits: Sequence[QuestionFit]) -> Report:
    """The report of a test with at least one fitted question. Raises InputError if there is none."""
    if not fits:
        raise InputError(f"no question of {test.design.name} has enough answers yet, so there is nothing to report")
    design = test.design
    plots: list[Plot | None] = []
    for fitted in fits:
        plots += [weights_plot(fitted), own_plot(fitted), interval_plot(test, fitted)]
        plots += [agreement_plot(fitted), listeners_plot(fitted)]
    return Report(
        f"Listening test {design.name}",
        {
            "test": f"{len(design.triplets)} triplets of {len({one.item for one in design.excerpts})} songs, "
            f"{design.presentation}, seed {design.seed}, made {design.created[:10]}",
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
    side = side_table(fitted.answered.triplets, fitted.answered.perspective)
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
    several = len(fitted.listeners) > 1
    rows = [row("all listeners" if several else fitted.listeners[0], _weight_cells(fit.weights, fit.intervals()))]
    if several:
        rows += [
            row(name, _weight_cells(fit.own[number], fit.own_intervals(number)))
            for number, name in enumerate(fitted.listeners)
        ]
    return Table(
        f"weights-{question}",
        f"Weights: {question}",
        (Section("", fitted.parts, tuple(rows)),),
        "Log-odds for a difference of 1 between two cosines."
        + (
            " Those of one listener are shrunk towards all listeners', the more so the fewer answers there are. Tastes differ by "
            f"{fit.taste:.2f}, triplets by {fit.triplet_effect:.2f} (standard deviations, log-odds for a typical triplet)."
            if several
            else ""
        ),
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
        human_row(columns, fitted.cut_off, answered.perspective),
        ceiling_row(columns, fitted.cut_off, perspective=answered.perspective),
    ]
    return Table(
        f"agreement-{answered.question}",
        f"Agreement with listeners, %: {answered.question}",
        (Section("", tuple(selections), tuple(rows)),),
        f"Random triplets on which at least {100 * fitted.cut_off:g} % agree, each predicted by weights fitted without any "
        "triplet that shares a song with it; 95 % intervals, robust to shared songs. In XYC triplets one candidate is from the "
        "song of X: choosing that one is nearly always right.",
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
