"""An open library: its tables, for reading (`Library`) and for writing (`Tables`).

A `Library` is a snapshot of the moment it was opened: it shows the same rows as long as it lives, while an indexing run
continues (the versions it refers to are kept for `KEEP`). Open it again to see new rows.
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
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from soundalike.analysis.recipe import Recipe, licences
from soundalike.config import cache_folder
from soundalike.errors import LibraryError
from soundalike.library.storage import schema as layout
from soundalike.library.storage.lance_table import LanceTable, TableFolder
from soundalike.library.storage.lease import check_conditions
from soundalike.library.storage.location import Location, Remote, as_location, replace_text
from soundalike.library.storage.manifest import (
    FILE_NAME,
    GENERATION,
    Manifest,
    generation_folder,
    how_to_make_again,
    read_manifest,
    write_manifest,
)

KEEP = timedelta(minutes=10)
"""How long old versions of tables are kept, for processes that still read them."""

_RUST_PLACE = re.compile(r",? ?/\S+\.rs:\d+:\d+")

FEWEST_FRAGMENTS = 64
MOST_FRAGMENTS = 1024
"""Every commit leaves one fragment; between these bounds, depending on the size of the table, they are compacted."""

MADE_BY = "made-by"
"""File in a generation's folder, written when all its tables are there: the fingerprint of their recipe."""

SHORT_RUNS = 16
SMALL = 16 << 20
"""At the end of a run a table of up to so many bytes is compacted whenever its version number has passed a multiple of
`SHORT_RUNS`. A larger one is not: rewriting it would make adding a file expensive."""


class Library:
    """A library, opened for reading.

    path: its folder, remote or not; recipe: how its vectors were made; roots: name -> folder; generation: number of its
    tables; licences: of the models whose vectors it holds; excluded: patterns of what is kept out.
    """

    def __init__(self, path: Location, manifest: Manifest, tables: Tables) -> None:
        self.path = path
        self.recipe = manifest.recipe
        self.roots = dict(manifest.roots)
        self.licences = dict(manifest.licences)
        self.generation = manifest.generation
        self.excluded = manifest.excluded
        self._tables = tables

    @classmethod
    def create(cls, path: Location, recipe: Recipe) -> Self:
        """Make an empty library in the folder `path` and open it. The caller holds the write lock.

        Raises LibraryError if `path` is a library already, or holds other things.
        """
        if (path / FILE_NAME).exists():
            raise LibraryError(f"{path} is a library already; open it, or choose another folder")
        refuse_other_things(path)
        if isinstance(path, Remote):
            check_conditions(path)
        # `library.json` comes last: without it the folder is not a library, whatever else a crash left in it.
        create_tables(generation_folder(path, 1), recipe)
        write_manifest(path, Manifest(recipe=recipe, roots={}, licences=licences(recipe)))
        return cls.open(path)

    @classmethod
    def open(cls, path: str | Location) -> Self:
        """Open the library in the folder `path`. Raises LibraryError if there is none, or it is damaged."""
        path = as_location(path)
        manifest = read_manifest(path)
        return cls(path, manifest, Tables(generation_folder(path, manifest.generation), manifest.recipe))

    @property
    def version(self) -> tuple[int, ...]:
        """Generation and table versions: identifies the state of the tables, for files derived from them."""
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

    def clips(self, columns: Sequence[str], *, content: str | None = None) -> pa.Table:
        """The given columns of loops and one-shots, in stored order; of one content if given."""
        return self._tables.read(layout.CLIPS, columns, content=content)

    def vectors(self, table: str, part: str) -> NDArray[np.float16]:
        """All vectors (N, D) of `part` in `windows` or `clips`, in stored order.

        Read in batches into one array: the memory it takes is that of the array.
        """
        return self._tables.vectors(table, part)

    def take(self, table: str, positions: NDArray[np.int64], parts: Sequence[str]) -> dict[str, NDArray[np.float16]]:
        """Vectors (M, D) by part of the rows at some positions of the stored order, in the order of `positions`."""
        return self._tables.take(table, positions, parts)

    def stream(self, table: str, columns: Sequence[str]) -> pa.RecordBatchReader:
        """The given columns of `windows` or `clips`, batch by batch, in stored order."""
        return self._tables.batches(table, columns)

    def peaks(self, contents: Sequence[str]) -> pa.Table:
        """The waveform overviews that exist of these contents (`schema.PEAKS_SCHEMA`)."""
        if not contents or not self._tables.has(layout.PEAKS):
            return layout.PEAKS_SCHEMA.empty_table()
        return self._tables.read(layout.PEAKS, where=f"content IN ({', '.join(map(quoted, contents))})")

    def contents_with_peaks(self) -> list[str]:
        """The contents that have waveform overviews."""
        if not self._tables.has(layout.PEAKS):
            return []
        return list(self._tables.read(layout.PEAKS, ["content"])["content"].to_pylist())

    @staticmethod
    def as_vectors(column: pa.Array | pa.ChunkedArray) -> NDArray[np.float16]:
        """A vector column of a table read here as (N, D)."""
        return layout.vectors_of(column)

    def absolute(self, root: str, path: str) -> Location:
        """Where the file of an item is (or was)."""
        return self.roots[root] / path if root else Path(path)  # imported items have no root

    def derived_path(self, name: str) -> Path:
        """The path for a file derived from the tables, which may be deleted at any time: beside them, or, if they are remote,
        in this machine's cache."""
        folder = generation_folder(self.path, self.generation)
        if isinstance(folder, Remote):
            folder = _derived_folder(folder)
        return folder / name

    def size_on_disk(self) -> int:
        """Size of the library in bytes, including older versions of its tables."""
        if isinstance(self.path, Remote):
            return sum(facts.st_size for _, facts in self.path.files())
        return folder_size(self.path)


