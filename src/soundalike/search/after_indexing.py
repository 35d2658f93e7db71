"""Indexing for those who search afterwards: what searches need is prepared at the end of the run, not in the first search."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, cast

from soundalike.library.indexing.index_report import IndexReport
from soundalike.library.indexing.library_update import index as index_files
from soundalike.library.storage.location import Location
from soundalike.library.storage.store import Library
from soundalike.search.index.local_indexes import LocalIndexes
from soundalike.search.index.quantised import QuantisedIndex
from soundalike.search.index.recall import measure_if_missing
from soundalike.search.index.table_rows import TABLES

P = ParamSpec("P")


def prepare_search(place: str | Location) -> int:
    """Build the one-bit codes of tables that are larger than the memory budget, and measure recall where it is not known.

    Returns how many rows were coded. Raises LibraryError where codes cannot be written.
    """
    library = Library.open(place)
    indexes = LocalIndexes(library)
    coded = 0
    for table in TABLES:
        index = indexes[table]
        if isinstance(index, QuantisedIndex):
            coded += index.segments.rows_written
            measure_if_missing(library, index)
    return coded


def _and_prepare(index: Callable[P, IndexReport]) -> Callable[P, IndexReport]:
    @wraps(index)
    def index_and_prepare(*args: P.args, **options: P.kwargs) -> IndexReport:
        began = time.monotonic()
        report = index(*args, **options)
        report.sketched = prepare_search(cast("str | Location", args[0] if args else options["library"]))
        report.seconds = time.monotonic() - began
        return report

    return index_and_prepare


index = _and_prepare(index_files)
