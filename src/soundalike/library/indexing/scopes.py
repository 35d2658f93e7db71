"""Which root a path belongs to, and what of the roots a run updates."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from soundalike.errors import InputError
from soundalike.library.storage.location import Location, Remote, absolute


@dataclass(frozen=True)
class Scope:
    """What to update: all of a root (`inside` empty), or one folder or file in it (relative, with /)."""

    root: str
    inside: str = ""

    def covers(self, root: str, path: str) -> bool:
        """Whether the file `path` of `root`, or a track of a file, lies in this scope."""
        if root != self.root or not self.inside or path == self.inside or path.startswith(self.inside + "/"):
            return root == self.root
        return path.startswith(self.inside + "#") and path[len(self.inside) + 1 :].isdecimal()


class Scopes:
    """Many scopes, which answer as each of them would, in a time that does not depend on how many they are."""

    def __init__(self, scopes: Iterable[Scope]) -> None:
        self._places = {(scope.root, scope.inside) for scope in scopes}

    def covers(self, root: str, path: str) -> bool:
        """Whether the file `path` of `root`, or a track of a file, lies in any scope."""
        if (root, "") in self._places or (root, path) in self._places:
            return True
        file, _, number = path.rpartition("#")
        if number.isdecimal() and (root, file) in self._places:
            return True
        end = path.rfind("/")
        while end > 0:
            if (root, path[:end]) in self._places:
                return True
            end = path.rfind("/", 0, end)
        return False


def printable(text: str) -> str:
    """`text` without surrogates for undecodable bytes, which neither terminals nor tables accept."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


class RootFinder:
    """Which root a path belongs to: the deepest one that contains it."""

    def __init__(self, roots: Mapping[str, Location]) -> None:
        by_depth = sorted(roots.items(), key=lambda item: len(item[1].parts), reverse=True)
        self._named = [(name, os.path.join(str(place), "")) for name, place in by_depth]
        here = [(name, place) for name, place in by_depth if isinstance(place, Path)]
        self._real = [(name, os.path.join(os.path.realpath(place), "")) for name, place in here]

    def locate(self, path: Location) -> tuple[str, str]:
        """(root name, path relative to it with /) of an absolute path as it is written, links not resolved.

        Raises InputError if no root contains it.
        """
        text = str(path)
        for name, prefix in self._named:
            if text.startswith(prefix) or text + os.sep == prefix:
                return name, text[len(prefix) :].replace(os.sep, "/")
        raise InputError(f"{path} is not in any root of this library")

    def find(self, path: Location) -> tuple[str, str] | None:
        """Like `locate`, and if that finds none, with links resolved; None if no root contains either path."""
        try:
            return self.locate(path)
        except InputError:
            if isinstance(path, Remote):
                return None
            real = os.path.realpath(path)
        for name, prefix in self._real:
            if real.startswith(prefix) or real + os.sep == prefix:
                return name, real[len(prefix) :].replace(os.sep, "/")
        return None

    def holds(self, real: Path) -> bool:
        """Whether a path without links is in a root."""
        return any(str(real).startswith(prefix) or str(real) + os.sep == prefix for _, prefix in self._real)


def choose_scopes(
    paths: Iterable[str | Location], roots: Mapping[str, Location]
) -> tuple[dict[str, Location], list[Scope]]:
    """The roots that `paths` need, known ones and new ones, and what of them to update; no paths: all of all roots.

    A folder outside the known roots becomes one; a file's folder does. Raises InputError for a path that is not
    there and was not there before.
    """
    roots = dict(roots)
    given = [absolute(path) for path in paths]
    if not given:
        return roots, [Scope(name) for name in roots]
    scopes, finder = [], RootFinder(roots)
    for path in given:
        place = finder.find(path)
        if place is None:
            if not path.exists():
                raise InputError(f"there is no {path}; give files or folders with audio")
            folder = path if path.is_dir() else path.parent
            if printable(str(folder)) != str(folder):
                raise InputError(f"the name of {printable(str(folder))} is not valid Unicode; rename it")
            name = _new_name(folder, roots)
            roots[name] = folder
            finder = RootFinder(roots)
            place = (name, "" if path.is_dir() else path.name)
        scopes.append(Scope(*place))
    return roots, _with_nested(scopes, roots)


def _with_nested(scopes: list[Scope], roots: Mapping[str, Location]) -> list[Scope]:
    """`scopes`, and the roots inside them: their files belong to them, and are updated with the rest."""
    tops = [(name, os.path.join(str(place), "")) for name, place in roots.items()]
    nested = []
    for scope in scopes:
        inside = os.path.join(str(roots[scope.root] / scope.inside), "")
        nested += [Scope(name) for name, top in tops if top.startswith(inside)]
    return list(dict.fromkeys([*scopes, *nested]))


def _new_name(folder: Location, taken: Mapping[str, Location]) -> str:
    base = printable(folder.name) or "root"
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    return name