def _derived_folder(place: Remote) -> Path:
    """A folder of this machine for what is derived from a remote place; created if needed."""
    key = hashlib.blake2b(str(place).encode(), digest_size=8).hexdigest()
    folder = cache_folder() / "derived" / f"{place.parent.name}-{key}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LibraryError(
            f"the cache {folder} cannot be created ({error.strerror}); name another folder in SOUNDALIKE_CACHE"
        ) from error
    return folder


def holds_nothing(library: Location, manifest: Manifest) -> bool:
    """Whether a library has no items and no vectors, so that its recipe binds nothing yet.

    Raises LibraryError if a table is missing or damaged.
    """
    tables = Tables(generation_folder(library, manifest.generation), manifest.recipe)
    return not any(tables.count(name) for name in (layout.ITEMS, layout.WINDOWS, layout.CLIPS))


FOLDERS_OF_ANSWERS = ("listening", "listening-tests")
"""Folders in a library with what people have answered."""


def refuse_other_things(path: Location) -> None:
    """Raise LibraryError if `path` is a file, or a folder with anything that does not belong to a library, complete or not."""
    if isinstance(path, Path) and path.exists() and not path.is_dir():
        raise LibraryError(f"{path} is not a folder, so it cannot be a library; name a folder with --library")
    for name in _names_in(path):
        ours = name.startswith(("write.lock", "write.lease", GENERATION, FILE_NAME))
        if not ours and name not in FOLDERS_OF_ANSWERS:
            raise LibraryError(
                f"{path} contains other files ({name}); name a folder that is empty or new with --library"
            )


def _names_in(folder: Location) -> list[str]:
    if isinstance(folder, Remote):
        return folder.names()
    return sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []


