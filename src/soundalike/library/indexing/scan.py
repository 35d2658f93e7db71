"""The files under the roots: which there are, and which folders could not be read.

Included are regular files with the suffix of an audio format; a file that a cue sheet divides is included track by track.
Left out are hidden files and folders, what the library excludes, the library itself and other libraries, and symbolic links
to places inside a root; a linked folder outside the roots is followed, once.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections import ChainMap, Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from soundalike.audio.cue_sheet import Track
from soundalike.audio.file_part import seconds_address
from soundalike.errors import LibraryError
from soundalike.library.indexing.cue_tracks import (
    AudioNames,
    FolderTracks,
    is_cue_sheet,
    may_have_sheet,
    track_stamp,
    tracks_by,
    tracks_in,
    tracks_inside,
)
from soundalike.library.indexing.exclusions import Exclusions
from soundalike.library.indexing.scopes import RootFinder, Scope, printable
from soundalike.library.indexing.sidecar_files import SidecarFiles, stat_with
from soundalike.library.storage.item_parts import track_digest, track_path
from soundalike.library.storage.location import Location, Remote
from soundalike.library.storage.manifest import FILE_NAME as MANIFEST
from soundalike.library.storage.manifest import GENERATION

_BLOCK = 1 << 20


def content_digest(
    path: Location,
    sidecars: SidecarFiles | None = None,
    *,
    on_block: Callable[[bytes | memoryview], None] | None = None,
) -> str:
    """BLAKE2b-128 of a file's bytes, in hex; with sidecars, of its own digest and of their names and digests, and of a file that
    has inside what others have in sidecars, another one than of the same bytes under a name without this meaning.

    on_block: called with the bytes of the file itself, block by block. Raises OSError if one cannot be read.
    """
    digest = hashlib.blake2b(digest_size=16)
    for block in path.blocks() if isinstance(path, Remote) else _blocks(path):
        digest.update(block)
        if on_block is not None:
            on_block(block)
    others = () if sidecars is None or isinstance(path, Remote) else sidecars.sidecars(path)
    has_inside = sidecars is not None and isinstance(path, Path) and sidecars.has_inside(path)
    if others or has_inside:
        facts = [("", digest.hexdigest()), *((other.name, content_digest(other)) for other in others)]
        digest = hashlib.blake2b(repr(facts).encode(), digest_size=16)
    return digest.hexdigest()


def _blocks(path: Path) -> Iterator[bytes]:
    with open(path, "rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            yield block


@dataclass(frozen=True, order=True)
class ScannedFile:
    """A file: its root's name, its path relative to it (with /), size in bytes and time of last change in ns (with those
    of its sidecars, if it has any: see `sidecar_files.stat_with`); for an object of a store, a stamp in place of the time.

    track: the track of the file that it is, if a cue sheet divides the file (`item_parts` and `cue_tracks.track_stamp` say
    what path and time are then).
    """

    root: str
    path: str
    size: int = field(compare=False)
    mtime_ns: int = field(compare=False)
    track: Track | None = field(default=None, compare=False)

    @property
    def file(self) -> str:
        """The path of the file, relative to the root."""
        return self.path if self.track is None else self.path.rpartition("#")[0]

    def digest(self, of_file: str) -> str:
        """The digest of what is indexed, from that of the file."""
        return of_file if self.track is None else track_digest(of_file, self.track.start, self.track.end)

    def address(self, file: Location) -> str:
        """What decodes it; file: where the file is."""
        if self.track is None:
            return str(file)
        return seconds_address(str(file), self.track.start, self.track.end)


@dataclass
class Scan:
    """The result of a scan.

    files: sorted, each once; unusable: (root, path relative to it, reason) of entries that look like audio files or cue sheets
    but cannot be used (in their paths undecodable bytes are written out); unreadable:
    (root, folder relative to it, reason) of folders that could not be listed; unreachable: names of roots that are not
    there; other: how many files were left out for their suffix, by suffix (lower case, "" for none); libraries: (root, folder
    relative to it) of other libraries, which were not entered; excluded: (root, path relative to it) of scopes
    that are excluded.
    """

    files: list[ScannedFile] = field(default_factory=list)
    unusable: list[tuple[str, str, str]] = field(default_factory=list)
    unreadable: list[tuple[str, str, str]] = field(default_factory=list)
    unreachable: list[str] = field(default_factory=list)
    other: Counter[str] = field(default_factory=Counter)
    libraries: list[tuple[str, str]] = field(default_factory=list)
    excluded: list[tuple[str, str]] = field(default_factory=list)


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
        self._cue_sheets = cue_sheets and sidecars is None
        self._sidecars = sidecars
        self._is_whole = is_whole
        self._exclusions = exclusions
        self._owner = RootFinder(roots)
        self._extensions = extensions
        self._leave_out = _identity(leave_out) if isinstance(leave_out, Path) else None
        self._leave_out_remote = f"{leave_out}/" if isinstance(leave_out, Remote) else None
        self._stop = stop
        self._from_above: dict[Path, dict[str, tuple[Track, ...]]] = {}  # by the sheets of folders above
        self._names: dict[Path, list[str]] = {}  # in folders above what was named
        self._audio: dict[Path, AudioNames] = {}
        self._by_sheets: dict[Path, FolderTracks] = {}
        self._reported: set[Path] = set()  # folders whose problems with sheets are noted
        self._below_read: set[tuple[Path, Path]] = set()  # (folder, root) between which all sheets have been read
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
            names = [entry.name for entry in entries]
            tracks = self._tracks(folder, names if excluded is None else _without_sheets(names, excluded))
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
        names = self._names_for_sheets(path.parent) if self._cue_sheets else []
        if self._cue_sheets and is_cue_sheet(path.name):
            audio = self._audio.get(path.parent)
            if audio is None:
                audio = self._audio[path.parent] = AudioNames.among(names, self._extensions)
            found = tracks_by([path.name], path.parent, audio, self._extensions)
            for _, reason in found.problems:
                self._unusable(path, reason)
            for name in dict.fromkeys(found.files.get(path.name, ())):
                if not self._is_excluded(path.parent, name):
                    self._include(path.parent / name, found.tracks.get(name))
        else:
            self._include(path, self._tracks(path.parent, names).get(path.name))

    def linked_folders(self) -> None:
        """Scan the folders that links point to and that were not scanned already."""
        while self._links and not self._stop():
            self.folder(self._links.pop(0))

    def _tracks(self, folder: Path, names: list[str]) -> Mapping[str, tuple[Track, ...]]:
        """The tracks of the files in a folder that cue sheets beside them, or in a folder above, refer to, by file name."""
        above = self._from_above.get(folder, {})
        if not self._cue_sheets:
            return above
        found = self._read_sheets(folder, names)
        if folder not in self._reported:
            self._reported.add(folder)
            for sheet, reason in found.problems:
                self._unusable(folder / sheet, reason)
        return ChainMap(found.tracks, above) if found.tracks else above

    def above(self, target: Path, root: Location) -> None:
        """Read the cue sheets in the folders from `root` down to the one above `target`, which may refer to files in it."""
        if not self._cue_sheets or not isinstance(root, Path) or (target.parent, root) in self._below_read:
            return
        self._below_read.add((target.parent, root))
        for folder in reversed([folder for folder in target.parents if folder.is_relative_to(root)]):
            self._read_sheets(folder, self._names_for_sheets(folder))

    def _read_sheets(self, folder: Path, names: list[str]) -> FolderTracks:
        """What the cue sheets in a folder say, read once; names: all in it, without excluded sheets."""
        found = self._by_sheets.get(folder)
        if found is None:
            found = FolderTracks()
            if any(map(is_cue_sheet, names)):
                found = tracks_in(folder, [name for name in names if not name.startswith(".")], self._extensions)
                self._note_below(folder, found)
            self._by_sheets[folder] = found
        return found

    def _names_for_sheets(self, folder: Path) -> list[str]:
        """The names in a folder, sorted, without excluded cue sheets, listed once; none if it cannot be listed."""
        names = self._names.get(folder)
        if names is None:
            try:
                names = sorted(os.listdir(folder))
            except OSError:
                names = []
            excluded = self._excluded_in(folder)
            if excluded is not None:
                names = _without_sheets(names, excluded)
            self._names[folder] = names
        return names

    def _excluded_in(self, folder: Path) -> Callable[[str], bool] | None:
        """Which names directly in a folder are excluded; None if nothing is anywhere."""
        return self._exclusions.within(self._owner.locate(folder)[1]) if self._exclusions else None

    def _is_excluded(self, folder: Location, name: str) -> bool:
        return bool(self._exclusions) and self._exclusions.covers(self._owner.locate(folder / name)[1])

    def _note_below(self, folder: Path, found: FolderTracks) -> None:
        for path, tracks in found.tracks.items():
            inside, slash, name = path.rpartition("/")
            if slash:
                self._from_above.setdefault(folder / inside, {})[name] = tracks

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
                looks_inside = self._cue_sheets and may_have_sheet(path.name, size) and not self._is_whole(whole)
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


def _without_sheets(names: Iterable[str], excluded: Callable[[str], bool]) -> list[str]:
    """`names` without excluded cue sheets. The audio files stay, so that no sheet seems to refer to nothing."""
    return [name for name in names if not (is_cue_sheet(name) and excluded(name))]


def _is_library(names: Collection[str]) -> bool:
    """Whether a folder with these entries is a library: its manifest and a generation of tables are there."""
    return MANIFEST in names and any(name.startswith(GENERATION) for name in names)


def _identity(path: Path) -> tuple[int, int]:
    facts = os.stat(path)
    return facts.st_dev, facts.st_ino
