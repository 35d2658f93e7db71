"""The cue sheets in a folder and inside files, and which audio files they divide into tracks."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from soundalike.audio.cue_sheet import LARGEST, Track, read_cue_sheet
from soundalike.audio.embedded_cue_sheet import SMALLEST, SUFFIXES, embedded_tracks
from soundalike.audio.file_names import fold

SUFFIX = ".cue"


@dataclass
class FolderTracks:
    """tracks: those of each audio file that a sheet refers to, by its path relative to the folder (with /), none if it stays
    whole; problems: (name of a sheet, why it is not used); files: the paths of the audio files that a sheet refers to."""

    tracks: dict[str, tuple[Track, ...]] = field(default_factory=dict)
    problems: list[tuple[str, str]] = field(default_factory=list)
    files: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class AudioNames:
    """The names of the audio files in a folder, for cue sheets to refer to."""

    names: tuple[str, ...]

    @classmethod
    def among(cls, names: Iterable[str], extensions: frozenset[str]) -> AudioNames:
        """Those of `names` that have the suffix of an audio format."""
        return cls(tuple(name for name in names if os.path.splitext(name)[1].lower() in extensions))

    @cached_property
    def stems(self) -> frozenset[str]:
        """The folded names without their suffixes."""
        return frozenset(map(_stem, self.names))

    @cached_property
    def _exact(self) -> frozenset[str]:
        return frozenset(self.names)

    @cached_property
    def _folded(self) -> dict[str, str]:
        """The first name of each folded name."""
        return {fold(name): name for name in reversed(self.names)}

    @cached_property
    def _with_or_without_suffix(self) -> dict[str, list[str]]:
        """The names by their folded forms with and without the suffix."""
        found: dict[str, list[str]] = {}
        for name in self.names:
            for form in {fold(name), _stem(name)}:
                found.setdefault(form, []).append(name)
        return found

    def meant_by(self, listed: str, own_name: str | None = None) -> str | None:
        """The audio file that a sheet means: that of its name, of its name with another suffix (the album was compressed after
        the sheet was written), or, if it lists a single file, of the sheet's own name."""
        if listed in self._exact:
            return listed
        if (name := self._folded.get(fold(listed))) is not None:
            return name
        for wanted in (_stem(listed), *(() if own_name is None else (fold(own_name),))):
            same = self._with_or_without_suffix.get(wanted, [])
            if len(same) == 1:
                return same[0]
        return None


def _stem(name: str) -> str:
    """The folded form of a file name without its suffix."""
    return fold(os.path.splitext(name)[0])


def is_cue_sheet(name: str) -> bool:
    """Whether a file name is that of a cue sheet."""
    return name.lower().endswith(SUFFIX)


def tracks_in(folder: Path, names: Sequence[str], extensions: frozenset[str]) -> FolderTracks:
    """What the cue sheets among `names`, the files in `folder`, say about the audio files among them.

    A file with a single track stays whole. Of several sheets for a file, the one with its name counts, else the first.
    """
    sheets = [name for name in names if is_cue_sheet(name)]
    return tracks_by(sheets, folder, AudioNames.among(names, extensions), extensions)


def tracks_by(sheets: Sequence[str], folder: Path, audio: AudioNames, extensions: frozenset[str]) -> FolderTracks:
    """`tracks_in`, for some cue sheets, files in `folder` with the audio files `audio`."""
    result = FolderTracks()
    for sheet in sorted(sheets, key=lambda name: (_stem(name) not in audio.stems, name)):
        try:
            with open(folder / sheet, "rb") as file:
                files = read_cue_sheet(file.read(LARGEST))
        except OSError as error:
            result.problems.append((sheet, f"cannot be read: {error.strerror or error}"))
            continue
        except ValueError as error:
            result.problems.append((sheet, f"is not used as a cue sheet: {error}"))
            continue
        own_name = os.path.splitext(sheet)[0] if len(files) == 1 else None
        result.files[sheet] = []
        for listed in files:
            name = audio.meant_by(listed.name, own_name)
            if name is None and listed.folder:
                name = _below(folder, listed.folder, listed.name, extensions)
            if name is None:
                result.problems.append((sheet, f"refers to {listed.name or 'no file'}, which is not beside it"))
                continue
            result.files[sheet].append(name)
            if not result.tracks.get(name):
                result.tracks[name] = listed.tracks if len(listed.tracks) > 1 else ()
    return result


def may_have_sheet(name: str, size: int) -> bool:
    """Whether a file of this name and so many bytes is one in which a cue sheet is looked for."""
    return size >= SMALLEST and os.path.splitext(name)[1].lower() in SUFFIXES


def tracks_inside(path: Path) -> tuple[Track, ...]:
    """The tracks by the cue sheet inside the file at `path`; none if there is no usable one, or the file cannot be read."""
    try:
        return embedded_tracks(path) if may_have_sheet(path.name, path.stat().st_size) else ()
    except OSError:
        return ()


def tracks_of(path: Path, extensions: frozenset[str]) -> tuple[Track, ...]:
    """The tracks of one audio file: by the sheets beside it or in the folder above, else by the one inside it."""
    for folder in dict.fromkeys((path.parent, path.parent.parent)):
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            continue
        found = tracks_in(folder, names, extensions).tracks.get(path.relative_to(folder).as_posix())
        if found is not None:
            return found
    return tracks_inside(path)


def track_stamp(mtime_ns: int, track: Track) -> int:
    """In place of the time of a file's last change, for one of its tracks: differs whenever the time or the sheet's facts
    about the track do (63 bits)."""
    digest = hashlib.blake2b(repr((mtime_ns, track)).encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


def _below(top: Path, folder: str, listed: str, extensions: frozenset[str]) -> str | None:
    """The path, relative to `top`, of the file that a sheet in it means in a folder below."""
    found: list[str] = []
    try:
        for wanted in folder.split("/"):
            inside = sorted(os.listdir(top.joinpath(*found)))
            found.append(next((name for name in inside if name == wanted or fold(name) == fold(wanted)), wanted))
        names = sorted(os.listdir(top.joinpath(*found)))
    except OSError:
        return None
    name = AudioNames.among(names, extensions).meant_by(listed)
    return None if name is None else "/".join((*found, name))