def folder_size(folder: Path) -> int:
    """Bytes of the files under `folder`; files that vanish in the meantime do not count."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(parent, name)).st_size
            except FileNotFoundError:
                continue
    return total


def create_tables(folder: Location, recipe: Recipe) -> None:
    """Create the empty tables of a generation; those that a crash left there are replaced."""
    with _translated(f"the tables in {folder} cannot be created"):
        if isinstance(folder, Remote):
            folder.delete_all()
        else:
            if folder.exists():
                shutil.rmtree(folder)
            folder.mkdir(parents=True)
        tables = TableFolder(folder)
        for name, schema in layout.schemas(recipe).items():
            tables.create(layout.stored_name(name), schema)
    replace_text(folder / MADE_BY, recipe.fingerprint() + "\n")


class Tables:
    """The tables of one generation: reads show the state at opening, or after its own last write."""

    def __init__(self, folder: Location, recipe: Recipe, check: Callable[[], None] | None = None) -> None:
        """Open the tables. check: called before each commit, raises if this process may no longer write (see `lock.writing`).

        Raises LibraryError if a table is missing or damaged.
        """
        self._check = check
        self.folder = folder
        self.recipe = recipe
        self._commits: dict[str, int] = {}
        if not folder.is_dir():
            raise LibraryError(f"{folder} is missing, so the library is damaged; {how_to_make_again(folder.parent)}")
        with _translated(f"the tables in {folder} cannot be opened", damaged=True):
            self._folder = TableFolder(folder)
            # Items first: a row of items is written after its vectors, so whatever this snapshot of `items` points to
            # is in the snapshot of the vectors, which is taken later.
            self._tables = {
                name: self._folder.open(layout.stored_name(name))
                for name in (layout.ITEMS, layout.SKIPPED, layout.WINDOWS, layout.CLIPS)
            }
            if self._folder.has(layout.PEAKS):
                self._tables[layout.PEAKS] = self._folder.open(layout.PEAKS)
            for name, schema in layout.schemas(recipe).items():
                if set(self._table(name).column_names) != set(schema.names):
                    raise LibraryError(
                        f"the table {name} in {folder} does not have the columns of its recipe, so the library is "
                        f"damaged; {how_to_make_again(folder.parent)}"
                    )

    def _table(self, name: str) -> LanceTable:
        """An open table."""
        return self._tables[name]

    def versions(self) -> tuple[int, ...]:
        """Version numbers of the tables, in the order of `schema.TABLES`."""
        return tuple(self._table(name).version for name in layout.TABLES)

    def has(self, name: str) -> bool:
        """Whether there is such a table: an older library has no `peaks` until something is written there."""
        return name in self._tables

    def fragments(self, name: str) -> int:
        """Number of fragments of a table."""
        return self._table(name).fragments()

    def count(self, name: str) -> int:
        """Number of rows."""
        return self._table(name).count()

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
            return self._table(name).read(columns, where)

    def batches(self, name: str, columns: Sequence[str] | None = None) -> pa.RecordBatchReader:
        """All rows, streamed, in stored order."""
        with _translated(f"the table {name} in {self.folder} cannot be read", damaged=True):
            return self._table(name).batches(columns)

    def vectors(self, name: str, part: str) -> NDArray[np.float16]:
        """See `Library.vectors`."""
        filled = 0
        with _translated(f"the table {name} in {self.folder} cannot be read", damaged=True):
            vectors = np.empty((self.count(name), self.recipe.dimension), dtype=np.float16)
            for batch in self._table(name).batches([part]):
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
            rows = self._table(name).take(wanted.tolist(), parts)
        if rows.num_rows != len(wanted):
            raise LibraryError(
                f"the table {name} in {self.folder} gave {rows.num_rows} rows of {len(wanted)}; open the library again"
            )
        return {part: layout.vectors_of(rows[part])[back] for part in parts}

    def append(self, name: str, rows: pa.Table | pa.RecordBatchReader) -> None:
        """Add rows, all or none, in one commit. Raises LibraryError if that fails (a full disk)."""
        with self._writing(name):
            if name == layout.PEAKS and not self.has(name):
                self._tables[name] = self._folder.create(name, layout.PEAKS_SCHEMA)
            self._table(name).append(rows)

    def upsert(self, name: str, rows: pa.Table) -> None:
        """Replace the rows with the same ids, or add them; all or none, in one commit."""
        with self._writing(name):
            self._table(name).upsert(rows, key="id")

    def delete(self, name: str, column: str, values: Sequence[str]) -> None:
        """Delete the rows whose `column` is one of `values`."""
        for begin in range(0, len(values), 1000):
            listed = ", ".join(quoted(value) for value in values[begin : begin + 1000])
            with self._writing(name):
                self._table(name).delete(f"{column} IN ({listed})")

    def compact(self, *, at_end: bool = False) -> None:
        """Join small fragments and delete old versions of the tables where that pays off; cheap otherwise.

        Without it 2,000 commits would take 170 MB of version files and half a second to open.
        """
        for name in self._tables:
            commits, version = self._commits.get(name, 0), self._table(name).version
            if at_end:  # every so many versions, so that many short runs do not accumulate either
                due = version // SHORT_RUNS > (version - commits) // SHORT_RUNS and (
                    self._bytes(name) <= SMALL or self.fragments(name) >= self._max_fragments(name)
                )
            else:
                due = commits >= FEWEST_FRAGMENTS and self.fragments(name) >= self._max_fragments(name)
            if due:
                self._may_write()
                with _translated(f"the table {name} in {self.folder} cannot be compacted"):
                    self._table(name).compact(KEEP)
                self._commits[name] = 0

    def _max_fragments(self, name: str) -> int:
        """Fragments that a table may have before they are joined. Joining rewrites the table (B bytes) every F commits, and
        each commit writes a list of all fragments (some 80 bytes each): B/F + 80 F/2 is least at F = sqrt(B/40)."""
        return min(MOST_FRAGMENTS, max(FEWEST_FRAGMENTS, int((self._bytes(name) / 40) ** 0.5)))

    def _bytes(self, name: str) -> int:
        """Size of a table."""
        return self._table(name).data_bytes()

    def _may_write(self) -> None:
        if self._check is not None:
            self._check()

    @contextmanager
    def _writing(self, name: str) -> Iterator[None]:
        self._may_write()
        with _translated(
            f"the table {name} in {self.folder} cannot be written",
            solution="everything committed before is kept: check free space and permissions there, then run it again",
        ):
            yield
        self._commits[name] = self._commits.get(name, 0) + 1


def quoted(text: str) -> str:
    """`text` as a literal of the tables' condition language."""
    return "'" + text.replace("'", "''") + "'"


@contextmanager
def _translated(what: str, *, damaged: bool = False, solution: str | None = None) -> Iterator[None]:
    """Raise Lance's errors, which are of several built-in types, as LibraryError with a readable message."""
    try:
        yield
    except (OSError, RuntimeError, ValueError, pa.ArrowException) as error:
        if damaged:
            solution = (
                "the library may be damaged or have just been replaced; open it again, else restore or rebuild it"
            )
        message = next(iter(str(error).splitlines()), "") or type(error).__name__
        message = _RUST_PLACE.sub("", message).removeprefix("lance error: ")
        raise LibraryError(f"{what}: {message[:300]}" + (f"; {solution}" if solution else "")) from error
