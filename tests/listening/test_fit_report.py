"""The report of a listening test."""

from __future__ import annotations

from pathlib import Path

import pytest

from soundalike.errors import InputError
from soundalike.listening.answer_record import AnswerRecord
from soundalike.listening.fit_report import make_report
from soundalike.listening.weight_fit import fit_question
from tests.listening.made_up_design import answered, made_up_design, written_test


def test_the_report_is_one_page_with_tables_and_pictures(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra: report")
    from soundalike.research.reproduce.report_html import to_html

    test = answered(tmp_path, written_test(tmp_path, made_up_design(40)), 3)
    report = make_report(test, [fit_question(test, "overall")])
    assert [plot.name for plot in report.plots] == [
        "weights-overall",
        "own-overall",
        "interval-overall",
        "agreement-overall",
        "listeners-overall",
    ]
    assert {plot.table for plot in report.plots} <= {table.name for table in report.tables}
    assert {table.name for table in report.tables} == {
        "weights-overall",
        "agreement-overall",
        "sides-overall",
        "listeners-overall",
        "reliability-overall",
    }
    page = to_html(report)
    assert page.count("<svg") == 5
    assert "Answers and caveats" in page
    assert "noise ceiling" in page
    for reference in ('src="', "url(", "@import", '<link rel="stylesheet"'):
        assert reference not in page.replace("url(#", "")  # a page of its own; SVG refers to its own elements


def test_the_interval_shrinks_with_the_answers(tmp_path: Path) -> None:
    test = answered(tmp_path, written_test(tmp_path, made_up_design(60)), 3)
    report = make_report(test, [fit_question(test, "overall")])
    (plot,) = (plot for plot in report.plots if plot.name == "interval-overall")
    (series,) = plot.series
    assert series.low is not None
    assert series.high is not None
    widths = [high - low for low, high in zip(series.low, series.high, strict=True)]
    assert list(series.x) == sorted(series.x)
    assert widths[-1] < 0.5 * widths[0]


def test_each_question_has_its_own_figures(tmp_path: Path) -> None:
    test = answered(tmp_path, written_test(tmp_path, made_up_design(40, questions=("overall", "rhythm"))), 3)
    report = make_report(test, [fit_question(test, question) for question in test.design.questions])
    sides = {
        table.name: table.sections[0].rows[0].cells[0] for table in report.tables if table.name.startswith("sides")
    }
    for question in test.design.questions:
        cell = sides[f"sides-{question}"]
        assert cell is not None
        assert cell.total == sum(one.question == question and is_ballot(one) for one in test.records)
    assert sides["sides-overall"] != sides["sides-rhythm"]


def is_ballot(record: AnswerRecord) -> bool:
    return not record.catch and record.repeat_of is None and record.answer != "cant_tell"


def test_the_cut_off_holds_for_listeners_and_ceiling_too(tmp_path: Path) -> None:
    test = answered(tmp_path, written_test(tmp_path, made_up_design(40)), 4)
    totals = []
    for cut_off in (0.6, 1.0):
        report = make_report(test, [fit_question(test, "overall", cut_off)])
        (table,) = (table for table in report.tables if table.name == "agreement-overall")
        totals.append([row.cells[-1].total for row in table.sections[0].rows[:3] if row.cells[-1] is not None])
    assert all(few < many for few, many in zip(totals[1], totals[0], strict=True))
    assert len(totals[0]) == 3


def test_nothing_to_report_is_an_error(tmp_path: Path) -> None:
    test = written_test(tmp_path, made_up_design(8))
    with pytest.raises(InputError, match="nothing to report"):
        make_report(test, [])
