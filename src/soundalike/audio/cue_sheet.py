"""Cue sheets: which stretches of an audio file are the tracks of an album.

Read are FILE, TRACK, INDEX, TITLE and PERFORMER (CDRWIN's user guide, appendix A) in UTF-8, UTF-16 or an 8-bit code page. A
track begins at its INDEX 01 and ends where the next one in the same file begins, so that a pregap (INDEX 00) belongs to the
track before it, as players have it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from soundalike.audio.metadata.text_encodings import decode_text

LARGEST = 1 << 20
"""Bytes of a cue sheet that are read."""

_FRAMES = 75  # in a second
_MOST_TRACKS = 999
_QUOTED = re.compile(r'"(.*)"')
_TIME = re.compile(r"(\d{1,5}):(\d{1,2}):(\d{1,2})")


@dataclass(frozen=True)
class Track:
    """A track: its number in the sheet, the seconds of the file that it takes (end None: to the end of the file), and its
    texts, None where the sheet has none; album: the sheet's title."""

    number: int
    start: float
    end: float | None
    title: str | None = None
    performer: str | None = None
    album: str | None = None


@dataclass(frozen=True)
class CueFile:
    """A FILE of a sheet: its name as it is written, the tracks in it, and the folder in which it is if it is below the sheet's
    ("CD1", "audio/CD1"), else empty: paths on another machine mean nothing."""

    name: str
    tracks: tuple[Track, ...]
    folder: str = ""


@dataclass
class _Draft:
    """A track while its lines are read. starts: (file, seconds) by index number."""

    number: int
    is_audio: bool
    title: str | None = None
    performer: str | None = None
    starts: dict[int, tuple[int, float]] = field(default_factory=dict)

    @property
    def begin(self) -> tuple[int, float] | None:
        """(file, seconds) of INDEX 01, or of the first later index."""
        return next((self.starts[index] for index in sorted(self.starts) if index > 0), None)


def read_cue_sheet(data: bytes) -> tuple[CueFile, ...]:
    """The files of a sheet with their tracks. Raises ValueError for one whose tracks are not in order, or that has none."""
    names: list[tuple[str, str]] = []
    drafts: list[_Draft] = []
    sheet = _Draft(0, is_audio=False)
    for line in decode_text(data).replace("\r", "\n").split("\n"):
        command, rest = _first_word(line)
        command = command.upper()
        owner = drafts[-1] if drafts else sheet
        if command == "FILE":
            name = _file_name(rest)
            if name not in names[-1:]:  # some programs repeat it before every track
                names.append(name)
        elif command == "TRACK" and len(drafts) < _MOST_TRACKS:
            number, kind = _first_word(rest)
            drafts.append(_Draft(int(number) if number.isdecimal() else len(drafts) + 1, kind.upper() == "AUDIO"))
        elif command == "TITLE":
            owner.title = _text(rest)
        elif command == "PERFORMER":
            owner.performer = _text(rest)
        elif command == "INDEX" and drafts and names:
            index, time = _first_word(rest)
            seconds = _seconds(time)
            if index.isdecimal() and seconds is not None:
                drafts[-1].starts[int(index)] = (len(names) - 1, seconds)
    if not names or not drafts:
        raise ValueError("it lists no tracks")
    return tuple(CueFile(name, _tracks(drafts, sheet, number), folder) for number, (folder, name) in enumerate(names))


def _tracks(drafts: list[_Draft], sheet: _Draft, file: int) -> tuple[Track, ...]:
    """The audio tracks that begin in a file."""
    inside = [(draft, draft.begin[1]) for draft in drafts if draft.begin is not None and draft.begin[0] == file]
    numbers = [draft.number for draft, _ in inside]
    if len(set(numbers)) < len(numbers):
        raise ValueError(f"it lists a track {max(numbers, key=numbers.count)} twice")
    tracks = []
    for place, (draft, start) in enumerate(inside):
        end = inside[place + 1][1] if place + 1 < len(inside) else None
        if end is not None and end <= start:
            raise ValueError(f"track {inside[place + 1][0].number} does not begin after track {draft.number}")
        if draft.is_audio:
            tracks.append(Track(draft.number, start, end, draft.title, draft.performer or sheet.performer, sheet.title))
    return tuple(tracks)


def _first_word(line: str) -> tuple[str, str]:
    """The first word of a line and what follows it; spaces and tabs part words."""
    word, *rest = line.strip().split(None, 1) or [""]
    return word, rest[0].strip() if rest else ""


def _file_name(rest: str) -> tuple[str, str]:
    """The folder and the name in `"CD1/album.flac" WAVE`, with or without quotes; the folder as in `CueFile`."""
    quoted = _QUOTED.match(rest)
    *folders, name = re.split(r"[/\\]", quoted[1] if quoted else (rest.rsplit(None, 1) or [""])[0])
    folders = [folder for folder in folders if folder != "."]
    is_below = not any(folder in ("", "..") or ":" in folder for folder in folders)
    return "/".join(folders) if is_below else "", name


def _text(rest: str) -> str | None:
    quoted = _QUOTED.match(rest)
    return " ".join((quoted[1] if quoted else rest).split())[:500] or None


def _seconds(time: str) -> float | None:
    """Seconds of a time in minutes, seconds and frames."""
    match = _TIME.fullmatch(time)
    if match is None or int(match[2]) > 59 or int(match[3]) >= _FRAMES:
        return None
    return int(match[1]) * 60 + int(match[2]) + int(match[3]) / _FRAMES
