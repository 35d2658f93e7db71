"""A query: the vectors of one or several references, computed from files, read from the library, or computed from texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from soundalike.analysis.kinds import Kind, check_kind
from soundalike.audio.file_part import part_of_address
from soundalike.audio.metadata.class_names import class_of_item, class_of_path, nearest_names
from soundalike.errors import InputError
from soundalike.library.indexing.content_digest import content_digest
from soundalike.library.indexing.sidecar_files import sidecars_for
from soundalike.library.storage.item_parts import digest_of, track_digest
from soundalike.library.storage.store import Library
from soundalike.parts import MIX, ordered
from soundalike.search.index.table_rows import CLIPS, WINDOWS, Float32, Table
from soundalike.search.region_shares import RegionShares, region_shares

if TYPE_CHECKING:
    from soundalike.analysis.analyser import Analyser
    from soundalike.analysis.recipe import Recipe


Value = TypeVar("Value")

LONGEST_TEXT = 1_000
"""Characters of one text. Encoders take less, and report it themselves."""


@dataclass(frozen=True)
class Query:
    """References as vectors.

    label: for people; is_clip: True for loops and one-shots (one `mix` vector each), False for songs; parts (K,): the parts
    that it has vectors of; starts, ends (N,) s; vectors (N, K, D) float32, zeros where absent; digests: content digests of the
    references; complete: whether it is one whole file; artists, albums: from the references' tags; texts: the N texts it was
    made from in place of sounds, one vector each (K = 1, under the name `mix`), with seconds 0; kind: of the whole file that it
    is, if it is one; sound_class: of a one-shot, if its name states it; region_shares: by part, what counts where it is compared
    with clips, if it was heard in a song (`region_shares.REGION_SHARES`).
    """

    label: str
    is_clip: bool
    parts: tuple[str, ...]
    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    vectors: Float32 = field(repr=False)
    digests: frozenset[str]
    complete: bool = False
    artists: tuple[str, ...] = ()
    albums: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    kind: Kind | None = None
    sound_class: str | None = None
    region_shares: Mapping[str, RegionShares] = field(default_factory=dict)

    def among(self, table: Table, part: str) -> NDArray[np.float64]:
        """(D,) the vector that rows of `table` are compared with for `part`: that of `direction`, and for what was heard in a
        song among clips by its shares. Raises as `direction` does."""
        stem = self.direction(part)
        shares = self.region_shares.get(MIX if self.is_clip else part)
        if table != CLIPS or shares is None or not stem.any():
            return stem
        return shares.combined(stem, self.direction(MIX) if MIX in self.parts else stem)

    def direction(self, part: str) -> NDArray[np.float64]:
        """(D,) the vector that `part` of a row is compared with: the mean over the windows of the unit vectors of the same
        part, zeros where absent, so that its product with a unit vector is the mean of the cosines.

        A clip is compared by its mix whatever the part, a text by itself. Raises InputError for a part that the query has no
        vectors of.
        """
        name = MIX if self.is_clip or self.texts else part
        if name not in self.parts:
            raise InputError(
                f"the query {self.label!r} was made for {', '.join(self.parts)} and has no {part}; make it again with that part"
            )
        return np.asarray(self.vectors[:, self.parts.index(name)].astype(np.float64).mean(axis=0))

    @property
    def mix(self) -> Float32:
        """(N, D) the vectors of the mix."""
        return self.vectors[:, self.parts.index(MIX)]

    @property
    def table(self) -> Table:
        """The table that holds files of its type."""
        return CLIPS if self.is_clip else WINDOWS

    @classmethod
    def joined(cls, queries: Sequence[Self]) -> Self:
        """One query from several, with the parts that all of them have. Raises InputError where songs and clips, or sounds and
        texts, are combined."""
        if len(queries) == 1:
            return queries[0]
        check_same_type(*queries)
        if len({query.is_clip for query in queries}) > 1:
            raise InputError("songs and clips (loops, one-shots) cannot be combined in one search; search twice")
        parts = ordered(set(queries[0].parts).intersection(*(query.parts for query in queries)))
        return cls(
            label=" + ".join(query.label for query in queries),
            is_clip=queries[0].is_clip,
            parts=parts,
            starts=np.concatenate([query.starts for query in queries]),
            ends=np.concatenate([query.ends for query in queries]),
            vectors=np.concatenate([query._columns(parts) for query in queries]),
            digests=frozenset().union(*(query.digests for query in queries)),
            artists=tuple(dict.fromkeys(name for query in queries for name in query.artists)),
            albums=tuple(dict.fromkeys(name for query in queries for name in query.albums)),
            texts=tuple(text for query in queries for text in query.texts),
            kind=_common([query.kind for query in queries]),
            sound_class=_common([query.sound_class for query in queries]),
            region_shares={
                part: RegionShares.least([query.region_shares[part] for query in queries])
                for part in parts
                if all(part in query.region_shares for query in queries)
            },
        )

    def called(self, name: str) -> Self:
        """The same query of a file called `name` (a path with `/`, of which the file and two folders count), with the class that
        this states if it is a one-shot."""
        stated = class_of_path(nearest_names(name)) if self.kind == "one-shot" else None
        return replace(self, sound_class=stated)

    def _columns(self, parts: Sequence[str]) -> Float32:
        return self.vectors[:, [self.parts.index(part) for part in parts]]


QUERY_TYPES = (Query, RegionShares)
"""The types that a query is made of, for processes that send it."""


def _common(values: Sequence[Value | None]) -> Value | None:
    """The value that all share."""
    return values[0] if len(set(values)) == 1 else None


def check_same_type(*queries: Query) -> None:
    """Raise InputError where texts and sounds would count in one score."""
    if len({bool(query.texts) for query in queries}) > 1:
        raise InputError(
            "texts and sounds cannot be combined in one score: cosines with a text are small, and those with a sound would "
            "drown them; search twice"
        )


def check_texts(texts: Sequence[str]) -> None:
    """Raise InputError for an empty or overlong text."""
    for text in texts:
        if not text.strip():
            raise InputError(f'{text!r} is an empty text; describe a sound, such as "dry funk snare"')
        if len(text) > LONGEST_TEXT:
            raise InputError(
                f"a text of {len(text)} characters is too long; {LONGEST_TEXT} are allowed, and a few words work best"
            )


def query_from_texts(analyser: Analyser, texts: Sequence[str]) -> Query:
    """A query from texts; several count by the mean of their cosines. Loads no separator.

    Raises InputError for an empty or overlong text, or an encoder without text.
    """
    check_texts(texts)
    vectors = analyser.embed_text(texts)
    return Query(
        label=" + ".join(f'"{text}"' for text in texts),
        is_clip=False,
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

    focus: the stem to whose onset a short region snaps; kind: what the file is, instead of an estimate; parts: those to compute
    (None: all of the recipe's); what is not needed is neither separated nor embedded. A whole file has its mix as well, by
    which copies of it are recognised, and a region where `REGION_SHARES` counts it. Raises InputError and AudioError as
    `Analyser.analyse` does.
    """
    recipe = analyser.recipe
    with_mix = region is None or bool(region_shares(recipe, 0.0))
    if parts is not None and with_mix:
        parts = (*parts, MIX)
    if region is None:
        analysis = analyser.analyse(path, check_kind(kind) if kind else None, with_facts=False, parts=parts)
        label = path.name
    else:
        analysis = analyser.analyse_region(path, region[0], region[1], focus=focus, parts=parts)
        label = f"{path.name} {analysis.starts[0]:.2f}-{analysis.ends[-1]:.2f} s"
    shares = {} if region is None else region_shares(recipe, float(analysis.ends[-1] - analysis.starts[0]))
    is_clip = analysis.kind != "song"
    kept = analysis.parts if parts is None or is_clip else tuple(part for part in analysis.parts if part in parts)
    return Query(
        label=label,
        is_clip=is_clip,
        parts=kept,
        starts=analysis.starts,
        ends=analysis.ends,
        vectors=analysis.vectors[:, [analysis.parts.index(part) for part in kept]],
        digests=frozenset([file_digest(path, analyser.recipe)]),
        complete=region is None,
        kind=analysis.kind if region is None else None,
        artists=(analysis.tags.artist,) if analysis.tags.artist else (),
        albums=(analysis.tags.album,) if analysis.tags.album else (),
        region_shares={part: share for part, share in shares.items() if part in kept},
    )


