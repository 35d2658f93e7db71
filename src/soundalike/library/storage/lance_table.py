"""One table of a library, in the Lance format (https://lance.org): columns on disk or in object storage, with versions.

A `LanceTable` shows the version it was opened at, or that of its own last commit. Every write is one commit: all rows
or none. Lance's errors (OSError, RuntimeError, ValueError, pyarrow's) pass through; `store` translates them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from soundalike.library.storage.location import Location, Remote, storage_options

if TYPE_CHECKING:
    import lance

_CACHE_BYTES = 32 << 20
"""Lance's caches of metadata and indices grow to gigabytes by default; a run of many commits would fill them."""


class TableFolder:
    """The folder in which the tables of one generation lie; its tables share one cache."""

    def __init__(self, folder: Location) -> None:
        import lance

        self._folder = folder
        self._session = lance.Session(index_cache_size_bytes=_CACHE_BYTES, metadata_cache_size_bytes=_CACHE_BYTES)
        self._options = storage_options() if isinstance(folder, Remote) else None

    def has(self, name: str) -> bool:
        """Whether there is a table called `name`."""
        return (self._folder / f"{name}.lance").is_dir()

    def open(self, name: str) -> LanceTable:
        """The newest version of the table called `name`."""
        import lance

        return LanceTable(lance.dataset(self._place(name), storage_options=self._options, session=self._session))

    def create(self, name: str, schema: pa.Schema) -> LanceTable:
        """A new, empty table. Raises OSError if there is one already."""
        import lance

        made = lance.write_dataset(
            schema.empty_table(),
            self._place(name),
            schema=schema,
            mode="create",
            storage_options=self._options,
            session=self._session,
        )
        return LanceTable(made)

    def _place(self, name: str) -> str:
        return str(self._folder / f"{name}.lance")


class LanceTable:
    """An open table: see the module."""

    def __init__(self, dataset: lance.LanceDataset) -> None:
        self._dataset = dataset

    @property
    def version(self) -> int:
        """Number of the version that this object shows; every commit adds one."""
        return int(self._dataset.version)

    @property
    def column_names(self) -> list[str]:
        """Names of the columns."""
        return list(self._dataset.schema.names)

    def count(self) -> int:
        """Number of rows."""
        return int(self._dataset.count_rows())

    def fragments(self) -> int:
        """Number of fragments; every append adds one."""
        return len(self._dataset.get_fragments())

    def data_bytes(self) -> int:
        """Bytes of the rows' files, without older versions."""
        fragments = self._dataset.get_fragments()
        return sum(file.file_size_bytes or 0 for fragment in fragments for file in fragment.metadata.files)

    def read(self, columns: Sequence[str] | None = None, where: str | None = None) -> pa.Table:
        """Rows in stored order: the given columns (None: all) of those that fulfil the SQL condition `where`."""
        return self._scanner(columns, where).to_table()

    def batches(self, columns: Sequence[str] | None = None) -> pa.RecordBatchReader:
        """All rows in stored order, streamed."""
        return self._scanner(columns, None).to_reader()

    def take(self, positions: Sequence[int], columns: Sequence[str]) -> pa.Table:
        """The rows at some positions of the stored order, in the order of `positions`."""
        return self._dataset.take(list(positions), columns=list(columns))

    def append(self, rows: pa.Table | pa.RecordBatchReader) -> None:
        """Add rows in one commit."""
        self._dataset.insert(rows, mode="append")

    def upsert(self, rows: pa.Table, key: str) -> None:
        """Replace the rows with the same `key` and add the others, in one commit."""
        self._dataset.merge_insert(key).when_matched_update_all().when_not_matched_insert_all().execute(rows)

    def delete(self, where: str) -> None:
        """Delete the rows that fulfil the SQL condition `where`, in one commit."""
        self._dataset.delete(where)

    def compact(self, keep: timedelta) -> None:
        """Rewrite small fragments as large ones and remove versions that are older than `keep`."""
        self._dataset.optimize.compact_files()
        self._dataset.cleanup_old_versions(older_than=keep)

    def _scanner(self, columns: Sequence[str] | None, where: str | None) -> Any:
        selected = None if columns is None else list(columns)
        return self._dataset.scanner(columns=selected, filter=where, scan_in_order=True)
