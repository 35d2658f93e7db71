"""The truth about a generated library, stored as `truth.json`.

Paths are relative to the library's folder, with forward slashes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from soundalike.errors import InputError

TRUTH_FILE = "truth.json"
_FORMAT = 1


@dataclass(frozen=True)
class SongTruth:
    """A song: who plays what, and when the drums strike."""

    file: str
    title: str
    artist: str
    album: str
    style: str
    groove: str
    """The same in two songs: the same drum pattern."""
    tempo: int
    key: str
    """`A minor`."""
    kit: str
    patches: Mapping[str, str]
    """Part -> patch, of the pitched parts there are."""
    duration: float
    hits: Mapping[str, tuple[float, ...]]
    """Drum voice -> times of its strokes in seconds."""
    stems: Mapping[str, str]
    """Part -> file of its true stem; empty where stems were not written."""


@dataclass(frozen=True)
class LoopTruth:
    """A loop: one part of one song's pattern, or of a pattern and a kit that no song combines (`song` None)."""

    file: str
    part: str
    style: str
    groove: str | None
    tempo: int
    key: str | None
    bars: int
    kit: str | None
    patch: str | None
    song: str | None
    """File of the song that plays just this."""


@dataclass(frozen=True)
class OneShotTruth:
    """One stroke of a kit (`kit` and `voice`) or one note of a patch (`patch` and `note`, a MIDI number)."""

    file: str
    kit: str | None = None
    voice: str | None = None
    patch: str | None = None
    note: int | None = None


@dataclass(frozen=True)
class Truth:
    """The truth about a generated library."""

    seed: int
    songs: tuple[SongTruth, ...]
    loops: tuple[LoopTruth, ...]
    one_shots: tuple[OneShotTruth, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """Every song, loop and one-shot, in that order (true stems left out)."""
        return (
            *(song.file for song in self.songs),
            *(loop.file for loop in self.loops),
            *(shot.file for shot in self.one_shots),
        )

    def song(self, file: str) -> SongTruth:
        """The song of that file. Raises InputError where there is none."""
        for song in self.songs:
            if song.file == file:
                return song
        raise InputError(f"no song {file!r} in this library; it begins with {self.songs[0].file!r}")

    def songs_like(self, file: str, part: str) -> tuple[str, ...]:
        """The other songs whose `part` is played by the same kit or patch as in song `file`."""
        wanted = _player(self.song(file), part)
        return tuple(song.file for song in self.songs if song.file != file and wanted and _player(song, part) == wanted)

    def loops_like(self, file: str, part: str) -> tuple[str, ...]:
        """The loops of `part` played by the same kit or patch as in song `file`."""
        wanted = _player(self.song(file), part)
        return tuple(
            loop.file for loop in self.loops if loop.part == part and wanted and wanted in (loop.kit, loop.patch)
        )

    def one_shots_in(self, file: str) -> tuple[str, ...]:
        """The one-shots that sound inside song `file`: the voices its drums strike, of its kit."""
        song = self.song(file)
        return tuple(shot.file for shot in self.one_shots if shot.kit == song.kit and shot.voice in song.hits)


def _player(song: SongTruth, part: str) -> str | None:
    return song.kit if part == "drums" else song.patches.get(part)


def write_truth(folder: Path, truth: Truth) -> None:
    """Write `truth.json` into `folder`."""
    text = json.dumps({"format": _FORMAT, **asdict(truth)}, ensure_ascii=False, indent=1)
    (folder / TRUTH_FILE).write_text(text + "\n", encoding="utf-8")


def read_truth(folder: Path) -> Truth:
    """Read the `truth.json` that `write_library` left in `folder`. Raises InputError where there is none, or
    of another format.
    """
    path = folder / TRUTH_FILE
    if not path.is_file():
        raise InputError(f"no {TRUTH_FILE} in {folder}: it is not a generated library")
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if data.get("format") != _FORMAT:
        raise InputError(
            f"{path} has format {data.get('format')!r}; only format {_FORMAT} is supported; generate it again"
        )
    songs = tuple(
        SongTruth(**{**song, "hits": {voice: tuple(times) for voice, times in song["hits"].items()}})
        for song in data["songs"]
    )
    loops = tuple(LoopTruth(**loop) for loop in data["loops"])
    return Truth(data["seed"], songs, loops, tuple(OneShotTruth(**shot) for shot in data["one_shots"]))
