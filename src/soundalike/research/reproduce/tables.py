"""Tables of figures: what the computations give and the reports show."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One figure: a value, and how sure it is.

    deviation: standard deviation over splits; low, high: 95 % interval; right, total: the counts behind a share;
    decimals: how many are worth showing. Shares are in percent.
    """

    value: float
    deviation: float | None = None
    low: float | None = None
    high: float | None = None
    right: int | None = None
    total: int | None = None
    decimals: int = 1

    @property
    def main(self) -> str:
        """The value, with its deviation where it has one; `-` where there is none (NaN)."""
        if math.isnan(self.value):
            return "-"
        value = f"{self.value:.{self.decimals}f}"
        return value if self.deviation is None else f"{value} ± {self.deviation:.{self.decimals}f}"

    @property
    def details(self) -> str:
        """Interval and counts, as far as they are known."""
        words = []
        if self.low is not None and self.high is not None:
            words.append(f"[{self.low:.{self.decimals}f}, {self.high:.{self.decimals}f}]")
        if self.right is not None and self.total is not None:
            words.append(f"({self.right}/{self.total})")
        return " ".join(words)

    def __str__(self) -> str:
        return f"{self.main} {self.details}".rstrip()


@dataclass(frozen=True)
class Row:
    """A row of a section: its label and one figure, or none, a column."""

    label: str
    figures: tuple[Figure | None, ...]


@dataclass(frozen=True)
class Section:
    """Figures that belong side by side."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    note: str = ""


@dataclass(frozen=True)
class Table:
    """A table of the report. name: short and stable (`table-1`), for files and links."""

    name: str
    title: str
    sections: tuple[Section, ...]
    note: str = ""

    def records(self) -> Iterator[dict[str, Any]]:
        """One flat record a figure."""
        for section in self.sections:
            for row in section.rows:
                for column, figure in zip(section.columns, row.figures, strict=True):
                    if figure is not None:
                        yield {
                            "table": self.name,
                            "section": section.title,
                            "row": row.label,
                            "column": column,
                            **{key: _finite(value) for key, value in asdict(figure).items() if key != "decimals"},
                        }


def percent(share: float) -> float:
    """A share (0..1) in percent."""
    return 100.0 * share


def count(number: int) -> Figure:
    """A figure that is a number of things."""
    return Figure(number, decimals=0)


def row(label: str, figures: Sequence[Figure | None]) -> Row:
    """A row of any sequence of figures."""
    return Row(label, tuple(figures))


def _finite(value: Any) -> Any:
    """JSON has no NaN or infinity."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
