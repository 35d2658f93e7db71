"""Musical keys: parsing the notations that tags, file names and users use, and comparing keys.

A key is a root (pitch class 0..11, C = 0) and a mode: "major", "minor", or None if only the root is known. It is written
"A minor", "Bb major", "F#": one spelling for each, that of the Camelot wheel.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import Literal

from soundalike.errors import InputError

Mode = Literal["major", "minor"]

_MAJOR_NAMES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_MINOR_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")
_NATURALS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}

_SPELT = re.compile(
    r"(?P<root>[A-Ga-g])\s*[-_]?(?P<sign>#|♯|b|♭|sharp|flat|)\s*[-_]?\s*"
    r"(?P<mode>maj(?:or)?|min(?:or)?|moll|dur|m|M|)",
    re.IGNORECASE,
)
_CAMELOT = re.compile(r"(?P<number>0?[1-9]|1[0-2])(?P<letter>[ABab])")
_OPEN_KEY = re.compile(r"(?P<number>0?[1-9]|1[0-2])(?P<letter>[dm])")


@dataclass(frozen=True)
class Key:
    """A root (pitch class, C = 0) and a mode; `str` gives the standard spelling: "A minor", "Eb major", "F#"."""

    root: int
    mode: Mode | None

    def __str__(self) -> str:
        name = (_MINOR_NAMES if self.mode == "minor" else _MAJOR_NAMES)[self.root]
        return f"{name} {self.mode}" if self.mode else name

    def compatible(self, other: Key) -> bool:
        """Whether the two keys are compatible for mixing: neighbours on the Camelot wheel.

        These are the same key, its relative (A minor, C major), and the same mode a fifth up or down. A key of unknown
        mode is compatible if either mode is.
        """
        readings = itertools.product(_readings(self), _readings(other))
        return any(_neighbours(*mine, *theirs) for mine, theirs in readings)


def parse_key(text: str) -> Key:
    """The key written as "Am", "A minor", "F#min", "Bb major", "8A" (Camelot), "1m" (Open Key) or "C" (root only).

    Case does not matter except for a single m: "Am" and "am" are A minor, "AM" is A major.

    Raises InputError if `text` is not a key.
    """
    key = find_key(text)
    if key is None:
        raise InputError(f"{text!r} is not a key; write it like 'Am', 'F# minor', 'Bb major', '8A' or just 'C'")
    return key


def find_key(text: str) -> Key | None:
    """As `parse_key`, but None if `text` is not a key."""
    text = text.strip()
    if wheel := _CAMELOT.fullmatch(text):
        return _from_camelot(int(wheel["number"]), minor=wheel["letter"] in "Aa")
    if wheel := _OPEN_KEY.fullmatch(text):
        # Open Key counts from C major and A minor, Camelot from B major and G# minor: seven steps apart.
        return _from_camelot((int(wheel["number"]) + 6) % 12 + 1, minor=wheel["letter"] == "m")
    spelt = _SPELT.fullmatch(text)
    if spelt is None:
        return None
    return spelt_key(spelt["root"], spelt["sign"] or "", spelt["mode"])


def spelt_key(root: str, sign: str, mode: str) -> Key:
    """The key of a root letter, an accidental ("", "#", "b", "sharp", ...) and a mode ("" if unknown)."""
    sharp = sign.lower() in ("#", "♯", "sharp")
    step = 0 if not sign else 1 if sharp else -1
    word = mode.lower()
    name: Mode | None = None
    if word:
        minor = word in ("min", "minor", "moll") or mode == "m"
        name = "minor" if minor else "major"
    return Key((_NATURALS[root.upper()] + step) % 12, name)


def compatible(one: str, other: str) -> bool:
    """`Key.compatible` of two written keys. Raises InputError as `parse_key`."""
    return parse_key(one).compatible(parse_key(other))


def _from_camelot(number: int, minor: bool) -> Key:
    # 8B is C major and 8A A minor; each step up the wheel is a fifth.
    root = (7 * (number - 8)) % 12
    return Key((root + 9) % 12, "minor") if minor else Key(root, "major")


def _readings(key: Key) -> list[tuple[int, bool]]:
    """(position on the circle of fifths, minor?) of a key; of both modes if the mode is unknown."""
    modes: tuple[Mode, ...] = (key.mode,) if key.mode else ("major", "minor")
    return [((7 * (key.root + (3 if mode == "minor" else 0))) % 12, mode == "minor") for mode in modes]


def _neighbours(position: int, minor: bool, other_position: int, other_minor: bool) -> bool:
    if minor != other_minor:
        return position == other_position
    return (position - other_position) % 12 in (0, 1, 11)
