"""Contents of plots as numbers; `soundalike.research.reproduce.report_html` draws them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Series:
    """One series of a plot: y for each x, and the 95 % interval of y if known."""

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] | None = None
    high: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Plot:
    """One plot.

    name: short and stable, for files and links; x, y: labels of the axes.
    categories: names of x = 0, 1, ... if x is not a quantity; series are then drawn as points side by side, else as lines.
    references: horizontal lines by label; diagonal: whether to draw y = x, as for calibration; note: caption.
    table: name of the table that it is shown with in HTML; empty: after all tables.
    """

    name: str
    title: str
    x: str
    y: str
    series: tuple[Series, ...]
    categories: tuple[str, ...] = ()
    references: tuple[tuple[str, float], ...] = ()
    diagonal: bool = False
    note: str = ""
    table: str = ""
