"""The cue sheets in the folders of a scan, each read once, and the tracks into which they divide the files there."""

from __future__ import annotations

import os
from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from soundalike.audio.cue_sheet import Track
from soundalike.library.indexing.cue_tracks import AudioNames, FolderTracks, is_cue_sheet, tracks_by, tracks_in

Tracks = tuple[Track, ...]


class FolderSheets:
    """The cue sheets in some folders.

    extensions: suffixes of audio files, with the dot; excluded_in: which names directly in a folder are excluded, None if
    none are: such sheets are not used; on_problem: called with the path of a sheet that cannot be used, and why.
    """

    def __init__(
        self,
        extensions: frozenset[str],
        excluded_in: Callable[[Path], Callable[[str], bool] | None],
        on_problem: Callable[[Path, str], None],
    ) -> None:
        self._extensions = extensions
        self._excluded_in = excluded_in
        self._on_problem = on_problem
        self._by_folder: dict[Path, FolderTracks] = {}
        self._from_above: dict[Path, dict[str, Tracks]] = {}  # by the sheets of folders above
        self._names: dict[Path, list[str]] = {}  # in folders that were not scanned
        self._audio: dict[Path, AudioNames] = {}
        self._reported: set[Path] = set()  # folders whose problems are reported
        self._below_read: set[tuple[Path, Path]] = set()  # (folder, root) between which all sheets have been read

    def tracks(self, folder: Path, names: Iterable[str]) -> Mapping[str, Tracks]:
        """By file name, the tracks of the files in a folder, by the sheets beside them or in folders above that were read.

        names: all in the folder, sorted.
        """
        above = self._from_above.get(folder, {})
        found = self._read(folder, names)
        if folder not in self._reported:
            self._reported.add(folder)
            for sheet, reason in found.problems:
                self._on_problem(folder / sheet, reason)
        return ChainMap(found.tracks, above) if found.tracks else above

    def tracks_of(self, path: Path) -> Tracks | None:
        """The tracks of one file; None if no sheet refers to it."""
        return self.tracks(path.parent, self._listed(path.parent)).get(path.name)

    def files_of(self, sheet: Path) -> list[tuple[str, Tracks | None]]:
        """The files that a sheet refers to, relative to its folder, and their tracks."""
        folder = sheet.parent
        audio = self._audio.get(folder)
        if audio is None:
            audio = self._audio[folder] = AudioNames.among(self._listed(folder), self._extensions)
        found = tracks_by([sheet.name], folder, audio, self._extensions)
        for _, reason in found.problems:
            self._on_problem(sheet, reason)
        return [(name, found.tracks.get(name)) for name in dict.fromkeys(found.files.get(sheet.name, ()))]

    def read_above(self, target: Path, root: Path) -> None:
        """Read the sheets in the folders from `root` down to the one above `target`, which may refer to files in it."""
        if (target.parent, root) in self._below_read:
            return
        self._below_read.add((target.parent, root))
        for folder in reversed([folder for folder in target.parents if folder.is_relative_to(root)]):
            self._read(folder, self._listed(folder))

    def _read(self, folder: Path, names: Iterable[str]) -> FolderTracks:
        """What the sheets in a folder say; names: all in it."""
        found = self._by_folder.get(folder)
        if found is None:
            found = FolderTracks()
            used = self._without_excluded(folder, names)
            if any(map(is_cue_sheet, used)):
                found = tracks_in(folder, [name for name in used if not name.startswith(".")], self._extensions)
                self._note_below(folder, found)
            self._by_folder[folder] = found
        return found

    def _listed(self, folder: Path) -> list[str]:
        """The names in a folder, sorted, without excluded sheets; none if it cannot be listed."""
        names = self._names.get(folder)
        if names is None:
            try:
                names = sorted(os.listdir(folder))
            except OSError:
                names = []
            names = self._names[folder] = self._without_excluded(folder, names)
        return names

    def _without_excluded(self, folder: Path, names: Iterable[str]) -> list[str]:
        """`names` without excluded sheets. The audio files stay, so that no sheet seems to refer to nothing."""
        excluded = self._excluded_in(folder)
        return [name for name in names if excluded is None or not (is_cue_sheet(name) and excluded(name))]

    def _note_below(self, folder: Path, found: FolderTracks) -> None:
        for path, tracks in found.tracks.items():
            inside, slash, name = path.rpartition("/")
            if slash:
                self._from_above.setdefault(folder / inside, {})[name] = tracks
