"""A report: tables, what they were made of and what could not be used, as JSON, CSV and Markdown."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from soundalike.research.reproduce.plot_data import Plot
from soundalike.research.reproduce.tables import Section, Table

COLUMNS = ("table", "section", "row", "column", "value", "deviation", "low", "high", "right", "total")


@dataclass(frozen=True)
class Report:
    """What `reproduce` found.

    made_of: models, versions, data and numbers, as name -> words; assumptions: one line each; problems: what could not be
    used, name -> reason.
    """

    title: str
    made_of: Mapping[str, str]
    assumptions: tuple[str, ...]
    tables: tuple[Table, ...]
    plots: tuple[Plot, ...] = ()
    problems: Mapping[str, str] = field(default_factory=dict)


def to_json(report: Report) -> str:
    """All of the report; figures as flat records, `null` where one has no such value."""
    values: dict[str, Any] = {
        "title": report.title,
        "made_of": dict(report.made_of),
        "assumptions": list(report.assumptions),
        "figures": [record for table in report.tables for record in table.records()],
        "plots": [asdict(plot) for plot in report.plots],
        "problems": dict(report.problems),
    }
    return json.dumps(values, indent=2, allow_nan=False) + "\n"


def to_csv(report: Report) -> str:
    """One line a figure."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for table in report.tables:
        writer.writerows(table.records())
    return out.getvalue()


def to_markdown(report: Report) -> str:
    """The report for reading as text."""
    lines = [f"# {report.title}", ""]
    lines += [f"- {name}: {words}" for name, words in report.made_of.items()]
    lines += ["", "Assumed where the paper is silent, and what to beware of:", ""]
    lines += [f"- {assumption}" for assumption in report.assumptions]
    if report.problems:
        lines += ["", f"## What could not be used ({len(report.problems)})", ""]
        lines += [f"- {name}: {reason}" for name, reason in report.problems.items()]
    for table in report.tables:
        lines += ["", f"## {table.title}", ""]
        if table.note:
            lines += [table.note, ""]
        for section in table.sections:
            lines += [*_section(section), ""]
    return "\n".join(lines).rstrip() + "\n"


def _section(section: Section) -> list[str]:
    lines = [f"### {section.title}", ""] if section.title else []
    lines += ["| | " + " | ".join(section.columns) + " |", "|---" * (len(section.columns) + 1) + "|"]
    for row in section.rows:
        cells = ["" if figure is None else str(figure) for figure in row.figures]
        lines.append(f"| {row.label} | " + " | ".join(cells) + " |")
    return [*lines, "", section.note] if section.note else lines
