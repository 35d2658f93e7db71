"""Plots as SVG, and the report as one self-contained HTML page.

Needs the extra `report` (matplotlib, jinja2), which only this module imports.
"""

from __future__ import annotations

import io
from importlib import resources

import jinja2
from matplotlib import rc_context
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from soundalike.research.reproduce.plot_data import Plot, Series
from soundalike.research.reproduce.report import Report

# Okabe & Ito's colours, which people with colour-blindness can tell apart.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
MARKERS = "osD^v<>"
SPREAD = 0.6
"""Share of a category's width that its series occupy."""


def draw(plot: Plot) -> str:
    """The plot as an SVG element; deterministic."""
    # Text stays text (searchable, selectable); a fixed salt makes element ids reproducible.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": plot.name, "font.size": 10, "font.family": "sans-serif"}):
        figure = Figure(figsize=(8.0, 4.2), layout="constrained")
        axes = figure.add_subplot()
        for index, series in enumerate(plot.series):
            colour, marker = COLOURS[index % len(COLOURS)], MARKERS[index % len(MARKERS)]
            shift = SPREAD * ((index + 0.5) / len(plot.series) - 0.5) if plot.categories else 0.0
            axes.errorbar(
                [x + shift for x in series.x],
                series.y,
                yerr=_errors(series),
                label=series.label,
                color=colour,
                marker=marker,
                markersize=5,
                linestyle="none" if plot.categories else "-",
                capsize=2,
                linewidth=1.4,
            )
        for index, (label, y) in enumerate(plot.references):
            axes.axhline(y, color="#555555", linestyle=("--", ":", "-.")[index % 3], linewidth=1, label=label)
        if plot.diagonal:
            axes.axline((0.0, 0.0), slope=1.0, color="#555555", linestyle="--", linewidth=1)
        if plot.categories:
            axes.set_xticks(range(len(plot.categories)), plot.categories)
        axes.set(xlabel=plot.x, ylabel=plot.y)
        axes.grid(axis="y", color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        if len(plot.series) + len(plot.references) > 1:
            axes.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5))
        out = io.StringIO()
        FigureCanvasSVG(figure)
        figure.savefig(out, format="svg", metadata={"Date": None, "Title": plot.title})
    drawn = out.getvalue()
    return drawn[drawn.index("<svg") :]


def _errors(series: Series) -> list[list[float]] | None:
    """Lengths below and above the points for matplotlib; never negative."""
    if series.low is None or series.high is None:
        return None
    return [
        [max(0.0, y - low) for y, low in zip(series.y, series.low, strict=True)],
        [max(0.0, high - y) for y, high in zip(series.y, series.high, strict=True)],
    ]


def to_html(report: Report) -> str:
    """The report as one HTML page with its plots inline; it loads no other file."""
    template = (resources.files("soundalike") / "research" / "reproduce" / "report.html").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    drawn = [(plot, draw(plot)) for plot in report.plots]
    tables = {table.name for table in report.tables}
    other_plots = [(plot, picture) for plot, picture in drawn if plot.table not in tables]
    return environment.from_string(template).render(report=report, plots=drawn, other_plots=other_plots)
