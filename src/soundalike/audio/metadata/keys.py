"""Musical keys: parsing the notations that tags, file names and users use, and comparing keys.

A key is a root (pitch class 0..11, C = 0) and a mode: "major", "minor", or None if only the root is known. It is written
"A minor", "Bb major", "F#": one spelling for each, that of the Camelot wheel.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from soundalike.errors import InputError

Mode = Literal["major", "minor"]

_MAJOR_NAMES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_MINOR_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")
_NATURALS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}

_SPELT = re.compile(
    r"(?P<root>[A-Ga-g])\s*[-_]?(?P<sign>#|♯|b|♭|sharp|flat|)\s*[-_:]?\s*"
    r"(?P<mode>maj(?:or)?|min(?:or)?|moll|dur|m|M|)",
    re.IGNORECASE,
)
_GERMAN = re.compile(
    r"(?:(?P<natural>[A-H])|(?P<sharp>[CDEFGAH])is|(?P<flat>[CDFG])es|(?P<e_or_a>[EA])s)[\s_-]*"
    r"(?P<mode>dur|moll|maj(?:or)?|min(?:or)?|m|M|)",
    re.IGNORECASE,
)
_SOLFEGE = re.compile(
    r"(?P<root>d[oó]|r[eé]|mi|f[aá]|sol|l[aá]|s[ií]|ti)[\s_-]*"
    r"(?P<sign>#|♯|b|♭|di[eè]se|diesis|sostenido|sustenido|b[eé]mol(?:le)?|)[\s_-]*"
    r"(?P<mode>majeur|mineur|maggiore|minore|mayor|menor|maior|major|minor|maj|min|m|M)",
    re.IGNORECASE,
)
_SOLFEGE_NATURALS = {"do": 0, "re": 2, "mi": 4, "fa": 5, "sol": 7, "la": 9, "si": 11, "ti": 11}
_MINOR_WORDS = frozenset({"min", "minor", "moll", "mineur", "minore", "menor"})
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

    German ("Fis-moll", "Hm", and "B-Dur" for B flat) and Romance names ("La mineur", "Si bemol maggiore") count too. Case
    does not matter except for a single m: "Am" and "am" are A minor, "AM" is A major.

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
    german = _GERMAN.fullmatch(text)
    if german is not None and _is_german(german):
        return _german_key(german)
    if spelt := _SPELT.fullmatch(text):
        return spelt_key(spelt["root"], spelt["sign"] or "", spelt["mode"])
    if solfege := _SOLFEGE.fullmatch(text):
        return _solfege_key(solfege)
    return None


def spelt_key(root: str, sign: str, mode: str) -> Key:
    """The key of a root letter, an accidental ("", "#", "b", "sharp", ...) and a mode ("" if unknown)."""
    sharp = sign.lower() in ("#", "♯", "sharp")
    step = 0 if not sign else 1 if sharp else -1
    return Key((_NATURALS[root.upper()] + step) % 12, _mode(mode))


def _mode(word: str) -> Mode | None:
    if not word:
        return None
    return "minor" if word == "m" or word.lower() in _MINOR_WORDS else "major"


def _is_german(match: re.Match[str]) -> bool:
    """Whether a name can only be meant in German: of a note that English lacks, or with a German mode."""
    natural = match["natural"]
    if natural is None:
        return True
    return match["mode"].lower() in ("dur", "moll") or (natural in "Hh" and match["mode"] != "")


def _german_key(match: re.Match[str]) -> Key:
    letter = (match["natural"] or match["sharp"] or match["flat"] or match["e_or_a"]).upper()
    step = 1 if match["sharp"] else 0 if match["natural"] else -1
    root = {"H": 11, "B": 10}.get(letter) or _NATURALS[letter]
    return Key((root + step) % 12, _mode(match["mode"]))


def _solfege_key(match: re.Match[str]) -> Key:
    name = unicodedata.normalize("NFD", match["root"].lower())[:3].rstrip("\u0301")
    sign = match["sign"].lower()
    step = 0 if not sign else 1 if sign[0] in "#♯ds" else -1
    return Key((_SOLFEGE_NATURALS[name] + step) % 12, _mode(match["mode"]))


def find_key_in_tag(text: str) -> Key | None:
    """The key in a tag as DJ and analysis programs write it, None if there is none.

    Beside what `parse_key` reads: with a detuning ("A#m +50", "04B -50cents"), an energy level or a tempo ("4A - Energy 6",
    "8A 128"), a chord's extension ("Amin7"), a church mode ("D dorian": minor), a scale ("A minor pentatonic"), a German B
    natural ("H"); of several keys the first ("4A/5B"), with the mode that another spelling states ("C#/Db minor"); the JSON of
    Mixed In Key ({"key": "1A", ...}), plain or in base64. Any other word makes it no key.
    """
    text = unicodedata.normalize("NFKC", _json_key(text) or text).strip(" \0\t\r\n\ufeff").replace("♮", "")
    whole = find_key(text)
    if whole is not None:
        return whole
    place, found = 0, None
    while place < len(text):
        if skipped := _NOT_A_KEY.match(text, place):
            place = skipped.end()
            continue
        match = _longest_key(text, place)
        if match is None:
            return None
        key, place = match
        if found is None or (found.mode is None and key.root == found.root):
            found = key
    return found


def find_key_in_comment(text: str) -> Key | None:
    """The key at the beginning of a comment as Mixed In Key writes it, with the energy level ("8A - Energy 7", "8A - 7 - ...");
    None for any other text."""
    match = _KEY_AND_ENERGY.match(text)
    return None if match is None else find_key(match["key"])


_KEY_AND_ENERGY = re.compile(
    r"\s*(?P<key>(?:0?[1-9]|1[0-2])[AB])\s+-\s+(?:Energy\s+)?(?:[1-9]|10)(?!\w)", re.IGNORECASE
)

_END = r"(?![^\W_]|[#♯♭])"  # of a word
_NOT_A_KEY = re.compile(
    r"[^\w#♯♭+±𝄪𝄫\u0300-\u036f]+|_+|\+(?!\d)|\+(?=\d{1,2}\s*[ABabdm]" + _END + r")"  # separators
    r"|(?!(?:0?[1-9]|1[0-2])\s*[ABabdm]" + _END + r")"  # not the number of a Camelot or Open Key code
    r"[+±-]?\d+(?:[.,]\d+)?\s*(?:cents?|ct|c|%|bpm|hz)?"
    + _END
    + r"|(?:energy|level|bpm|(?:open\s*|camelot\s*)?key(?:\s+of)?|in|camelot|scale|cents?|tuning|or)"
    + _END
    + r"|(?:harmonic|melodic|natural|(?:major\s+|minor\s+)?pentatonic)"
    + _END,
    re.IGNORECASE,
)
_IN_TAG = (
    re.compile(r"(?P<name>[A-G][#♯b♭]?)\s*(?P<mode>maj|min|m|M)(?:\s?(?:6|7|9|11|13))" + _END, re.IGNORECASE),
    re.compile(r"(?P<name>[A-G][#♯b♭]?)(?P<mode>m|)(?:sus[24]?|add\d|7b5|7|9|11|13)" + _END),
    re.compile(
        r"(?P<name>[A-G][#♯b♭]?)\s*(?:(?P<minor>dorian|aeolian|phrygian|locrian|(?:natural|harmonic|melodic)\s+minor)"
        r"|ionian|lydian|mixolydian)" + _END,
        re.IGNORECASE,
    ),
    re.compile(r"(?P<code>(?:0?[1-9]|1[0-2])\s?[ABabdm])" + _END),
    re.compile(_GERMAN.pattern + _END, re.IGNORECASE),
    re.compile(_SOLFEGE.pattern + _END, re.IGNORECASE),
    re.compile(_SPELT.pattern + _END, re.IGNORECASE),
)


def _longest_key(text: str, place: int) -> tuple[Key, int] | None:
    """The key that begins at `place`, and where it ends."""
    found = []
    for pattern in _IN_TAG:
        match = pattern.match(text, place)
        key = None if match is None else _key_of_match(match)
        if match is not None and key is not None:
            found.append((match.end(), key))
    if not found:
        return None
    end, key = max(found, key=lambda one: one[0])
    return key, end


def _key_of_match(match: re.Match[str]) -> Key | None:
    groups = match.groupdict()
    if "code" in groups:
        return find_key(groups["code"].replace(" ", ""))
    if "minor" in groups:
        return find_key(groups["name"] + (" minor" if groups["minor"] else " major"))
    if match[0].strip() in ("H", "h"):
        return Key(11, None)
    return find_key(groups["name"] + groups["mode"] if "name" in groups else match[0])


def _json_key(text: str) -> str | None:
    """The text under "key" in a JSON object, plain or in base64; None if `text` is no such object."""
    text = "".join(text.split()) if "{" not in text else text
    if len(text) < 8:
        return None
    try:
        plain = text if "{" in text else base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode()
        value = json.loads(plain[plain.index("{") : plain.rindex("}") + 1])
    except (binascii.Error, ValueError, RecursionError):
        return None
    key = value.get("key") if isinstance(value, dict) else None
    return key.strip() if isinstance(key, str) else None


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
