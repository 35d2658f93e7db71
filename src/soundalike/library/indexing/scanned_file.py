"""What a scan finds: files and tracks, and what could not be used."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from soundalike.audio.cue_sheet import Track
from soundalike.audio.file_part import seconds_address
from soundalike.library.storage.item_parts import track_digest
from soundalike.library.storage.location import Location


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
