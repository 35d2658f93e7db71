"""The class of a one-shot (kick, snare, hat, ...) from the names of its file and folders, as producers write them.

    Kicks/BD_808_01.wav         kick          Drums/HiHatOpen-3.wav         hat
    Snares/808 07.wav           snare         Kick & Snare/03.wav           unknown: one or the other
    Drum and Bass/Vox/oh.wav    vocal         Bass Drum 2.wav               kick

The file name decides; where it names no class the nearest folder that names one does. Within one name a specific word
beats a general one ("perc tom", "FX crash"), and two equally specific words of different classes leave both open, until a
folder further out names one of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from soundalike.errors import InputError

CLASSES = (
    "kick", "snare", "clap", "hat", "tom", "cymbal", "percussion",
    "bass", "guitar", "keys", "synth", "orchestral", "vocal", "fx",
)  # fmt: skip
"""In the order in which they are listed: the drum kit, pitched instruments, the rest."""

SPECIFIC, ORDINARY, GENERAL, HINT = range(4)
"""How much a word tells. HINT: also used for other things ("808 snare", "oh"), so that the nearest folder may overrule it."""

_VOCABULARY: tuple[tuple[str, int, str], ...] = (
    ("kick", SPECIFIC, "kick kik kck kickdrum bassdrum"),
    ("kick", ORDINARY, "bd bdrum kd bombo"),
    ("snare", SPECIFIC, "snare snr snaredrum"),
    ("snare", ORDINARY, "sd sn redoblante"),
    ("clap", SPECIFIC, "clap clp handclap"),
    ("clap", ORDINARY, "snap fingersnap"),
    ("clap", HINT, "cp"),
    ("hat", SPECIFIC, "hat hihat hhat openhat closedhat clhat ophat chh ohh phh hhc hho"),
    ("hat", ORDINARY, "hh charleston"),
    ("hat", HINT, "oh ch"),
    ("tom", SPECIFIC, "tom tomtom"),
    ("tom", HINT, "lt mt ht"),
    ("cymbal", SPECIFIC, "cymbal cymbale crash ride splash china cym gong"),
    ("cymbal", ORDINARY, "becken platillo"),
    ("cymbal", HINT, "cy cr rd"),
    (
        "percussion",
        SPECIFIC,
        "shaker shk tambourine tamb conga bongo cowbell clave timbale timbales djembe tabla darbuka cajon woodblock triangle "
        "guiro cabasa maraca agogo udu taiko rim rimshot sidestick xstick castanet",
    ),
    ("percussion", GENERAL, "perc percussion prc percussive"),
    ("percussion", HINT, "rs cb"),
    ("bass", ORDINARY, "bass reese subbass bs"),
    ("bass", HINT, "808 sub"),
    ("guitar", ORDINARY, "guitar gtr guit ukulele banjo"),
    (
        "keys",
        ORDINARY,
        "piano epiano rhodes wurli wurlitzer organ keys clavinet clav harpsichord marimba vibraphone xylophone glockenspiel "
        "kalimba",
    ),
    ("synth", ORDINARY, "lead pad pluck arp"),
    ("synth", GENERAL, "synth syn chord stab moog"),
    (
        "orchestral",
        ORDINARY,
        "violin viola cello strings brass trumpet trombone horn sax saxophone flute clarinet oboe harp orchestra orchestral",
    ),
    ("vocal", ORDINARY, "vocal vox voc voice acapella acappella adlib choir chant shout scream"),
    (
        "fx",
        ORDINARY,
        "riser uplifter downlifter downer sweep whoosh swoosh impact foley atmos atmosphere ambience ambient transition "
        "soundscape scratch explosion gunshot siren crackle",
    ),
    ("fx", GENERAL, "fx sfx efx texture"),
    ("fx", HINT, "noise glitch laser zap"),
)

_PHRASES: dict[tuple[str, ...], str | None] = {
    ("bass", "drum"): "kick",
    ("b", "drum"): "kick",
    ("side", "stick"): "percussion",
    ("cross", "stick"): "percussion",
    ("x", "stick"): "percussion",
    ("wood", "block"): "percussion",
    ("cow", "bell"): "percussion",
    ("grosse", "caisse"): "kick",
    ("grosse", "trommel"): "kick",
    ("große", "trommel"): "kick",
    ("caisse", "claire"): "snare",
    ("kleine", "trommel"): "snare",
    ("ad", "lib"): "vocal",
    ("gun", "shot"): "fx",
    # Styles of music and names of machines, which pack names are full of.
    ("drum", "bass"): None,
    ("drum", "and", "bass"): None,
    ("drum", "n", "bass"): None,
    ("future", "bass"): None,
    ("uk", "bass"): None,
    ("bass", "house"): None,
    ("bass", "music"): None,
    ("tr", "808"): None,
    ("roland", "808"): None,
}
"""Words that mean something else together; None: no class."""

_LONGEST = max(map(len, _PHRASES))
_LETTERS_OR_DIGITS = re.compile(r"[^\W\d_]+|\d+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class _Found(NamedTuple):
    """The classes that one name leaves open, and how much the words tell that named them."""

    classes: frozenset[str]
    level: int


def check_class(name: str) -> str:
    """`name` if it is one of `CLASSES`. Raises InputError otherwise."""
    if name not in CLASSES:
        raise InputError(f"unknown class {name!r}; the classes of one-shots are {', '.join(CLASSES)}")
    return name


def class_of_path(path: str) -> str | None:
    """The class that a path with `/` names: by its file name, else by the nearest folder that names one; None if none does, or
    if the words leave several open."""
    *folders, file = path.split("/")
    stem = file.rpartition(".")[0] or file
    levels = (found for found in (_named(stem), *map(_named_cached, reversed(folders))))
    return _decide(levels)


def class_of_item(root: str, path: str) -> str | None:
    """The class that an item's path and the name of its root state, as `class_of_path`; of an absolute path without a root, the
    file and two folders count."""
    return class_of_path(f"{root}/{path}" if root else nearest_names(path))


def nearest_names(path: str) -> str:
    """The file and two folders of an absolute path: further out it names users and disks."""
    return "/".join(path.split("/")[-3:])


def words_of(name: str) -> list[str]:
    """The words and numbers of a name in lower case: parted by signs, by digits and by capitals (`HiHat2`: hi, hat, 2)."""
    return [
        word.lower()
        for run in _LETTERS_OR_DIGITS.findall(name)
        for word in (_CAMEL.split(run) if run.isascii() else [run])
    ]


def _decide(levels: Iterator[_Found]) -> str | None:
    """The class from what each name leaves open, the nearest first."""
    for found in levels:
        if not found.classes:
            continue
        if found.level == HINT:
            folder = next(levels, _Found(frozenset(), HINT))
            if folder.classes and folder.level < HINT:
                found = folder
        while len(found.classes) > 1:
            further = next((one for one in levels if one.classes), None)
            if further is None or not found.classes & further.classes:
                return None
            found = _Found(found.classes & further.classes, found.level)
        return next(iter(found.classes))
    return None


def _named(name: str) -> _Found:
    words, found, position = words_of(name), [], 0
    while position < len(words):
        taken = next(
            (
                count
                for count in range(_LONGEST, 1, -1)
                if tuple(map(_singular, words[position : position + count])) in _PHRASES
            ),
            0,
        )
        if taken:
            meaning = _PHRASES[tuple(map(_singular, words[position : position + taken]))]
            found += [(SPECIFIC, meaning)] if meaning else []
        else:
            found += _meanings(words[position])
        position += max(1, taken)
    level = min((level for level, _ in found), default=HINT)
    return _Found(frozenset(name for at, name in found if at == level), level)


_named_cached = lru_cache(4_096)(_named)
"""Folders contain many files."""


def _meanings(word: str) -> Sequence[tuple[int, str]]:
    return _MEANINGS.get(word) or _MEANINGS.get(_singular(word)) or ()


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


_MEANINGS: dict[str, list[tuple[int, str]]] = {}
for _class, _level, _words in _VOCABULARY:
    for _word in _words.split():
        _MEANINGS.setdefault(_word, []).append((_level, _class))
