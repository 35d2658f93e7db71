"""An open library: its tables, to read (`Library`) and to write (`Tables`).

A `Library` is a picture of the moment it was opened: it shows the same rows however long it lives, while an indexing
run goes on beside it (versions it may stand on are kept for `KEEP`). Open it again to see what has come since.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from soundalike.analysis.recipe import Recipe, licences
from soundalike.errors import LibraryError
from soundalike.library.storage import schema as layout
from soundalike.library.storage.lease import check_conditions
from soundalike.library.storage.location import Location, Remote, as_location, storage_options
from soundalike.library.storage.manifest import (
    FILE_NAME,
    Manifest,
    generation_folder,
    read_manifest,
    replace_file,
    write_manifest,
)

KEEP = timedelta(minutes=10)
"""How long versions of tables outlive their successor, for those who still read them."""

CACHE_BYTES = 32 << 20
"""LanceDB's own caches may grow to 7 GB unless told otherwise; a run of many commits would fill them with metadata."""

_RUST_PLACE = re.compile(r",? ?/\S+\.rs:\d+:\d+")

FEWEST_FRAGMENTS = 64
MOST_FRAGMENTS = 1024
"""Every commit leaves one fragment; between these bounds, by the size of the table, they are made into one."""

MADE_BY = "made-by"
"""File in a generation's folder, written when all its tables are there: the fingerprint of their recipe."""

SHORT_RUNS = 16
SMALL = 16 << 20
"""At the end of a run a table of up to so many bytes is tidied whenever its version number has passed a multiple of
`SHORT_RUNS`. Of a larger one joining rewrites too much for that: adding a file to it must not cost more."""


class Library:
    """A library, opened for reading.

    path: its folder, remote or not; recipe: how its vectors were made; roots: name -> folder; generation: number of its
    tables; licences: of the models whose vectors it holds.
    """

    def __init__(self, path: Location, manifest: Manifest, tables: Tables) -> None:
        self.path = path
        self.recipe = manifest.recipe
        self.roots = dict(manifest.roots)
        self.licences = dict(manifest.licences)
        self.generation = manifest.generation
        self._tables = tables

    @classmethod
    def create(cls, path: Location, recipe: Recipe) -> Self:
        """Make an empty library in the folder `path` and open it. The caller holds the write lock.

        Raises LibraryError where `path` is a library already, or holds other things.
        """
        if (path / FILE_NAME).exists():
            raise LibraryError(f"{path} is a library already; open it, or choose another folder")
        refuse_other_things(path)
        if isinstance(path, Remote):
            check_conditions(path)
        # `library.json` comes last: without it the folder is no library, whatever else a crash left in it.
        create_tables(generation_folder(path, 1), recipe)
        write_manifest(path, Manifest(recipe=recipe, roots={}, licences=licences(recipe)))
        return cls.open(path)

    @classmethod
    def open(cls, path: str | Location) -> Self:
        """Open the library in the folder `path`. Raises LibraryError where there is none, or it is damaged."""
        path = as_location(path)
        manifest = read_manifest(path)
        return cls(path, manifest, Tables(generation_folder(path, manifest.generation), manifest.recipe))

    @property
    def version(self) -> tuple[int, ...]:
        """Generation and table versions: a stamp for files that are derived from the tables."""
        return (self.generation, *self._tables.versions())

    def items(self) -> pa.Table:
        """All items, all columns."""
        return self._tables.read(layout.ITEMS)

    def skipped(self) -> pa.Table:
        """Files that could not be used, with their reasons."""
        return self._tables.read(layout.SKIPPED)

    def windows(self, columns: Sequence[str], *, content: str | None = None) -> pa.Table:
        """The given columns of the windows of songs, in stored order; of one content if given."""
        return self._tables.read(layout.WINDOWS, columns, content=content)

    def wholes(self, columns: Sequence[str], *, content: str | None = None) -> pa.Table:
        """The given columns of loops and one-shots, in stored order; of one content if given."""
        return self._tables.read(layout.WHOLES, columns, content=content)

    def vectors(self, table: str, part: str) -> NDArray[np.float16]:
        """All vectors (N, D) of `part` in `windows` or `wholes`, in stored order.

        Read in batches into one array: the memory it takes is that of the array.
        """
        return self._tables.vectors(table, part)

    def take(self, table: str, positions: NDArray[np.int64], parts: Sequence[str]) -> dict[str, NDArray[np.float16]]:
        """Vectors (M, D) by part of the rows at some positions of the stored order, in the order asked for."""
        return self._tables.take(table, positions, parts)

    def stream(self, table: str, columns: Sequence[str]) -> pa.RecordBatchReader:
        """The given columns of `windows` or `wholes`, batch by batch, in stored order."""
        return self._tables.batches(table, columns)

    def peaks(self, contents: Sequence[str]) -> pa.Table:
        """The outlines there are of these contents (`schema.PEAKS_SCHEMA`)."""
        if not contents or not self._tables.has(layout.PEAKS):
            return layout.PEAKS_SCHEMA.empty_table()
        return self._tables.read(layout.PEAKS, where=f"content IN ({', '.join(map(quoted, contents))})")

    def pictured(self) -> list[str]:
        """The contents that have outlines."""
        if not self._tables.has(layout.PEAKS):
            return []
        return list(self._tables.read(layout.PEAKS, ["content"])["content"].to_pylist())

    @staticmethod
    def as_vectors(column: pa.Array | pa.ChunkedArray) -> NDArray[np.float16]:
        """A vector column of a table read here as (N, D)."""
        return layout.vectors_of(column)

    def absolute(self, root: str, path: str) -> Location:
        """Where the file of an item is (or was)."""
        return self.roots[root] / path if root else Path(path)  # items taken in by their ids lie under no root

    def derived_path(self, name: str) -> Path:
        """A place for a file derived from the tables, which may be deleted at any time: beside them, or, where they are
        remote, in this machine's cache."""
        folder = generation_folder(self.path, self.generation)
        if isinstance(folder, Remote):
            folder = cache_folder(folder)
        return folder / name

    def size_on_disk(self) -> int:
        """Bytes that the library takes, older versions of its tables among them."""
        if isinstance(self.path, Remote):
            return sum(facts.st_size for _, facts in self.path.files())
        return folder_size(self.path)


