"""Files of a library that are copies of one another: the same bytes, or near-identical recordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from soundalike.search.index.table_rows import TABLES, WINDOWS
from soundalike.search.near_duplicates import near_identical_groups
from soundalike.search.open_library import OpenLibrary
from soundalike.search.version_folding import version_groups


def duplicate_groups(opened: OpenLibrary, *, versions: bool = False) -> list[tuple[str, list[str]]]:
    """Groups of copies: ("identical" or "near-identical", absolute paths), in the order of their first path.

    versions: also ("versions", ...), songs that are cut or shifted versions of one another. Raises InputError if they cannot be
    recognised with the library's encoder.
    """
    paths = _present_paths(opened)
    groups: list[tuple[str, list[str]]] = []
    grouped: set[str] = set()
    for table in TABLES:
        index = opened.indexes[table]
        for group in near_identical_groups(index):
            contents = [index.rows.contents[number].as_py() for number in group]
            contents = [content for content in contents if content in paths]
            if len(contents) > 1:
                grouped.update(contents)
                groups.append(("near-identical", sorted(path for content in contents for path in paths[content])))
    if versions:
        groups += _version_groups(opened, paths, [set(places) for _, places in groups])
    for content, places in paths.items():
        if len(places) > 1 and content not in grouped:
            groups.append(("identical", sorted(places)))
    return sorted(groups, key=lambda group: group[1])


def _present_paths(opened: OpenLibrary) -> dict[str, list[str]]:
    """By content, the absolute paths of the items that are present."""
    paths: dict[str, list[str]] = {}
    for item in opened.catalogue.items(range(len(opened.catalogue))):
        if item["status"] == "present":
            path = str(opened.library.absolute(item["root"], item["path"]))
            paths.setdefault(item["content"], []).append(path)
    return paths


def _version_groups(
    opened: OpenLibrary, paths: Mapping[str, list[str]], copies: Sequence[set[str]]
) -> list[tuple[str, list[str]]]:
    """Groups of versions of different contents that are not all near-identical copies."""
    index = opened.indexes[WINDOWS]
    groups = []
    for group in version_groups(opened):
        contents = [content for number in group if (content := index.rows.contents[number].as_py()) in paths]
        places = sorted(path for content in contents for path in paths[content])
        if len(contents) > 1 and not any(set(places) <= one for one in copies):
            groups.append(("versions", places))
    return groups
