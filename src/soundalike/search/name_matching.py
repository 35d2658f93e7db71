"""Comparing names and paths as users write them: without regard to case or to how Unicode composes characters."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Sequence

from soundalike.audio.file_names import fold

__all__ = ["fold", "path_matcher"]


def path_matcher(patterns: Sequence[str]) -> Callable[[str], bool]:
    """A function that returns whether a folded path matches any of `patterns`.

    A pattern matches a path that contains it literally. If it has wildcards (`*`, `?`, `[...]`), it also matches as a shell
    pattern: the path, or the end of it after a slash. There, brackets match a set of characters or themselves, so that
    `[Pack] Snares/*.wav` finds the files in a folder of that name.
    """
    literals = [fold(pattern) for pattern in patterns]
    globs = [glob for literal in literals for glob in (literal, literal.replace("[", "[[]")) if _has_wildcards(literal)]
    expressions = [re.compile(f"(?s:.*/)?{fnmatch.translate(glob)}") for glob in dict.fromkeys(globs)]

    def matches(path: str) -> bool:
        return any(literal in path for literal in literals) or any(one.match(path) for one in expressions)

    return matches


def _has_wildcards(pattern: str) -> bool:
    return any(sign in pattern for sign in "*?[")
