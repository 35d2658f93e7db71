"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def print_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; each row appears as soon as it is computed."""
    print_row(header)
    print("|" + "---|" * len(header))
    for row in rows:
        print_row(row)
    print(flush=True)


def print_row(cells: Sequence[object]) -> None:
    """Print one row of a table."""
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)
