"""All items of a library, column by column: which of them fulfil conditions, and which share a content.

Every search filters all items, so nothing here loops over items in Python, except to match a pattern against each path.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from cachetools import LRUCache
from numpy.typing import NDArray

from soundalike.audio.metadata.class_names import CLASSES
from soundalike.audio.metadata.keys import compatible
from soundalike.library.indexing.scopes import printable
from soundalike.library.storage.item_parts import digest_of, digest_of_file
from soundalike.search.filters import Filters
from soundalike.search.name_matching import fold, path_matcher

Mask = NDArray[np.bool_]
Indices = NDArray[np.int64]

MASKS = 16
"""Results of filters that are cached."""


class Catalogue:
    """The items of a library, ordered by id; an item's number is its position. Safe to use from several threads.

    contents: the different contents, ascending; content_of (I,): each item's index into them.
    """

    def __init__(self, items: pa.Table, classes: Callable[[], NDArray[np.int8]] | None = None) -> None:
        """items: the table `items`, all columns, in any order; classes: gives the classes (I,) of its items, ordered by id, as
        positions in `CLASSES`, for filters that name some (without it no item has one)."""
        # One chunk per column: picking rows from the many chunks of many commits is slow.
        self._table = items.take(pc.sort_indices(items["id"])).combine_chunks()
        encoded = pc.dictionary_encode(_flat(self._table["content"]))
        order = pc.sort_indices(encoded.dictionary)
        rank = np.empty(len(order), dtype=np.int64)
        rank[order.to_numpy()] = np.arange(len(order))
        self.contents: pa.StringArray = encoded.dictionary.take(order)
        self.content_of: Indices = rank[encoded.indices.to_numpy()] if len(items) else np.empty(0, dtype=np.int64)
        self._by_content = np.argsort(self.content_of, kind="stable")
        self._first = np.searchsorted(self.content_of[self._by_content], np.arange(len(self.contents) + 1))
        self._classes = classes
        self._masks: LRUCache[Filters, Mask] = LRUCache(MASKS)
        self._paths: list[str] | None = None
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def item(self, number: int) -> dict[str, Any]:
        """An item with all its columns."""
        return self.items([number])[0]

    def items(self, numbers: Sequence[int] | Indices) -> list[dict[str, Any]]:
        """Items with all their columns, in the order of `numbers`."""
        chosen = self._table.take(pa.array(np.asarray(numbers, dtype=np.int64)))
        return [dict(row) for row in chosen.to_pylist()]

    def column(self, name: str) -> pa.Array:
        """One column of all items."""
        return _flat(self._table[name])

    def with_id(self, item_id: str) -> int | None:
        """The number of the item with this id."""
        return _only(pc.index(self._table["id"], printable(item_id)).as_py())

    def with_path(self, root: str, path: str) -> int | None:
        """The number of the item with this path under this root; if none has, of one whose path only composes its characters
        differently (file names of macOS)."""
        root, path = printable(root), printable(path)  # Arrow holds no other texts
        in_root = pc.equal(self._table["root"], root)
        number = _only(pc.index(pc.and_(pc.equal(self._table["path"], path), in_root), True).as_py())
        if number is not None or path.isascii():
            return number
        composed = pc.equal(pc.utf8_normalize(self.column("path"), "NFC"), unicodedata.normalize("NFC", path))
        return _only(pc.index(pc.and_(composed, in_root.combine_chunks()), True).as_py())

    def of_content(self, content: int) -> Indices:
        """The numbers of the items with that content (an index into `contents`), ascending."""
        return np.asarray(self._by_content[self._first[content] : self._first[content + 1]], dtype=np.int64)

    def with_content(self, content: str) -> Indices:
        """The numbers of the items with that content, ascending."""
        place = _first_not_before(self.contents, content)
        known = place < len(self.contents) and self.contents[place].as_py() == content
        return self.of_content(place) if known else np.empty(0, dtype=np.int64)

    def with_digests(self, digests: frozenset[str]) -> Indices:
        """The numbers of the items whose content has one of these digests, whatever kind they were indexed as, and of the
        tracks of a file that has one."""
        numbers: list[int] = []
        for digest in sorted(digests):
            # A content is its digest, `digest:kind`, or that of a track, `digest#seconds`; `#` is before `:` and `;` after it.
            begin = _first_not_before(self.contents, digest)
            end = _first_not_before(self.contents, digest + ";")
            for content in range(begin, end):
                found = self.contents[content].as_py()
                if digest in (digest_of(found), digest_of_file(found)):
                    numbers += self.of_content(content).tolist()
        return np.array(sorted(numbers), dtype=np.int64)

    def admitted(self, filters: Filters) -> Mask:
        """(I,) which items fulfil `filters`, as `Filters.admits` decides for each. Read-only."""
        with self._lock:
            mask: Mask | None = self._masks.get(filters)
        if mask is None:
            mask = self._admitted(filters)
            mask.flags.writeable = False
            with self._lock:
                self._masks[filters] = mask
        return mask

    def _admitted(self, filters: Filters) -> Mask:
        mask = np.ones(len(self), dtype=bool)
        if filters.kinds:
            mask &= self._where("kind", lambda kind: kind in filters.kinds)
        low, high = filters.durations
        if low is not None or high is not None:
            duration = self._numbers("duration")
            mask &= (duration >= (-np.inf if low is None else low)) & (duration <= (np.inf if high is None else high))
        if filters.tempo is not None:
            tempo = self._numbers("tempo")
            least, most = filters.tempo
            mask &= np.any([(least <= tempo * factor) & (tempo * factor <= most) for factor in (0.5, 1, 2)], axis=0)
        if filters.key is not None:
            wanted = filters.key
            mask &= self._where("key", lambda key: compatible(key, wanted))
        if filters.classes:
            wanted_codes = [CLASSES.index(name) for name in filters.classes]
            mask &= np.isin(self._classes(), wanted_codes) if self._classes is not None else False
        if filters.paths:
            folded_paths = self._folded()
            mask &= np.fromiter(map(path_matcher(filters.paths), folded_paths), bool, len(folded_paths))
        for name, unwanted in (("artist", filters.not_artists), ("album", filters.not_albums)):
            if unwanted:
                folded = {fold(value) for value in unwanted}
                mask &= ~self._where(name, folded.__contains__, fold)
        return mask

    def containing(self, text: str) -> Mask:
        """(I,) which items contain `text` in their path, which begins with the name of their root, title or artist; names are
        compared with `fold`."""
        wanted = fold(text)
        mask = np.fromiter((wanted in path for path in self._folded()), bool, len(self))
        for name in ("title", "artist"):
            mask |= self._where(name, lambda value: wanted in value, fold)
        return mask

    def in_order_of_path(self, numbers: Indices) -> Indices:
        """`numbers` ordered by root, then path."""
        chosen = self._table.select(["root", "path"]).take(pa.array(numbers))
        order = pc.sort_indices(chosen, sort_keys=[("root", "ascending"), ("path", "ascending")])
        return np.asarray(numbers[order.to_numpy()])

    def _where(self, name: str, condition: Callable[[str], bool], normalise: Callable[[str], str] = str) -> Mask:
        """(I,) for which items a condition on a (normalised) text holds, evaluated once for each different text; False where
        null."""
        encoded = pc.dictionary_encode(self.column(name))
        holds = np.array(
            [condition(normalise(value)) for value in encoded.dictionary.to_pylist()] + [False], dtype=bool
        )
        return np.asarray(holds[encoded.indices.fill_null(len(holds) - 1).to_numpy(zero_copy_only=False)], dtype=bool)

    def _numbers(self, name: str) -> NDArray[np.float64]:
        """A column of numbers; NaN where null, for which every comparison is False."""
        values = pc.fill_null(pc.cast(self.column(name), pa.float64()), float("nan"))
        return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)

    def _folded(self) -> list[str]:
        """Root and path of all items, folded."""
        if self._paths is None:
            roots, paths = self.column("root").to_pylist(), self.column("path").to_pylist()
            self._paths = [fold(f"{root}/{path}") for root, path in zip(roots, paths, strict=True)]
        return self._paths


def _flat(column: pa.ChunkedArray) -> pa.Array:
    """A column in one chunk."""
    joined = column.combine_chunks()
    return joined.chunk(0) if isinstance(joined, pa.ChunkedArray) else joined


def _first_not_before(texts: pa.StringArray, wanted: str) -> int:
    """The first position in ascending `texts` whose text is not before `wanted`."""
    low, high = 0, len(texts)
    while low < high:
        middle = (low + high) // 2
        if texts[middle].as_py() < wanted:
            low = middle + 1
        else:
            high = middle
    return low


def _only(index: int) -> int | None:
    return None if index < 0 else index
