from __future__ import annotations

import csv
import io
import json
import math
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import pytest

from soundalike import config
from soundalike.errors import InputError
from soundalike.research.reproduce.plot_data import Plot, Series
from soundalike.research.reproduce.report import Report, to_csv, to_json, to_markdown
from soundalike.research.reproduce.report_files import check_output, write_report
from soundalike.research.reproduce.report_html import draw, to_html
from soundalike.research.reproduce.tables import Cell, Section, Table, row

PLOT = Plot(
    "weights",
    "Weights <of> parts",
    "part",
    "weight",
    (Series("ols", (0.0, 1.0), (0.4, 0.6), (0.2, 0.7), (0.5, 0.9)), Series("ridge", (0.0, 1.0), (0.3, 0.5))),
    categories=("drums", "bass"),
    references=(("none", 0.0),),
    note="A note.",
)


@pytest.fixture
def report() -> Report:
    figures = [Cell(71.917, low=64.1, high=78.6, right=105, total=146), None]
    more = [Cell(84.6, deviation=2.7), Cell(math.nan)]
    section = Section("mix & all", ("drums", "mix"), (row("ours", figures), row("the <paper>", more)), "Of few.")
    table = Table("table-1", "Table 1", (section,), "What it shows.")
    return Report("A report", {"answers": "12"}, ("Assumed.",), (table,), (PLOT,), {"clip <1>": "is cut short"})


def test_markdown_shows_each_figure_as_precisely_as_it_is_known(report: Report) -> None:
    text = to_markdown(report)
    assert "| ours | 71.9 [64.1, 78.6] (105/146) |  |" in text
    assert "| the <paper> | 84.6 ± 2.7 | - |" in text
    assert "## Unusable clips and tracks (1)" in text
    assert text.index("# A report") < text.index("Assumed.") < text.index("## Table 1") < text.index("Of few.")


def test_csv_and_json_hold_the_same_flat_records(report: Report) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(report))))
    values = json.loads(to_json(report))
    assert len(rows) == len(values["figures"]) == 3
    assert rows[0] == {
        "table": "table-1",
        "section": "mix & all",
        "row": "ours",
        "column": "drums",
        "value": "71.917",
        "deviation": "",
        "low": "64.1",
        "high": "78.6",
        "right": "105",
        "total": "146",
    }
    assert values["figures"][2]["value"] is None  # JSON has no NaN
    assert values["plots"][0]["series"][0]["y"] == [0.4, 0.6]
    assert values["problems"] == {"clip <1>": "is cut short"}


class Balanced(HTMLParser):
    """Collects tags that are not closed, and addresses."""

    void = frozenset({"meta", "link", "br", "hr", "img", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_needs_nothing_else(report: Report) -> None:
    page = to_html(report)
    reader = Balanced()
    reader.feed(page)
    assert reader.open == []
    assert all(address.startswith("#") for address in reader.addresses if not address.startswith("http://www.w3"))
    assert "<script" not in page
    assert "clip &lt;1&gt;" in page
    assert "the &lt;paper&gt;" in page
    assert "71.9 <small>[64.1, 78.6] (105/146)</small>" in page
    assert "84.6 ± 2.7" in page


def test_a_plot_is_one_svg_with_its_words_in_it_and_the_same_each_time() -> None:
    drawn = draw(PLOT)
    root = ElementTree.fromstring(drawn)
    assert root.tag.endswith("svg")
    words = "".join(root.itertext())
    for word in ("drums", "bass", "ols", "ridge", "weight"):
        assert word in words
    assert draw(PLOT) == drawn


def test_intervals_are_drawn_where_they_are_known() -> None:
    without = Plot("weights", "", "", "", (PLOT.series[1],), categories=PLOT.categories)
    bars = re.compile(r'id="LineCollection')
    assert bars.findall(draw(PLOT))
    assert not bars.findall(draw(without))


def test_the_report_s_files(report: Report, tmp_path: Path) -> None:
    check_output(tmp_path / "new" / "folder", html=True)
    paths = write_report(report, tmp_path / "new" / "folder", html=True)
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == sorted(
        path.name for path in paths.values()
    )
    assert paths["html"].read_text(encoding="utf-8").startswith("<!doctype html>")


def test_what_would_fail_at_the_end_fails_at_the_beginning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a file; choose a folder"):
        check_output(tmp_path / "file", html=False)
    monkeypatch.setattr(config, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"needs matplotlib, jinja2.*pip install 'soundalike\[report\]'"):
        check_output(tmp_path / "new", html=True)
    assert not (tmp_path / "new").exists()
    check_output(tmp_path / "new", html=False)