def cache_folder(place: Remote) -> Path:
    """A folder of this machine for what is derived from a remote place; made if need be."""
    import platformdirs

    key = hashlib.blake2b(str(place).encode(), digest_size=8).hexdigest()
    folder = Path(platformdirs.user_cache_dir("soundalike", appauthor=False)) / "derived" / f"{place.parent.name}-{key}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LibraryError(f"the cache {folder} cannot be made ({error.strerror}); set XDG_CACHE_HOME") from error
    return folder


def refuse_other_things(path: Location) -> None:
    """Raise LibraryError where the folder `path` holds anything that is not a library's or a half-made library's."""
    for name in _names_in(path):
        ours = name.startswith(("write.lock", "write.lease", "generation-", FILE_NAME)) or name == "listening"
        if not ours:
            raise LibraryError(f"{path} holds other things ({name}); name a folder that is empty or new with --library")


def _names_in(folder: Location) -> list[str]:
    if isinstance(folder, Remote):
        return folder.names()
    return sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []


def folder_size(folder: Path) -> int:
    """Bytes of the files under `folder`; those that vanish meanwhile do not count."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(parent, name)).st_size
            except FileNotFoundError:
                continue
    return total


def create_tables(folder: Location, recipe: Recipe) -> None:
    """Make the empty tables of a generation; those that a crash left there are replaced."""
    with _translated(f"the tables in {folder} cannot be made"):
        if isinstance(folder, Remote):
            folder.delete_all()
        else:
            if folder.exists():
                shutil.rmtree(folder)
            folder.mkdir(parents=True)
        database = _connect(folder)
        for name, schema in layout.schemas(recipe).items():
            database.create_table(name, schema=schema)
    replace_file(folder / MADE_BY, recipe.fingerprint() + "\n")


class Tables:
    """The tables of one generation: reads are of the moment of opening or of one's own last write."""

    def __init__(self, folder: Location, recipe: Recipe, check: Callable[[], None] | None = None) -> None:
        """Opens the tables. check: called before each commit, raises where this process may no longer write (see
        `lock.writing`). Raises LibraryError where one is missing or damaged."""
        self._check = check
        self.folder = folder
        self.recipe = recipe
        self._commits: dict[str, int] = {}
        if not folder.is_dir():
            raise LibraryError(
                f"{folder} is missing, so the library is damaged; put it back from a backup, or delete "
                f"{folder.parent} and index again"
            )
        with _translated(f"the tables in {folder} cannot be opened", damaged=True):
            database = _connect(folder)
            # Items first: a row of items is written after its vectors, so whatever this picture of `items` points to
            # is in the picture of the vectors, which is taken later.
            self._tables = {name: database.open_table(name) for name in (layout.ITEMS, layout.SKIPPED)}
            self._tables |= {name: database.open_table(name) for name in (layout.WINDOWS, layout.WHOLES)}
            if layout.PEAKS in database.list_tables().tables:
                self._tables[layout.PEAKS] = database.open_table(layout.PEAKS)
            for name, schema in layout.schemas(recipe).items():
                if set(self._tables[name].schema.names) != set(schema.names):
                    raise LibraryError(
                        f"the table {name} in {folder} has other columns than its recipe says, so the library is "
                        f"damaged; put it back from a backup, or delete {folder.parent} and index again"
                    )

    def versions(self) -> tuple[int, ...]:
        """Version numbers of the tables, in the order of `schema.TABLES`."""
        return tuple(int(self._tables[name].version) for name in layout.TABLES)

    def has(self, name: str) -> bool:
        """Whether there is such a table: an older library has no `peaks` until something is written there."""
        return name in self._tables

    def fragments(self, name: str) -> int:
        """Number of pieces that a table lies in."""
        return int(self._tables[name].stats()["fragment_stats"]["num_fragments"])

    def count(self, name: str) -> int:
        """Number of rows."""
        return int(self._tables[name].count_rows())

    def read(
        self,
        name: str,
        columns: Sequence[str] | None = None,
        *,
        content: str | None = None,
        where: str | None = None,
    ) -> pa.Table:
        """Rows of a table: the given columns (all), of one content or under a condition if given, in stored order."""
        if content is not None:
            where = f"content = {quoted(content)}"
        with _translated(f"the table {name} in {self.folder} cannot be read", damaged=True):
            query = self._query(name, columns)
            return (query.where(where) if where else query).to_arrow()

    def batches(self, name: str, columns: Sequence[str] | None = None) -> pa.RecordBatchReader:
        """All rows, streamed, in stored order."""
        with _translated(f"the table {name} in {self.folder} cannot be read", damaged=True):
            return self._query(name, columns).to_batches()

    def vectors(self, name: str, part: str) -> NDArray[np.float16]:
        """See `Library.vectors`."""
        filled = 0
        with _translated(f"the table {name} in {self.folder} cannot be read", damaged=True):
            vectors = np.empty((self.count(name), self.recipe.dimension), dtype=np.float16)
            for batch in self._query(name, [part]).to_batches():
                vectors[filled : filled + batch.num_rows] = layout.vectors_of(batch.column(0))
                filled += batch.num_rows
        if filled != len(vectors):
            raise LibraryError(f"the table {name} in {self.folder} gave {filled} rows of {len(vectors)}; it is damaged")
        return vectors

    def take(self, name: str, positions: NDArray[np.int64], parts: Sequence[str]) -> dict[str, NDArray[np.float16]]:
        """See `Library.take`."""
        wanted, back = np.unique(positions, return_inverse=True)
        if not len(wanted):
            return {part: np.empty((0, self.recipe.dimension), dtype=np.float16) for part in parts}
        with _translated(f"the table {name} in {self.folder} cannot be read", damaged=True):
            rows = self._tables[name].take_offsets(wanted.tolist()).select(list(parts)).to_arrow()
        if rows.num_rows != len(wanted):
            raise LibraryError(
                f"the table {name} in {self.folder} gave {rows.num_rows} rows of {len(wanted)}; open the library again"
            )
        return {part: layout.vectors_of(rows[part])[back] for part in parts}

    def append(self, name: str, rows: pa.Table | pa.RecordBatchReader) -> None:
        """Add rows, all or none, in one commit. Raises LibraryError where that fails (a full disk)."""
        with self._writing(name):
            if name == layout.PEAKS and not self.has(name):
                self._tables[name] = _connect(self.folder).create_table(name, schema=layout.PEAKS_SCHEMA, exist_ok=True)
            self._tables[name].add(rows)

    def upsert(self, name: str, rows: pa.Table) -> None:
        """Put rows in the place of those with the same id, or add them; all or none, in one commit."""
        with self._writing(name):
            builder = self._tables[name].merge_insert("id")
            builder.when_matched_update_all().when_not_matched_insert_all().execute(rows)

    def delete(self, name: str, column: str, values: Sequence[str]) -> None:
        """Delete the rows whose `column` is one of `values`."""
        for begin in range(0, len(values), 1000):
            listed = ", ".join(quoted(value) for value in values[begin : begin + 1000])
            with self._writing(name):
                self._tables[name].delete(f"{column} IN ({listed})")

    def tidy(self, *, at_end: bool = False) -> None:
        """Join small pieces and drop old versions of the tables where that has become worth while; cheap otherwise.

        Without it 2,000 commits would take 170 MB of version files and half a second to open.
        """
        for name in self._tables:
            commits, version = self._commits.get(name, 0), int(self._tables[name].version)
            if at_end:  # every so many versions, so that many short runs do not pile up either
                due = version // SHORT_RUNS > (version - commits) // SHORT_RUNS and (
                    self._bytes(name) <= SMALL or self.fragments(name) >= self._bearable(name)
                )
            else:
                due = commits >= FEWEST_FRAGMENTS and self.fragments(name) >= self._bearable(name)
            if due:
                self._may_write()
                with _translated(f"the table {name} in {self.folder} cannot be tidied"):
                    self._tables[name].optimize(cleanup_older_than=KEEP)
                self._commits[name] = 0

    def _bearable(self, name: str) -> int:
        """Pieces that a table may lie in before they are joined. Joining rewrites the table (B bytes) every F
        commits, and each commit writes a list of all pieces (some 80 bytes each): B/F + 80 F/2 is least at F =
        sqrt(B/40)."""
        return min(MOST_FRAGMENTS, max(FEWEST_FRAGMENTS, int((self._bytes(name) / 40) ** 0.5)))

    def _bytes(self, name: str) -> int:
        """Size of a table."""
        return int(self._tables[name].stats()["total_bytes"])

    def _query(self, name: str, columns: Sequence[str] | None) -> Any:
        query = self._tables[name].search()
        return query if columns is None else query.select(list(columns))

    def _may_write(self) -> None:
        if self._check is not None:
            self._check()

    @contextmanager
    def _writing(self, name: str) -> Iterator[None]:
        self._may_write()
        with _translated(
            f"the table {name} in {self.folder} cannot be written",
            cure="everything committed before is kept: see to free space and rights there, then run it again",
        ):
            yield
        self._commits[name] = self._commits.get(name, 0) + 1


def quoted(text: str) -> str:
    """`text` as a literal of the tables' condition language."""
    return "'" + text.replace("'", "''") + "'"


def _connect(folder: Location) -> Any:
    import lancedb

    session = lancedb.Session(index_cache_size_bytes=CACHE_BYTES, metadata_cache_size_bytes=CACHE_BYTES)
    if isinstance(folder, Remote):
        return lancedb.connect(str(folder), session=session, storage_options=storage_options())
    return lancedb.connect(folder, session=session)


@contextmanager
def _translated(what: str, *, damaged: bool = False, cure: str | None = None) -> Iterator[None]:
    """The errors of LanceDB, which are of several built-in kinds, as LibraryError in words."""
    try:
        yield
    except (OSError, RuntimeError, ValueError, pa.ArrowException) as error:
        if damaged:
            cure = "the library may be damaged or have just been replaced; open it again, else restore or rebuild it"
        words = next(iter(str(error).splitlines()), "") or type(error).__name__
        words = _RUST_PLACE.sub("", words).removeprefix("lance error: ")
        raise LibraryError(f"{what}: {words[:300]}" + (f"; {cure}" if cure else "")) from error
