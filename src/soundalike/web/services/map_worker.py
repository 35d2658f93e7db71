"""What the worker process of a map does: the mean vector of each item of a kind, projected to a plane.

Kept apart from `maps`, because the process imports this module for each map, and has no use for the rest of the server.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.config import replacing
from soundalike.library.storage.location import Location
from soundalike.library.storage.store import Library

METHOD = "3"
"""Increased when the same vectors give another map."""

_BLOCK = 20_000


@dataclass(frozen=True)
class Points:
    """stamp: identifies the state of the tables; contents: those on the map, ascending; points: (C, 2) in 0..1."""

    stamp: str
    contents: tuple[str, ...]
    points: NDArray[np.float32]


@dataclass(frozen=True)
class ComputeMap:
    """The task of the worker. progress: a file to which it writes the completed share."""

    library: Location
    part: str
    kind: str
    progress: Path


def make_map_worker() -> Callable[[ComputeMap], Points]:
    """Inside the worker process: the function that computes maps."""
    if hasattr(os, "nice"):
        os.nice(10)
    return _compute_map


def _compute_map(task: ComputeMap) -> Points:
    from soundalike.similarity.projection import project

    library = Library.open(task.library)
    contents, vectors = means(library, task.part, task.kind)

    def report(done: float) -> None:
        with suppress(OSError), replacing(task.progress) as temporary:
            temporary.write_text(f"{done:.3f}", encoding="ascii")

    return Points(stamp(library), contents, project(vectors, on_progress=report))


def means(library: Library, part: str, kind: str) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """Contents of a kind, or of `all`, that have `part`, ascending, and the mean over the windows of each, normalised (C, D)."""
    if kind != "all":
        return _means_of(library, part, kind)
    from soundalike.analysis.kinds import KINDS

    contents: list[str] = []
    vectors: list[NDArray[np.float32]] = []
    for one in KINDS:
        kind_contents, kind_vectors = _means_of(library, part, one)
        contents += kind_contents
        vectors.append(kind_vectors)
    order = sorted(range(len(contents)), key=contents.__getitem__)
    return tuple(contents[n] for n in order), np.concatenate(vectors)[order]


def _means_of(library: Library, part: str, kind: str) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    items = library.items().select(["content", "kind"])
    wanted = {row["content"] for row in items.to_pylist() if row["kind"] == kind}
    table = "windows" if kind == "song" else "clips"
    read = library.windows if kind == "song" else library.clips
    stored = np.asarray(read(["content"])["content"].to_pylist(), dtype=str)
    vectors = library.vectors(table, part)
    contents, of_row = np.unique(stored, return_inverse=True)
    sums = np.zeros((len(contents), library.recipe.dimension), dtype=np.float32)
    order = np.argsort(of_row, kind="stable")
    for begin in range(0, len(order), _BLOCK):
        rows = order[begin : begin + _BLOCK]
        present, first = np.unique(of_row[rows], return_index=True)
        sums[present] += np.add.reduceat(vectors[rows].astype(np.float32), first, axis=0)
    norms = np.linalg.norm(sums, axis=1)
    kept = (norms > 1e-6) & np.array([content in wanted for content in contents], dtype=bool)
    return tuple(contents[kept].tolist()), sums[kept] / norms[kept, np.newaxis]


def stamp(library: Library) -> str:
    """Identifies the state of the tables and the method."""
    return f"{METHOD} {library.version}"
