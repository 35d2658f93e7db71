"""The files under the roots: which there are, and which folders could not be read.

Included are regular files with the suffix of an audio format; a file that a cue sheet divides is included track by track.
Left out are hidden files and folders, what the library excludes, the library itself and other libraries, and symbolic links
to places inside a root; a linked folder outside the roots is followed, once.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from soundalike.audio.cue_sheet import Track
from soundalike.errors import LibraryError
from soundalike.library.indexing.cue_tracks import is_cue_sheet, may_have_sheet, track_stamp, tracks_inside
from soundalike.library.indexing.exclusions import Exclusions
from soundalike.library.indexing.folder_sheets import FolderSheets
from soundalike.library.indexing.scanned_file import Scan, ScannedFile
from soundalike.library.indexing.scopes import RootFinder, Scope, printable
from soundalike.library.indexing.sidecar_files import SidecarFiles, stat_with
from soundalike.library.storage.item_parts import track_path
from soundalike.library.storage.location import Location, Remote
from soundalike.library.storage.manifest import FILE_NAME as MANIFEST
from soundalike.library.storage.manifest import GENERATION


def scan(
    roots: Mapping[str, Location],
    scopes: Iterable[Scope],
    *,
    extensions: frozenset[str],
    known: Mapping[str, int],
    leave_out: Location | None = None,
    stop: Callable[[], bool] = lambda: False,
    sidecars: SidecarFiles | None = None,
    cue_sheets: bool = True,
    is_whole: Callable[[ScannedFile], bool] = lambda found: False,
    exclusions: Exclusions | None = None,
) -> Scan:
    """All audio files in `scopes`, and the tracks of those that cue sheets divide.

    known: how many items each root has; an empty root that has some is unreachable (an empty mount point), not emptied;
    leave_out: a folder not to enter; stop: called at each folder, whether to end; sidecars: which files belong to others;
    they are left out, even if they are named explicitly; cue_sheets: whether cue sheets are used (never with sidecars: true
    stems belong to whole files; and in folders only, not in object stores); is_whole: which files are known to have no sheet
    inside, so that they are not opened; exclusions: what is left out, even if it is named explicitly.
    """
    exclusions = exclusions or Exclusions(())
    walk = _Walk(
        roots,
        extensions,
        leave_out,
        stop,
        sidecars and sidecars.snapshot(),
        is_whole,
        exclusions,
        cue_sheets=cue_sheets,
    )
    result = walk.result
    scopes = sorted(set(scopes), key=lambda scope: (scope.root, scope.inside))
    named = list(dict.fromkeys(scope.root for scope in scopes))
    result.unreachable = [name for name in named if not reachable(roots[name], known.get(name, 0) > 0)]
    for scope in scopes:
        if scope.root in result.unreachable:
            continue
        place = roots[scope.root]
        target = place / scope.inside
        if exclusions.covers(scope.inside):
            result.excluded.append((scope.root, scope.inside))
        elif isinstance(target, Remote):
            walk.remote(target)
        elif target.is_dir():
            walk.above(target, place)
            walk.folder(target)
        elif target.exists():
            walk.above(target, place)
            walk.file(target)
        # else: what was there is gone, which the comparison with the items shows
    walk.linked_folders()
    return walk.finished()


def reachable(root: Location, has_items: bool) -> bool:
    """Whether a root is there: a folder that can be listed, and, where items are known under it, that is not empty."""
    if isinstance(root, Remote):
        try:
            return root.is_dir() or not has_items
        except LibraryError:
            return False
    try:
        with os.scandir(root) as entries:
            return not has_items or next(entries, None) is not None
    except OSError:
        return False


class _Walk:
    """One walk over all scopes: folders are entered once, real ones before those reached by links."""

    def __init__(
        self,
        roots: Mapping[str, Location],
        extensions: frozenset[str],
        leave_out: Location | None,
        stop: Callable[[], bool],
        sidecars: SidecarFiles | None,
        is_whole: Callable[[ScannedFile], bool],
        exclusions: Exclusions,
        *,
        cue_sheets: bool,
    ) -> None:
        self.result = Scan()
        self._reasons: dict[tuple[str, str], dict[str, None]] = {}  # why entries are unusable, by root and path
        self._sidecars = sidecars
        self._is_whole = is_whole
        self._exclusions = exclusions
        self._owner = RootFinder(roots)
        self._extensions = extensions
        self._leave_out = _identity(leave_out) if isinstance(leave_out, Path) else None
        self._leave_out_remote = f"{leave_out}/" if isinstance(leave_out, Remote) else None
        self._stop = stop
        used = cue_sheets and sidecars is None
        self._sheets = FolderSheets(extensions, self._excluded_in, self._unusable) if used else None
        self._entered: set[tuple[int, int]] = set()
        self._links: list[Path] = []

    def folder(self, top: Path) -> None:
        """Scan a folder and the folders in it, in the order of names."""
        pending = [top]
        while pending and not self._stop():
            folder = pending.pop()
            try:
                identity = _identity(folder)
                if identity in self._entered or identity == self._leave_out:
                    continue
                self._entered.add(identity)
                with os.scandir(folder) as listing:
                    entries = sorted(listing, key=lambda entry: entry.name)
            except OSError as error:
                root, path = self._owner.locate(folder)
                self.result.unreadable.append((root, path, error.strerror or str(error)))
                continue
            if _is_library([entry.name for entry in entries]):
                self.result.libraries.append(self._owner.locate(folder))
                continue
            inner = []
            excluded = self._excluded_in(folder)
            tracks = self._sheets.tracks(folder, [entry.name for entry in entries]) if self._sheets is not None else {}
            for entry in entries:
                # The patterns come first, so that one for a hidden name counts as matched.
                if (excluded is not None and excluded(entry.name)) or entry.name.startswith("."):
                    continue
                if entry.is_symlink():
                    self._link(folder / entry.name)
                elif entry.is_dir(follow_symlinks=False):
                    inner.append(folder / entry.name)
                elif self._wanted(entry.name):
                    self._include(folder / entry.name, tracks.get(entry.name))
            pending += reversed(inner)

    def remote(self, top: Remote) -> None:
        """Scan an object, or all objects under a folder of a store, in the order of their names."""
        try:
            if top.is_file():
                objects = [("", top.stat())]
            else:
                listed = list(top.files())
                libraries = self._remote_libraries(top, [name for name, _ in listed])
                objects = sorted(
                    (name, facts)
                    for name, facts in listed
                    if not self._is_hidden(top, name)
                    and not f"/{name}".startswith(libraries)
                    and not self._is_excluded(top, name)
                    and self._wanted(name)
                )
        except LibraryError as error:
            root, path = self._owner.locate(top)
            self.result.unreadable.append((root, path, str(error)))
            return
        for name, facts in objects:
            place = top / name
            if self._leave_out_remote is None or not str(place).startswith(self._leave_out_remote):
                root, path = self._owner.locate(place)
                self.result.files.append(ScannedFile(root, path, facts.st_size, facts.st_mtime_ns))

    def _is_hidden(self, top: Remote, name: str) -> bool:
        """Whether an object under `top`, or a folder that contains it, is hidden. A pattern for it counts as matched, as it does
        in a folder."""
        parts = name.split("/")
        for number, part in enumerate(parts, 1):
            if part.startswith("."):
                self._is_excluded(top, "/".join(parts[:number]))
                return True
        return False

    def _remote_libraries(self, top: Remote, names: list[str]) -> tuple[str, ...]:
        """The folders under `top` that are libraries, as they begin the names there (with / around); others than the one that is
        written are noted."""
        rooted = [f"/{name}" for name in names]
        with_manifest = {name.removesuffix(f"/{MANIFEST}") for name in rooted if name.endswith(f"/{MANIFEST}")}
        with_tables = {name[: at.start()] for name in rooted for at in re.finditer(f"/{GENERATION}", name)}
        found = sorted(with_manifest & with_tables)
        for folder in found:
            place = top / folder[1:] if folder else top
            if f"{place}/" != self._leave_out_remote and not self._is_excluded(top, folder[1:]):
                self.result.libraries.append(self._owner.locate(place))
        return tuple(f"{folder}/" for folder in found)

    def file(self, path: Path) -> None:
        """Include a file that was named explicitly, whatever its suffix; of a cue sheet, the files that it refers to."""
        if self._sheets is None:
            self._include(path)
        elif is_cue_sheet(path.name):
            for name, tracks in self._sheets.files_of(path):
                if not self._is_excluded(path.parent, name):
                    self._include(path.parent / name, tracks)
        else:
            self._include(path, self._sheets.tracks_of(path))

    def above(self, target: Path, root: Location) -> None:
        """Read the cue sheets above `target`, which may refer to files in it."""
        if self._sheets is not None and isinstance(root, Path):
            self._sheets.read_above(target, root)

    def linked_folders(self) -> None:
        """Scan the folders that links point to and that were not scanned already."""
        while self._links and not self._stop():
            self.folder(self._links.pop(0))

    def _excluded_in(self, folder: Path) -> Callable[[str], bool] | None:
        """Which names directly in a folder are excluded; None if nothing is anywhere."""
        return self._exclusions.within(self._owner.locate(folder)[1]) if self._exclusions else None

    def _is_excluded(self, folder: Location, name: str) -> bool:
        return bool(self._exclusions) and self._exclusions.covers(self._owner.locate(folder / name)[1])

    def _wanted(self, name: str) -> bool:
        """Whether a file has the suffix of an audio format; if not, it is counted."""
        suffix = os.path.splitext(name)[1].lower()
        if is_cue_sheet(name):
            return False
        if suffix not in self._extensions:
            self.result.other[printable(suffix)] += 1
        return suffix in self._extensions

    def _link(self, path: Path) -> None:
        target = Path(os.path.realpath(path))
        if self._owner.holds(target):
            return  # it is scanned at its real place
        if target.is_dir():
            self._links.append(path)
        elif self._wanted(path.name):
            self._include(path)

    def _include(self, path: Path, tracks: tuple[Track, ...] | None = None) -> None:
        """Include a file, or its tracks; None for those by the sheet inside it, if there is one."""
        if self._sidecars is not None and self._sidecars.belongs(path):
            return
        try:
            facts = os.stat(path)
            size, mtime_ns = stat_with(self._sidecars, path, facts)
        except OSError as error:
            broken = path.is_symlink()
            reason = "a link to nothing" if broken else f"cannot be read: {error.strerror}"
            self._unusable(path, reason)
            return
        if printable(str(path)) != str(path):
            self._unusable(path, "its name is not valid Unicode; rename it")
        elif not stat.S_ISREG(facts.st_mode):
            self._unusable(path, "not a regular file")
        else:
            root, relative = self._owner.locate(path)
            whole = ScannedFile(root, relative, size, mtime_ns)
            if tracks is None:
                looks_inside = (
                    self._sheets is not None and may_have_sheet(path.name, size) and not self._is_whole(whole)
                )
                tracks = tracks_inside(path) if looks_inside else ()
            if not tracks:
                self.result.files.append(whole)
            self.result.files += [
                ScannedFile(root, path_of_track, size, track_stamp(mtime_ns, track), track)
                for track in tracks
                if not self._exclusions.covers(path_of_track := track_path(relative, track.number))
            ]

    def _unusable(self, path: Path, reason: str) -> None:
        """Note why an entry cannot be used; several reasons for one entry are joined."""
        root, relative = self._owner.locate(path)
        self._reasons.setdefault((root, printable(relative)), {})[reason] = None

    def finished(self) -> Scan:
        """What was found."""
        self.result.files = sorted(set(self.result.files))
        self.result.unusable = [(*place, "; ".join(reasons)) for place, reasons in self._reasons.items()]
        return self.result


def _is_library(names: Collection[str]) -> bool:
    """Whether a folder with these entries is a library: its manifest and a generation of tables are there."""
    return MANIFEST in names and any(name.startswith(GENERATION) for name in names)


def _identity(path: Path) -> tuple[int, int]:
    facts = os.stat(path)
    return facts.st_dev, facts.st_ino
