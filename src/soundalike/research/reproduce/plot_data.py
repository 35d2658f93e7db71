"""What a report plots, as numbers; `soundalike.research.reproduce.report_html` draws it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Series:
    """One series of a plot: a y for each x, and where known the 95 % interval of y."""

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] | None = None
    high: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Plot:
    """One plot. name: short and stable; categories: the names of x = 0, 1, ... where x is no quantity (the series stand
    as points with intervals beside each other then, else as lines); references: horizontal lines by label; diagonal: whether
    y = x is drawn, as calibration wants it; note: what the plot shows, in words."""

    name: str
    title: str
    x: str
    y: str
    series: tuple[Series, ...]
    categories: tuple[str, ...] = ()
    references: tuple[tuple[str, float], ...] = ()
    diagonal: bool = False
    note: str = ""
