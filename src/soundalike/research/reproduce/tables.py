"""Tables of figures: computed by the table modules, written by `report`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Cell:
    """One figure of a table with its uncertainty.

    deviation: standard deviation over splits; low, high: 95 % interval; right, total: counts behind a share.
    decimals: number of decimals to show. Shares are in percent.
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
        """The value, with its deviation if known; `-` for NaN."""
        if math.isnan(self.value):
            return "-"
        value = f"{self.value:.{self.decimals}f}"
        return value if self.deviation is None else f"{value} ± {self.deviation:.{self.decimals}f}"

    @property
    def details(self) -> str:
        """Interval and counts, if known."""
        details = []
        if self.low is not None and self.high is not None:
            details.append(f"[{self.low:.{self.decimals}f}, {self.high:.{self.decimals}f}]")
        if self.right is not None and self.total is not None:
            details.append(f"({self.right}/{self.total})")
        return " ".join(details)

    def __str__(self) -> str:
        return f"{self.main} {self.details}".rstrip()


@dataclass(frozen=True)
class Row:
    """A row of a section: its label, and one cell or None for each column."""

    label: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class Section:
    """Rows with common columns."""

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
        """One flat record for each cell."""
        for section in self.sections:
            for row in section.rows:
                for column, cell in zip(section.columns, row.cells, strict=True):
                    if cell is not None:
                        yield {
                            "table": self.name,
                            "section": section.title,
                            "row": row.label,
                            "column": column,
                            **{key: _finite(value) for key, value in asdict(cell).items() if key != "decimals"},
                        }


def percent(share: float) -> float:
    """A share (0 to 1) in percent."""
    return 100.0 * share


def count(number: int) -> Cell:
    """A cell that holds a count."""
    return Cell(number, decimals=0)


def row(label: str, cells: Sequence[Cell | None]) -> Row:
    """A row from any sequence of cells."""
    return Row(label, tuple(cells))


def _finite(value: Any) -> Any:
    """None for NaN and infinity, which JSON lacks."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
