"""What a scan means for the items that were known before it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from soundalike.library.indexing.exclusions import Exclusions
from soundalike.library.indexing.file_registry import KnownItem, Place
from soundalike.library.indexing.scanned_file import Scan, ScannedFile
from soundalike.library.indexing.scopes import Scopes
from soundalike.library.indexing.sidecar_files import SidecarFiles, stat_with
from soundalike.library.storage.location import Location, ObjectRefusedError


@dataclass
class ItemsOfScan:
    """What becomes of items of the scopes whose places the scan does not list.

    gone: their files are not there; replaced: a cue sheet divides their files now, or no longer; excluded: patterns exclude
    them; unlisted: files that are there although the scan does not list them (they were named explicitly in an earlier run and
    have no usual suffix).
    """

    gone: dict[Place, KnownItem] = field(default_factory=dict)
    replaced: dict[Place, KnownItem] = field(default_factory=dict)
    excluded: list[KnownItem] = field(default_factory=list)
    unlisted: list[ScannedFile] = field(default_factory=list)


@dataclass(frozen=True)
class ScanComparison:
    """A scan beside the items that are known, by place. roots, scopes, exclusions, sidecars: those of the scan."""

    scan: Scan
    known: Mapping[Place, KnownItem]
    roots: Mapping[str, Location]
    scopes: Scopes
    exclusions: Exclusions
    sidecars: SidecarFiles | None = None

    def items(self) -> ItemsOfScan:
        """What becomes of the items whose places the scan does not list. Nothing is concluded from what it could not read."""
        result = ItemsOfScan()
        places = {(found.root, found.path) for found in self.scan.files}
        files = {(found.root, found.file) for found in self.scan.files}
        for place, known in self.known.items():
            root, path = place
            if place in places or not self.includes(place):
                continue
            if self.exclusions.covers(path):
                result.excluded.append(known)
                continue
            if self._under_unreadable(place):
                continue
            file = self.roots[root] / path
            if (root, known.file) in files:
                result.replaced[place] = known
            elif _is_usable_file(file) and not self._belongs_to_another(file):
                result.unlisted.append(ScannedFile(root, path, *stat_with(self.sidecars, file, file.stat())))
            else:
                result.gone[place] = known
        return result

    def includes(self, place: Place) -> bool:
        """Whether a place lies in the scopes, under a root that can be reached."""
        root, path = place
        return root not in self.scan.unreachable and self.scopes.covers(root, path)

    def has_read(self, place: Place) -> bool:
        """Whether the scan has read the folder of a place, so that it lists what is there."""
        return self.includes(place) and not self._under_unreadable(place)

    def is_left_out(self, place: Place) -> bool:
        """Whether a place that the scan does not list is excluded, or nothing is there."""
        root, path = place
        return self.exclusions.covers(path) or not _may_exist(self.roots[root] / path)

    def imported_before(self, files: Iterable[ScannedFile]) -> list[KnownItem]:
        """Imported items, which have no root, of those among `files` that are items of a root now."""
        if not any(not root for root, _ in self.known):
            return []
        there = (found for found in files if (found.root, found.path) in self.known)
        imported = (self.known.get(("", str(self.roots[found.root] / found.path))) for found in there)
        return [known for known in imported if known is not None]

    def _belongs_to_another(self, file: Location) -> bool:
        return self.sidecars is not None and isinstance(file, Path) and self.sidecars.belongs(file)

    def _under_unreadable(self, place: Place) -> bool:
        """Whether a place is, or lies under, what could not be read: a folder, or an object that was named."""
        root, path = place
        return any(
            root == where and (path == folder or not folder or path.startswith(folder + "/"))
            for where, folder, _ in self.scan.unreadable
        )


def _is_usable_file(place: Location) -> bool:
    """Whether there is a file, and its store, if it lies in one, does not refuse it."""
    try:
        return place.is_file()
    except ObjectRefusedError:
        return False


def _may_exist(place: Location) -> bool:
    """Whether there is something, or may be: a store that refuses an object does not always tell whether there is one."""
    try:
        return place.exists()
    except ObjectRefusedError:
        return True
