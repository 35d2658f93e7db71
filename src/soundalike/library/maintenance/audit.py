"""Whether a library holds together: every item has its vectors, every content has them once, all of them are sound."""

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
    """What was looked at and what is wrong.

    items, contents: how many there are; orphans: contents with vectors or peaks but without an item, which the next run
    sweeps (no fault: a run that was killed between two writes leaves them); problems: one line each.
    """

    items: int
    contents: int
    orphans: int
    problems: tuple[str, ...]


def audit(library: Library) -> Audit:
    """Read all of a library and say what is wrong with it."""
    problems: list[str] = []
    items = library.items().select(["id", "root", "path", "content", "kind", "windows"]).to_pylist()
    for what, count in (
        ("id", Counter(row["id"] for row in items)),
        ("place", Counter((row["root"], row["path"]) for row in items)),
    ):
        problems += [f"{number} items have the {what} {value}" for value, number in count.items() if number > 1]
    stored: Counter[tuple[str, bool]] = Counter()
    for songs in (True, False):
        read = library.windows if songs else library.wholes
        rows = read(["content", "start"])
        pairs = Counter(zip(rows["content"].to_pylist(), rows["start"].to_pylist(), strict=True))
        problems += [f"content {pair[0]} has {n} rows at {pair[1]} s" for pair, n in pairs.items() if n > 1]
        for (content, _), number in pairs.items():
            stored[content, songs] += number
        problems += _unsound(library, songs)
    needed: set[tuple[str, bool]] = set()
    for row in items:
        key = (row["content"], row["kind"] == "song")
        needed.add(key)
        if stored[key] != row["windows"]:
            problems.append(f"{row['root']}/{row['path']} has {stored[key]} rows of vectors, not {row['windows']}")
    held = {key for key, number in stored.items() if number}
    pictured = Counter(library.pictured())
    problems += [f"content {content} has {n} rows of peaks" for content, n in pictured.items() if n > 1]
    orphans = {content for content, _ in held - needed} | (set(pictured) - {content for content, _ in needed})
    return Audit(len(items), len(held), len(orphans), tuple(problems))


def _unsound(library: Library, songs: bool) -> list[str]:
    """Vectors that are neither of unit norm nor, where a part is absent, zero."""
    table, read = ("windows", library.windows) if songs else ("wholes", library.wholes)
    problems = []
    for part in library.recipe.parts if songs else (MIX,):
        norms = np.linalg.norm(library.vectors(table, part).astype(np.float32), axis=1)
        unit = np.abs(norms - 1) < UNIT_TOLERANCE
        if songs:
            present = read([f"{part}_present"])[f"{part}_present"].to_numpy().astype(bool)
            sound = np.where(present, unit, norms == 0)
        else:
            sound = unit | (norms == 0)
        if not sound.all():
            problems.append(f"{np.count_nonzero(~sound)} vectors of {part} in {table} are not sound")
    return problems
