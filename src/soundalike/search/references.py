"""From the references of a request to queries: files are analysed, items of the library are read, texts are embedded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from soundalike.audio.cue_sheet import Track
from soundalike.audio.file_part import part_of_address
from soundalike.config import expanded
from soundalike.errors import InputError
from soundalike.library.indexing.cue_tracks import track_stamp
from soundalike.library.indexing.sidecar_files import sidecars_for, stat_with
from soundalike.library.storage.item_parts import address_of, path_of_file
from soundalike.library.storage.remote_cache import cached_copy
from soundalike.search.open_library import OpenLibrary
from soundalike.search.query import Query, check_same_type, query_from_file, query_from_item, query_from_texts
from soundalike.search.request import Reference, Region, SearchRequest

MAX_NAMED = 3
"""Items that the message about an unknown reference names."""


def resolve_references(opened: OpenLibrary, request: SearchRequest, parts: Sequence[str]) -> tuple[Query, Query | None]:
    """The query of a request and that of its negative references, if any; parts: those that are weighted.

    Raises InputError for a reference that does not exist or types that cannot be combined, AudioError for a file that cannot
    be used.
    """

    def made(reference: Reference, region: Region | None, kind: str | None) -> Query:
        if isinstance(reference, Query):
            return reference
        return resolve_reference(opened, reference, region=region, focus=request.part, kind=kind, parts=parts)

    queries = [made(reference, request.region, request.kind) for reference in request.references]
    negatives = [made(reference, None, None) for reference in request.negatives]
    if request.texts:
        queries.append(query_from_texts(opened.analyser, request.texts))
    if request.negative_texts:
        negatives.append(query_from_texts(opened.analyser, request.negative_texts))
    query = Query.joined(queries)
    negative = Query.joined(negatives) if negatives else None
    if negative is not None:
        check_same_type(query, negative)
    return query, negative


def resolve_reference(
    opened: OpenLibrary,
    reference: str | Path,
    *,
    region: Region | None = None,
    focus: str | None = None,
    kind: str | None = None,
    parts: Sequence[str] | None = None,
) -> Query:
    """The query of a file, or of an item of the library given by id or path, whose stored vectors are read if they fit.

    parts: those to compute (None: all that the library has); the fewer, the faster. Arguments as of `query_from_file`.
    """
    if parts is not None:
        opened.check_parts(parts)
    if reference == "":
        raise InputError("the name of the reference is empty; name a file, or an item of the library by its path or id")
    item = find_item(opened, reference)
    if item is not None and region is None and (kind is None or kind == item["kind"]):
        return query_from_item(opened.library, item, parts=parts)
    path = local_file(opened, reference, item)
    file = part_of_address(path).file
    if path.is_dir():
        raise InputError(f"{reference} is a folder; name a file in it (folders are indexed: soundalike index {path})")
    if not file.is_file():
        album, mark, number = str(file).rpartition("#")
        if mark and number.isdecimal() and Path(album).is_file():
            raise InputError(
                f"{reference}: {album} has changed since its tracks were indexed, or has no such track; run `soundalike index`"
            )
        raise InputError(
            f"{reference} is neither a file nor an item of the library {opened.library.path}{_items_named(opened, file.name)}"
        )
    query = query_from_file(opened.analyser, path, region=region, focus=focus, kind=kind, parts=parts)
    return query.called(path.as_posix())


def _items_named(opened: OpenLibrary, name: str) -> str:
    """The first items whose path, title or artist contains `name`, as the end of a message; empty if there are none."""
    catalogue = opened.catalogue
    numbers = catalogue.in_order_of_path(np.flatnonzero(catalogue.containing(name)))
    if not name or not len(numbers):
        return ""
    paths = [f"{item['root']}/{item['path']}".lstrip("/") for item in catalogue.items(numbers[:MAX_NAMED])]
    more = f" and {len(numbers) - MAX_NAMED} more" if len(numbers) > MAX_NAMED else ""
    return f"; its items with this name: {', '.join(paths)}{more}"


def local_file(opened: OpenLibrary, reference: str | Path, item: Mapping[str, Any] | None) -> Path:
    """The file of a reference on this machine, whether it exists or not; `item` as `find_item` returned it."""
    if item is None:
        return expanded(reference)
    place = opened.library.absolute(item["root"], item["path"])
    return cached_copy(address_of(place, item["content"]))


def find_item(opened: OpenLibrary, reference: str | Path) -> dict[str, Any] | None:
    """The item with this id or path (absolute, relative, or as the library names it), if there is one and its file has not
    changed since it was indexed. A file at that place on this machine is meant rather than an item that the library names so."""
    catalogue = opened.catalogue
    text = str(reference)
    root, _, path = text.partition("/")
    number = catalogue.with_id(text)
    if number is None and not part_of_address(expanded(reference)).file.exists():
        number = catalogue.with_path(root, path)
    if number is not None:
        return catalogue.item(number)
    resolved = expanded(reference).resolve()
    number = catalogue.with_path("", str(resolved))
    for name, folder in opened.library.roots.items():
        if number is not None:
            break
        if isinstance(folder, Path):
            if resolved.is_relative_to(folder):
                number = catalogue.with_path(name, resolved.relative_to(folder).as_posix())
        elif text.startswith(f"{folder}/"):
            number = catalogue.with_path(name, text.removeprefix(f"{folder}/"))
    if number is None:
        return None
    item = catalogue.item(number)
    file = Path(path_of_file(str(resolved), item["content"]))
    return item if not file.exists() or _is_unchanged(opened, item, file) else None


def _is_unchanged(opened: OpenLibrary, item: Mapping[str, Any], file: Path) -> bool:
    sidecars = sidecars_for(opened.library.recipe)
    size, mtime_ns = stat_with(sidecars, file, file.stat())
    if (track := json.loads(item["basis"]).get("track")) is not None:
        mtime_ns = track_stamp(mtime_ns, Track(**track))
    return (size, mtime_ns) == (item["size"], item["mtime_ns"])
