"""Files that belong to an item beside its own: the true stems of a mixture, where a library is made of such.

They are no items themselves, and the item is what it was only as long as they are: its size, time stamp and digest
cover them.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Protocol, Self

from soundalike.analysis.recipe import Recipe
from soundalike.library.storage.location import Facts, Location, Remote
from soundalike.models.separators.stems.true_stems import StemsSeparator


class Companions(Protocol):
    """Which files belong together."""

    def companions(self, path: Path) -> tuple[Path, ...]:
        """The files that the item at `path` depends on beside itself, in the order of their names, which differ."""
        ...

    def belongs(self, path: Path) -> bool:
        """Whether a file belongs to another one, and is no item of its own."""
        ...

    def snapshot(self) -> Self:
        """The same, each folder looked at once: for the length of a scan."""
        ...


def companions_for(recipe: Recipe) -> Companions | None:
    """What belongs together in a library made by `recipe`; None where every file stands for itself."""
    return StemsSeparator() if recipe.separator == StemsSeparator.name else None


def stat_with(companions: Companions | None, path: Location, own: os.stat_result | Facts) -> tuple[int, int]:
    """Size in bytes and time of last change in ns of an item, for telling whether it is as it was; `own`: of its file.

    With companions: the size of all, and a stamp of all names, sizes and times in place of the time (63 bits): an older
    file put in the place of a newer one, and one that got another's name, are changes too. Raises OSError.
    """
    others = () if companions is None or isinstance(path, Remote) else companions.companions(path)
    if not others:
        return own.st_size, own.st_mtime_ns
    facts = [("", own.st_size, own.st_mtime_ns)]
    for other in others:
        status = os.stat(other)
        facts.append((other.name, status.st_size, status.st_mtime_ns))
    stamp = hashlib.blake2b(repr(facts).encode(), digest_size=8).digest()
    return sum(size for _, size, _ in facts), int.from_bytes(stamp) >> 1
