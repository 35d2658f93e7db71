"""Check a library: every item has its vectors, every content has them once, all vectors are valid."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from soundalike.library.storage.store import Library
from soundalike.parts import MIX

UNIT_TOLERANCE = 2e-3
"""How far the norm of a unit vector may be from 1 after rounding to float16."""


@dataclass(frozen=True)
class Audit:
    """The result of an audit.

    items, contents: their numbers; orphans: contents with vectors or peaks but without an item, which the next run deletes
    (not a problem: a run that was killed between two writes leaves them); problems: one line each.
    """

    items: int
    contents: int
    orphans: int
    problems: tuple[str, ...]


def audit(library: Library) -> Audit:
    """Read all of a library and report its problems."""
    problems: list[str] = []
    items = library.items().select(["id", "root", "path", "content", "kind", "windows"]).to_pylist()
    for what, count in (
        ("id", Counter(row["id"] for row in items)),
        ("place", Counter((row["root"], row["path"]) for row in items)),
    ):
        problems += [f"{number} items have the {what} {value}" for value, number in count.items() if number > 1]
    stored: Counter[tuple[str, bool]] = Counter()
    for songs in (True, False):
        read = library.windows if songs else library.clips
        rows = read(["content", "start"])
        pairs = Counter(zip(rows["content"].to_pylist(), rows["start"].to_pylist(), strict=True))
        problems += [f"content {pair[0]} has {n} rows at {pair[1]} s" for pair, n in pairs.items() if n > 1]
        for (content, _), number in pairs.items():
            stored[content, songs] += number
        problems += _invalid_vectors(library, songs)
    needed: set[tuple[str, bool]] = set()
    for row in items:
        key = (row["content"], row["kind"] == "song")
        needed.add(key)
        if stored[key] != row["windows"]:
            problems.append(f"{row['root']}/{row['path']} has {stored[key]} rows of vectors, not {row['windows']}")
    held = {key for key, number in stored.items() if number}
    with_peaks = Counter(library.contents_with_peaks())
    problems += [f"content {content} has {n} rows of peaks" for content, n in with_peaks.items() if n > 1]
    orphans = {content for content, _ in held - needed} | (set(with_peaks) - {content for content, _ in needed})
    return Audit(len(items), len(held), len(orphans), tuple(problems))


def _invalid_vectors(library: Library, songs: bool) -> list[str]:
    """Vectors that are neither of unit norm nor, for an absent part, zero."""
    table, read = ("windows", library.windows) if songs else ("clips", library.clips)
    problems = []
    for part in library.recipe.parts if songs else (MIX,):
        norms = np.linalg.norm(library.vectors(table, part).astype(np.float32), axis=1)
        unit = np.abs(norms - 1) < UNIT_TOLERANCE
        if songs:
            present = read([f"{part}_present"])[f"{part}_present"].to_numpy().astype(bool)
            valid = np.where(present, unit, norms == 0)
        else:
            valid = unit | (norms == 0)
        if not valid.all():
            problems.append(f"{np.count_nonzero(~valid)} vectors of {part} in {table} are invalid")
    return problems
