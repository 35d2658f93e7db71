"""Files of a library that are copies of one another: the same bytes, or near-identical recordings."""

from __future__ import annotations

from soundalike.search.index.table_rows import TABLES
from soundalike.search.near_duplicates import near_identical_groups
from soundalike.search.open_library import OpenLibrary


def duplicate_groups(opened: OpenLibrary) -> list[tuple[str, list[str]]]:
    """Groups of copies: ("identical" or "near-identical", absolute paths), in the order of their first path."""
    paths: dict[str, list[str]] = {}
    for item in opened.catalogue.items(range(len(opened.catalogue))):
        if item["status"] == "present":
            path = str(opened.library.absolute(item["root"], item["path"]))
            paths.setdefault(item["content"], []).append(path)
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
    for content, places in paths.items():
        if len(places) > 1 and content not in grouped:
            groups.append(("identical", sorted(places)))
    return sorted(groups, key=lambda group: group[1])