def file_digest(path: Path, recipe: Recipe) -> str:
    """The content digest of the item that a file, or part of one, would be."""
    part = part_of_address(path)
    digest = content_digest(part.file, sidecars_for(recipe))
    return track_digest(digest, part.start, part.end) if part.is_excerpt else digest


def query_from_item(library: Library, item: Mapping[str, Any], *, parts: Sequence[str] | None = None) -> Query:
    """A query from an item of the library: its stored vectors, nothing is decoded; `parts` as in `query_from_file`."""
    is_clip = item["kind"] != "song"
    parts = (MIX,) if is_clip else ordered(library.recipe.parts if parts is None else {*parts, MIX})
    read = library.clips if is_clip else library.windows
    rows = read(["content", "start", "end", *parts], content=item["content"])
    order = np.argsort(rows["start"].to_numpy(), kind="stable")
    vectors = np.stack([library.as_vectors(rows[part]) for part in parts], axis=1)[order].astype(np.float32)
    return Query(
        label=f"{item['root']}/{item['path']}",
        is_clip=is_clip,
        parts=parts,
        starts=np.asarray(rows["start"].to_numpy(), dtype=np.float64)[order],
        ends=np.asarray(rows["end"].to_numpy(), dtype=np.float64)[order],
        vectors=vectors,
        digests=frozenset([digest_of(item["content"])]),
        complete=True,
        kind=item["kind"],
        sound_class=class_of_item(item["root"], item["path"]) if item["kind"] == "one-shot" else None,
        artists=(item["artist"],) if item["artist"] else (),
        albums=(item["album"],) if item["album"] else (),
    )
