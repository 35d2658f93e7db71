"""Patterns of files and folders that a library keeps out."""

from __future__ import annotations

import fnmatch
import glob
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from soundalike.audio.file_names import fold
from soundalike.errors import InputError
from soundalike.library.storage.location import Location, lies_there

_TRACK = re.compile(r"#\d{2,}$")
"""What `item_parts.track_path` adds to the path of a file."""


class Exclusions:
    """Which paths some patterns exclude. Paths are relative to their root, with /, as the library records them.

    A pattern is a sequence of names separated by /. Each is a shell pattern for a whole name, compared without regard to case
    or to how Unicode composes characters; brackets match a set of characters or themselves. A path is excluded where these
    names follow each other anywhere in it, so that an excluded folder excludes all that it contains, and a file its tracks.
    A leading / means: from the root. unmatched: the patterns that nothing asked about has matched so far.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self.patterns = tuple(patterns)
        self.unmatched = set(self.patterns)
        self._parsed = [_Pattern(pattern) for pattern in self.patterns]
        self._within: dict[str, Callable[[str], bool]] = {}
        self._excluded_folders = {"": False}

    def __bool__(self) -> bool:
        """Whether there are any patterns."""
        return bool(self.patterns)

    def within(self, folder: str) -> Callable[[str], bool]:
        """A function that returns whether a name directly in `folder`, which is not excluded itself, is excluded there."""
        known = self._within.get(folder)
        if known is None:
            names = fold(folder).split("/") if folder else []
            known = self._within[folder] = self._matcher([one for one in self._parsed if one.may_end_in(names)])
        return known

    def _matcher(self, patterns: Sequence[_Pattern]) -> Callable[[str], bool]:
        """Whether a name matches the end of any of these patterns."""
        if not patterns:
            return lambda name: False
        any_of_them = re.compile("|".join(one.last for one in patterns))

        def matches(name: str) -> bool:
            folded = fold(name)
            found = any_of_them.match(folded) is not None
            if found and self.unmatched:
                self.unmatched -= {one.pattern for one in patterns if re.match(one.last, folded)}
            return found

        return matches

    def covers(self, path: str) -> bool:
        """Whether a file, a folder or a track of a file is excluded, by itself or by a folder that contains it."""
        if not self.patterns or not path:
            return False
        folder, _, name = path.rpartition("/")
        if self._covers_folder(folder):
            return True
        excluded = self.within(folder)
        return excluded(name) or (_TRACK.search(name) is not None and excluded(_TRACK.sub("", name)))

    def pattern_for(self, path: str) -> str | None:
        """The first pattern that excludes `path`; None if none does."""
        return next((pattern for pattern in self.patterns if Exclusions([pattern]).covers(path)), None)

    def _covers_folder(self, folder: str) -> bool:
        """Like `covers`, for folders only, each decided once."""
        known = self._excluded_folders.get(folder)
        if known is None:
            above, known = "", False
            for name in folder.split("/"):
                if known := self.within(above)(name):
                    break
                above = f"{above}/{name}" if above else name
            self._excluded_folders[folder] = known
        return known


class _Pattern:
    """A pattern taken apart. last: the regular expression of its last name."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self._anchored = pattern.startswith("/")
        *before, self.last = map(_expression, fold(pattern).strip("/").split("/"))
        self._before = [re.compile(name) for name in before]

    def may_end_in(self, names: Sequence[str]) -> bool:
        """Whether all but its last name match the end of the path of a folder, given as folded names."""
        count = len(self._before)
        if len(names) < count or (self._anchored and len(names) > count):
            return False
        above = names[len(names) - count :]
        return all(one.match(name) is not None for one, name in zip(self._before, above, strict=True))


def _expression(name: str) -> str:
    """The regular expression of a folded name, which matches brackets as a set and literally."""
    return "|".join(fnmatch.translate(one) for one in dict.fromkeys((name, name.replace("[", "[[]"))))


def checked_patterns(patterns: Iterable[str]) -> tuple[str, ...]:
    """Patterns in the form in which they are remembered: without a / at the end, each once.

    Raises InputError for a pattern that is empty, that has an empty name, ".", ".." or "**", or that excludes everything.
    """
    if isinstance(patterns, str):
        raise InputError(f"the patterns to exclude are a list; write [{patterns!r}]")
    found: dict[str, str] = {}
    for given in patterns:
        pattern = given.replace(os.sep, "/").rstrip("/")
        names = pattern.removeprefix("/").split("/")
        if not pattern.strip():
            raise InputError(
                f"{given!r} is not a pattern to exclude; write the name of a file or folder, such as Backup"
            )
        if wrong := {"", ".", ".."}.intersection(names):
            raise InputError(
                f"{given!r} cannot be excluded: {min(wrong)!r} is not a name; write names of files and folders, such as Backup, "
                "'Live Set/Samples' or '*.tmp'"
            )
        if len(names) == 1 and not names[0].strip("*"):
            raise InputError(f"{given!r} would exclude everything; write a pattern for names, such as '*.tmp'")
        if "**" in names:
            raise InputError(
                f"{given!r} cannot be excluded: ** is not known; a pattern matches in all folders, unless it begins with /"
            )
        found.setdefault(fold(pattern), pattern)
    return tuple(found.values())


def refuse_whole_paths(patterns: Iterable[str], roots: Mapping[str, Location]) -> None:
    """Raise InputError for a pattern that is the path of something in a root, also one that begins with the root's name, as
    hits are written: patterns begin inside the root, and would not match it."""
    for pattern in patterns:
        for name, place in roots.items():
            root = str(place).replace(os.sep, "/").rstrip("/")
            first, slash, rest = pattern.partition("/")
            if root and f"{pattern}/".startswith(f"{root}/"):
                inside = pattern.removeprefix(root)
            elif slash and first == name and isinstance(place, Path) and _only_there(place / rest, place / pattern):
                inside = f"/{rest}"
            else:
                continue
            solution = f"write {inside!r}" if inside else "to remove all of it: `soundalike remove`"
            raise InputError(f"{pattern!r} cannot be excluded: patterns begin inside {place}; {solution}")


def _only_there(there: Path, other: Path) -> bool:
    return lies_there(there) and not lies_there(other)


def pattern_of_path(path: str) -> str:
    """The pattern that excludes the file or folder at `path`, relative to its root, and nothing elsewhere in it."""
    return "/" + (glob.escape(path) if "*" in path or "?" in path else path)
