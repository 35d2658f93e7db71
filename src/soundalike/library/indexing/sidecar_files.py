"""Files that belong to an item besides its own: the true stems of a mixture, in a library that is made of them.

They are no items themselves, and the item is unchanged only as long as they are: its size, time stamp and digest cover
them.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Protocol, Self

from soundalike.analysis.recipe import Recipe
from soundalike.library.storage.location import Location, ObjectStat, Remote


class SidecarFiles(Protocol):
    """Which files belong together."""

    def sidecars(self, path: Path) -> tuple[Path, ...]:
        """The files that the item at `path` depends on besides its own, ordered by name; their names differ."""
        ...

    def belongs(self, path: Path) -> bool:
        """Whether a file belongs to another one and is not an item of its own."""
        ...

    def has_inside(self, path: Path) -> bool:
        """Whether a file holds by its name what others have in sidecars."""
        ...

    def snapshot(self) -> Self:
        """The same, reading each folder once: for the length of a scan."""
        ...


def sidecars_for(recipe: Recipe) -> SidecarFiles | None:
    """The sidecar files of a library made by `recipe`; None where every file stands for itself."""
    if recipe.separator != "stems":
        return None
    from soundalike.models.separators.stems.true_stems import StemsSeparator

    return StemsSeparator()


def stat_with(sidecars: SidecarFiles | None, path: Location, own: os.stat_result | ObjectStat) -> tuple[int, int]:
    """Size in bytes and time of last change in ns of an item, to detect changes; own: those of its file.

    With sidecars: the size of all files, and a hash of all names, sizes and times in place of the time (63 bits): an older
    file in the place of a newer one, and a renamed file, are changes too. Raises OSError.
    """
    others = () if sidecars is None or isinstance(path, Remote) else sidecars.sidecars(path)
    if not others:
        return own.st_size, own.st_mtime_ns
    facts = [("", own.st_size, own.st_mtime_ns)]
    for other in others:
        status = os.stat(other)
        facts.append((other.name, status.st_size, status.st_mtime_ns))
    stamp = hashlib.blake2b(repr(facts).encode(), digest_size=8).digest()
    return sum(size for _, size, _ in facts), int.from_bytes(stamp) >> 1
