"""Classes of one-shots by the names and key numbers that sources give them."""

from __future__ import annotations

import re

from soundalike.models.encoders.builtin.one_shot_classes import CLASSES

UNKNOWN = -1
"""No class is known: the sound trains everything but the class head."""

_KEYS: dict[str, tuple[int, ...]] = {
    "kick": (35, 36),
    "snare": (38, 40),
    "clap": (39,),
    "hat": (42, 44, 46),
    "tom": (41, 43, 45, 47, 48, 50),
    "cymbal": (49, 51, 52, 53, 55, 57, 59),
    "percussion": (37, 54, 56, 58, *range(60, 82)),
}

_PATTERNS: tuple[tuple[str, str], ...] = (
    ("clap", r"clap|\bmc\b|handclap"),
    (
        "percussion",
        r"rim|stick|sidestick|cowbell|\bcb|clav|conga|bongo|tamb|shaker|agogo|cajon|djembe|perc|tabla|wood|"
        r"snap|triangle|maraca|guiro|cabasa|block|dununba|kenkeni|sangban|\brs\b|\bbl\b|bell$",
    ),
    ("hat", r"hat|hh|\bho\b|\bhc\b|cymbal_(closed|open|pedal)"),
    ("cymbal", r"crash|cymbal|ride|china|splash|\bcc\b|\brc\b|\brd|sabmute|bell|paiste|\bcra\b"),
    ("snare", r"snare|\bsn|\bsd|\bsr\b|jsnare"),
    ("tom", r"tom|\bt[12]\b|\bft\b"),
    ("kick", r"kick|\bbd|bass ?drum|heavy_kick|drum_bass|_k_|bassdrum"),
)


def class_of_key(key: int) -> int:
    """The class of a key of a General-MIDI drum kit, `UNKNOWN` for others."""
    return next((CLASSES.index(name) for name, keys in _KEYS.items() if key in keys), UNKNOWN)


def class_of_name(name: str) -> int:
    """The class of a drum hit by its file name, `UNKNOWN` where the name says nothing."""
    text = re.sub(r"[-_. ]+", " ", name.lower())
    both = f"{name.lower()} {text}"
    return next((CLASSES.index(label) for label, pattern in _PATTERNS if re.search(pattern, both)), UNKNOWN)
