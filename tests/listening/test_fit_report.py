"""The report of a listening test."""

from __future__ import annotations

from pathlib import Path

import pytest

from soundalike.errors import InputError
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
        "agreement-overall",
        "interval-overall",
        "own-overall",
    ]
    assert {table.name for table in report.tables} == {
        "weights-overall",
        "agreement-overall",
        "sides-overall",
        "listeners-overall",
        "reliability-overall",
    }
    page = to_html(report)
    assert page.count("<svg") == 4
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


def test_nothing_to_report_is_an_error(tmp_path: Path) -> None:
    test = written_test(tmp_path, made_up_design(8))
    with pytest.raises(InputError, match="nothing to report"):
        make_report(test, [])
