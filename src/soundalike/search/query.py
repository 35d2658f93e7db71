"""A query: the vectors of one or several references, made from files, read from the library, or made from texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from soundalike.analysis.analyser import Analyser
from soundalike.analysis.kinds import check_kind
from soundalike.errors import InputError
from soundalike.library.indexing.scan import content_digest
from soundalike.library.indexing.sidecar_files import sidecars_for
from soundalike.library.storage.store import Library
from soundalike.parts import MIX, ordered
from soundalike.search.index.vectors import TAKEN_AT_ONCE, Float32, Table, Vectors
from soundalike.search.vector_statistics import LENGTH_TOLERANCE, same_recordings

LONGEST_TEXT = 1_000
"""Characters of one text; encoders take less than that, and say so themselves."""


@dataclass(frozen=True)
class Query:
    """References as vectors.

    label: for people; whole: True where it is made of loops and one-shots (one `mix` vector each), False for songs;
    parts (K,): those it was made for; starts, ends (N,) s; vectors (N, K, D) float32, zero rows where absent; digests:
    content digests of the references; complete: whether it is one file, all of it; artists, albums: from their tags;
    texts: the N texts it is made of in place of sounds, one vector each (K = 1, under the name of `mix`), seconds 0.
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
    texts: tuple[str, ...] = ()

    def direction(self, part: str) -> NDArray[np.float64]:
        """(D,) what `part` of a row is compared by: the mean over the windows of the unit vectors of the same part, zero
        where absent, so that its product with a unit vector is the mean of the cosines.

        A whole sound is compared by its mix whatever the part, a text by itself. Raises InputError for a part that the
        query was not made for.
        """
        name = MIX if self.whole or self.texts else part
        if name not in self.parts:
            raise InputError(
                f"the query {self.label!r} was made for {', '.join(self.parts)} and knows no {part}; make it again with "
                f"that part"
            )
        return np.asarray(self.vectors[:, self.parts.index(name)].astype(np.float64).mean(axis=0))

    def copies_among(self, vectors: Vectors, may: NDArray[np.bool_]) -> list[int]:
        """The near-identical copies of the (one, complete) reference among the contents (C,) of its table that `may` be
        some, by their places."""
        rows = vectors.rows(self.table)
        if not self.complete or not len(rows.contents):
            return []
        mix = self.vectors[:, self.parts.index(MIX)]
        length = float(self.ends.max())
        last = np.append(rows.first[1:], len(rows)) - 1
        alike = np.abs(rows.ends[last] - length) <= LENGTH_TOLERANCE
        near = np.flatnonzero(may & alike & (last - rows.first + 1 == len(mix)))
        found: list[int] = []
        for some in np.array_split(near, max(1, len(near) * len(mix) // TAKEN_AT_ONCE)):
            inside = (rows.first[some][:, np.newaxis] + np.arange(len(mix))).ravel()
            theirs = vectors.take(self.table, [MIX], inside).reshape(len(some), *mix.shape)
            found += some[same_recordings(mix, theirs)].tolist()
        return found

    @property
    def table(self) -> Table:
        """Where files of its sort are kept."""
        return "wholes" if self.whole else "windows"

    @classmethod
    def joined(cls, queries: Sequence[Self]) -> Self:
        """One query from several, with the parts that all of them have; raises InputError where songs and whole sounds,
        or sounds and texts, are mixed."""
        if len(queries) == 1:
            return queries[0]
        check_same_sort(*queries)
        if len({query.whole for query in queries}) > 1:
            raise InputError("songs and whole sounds (loops, one-shots) cannot be asked for together; ask twice")
        parts = ordered(set(queries[0].parts).intersection(*(query.parts for query in queries)))
        return cls(
            label=" + ".join(query.label for query in queries),
            whole=queries[0].whole,
            parts=parts,
            starts=np.concatenate([query.starts for query in queries]),
            ends=np.concatenate([query.ends for query in queries]),
            vectors=np.concatenate([query._columns(parts) for query in queries]),
            digests=frozenset().union(*(query.digests for query in queries)),
            artists=tuple(dict.fromkeys(name for query in queries for name in query.artists)),
            albums=tuple(dict.fromkeys(name for query in queries for name in query.albums)),
            texts=tuple(text for query in queries for text in query.texts),
        )

    def _columns(self, parts: Sequence[str]) -> Float32:
        return self.vectors[:, [self.parts.index(part) for part in parts]]


def check_same_sort(*queries: Query) -> None:
    """Raise InputError where texts and sounds would count in one score."""
    if len({bool(query.texts) for query in queries}) > 1:
        raise InputError(
            "texts and sounds cannot count together: cosines with a text are small and those with a sound would drown "
            "them; ask twice"
        )


def query_from_texts(analyser: Analyser, texts: Sequence[str]) -> Query:
    """A query from texts; several count by the mean of their cosines. Loads no separator.

    Raises InputError for no text, an empty or overlong one, or an encoder that knows no texts.
    """
    if not texts:
        raise InputError('no text was given; say what it should sound like, such as "dry funk snare"')
    for text in texts:
        if not text.strip():
            raise InputError(f'{text!r} is an empty text; say what it should sound like, such as "dry funk snare"')
        if len(text) > LONGEST_TEXT:
            raise InputError(
                f"a text of {len(text)} characters is too long; {LONGEST_TEXT} are allowed, few words do best"
            )
    vectors = analyser.embed_text(texts)
    return Query(
        label=" + ".join(f'"{text}"' for text in texts),
        whole=False,
        parts=(MIX,),
        starts=np.zeros(len(texts)),
        ends=np.zeros(len(texts)),
        vectors=vectors[:, np.newaxis],
        digests=frozenset(),
        texts=tuple(texts),
    )


def query_from_file(
    analyser: Analyser,
    path: Path,
    *,
    region: tuple[float, float | None] | None = None,
    focus: str | None = None,
    kind: str | None = None,
    parts: Sequence[str] | None = None,
) -> Query:
    """A query from a file: all of it, or a region (start, end in s) of a mixed song.

    parts: those it is to be made for (None: all of the recipe's); what is not needed is neither separated nor embedded.
    A complete file has its mix as well, by which copies of it are recognised.
    """
    if region is None:
        parts = None if parts is None else (*parts, MIX)
        found = analyser.analyse(path, check_kind(kind) if kind else None, with_facts=False, parts=parts)
        label = path.name
    else:
        found = analyser.analyse_region(path, region[0], region[1], focus=focus, parts=parts)
        label = f"{path.name} {found.starts[0]:.2f}-{found.ends[-1]:.2f} s"
    whole = found.kind != "song"
    made = found.parts if parts is None or whole else tuple(part for part in found.parts if part in parts)
    return Query(
        label=label,
        whole=whole,
        parts=made,
        starts=found.starts,
        ends=found.ends,
        vectors=found.vectors[:, [found.parts.index(part) for part in made]],
        digests=frozenset([content_digest(path, sidecars_for(analyser.recipe))]),
        complete=region is None,
        artists=(found.tags.artist,) if found.tags.artist else (),
        albums=(found.tags.album,) if found.tags.album else (),
    )


def query_from_item(library: Library, item: Mapping[str, Any], *, parts: Sequence[str] | None = None) -> Query:
    """A query from an item of the library: its stored vectors, nothing is decoded; `parts` as in `query_from_file`."""
    whole = item["kind"] != "song"
    made = ordered(library.recipe.parts if parts is None else {*parts, MIX})
    parts = (MIX,) if whole else made
    read = library.clips if whole else library.windows
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
