"""A query: the vectors of one or several references, made from files or read from the library."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from soundalike.analysis import Analyser
from soundalike.errors import InputError
from soundalike.kinds import check_kind
from soundalike.library.neighbours import LENGTH_TOLERANCE, same_recording
from soundalike.library.scan import content_digest
from soundalike.library.search import Float32, Table, Vectors
from soundalike.library.store import Library
from soundalike.parts import MIX, ordered


@dataclass(frozen=True)
class Query:
    """References as vectors.

    label: for people; whole: True where it is made of loops and one-shots (one `mix` vector each), False for songs;
    parts (K,); starts, ends (N,) s; vectors (N, K, D) float32, zero rows where absent; digests: content digests of
    the references; complete: whether it is one file, all of it; artists, albums: from their tags.
    """

    label: str
    whole: bool
    parts: tuple[str, ...]
    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    vectors: Float32
    digests: frozenset[str]
    complete: bool = False
    artists: tuple[str, ...] = ()
    albums: tuple[str, ...] = ()

    def mean(self, part: str) -> NDArray[np.float64]:
        """(D,) mean over the windows of the unit vectors of `part`, zero where absent: its product with a unit vector
        is the mean of the cosines."""
        if part not in self.parts:
            return np.zeros(self.vectors.shape[2])
        return np.asarray(self.vectors[:, self.parts.index(part)].astype(np.float64).mean(axis=0))

    def copies_among(self, vectors: Vectors, contents: Iterable[str]) -> list[str]:
        """Those of `contents` that are near-identical copies of the (one, complete) reference."""
        if not self.complete:
            return []
        length = float(self.ends.max())
        table: Table = "wholes" if self.whole else "windows"
        rows = vectors.rows(table)
        wanted = set(contents)
        mix = self.vectors[:, self.parts.index(MIX)]
        if not len(rows.contents):
            return []
        last = np.append(rows.first[1:], len(rows.starts)) - 1
        near = np.flatnonzero(np.abs(rows.ends[last] - length) <= LENGTH_TOLERANCE)
        found = []
        for index in near:
            inside = rows.of_content(int(index))
            theirs = vectors.column(table, MIX)[inside.start : inside.stop]
            if rows.contents[index] in wanted and same_recording(mix, theirs, length, float(rows.ends[last[index]])):
                found.append(rows.contents[index])
        return found

    @classmethod
    def joined(cls, queries: Sequence[Self]) -> Self:
        """One query from several; raises InputError where songs and whole sounds are mixed."""
        if len(queries) == 1:
            return queries[0]
        if len({query.whole for query in queries}) > 1:
            raise InputError("songs and whole sounds (loops, one-shots) cannot be asked for together; ask twice")
        return cls(
            label=" + ".join(query.label for query in queries),
            whole=queries[0].whole,
            parts=queries[0].parts,
            starts=np.concatenate([query.starts for query in queries]),
            ends=np.concatenate([query.ends for query in queries]),
            vectors=np.concatenate([query.vectors for query in queries]),
            digests=frozenset().union(*(query.digests for query in queries)),
            artists=tuple(dict.fromkeys(name for query in queries for name in query.artists)),
            albums=tuple(dict.fromkeys(name for query in queries for name in query.albums)),
        )


def query_from_file(
    analyser: Analyser,
    path: Path,
    *,
    region: tuple[float, float | None] | None = None,
    focus: str | None = None,
    kind: str | None = None,
) -> Query:
    """A query from a file: all of it, or a region (start, end in s) of a mixed song."""
    if region is None:
        found = analyser.analyse(path, check_kind(kind) if kind else None, with_facts=False)
        label = path.name
    else:
        found = analyser.analyse_region(path, region[0], region[1], focus=focus)
        label = f"{path.name} {found.starts[0]:.2f}-{found.ends[-1]:.2f} s"
    return Query(
        label=label,
        whole=found.parts == (MIX,),
        parts=found.parts,
        starts=found.starts,
        ends=found.ends,
        vectors=found.vectors,
        digests=frozenset([content_digest(path)]),
        complete=region is None,
        artists=(found.tags.artist,) if found.tags.artist else (),
        albums=(found.tags.album,) if found.tags.album else (),
    )


def query_from_item(library: Library, item: Mapping[str, Any]) -> Query:
    """A query from an item of the library: its stored vectors, nothing is decoded."""
    whole = item["kind"] != "song"
    parts = (MIX,) if whole else ordered(library.recipe.parts)
    read = library.wholes if whole else library.windows
    rows = read(["content", "start", "end", *parts], content=item["content"])
    order = np.argsort(rows["start"].to_numpy(), kind="stable")
    vectors = np.stack([library.as_vectors(rows[part]) for part in parts], axis=1)[order].astype(np.float32)
    return Query(
        label=f"{item['root']}/{item['path']}",
        whole=whole,
        parts=parts,
        starts=np.asarray(rows["start"].to_numpy(), dtype=np.float64)[order],
        ends=np.asarray(rows["end"].to_numpy(), dtype=np.float64)[order],
        vectors=vectors,
        digests=frozenset([item["content"].partition(":")[0]]),
        complete=True,
        artists=(item["artist"],) if item["artist"] else (),
        albums=(item["album"],) if item["album"] else (),
    )
