"""The class (kick, snare, ...) of each one-shot of a library: by its name, its nearest named neighbours, or its sound alone.

Names need no vectors, so libraries of any age have them. Where a name states no class, the `NEIGHBOURS` most similar one-shots
with a class in their names vote, each with the tenth power of its cosine: a neighbour at .95 counts three times as much as one
at .85, and one below `LEAST_COSINE` not at all, or else everything would be a kick in a library that names only its kicks. The
winner is the class if it has `LEAST_SHARE` of the vote. Where they do not agree, or nothing near has a name, the class is
read out of the vector itself (`one_shot_classes`), for vectors of `READABLE` and classes of drums with at least
`LEAST_CONFIDENCE`; otherwise it stays unknown. `benchmarks/one_shot_classes.py` measures how often, and how often it is right.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike, NDArray

from soundalike.audio.metadata.class_names import CLASSES, class_of_item
from soundalike.models.encoders.builtin import one_shot_classes
from soundalike.parts import MIX
from soundalike.search.catalogue import Catalogue
from soundalike.search.index.table_rows import Float32, Indices
from soundalike.search.index.vector_index import VectorIndex

NEIGHBOURS = 10
"""How many vote."""

LEAST_SHARE = 0.8
"""Of the vote that a class needs."""

LEAST_COSINE = 0.55
"""Of a neighbour that votes; chosen for the built-in encoder."""

POWER = 10
"""Of the cosine in a vote."""

READABLE = ("builtin", "2")
"""Encoder and version whose vectors have a read-out of the class."""

LEAST_CONFIDENCE = 0.7
"""Of that read-out. In kits that nothing was trained on and no name of which is known, it is right as often as neighbours
from other kits with `LEAST_SHARE` are (0.78 and 0.79)."""

MOST_NAMED = 500
"""Contents of one class that may be neighbours: enough to vote, and 100,000 one-shots stay quick."""

UNKNOWN, OPEN = -1, -2
"""Codes of no class, and of one that has not been looked for yet; others are positions in `CLASSES`."""

_BLOCK = 4_096

_CLASS_OF_OUTPUT = np.array(
    [CLASSES.index(name) if name in CLASSES else UNKNOWN for name in one_shot_classes.CLASSES], dtype=np.int8
)
"""Positions in `CLASSES` of the outputs of the read-out; UNKNOWN for `other`, which is not a class of a name."""

Codes = NDArray[np.int8]


class SoundClass(NamedTuple):
    """name: one of `CLASSES`; share: of its neighbours' votes, or the confidence of the read-out (0..1), None if its name
    states it."""

    name: str
    share: float | None = None


@dataclass(frozen=True)
class _Named:
    """Vectors (M, D) of contents with a class in their names, and their classes (M,)."""

    vectors: Float32
    codes: Codes


class ItemClasses:
    """The classes of the items of a library, each found when first needed. Safe to use from several threads."""

    def __init__(self, catalogue: Catalogue, index: VectorIndex, content_of: Indices, readable: bool = False) -> None:
        """index: of the clips; content_of (I,): each item's content in it, negative where it has none; readable: whether the
        vectors are those of `READABLE`."""
        self._readable = readable
        self._catalogue = catalogue
        self._index = index
        self._content_of = content_of
        self._lock = threading.RLock()

    def of(self, numbers: Sequence[int] | Indices) -> list[SoundClass | None]:
        """The classes of some items, given by their numbers in the catalogue; None for what is unknown, or no one-shot."""
        chosen = np.asarray(numbers, dtype=np.int64)
        with self._lock:
            self._find(chosen)
            found = zip(self._codes[chosen].tolist(), self._shares[chosen].tolist(), strict=True)
        return [None if code < 0 else SoundClass(CLASSES[code], None if share < 0 else share) for code, share in found]

    def codes(self) -> Codes:
        """(I,) the positions in `CLASSES` of all items, negative for none."""
        with self._lock:
            self._find(np.arange(len(self._catalogue)))
            return self._codes.copy()

    def of_vectors(self, vectors: ArrayLike) -> SoundClass | None:
        """The class of a sound that is not in the library, from its vectors (N, D): by neighbours or read-out."""
        mean = np.asarray(vectors, dtype=np.float32).mean(axis=0)
        length = float(np.linalg.norm(mean))
        with self._lock:
            if not length:
                return None
            codes, shares = self._heard(mean[np.newaxis] / np.float32(length))
        return None if codes[0] < 0 else SoundClass(CLASSES[codes[0]], float(shares[0]))

    @cached_property
    def _codes(self) -> Codes:
        """(I,) as the names state; `OPEN` for one-shots whose name states nothing."""
        codes = np.full(len(self._catalogue), UNKNOWN, dtype=np.int8)
        shots = np.flatnonzero(pc.equal(self._catalogue.column("kind"), "one-shot").to_numpy(zero_copy_only=False))
        roots, paths = (self._catalogue.column(name).take(pa.array(shots)).to_pylist() for name in ("root", "path"))
        stated = (class_of_item(root, path) for root, path in zip(roots, paths, strict=True))
        codes[shots] = [OPEN if name is None else CLASSES.index(name) for name in stated]
        return codes

    @cached_property
    def _shares(self) -> Float32:
        """(I,) of the votes; negative where no vote decided."""
        return np.full(len(self._catalogue), -1, dtype=np.float32)

    @cached_property
    def _named(self) -> _Named:
        """What may be a neighbour: up to `MOST_NAMED` contents of each class; of several items with one content the first."""
        numbers = np.flatnonzero((self._codes >= 0) & (self._shares < 0) & (self._content_of >= 0))
        contents, first = np.unique(self._content_of[numbers], return_index=True)
        codes = self._codes[numbers[first]]
        of_class = (np.flatnonzero(codes == code) for code in range(len(CLASSES)))
        chosen = np.sort(np.concatenate([_evenly(members, MOST_NAMED) for members in of_class]))
        return _Named(self._vectors(contents[chosen]), codes[chosen])

    def _vectors(self, contents: Indices) -> Float32:
        rows = self._index.rows
        return self._index.take([MIX], rows.first[contents])[:, 0].astype(np.float32)

    def _find(self, numbers: Indices) -> None:
        """Let neighbours vote on those of some items that are still open, and the read-out decide where they do not agree."""
        wanted = numbers[self._codes[numbers] == OPEN]
        if not len(wanted):
            return
        self._codes[wanted] = UNKNOWN
        stored = wanted[self._content_of[wanted] >= 0]
        for begin in range(0, len(stored), _BLOCK):
            block = stored[begin : begin + _BLOCK]
            self._codes[block], self._shares[block] = self._heard(self._vectors(self._content_of[block]))

    def _heard(self, vectors: Float32) -> tuple[Codes, Float32]:
        """The classes (Q,) of unit vectors (Q, D), `UNKNOWN` for none, and their shares (-1 for none)."""
        codes = np.full(len(vectors), UNKNOWN, dtype=np.int8)
        shares = np.full(len(vectors), -1, dtype=np.float32)
        if len(self._named.codes):
            codes, shares = _vote(vectors @ self._named.vectors.T, self._named.codes)
        if self._readable and (codes == UNKNOWN).any():
            read, confidence = _read(vectors)
            codes, shares = np.where(codes < 0, read, codes), np.where(codes < 0, confidence, shares)
        return codes, shares


def _vote(cosines: Float32, codes: Codes) -> tuple[Codes, Float32]:
    """The class (Q,) on which the nearest of M named sounds agree, `UNKNOWN` if they do not, and its share of the vote (-1 if
    unknown). cosines: (Q, M); codes: (M,)."""
    count = min(NEIGHBOURS, len(codes))
    nearest = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
    votes = np.take_along_axis(cosines, nearest, axis=1).astype(np.float64)
    votes = np.where(votes >= LEAST_COSINE, votes**POWER, 0.0)
    totals = np.zeros((len(cosines), len(CLASSES)))
    np.add.at(totals, (np.arange(len(cosines))[:, np.newaxis], codes[nearest]), votes)
    winner = totals.argmax(axis=1)
    share = totals.max(axis=1) / totals.sum(axis=1).clip(1e-12)
    sure = share >= LEAST_SHARE
    return np.where(sure, winner, UNKNOWN).astype(np.int8), np.where(sure, share, -1).astype(np.float32)


def _read(vectors: Float32) -> tuple[Codes, Float32]:
    """As `_vote`, from the vectors (Q, D) alone: a class of drums with its confidence."""
    chances = one_shot_classes.probabilities(vectors)
    codes, confidence = _CLASS_OF_OUTPUT[chances.argmax(axis=1)], chances.max(axis=1)
    sure = (codes >= 0) & (confidence >= LEAST_CONFIDENCE) & vectors.any(axis=1)
    return np.where(sure, codes, UNKNOWN).astype(np.int8), np.where(sure, confidence, -1).astype(np.float32)


def _evenly(values: Indices, most: int) -> Indices:
    """`values`, or `most` of them at even distances."""
    return values if len(values) <= most else values[np.linspace(0, len(values) - 1, most).astype(np.int64)]


def class_fields(found: SoundClass | None) -> dict[str, Any]:
    """A class as the fields of a hit or an item."""
    if found is None:
        return {"sound_class": None, "class_share": None}
    return {"sound_class": found.name, "class_share": None if found.share is None else round(found.share, 3)}
