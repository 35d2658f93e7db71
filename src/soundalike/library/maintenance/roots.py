"""Changes to a library that need no analysis: relocate a root that has moved, remove items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from soundalike.errors import InputError
from soundalike.library.indexing.exclusions import Exclusions, pattern_of_path
from soundalike.library.indexing.file_registry import FileRegistry, KnownItem
from soundalike.library.indexing.scopes import RootFinder, Scope
from soundalike.library.storage import schema as layout
from soundalike.library.storage.item_parts import path_of_file
from soundalike.library.storage.location import Location, Remote, absolute, lies_there
from soundalike.library.storage.lock import writing
from soundalike.library.storage.manifest import generation_folder, read_manifest, write_manifest
from soundalike.library.storage.store import Tables


@dataclass(frozen=True)
class Relocated:
    """A root's name, its old and new folder, how many items it has, and how many of their files are at the new
    place."""

    root: str
    old: Location
    new: Location
    items: int
    there: int

    def __str__(self) -> str:
        return f"{self.root}: {self.old} -> {self.new}; {self.there} of its {self.items} files are there"


@dataclass(frozen=True)
class Removed:
    """How many items were removed, and the names of the roots that were forgotten.

    still_there: patterns of what was named and is still in its root, so that indexing adds it again unless they are
    excluded.
    """

    items: int
    roots: tuple[str, ...]
    still_there: tuple[str, ...] = ()


def relocate(library: str | Location, old: str, new: str | Location) -> Relocated:
    """Record that the folder of the root `old` (its name or its folder) is now `new`. Nothing is indexed again.

    Raises InputError for an unknown root, and for a folder that contains none of the root's files.
    """
    library = absolute(library)
    new = absolute(new)
    read_manifest(library)  # before the lock: it would create a file where no library is
    with writing(library) as check:
        manifest = read_manifest(library)
        name = _root_called(old, manifest.roots)
        if not new.is_dir():
            raise InputError(f"{new} is not a folder; give the new folder of {manifest.roots[name]}")
        for other, place in manifest.roots.items():
            if other != name and _nested(place, new):
                raise InputError(
                    f"{new} and the root {other} ({place}) overlap, so their files would be there twice; to leave them to "
                    f"{other}: soundalike remove {name}, then index again"
                )
        items = Tables(generation_folder(library, manifest.generation), manifest.recipe).read(
            "items", ["root", "path", "content", "status"]
        )
        there_once = [row for row in items.to_pylist() if row["root"] == name and row["status"] == "present"]
        paths = [path_of_file(row["path"], row["content"]) for row in there_once]
        there = _count_there(new, paths)
        if paths and not there:
            raise InputError(
                f"none of the {len(paths)} files that the library knows under {manifest.roots[name]} is under {new}; "
                f"give the folder that holds {paths[0]}"
            )
        check()
        write_manifest(library, replace(manifest, roots={**manifest.roots, name: new}))
    return Relocated(name, manifest.roots[name], new, len(paths), there)


def remove(library: str | Location, paths: Iterable[str | Location] = (), *, missing: bool = False) -> Removed:
    """Remove the items under `paths` (files, folders, whole roots; also written root/path, as hits are), and with
    `missing` those whose files are gone. A root that is removed completely is forgotten. The files are not touched.

    Raises InputError for a path without items.
    """
    library = absolute(library)
    paths = list(paths)
    read_manifest(library)  # before the lock: it would create a file where no library is
    with writing(library) as check:
        manifest = read_manifest(library)
        tables = Tables(generation_folder(library, manifest.generation), manifest.recipe, check)
        registry = FileRegistry(tables)
        scopes, excluded = [_scope(path, manifest.roots) for path in paths], Exclusions(manifest.excluded)
        leaving: dict[str, KnownItem] = {}
        to_exclude: dict[str, str] = {}  # pattern -> root
        for path, scope in zip(paths, scopes, strict=True):
            under = [known for known in registry.by_place.values() if scope.covers(*known.place)]
            if not under and scope.inside:
                raise InputError(f"the library has no item under {path}; `soundalike status` shows its roots")
            leaving.update((known.id, known) for known in under)
            if scope.inside and not excluded.covers(scope.inside) and _any_there(under, manifest.roots[scope.root]):
                to_exclude[pattern_of_path(scope.inside)] = scope.root
        if missing:
            leaving.update((known.id, known) for known in registry.by_place.values() if known.missing)
        forgotten = tuple(dict.fromkeys(scope.root for scope in scopes if not scope.inside))
        # Items first: a root without items is harmless, items without a root are not.
        registry.forget(leaving.values())
        tables.delete(layout.SKIPPED, "root", forgotten)
        if forgotten:
            roots = {name: place for name, place in manifest.roots.items() if name not in forgotten}
            check()
            write_manifest(library, replace(manifest, roots=roots))
    still_there = tuple(pattern for pattern, root in to_exclude.items() if root not in forgotten)
    return Removed(len(leaving), forgotten, still_there)


def _any_there(items: Iterable[KnownItem], root: Location) -> bool:
    """Whether files of these items are still in their root: one is looked for, of those that were there in the last run, and
    in an object store none, which need not be in reach."""
    present = next((known for known in items if not known.missing), None)
    return present is not None and (isinstance(root, Remote) or lies_there(root / present.file))


def _nested(one: Location, other: Location) -> bool:
    """Whether two folders are the same or one contains the other."""
    a, b = f"{str(one).rstrip('/')}/", f"{str(other).rstrip('/')}/"
    return a.startswith(b) or b.startswith(a)


def _count_there(folder: Location, paths: list[str]) -> int:
    """Number of the files `paths` that are in `folder`."""
    if isinstance(folder, Remote):
        return len({name for name, _ in folder.files()}.intersection(paths))
    return sum((folder / path).is_file() for path in paths)


def _root_called(text: str, roots: Mapping[str, Location]) -> str:
    if text in roots:
        return text
    place = absolute(text)
    for name, folder in roots.items():
        if folder == place:
            return name
    known = ", ".join(f"{name} ({folder})" for name, folder in roots.items()) or "none yet"
    raise InputError(f"{text!r} is not a root of this library; its roots are {known}")


def _scope(path: str | Location, roots: Mapping[str, Location]) -> Scope:
    """The scope of a path: a place under a root, or root/path as hits are written, if nothing is at that place here."""
    here = absolute(path)
    place = RootFinder(roots).find(here)
    if place is None:
        name, _, inside = PurePath(str(path)).as_posix().partition("/")
        if name not in roots or (isinstance(here, Path) and here.exists()):
            known = ", ".join(str(folder) for folder in roots.values()) or "none yet"
            raise InputError(f"{path} is not in any root of this library; its roots are {known}")
        place = (name, inside)
    return Scope(*place)
