"""Tests of fitted weights against the cosine of the mix: one declared beforehand, the others corrected for their number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from soundalike.preferences.cluster_robust import PairedTest, holm, paired_test
from soundalike.research.reproduce.experiments import (
    BASELINE,
    ExperimentResult,
    baseline_correct,
    links_of,
    model_correct,
)
from soundalike.research.reproduce.tables import Cell, Row, Section, Table, count, percent, row

PAPERS_BEST = ("muq-mulan", "htdemucs_6s", "ridge")
"""Encoder, stems and method of the paper's best figure: what the primary test is about if it was computed."""

COLUMNS = ("difference, points", "only weights correct", "only cosine correct", "p", "p, Holm", "p, McNemar")


@dataclass(frozen=True)
class BaselineTest:
    """A method compared with the baseline, both tested without shared tracks on the same triplets."""

    result: ExperimentResult
    method: str
    test: PairedTest

    @property
    def label(self) -> str:
        """Label of the test's row."""
        experiment = self.result.experiment
        return f"{experiment.encoder}, {experiment.label}: {self.method}"


def baseline_test(result: ExperimentResult, method: str) -> BaselineTest | None:
    """Compare a method with the baseline; None if it was tested on no triplet."""
    evaluation = model_correct(result, method)
    if evaluation is None:
        return None
    tested, correct = evaluation
    test = paired_test(correct[tested], baseline_correct(result)[tested], links_of(result, tested))
    return BaselineTest(result, method, test)


def baseline_tests_table(results: Sequence[ExperimentResult]) -> Table:
    """All methods of all experiments against the baseline.

    The primary test is that of the paper's best figure, else of the first method of the first experiment.
    """
    every = [test for result in results for name in result.fits if (test := baseline_test(result, name)) is not None]
    primary = next((test for test in every if _is_papers_best(test)), every[0] if every else None)
    others = [test for test in every if test is not primary]
    corrected = holm([test.test.p for test in others])
    sections = [] if primary is None else [Section("Primary test", COLUMNS, (_row(primary, None),))]
    if others:
        rows = tuple(_row(test, p) for test, p in zip(others, corrected, strict=True))
        sections.append(Section(f"The other {len(others)} tests, corrected by Holm's method", COLUMNS, rows))
    return Table(
        "tests",
        f"Are fitted weights better than the {BASELINE}?",
        tuple(sections),
        "Each triplet is predicted by a model fitted without its tracks, and by the cosine. Difference [95 % interval] and p "
        "are robust to shared tracks; McNemar's exact test, which assumes independent triplets, is shown for comparison. The "
        "primary test is declared beforehand: the paper's best figure if it was computed, else the first method. Only its p "
        "is to be read as it stands.",
    )


def _is_papers_best(test: BaselineTest) -> bool:
    experiment = test.result.experiment
    return experiment.gate is None and (experiment.encoder, experiment.stems, test.method) == PAPERS_BEST


def _row(comparison: BaselineTest, corrected: float | None) -> Row:
    test = comparison.test
    low, high = percent(test.interval.low), percent(test.interval.high)
    return row(
        comparison.label,
        [
            Cell(percent(test.difference), low=low, high=high),
            count(test.only_first),
            count(test.only_second),
            Cell(test.p, decimals=3),
            None if corrected is None else Cell(corrected, decimals=3),
            Cell(test.exact_p, decimals=3),
        ],
    )
