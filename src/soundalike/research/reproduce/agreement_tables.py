"""Tables 2 and 3: agreement of fitted weights, by stems and method."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from soundalike.preferences.estimators import METHODS
from soundalike.preferences.evaluation import TEST_SHARE, CrossValidation
from soundalike.preferences.intervals import nadeau_bengio
from soundalike.preferences.triplet_data import Bool
from soundalike.preferences.triplets import KINDS, Triplet
from soundalike.research.reproduce import published
from soundalike.research.reproduce.agreement_cells import ceiling_row, correct_cell, human_row
from soundalike.research.reproduce.experiments import BASELINE, ExperimentResult, kept_of_kind, links_of, model_correct
from soundalike.research.reproduce.tables import Cell, Row, Section, Table, percent, row

TABLES = {"clap": ("table-2", "Table 2: CLAP"), "muq-mulan": ("table-3", "Table 3: MuQ-MuLan")}

Results = Sequence[ExperimentResult]


def agreement_table(encoder: str, results: Results) -> Table:
    """Table 2 or 3 of the paper, or the same for another encoder: rows of stems, columns of methods."""
    name, title = TABLES.get(encoder, (f"weights-{encoder}", f"As Tables 2 and 3: {encoder}"))
    columns = (BASELINE, *(method for method in METHODS if any(method in result.fits for result in results)))
    first = results[0]
    failures = [f"{r.experiment.label}, {name}: {reason}." for r in results for name, reason in r.failed.items()]
    note = (
        f"Agreement in percent on {int(first.data.kept.sum())} mix triplets (XAB and XYC pooled unless stated) with agreement "
        f"of {first.experiment.cut_off:.0%} or more. No intercept. Rows without a gate follow the paper; gated rows treat "
        "nearly silent parts as absent."
    )
    return Table(
        name,
        title,
        (
            *_split_sections(results, columns),
            *_leave_tracks_out_sections(results, columns),
            _ceiling_section(first),
        ),
        " ".join([note, *failures]),
    )


def _split_sections(results: Results, columns: Sequence[str]) -> list[Section]:
    splits = len(results[0].baseline.agreements)
    pooled = Section(
        f"Agreement over {splits} shuffled splits (the paper's protocol)",
        tuple(columns),
        tuple(line for result in results for line in _split_rows(result, columns)),
        "Mean ± standard deviation over the splits [95 %, Nadeau & Bengio]. Test triplets share tracks with training ones.",
    )
    by_kind = [
        Section(
            f"The same splits, {kind} only",
            tuple(columns),
            tuple(_kind_row(result, columns, kept_of_kind(result, kind)) for result in results),
        )
        for kind in KINDS
    ]
    return [pooled, *by_kind]


def _split_rows(result: ExperimentResult, columns: Sequence[str]) -> list[Row]:
    experiment = result.experiment
    evaluations = {BASELINE: result.baseline, **result.cross_validated}
    rows = [row(experiment.label, [_split_cell(evaluations.get(name)) for name in columns])]
    paper = {name: published.AGREEMENT.get((experiment.encoder, experiment.stems, name)) for name in columns}
    paper[BASELINE] = published.BASELINE.get(experiment.encoder)
    if experiment.gate is None and any(paper[name] for name in columns[1:]):
        rows.append(row(f"{experiment.label}: the paper", [_paper_cell(paper[name]) for name in columns]))
    return rows


def _split_cell(evaluation: CrossValidation | None) -> Cell | None:
    if evaluation is None:
        return None
    interval = nadeau_bengio(evaluation.agreements, TEST_SHARE)
    return Cell(
        percent(float(evaluation.agreements.mean())),
        deviation=percent(float(evaluation.agreements.std(ddof=1))),
        low=percent(interval.low),
        high=percent(interval.high),
    )


def _paper_cell(mean_and_deviation: tuple[float, float] | None) -> Cell | None:
    return None if mean_and_deviation is None else Cell(mean_and_deviation[0], deviation=mean_and_deviation[1])


def _kind_row(result: ExperimentResult, columns: Sequence[str], selection: Bool) -> Row:
    evaluations = {BASELINE: result.baseline, **result.cross_validated}
    cells = [
        Cell(percent(evaluations[name].agreement_of(selection))) if name in evaluations else None for name in columns
    ]
    return row(result.experiment.label, cells)


def _leave_tracks_out_sections(results: Results, columns: Sequence[str]) -> list[Section]:
    pooled = Section(
        "Leave one triplet out, with all training triplets that share a track",
        tuple(columns),
        tuple(_leave_tracks_out_row(result, columns, result.data.kept) for result in results),
        _training_note(results),
    )
    by_kind = [
        Section(
            f"Leave one out without shared tracks, {kind} only",
            tuple(columns),
            tuple(_leave_tracks_out_row(result, columns, kept_of_kind(result, kind)) for result in results),
        )
        for kind in KINDS
    ]
    return [pooled, *by_kind]


def _leave_tracks_out_row(result: ExperimentResult, columns: Sequence[str], selection: Bool) -> Row:
    cells: list[Cell | None] = []
    for name in columns:
        evaluation = model_correct(result, name)
        if evaluation is None:
            cells.append(None)
            continue
        tested, correct = selection & evaluation[0], evaluation[1]
        cells.append(correct_cell(correct[tested], links_of(result, tested)))
    return row(result.experiment.label, cells)


def _training_note(results: Results) -> str:
    evaluations = [(result.data.kept, e) for result in results for e in result.leave_tracks_out.values()]
    if not evaluations:
        return ""
    sizes = np.concatenate([evaluation.training[kept] for kept, evaluation in evaluations])
    failed = max(evaluation.failed for _, evaluation in evaluations)
    note = (
        f"95 % interval, robust to shared tracks. Each model was fitted to at least {int(sizes.min())} triplets, median "
        f"{int(np.median(sizes))}."
    )
    return note + (
        f" Up to {failed} triplets are not tested: too little data was left to fit a model." if failed else ""
    )


def _ceiling_section(result: ExperimentResult) -> Section:
    experiment = result.experiment
    columns: dict[str, Sequence[Triplet]] = {"pooled": experiment.triplets}
    columns |= {kind: [t for t in experiment.triplets if t.kind == kind] for kind in KINDS}
    return Section(
        "What is possible on the same triplets",
        tuple(columns),
        (
            human_row(columns, experiment.cut_off, experiment.perspective),
            ceiling_row(columns, experiment.cut_off, perspective=experiment.perspective),
        ),
        "A single listener agrees this often with the majority of the others, where that reaches the cut-off. The noise ceiling "
        "is what a perfect model of all listeners would reach.",
    )
