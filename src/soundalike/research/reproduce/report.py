"""A report: tables, provenance and problems, as JSON, CSV and Markdown."""

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
    """Results of an evaluation.

    provenance: data, models, versions and settings, name -> description; assumptions: one line each; problems: clips and
    tracks that could not be used, name -> reason. notes_title: heading of the assumptions.
    """

    title: str
    provenance: Mapping[str, str]
    assumptions: tuple[str, ...]
    tables: tuple[Table, ...]
    plots: tuple[Plot, ...] = ()
    problems: Mapping[str, str] = field(default_factory=dict)
    notes_title: str = "Assumptions where the paper is silent, and caveats"


def to_json(report: Report) -> str:
    """The whole report; figures as flat records with `null` for missing values."""
    values: dict[str, Any] = {
        "title": report.title,
        "made_of": dict(report.provenance),
        "assumptions": list(report.assumptions),
        "figures": [record for table in report.tables for record in table.records()],
        "plots": [asdict(plot) for plot in report.plots],
        "problems": dict(report.problems),
    }
    return json.dumps(values, indent=2, allow_nan=False) + "\n"


def to_csv(report: Report) -> str:
    """One line for each figure."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for table in report.tables:
        writer.writerows(table.records())
    return out.getvalue()


def to_markdown(report: Report) -> str:
    """The report as Markdown."""
    lines = [f"# {report.title}", ""]
    lines += [f"- {name}: {description}" for name, description in report.provenance.items()]
    lines += ["", f"{report.notes_title}:", ""]
    lines += [f"- {assumption}" for assumption in report.assumptions]
    if report.problems:
        lines += ["", f"## Unusable clips and tracks ({len(report.problems)})", ""]
        lines += [f"- {name}: {reason}" for name, reason in report.problems.items()]
    for table in report.tables:
        lines += ["", to_markdown_table(table)]
    return "\n".join(lines).rstrip() + "\n"


def to_markdown_table(table: Table) -> str:
    """One table as Markdown, with its title and notes."""
    lines = [f"## {table.title}", ""]
    if table.note:
        lines += [table.note, ""]
    for section in table.sections:
        lines += [*_section(section), ""]
    return "\n".join(lines)


def _section(section: Section) -> list[str]:
    lines = [f"### {section.title}", ""] if section.title else []
    lines += ["| | " + " | ".join(section.columns) + " |", "|---" * (len(section.columns) + 1) + "|"]
    for row in section.rows:
        cells = ["" if cell is None else str(cell) for cell in row.cells]
        lines.append(f"| {row.label} | " + " | ".join(cells) + " |")
    return [*lines, "", section.note] if section.note else lines
