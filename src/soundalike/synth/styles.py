"""The styles as tables: what `patterns.py` reads.

A lane is a string of sixteenths, a bar or several long. Drums: `X` accent, `x` stroke, `o` soft, `-` ghost,
`.` rest. Bass: `1 3 5 7 8` the chord's root, third, fifth, seventh and octave, `<` an approach from the scale
step under the next root, `=` hold, `.` rest. Guitar: `D`/`U` down and up strum, `m` muted, `1..5` one string
of the voicing. Keys: `C` chord, `c` soft chord, `1..4` one note.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Lanes = Mapping[str, str]


@dataclass(frozen=True)
class Style:
    """One style of music. Several entries of a tuple are alternatives."""

    name: str
    tempos: tuple[int, int]
    modes: tuple[str, ...]
    grooves: tuple[Lanes, ...]
    bass: tuple[str, ...]
    guitar: tuple[str, ...]
    piano: tuple[str, ...]
    progressions: Mapping[str, tuple[tuple[int, ...], ...]]
    kits: tuple[str, ...]
    patches: Mapping[str, tuple[str, ...]]
    swing: float = 0.0
    """How much the even sixteenths are late, as a share of a sixteenth (0.33: triplets)."""
    loose: float = 0.003
    """Deviation of played times, s."""
    seventh: bool = False
    """Whether the keys play seventh chords."""
    lead: str = "pad"
    """What the residuals play: `pad`, `stab` or `melody`."""
    optional: tuple[str, ...] = field(default=("guitar", "piano", "residuals"))
    """Parts that may be there beside drums and bass."""


_MINOR = ((1, 6, 3, 7), (1, 7, 6, 7), (1, 4, 6, 5), (1, 6, 4, 5))
_MAJOR = ((1, 5, 6, 4), (1, 4, 5, 4), (1, 6, 4, 5), (6, 4, 1, 5))
_BOTH = {"minor": _MINOR, "major": _MAJOR}

_ROCK = Style(
    "rock",
    (108, 138),
    ("minor", "major"),
    (
        {"kick": "X.....x.X.......", "snare": "....X.......X...", "closed_hat": "x.o.x.o.x.o.x.o."},
        {
            "kick": "X..x..x.X.x.....X..x..x...x.x...",
            "snare": "....X..-.-..X.......X..-.-..X..-",
            "open_hat": "x...x...x...x...x...x...x...x...",
        },
    ),
    ("1.1.1.1.1.1.1.1.", "1=.11.1.1=.15.<."),
    ("D.D.D.DUD.D.D.DU", "D===D.m.D==.D.DU", "D.mmD.mmD.mmD.DU"),
    ("C=======C===C===", "C...C...C...C..."),
    _BOTH,
    ("maple", "garage", "dusty", "hard909"),
    {
        "bass": ("picked", "fingered"),
        "guitar": ("overdrive", "steel", "clean"),
        "piano": ("grand", "upright"),
        "residuals": ("organ", "strings"),
    },
)
_HOUSE = Style(
    "house",
    (120, 128),
    ("minor",),
    (
        {
            "kick": "X...X...X...X...",
            "clap": "....X.......X...",
            "open_hat": "..x...x...x...x.",
            "closed_hat": "o.-.o.-.o.-.o.-o",
        },
        {
            "kick": "X...X...X...X...",
            "snare": "....x.......x..-",
            "open_hat": "..X...X...X...X.",
            "rim": "...x..x....x..x.",
            "closed_hat": "oooooooooooooooo",
        },
    ),
    ("..1...1...1...1.", "1..1..1.1..1..5.", "1.81.18.1.81.5<."),
    ("..D...D...D..D..", "..m.D..m..m.D..."),
    ("C..C..C...C..C..", "..C...C...C..C.."),
    {"minor": ((1, 1, 6, 7), (1, 4, 1, 5), (6, 7, 1, 1))},
    ("club909", "hard909", "tight808", "crate"),
    {
        "bass": ("acid", "fmbass", "sub", "reese"),
        "guitar": ("wah", "clean"),
        "piano": ("grand", "glass", "electric"),
        "residuals": ("warm", "strings", "organ"),
    },
    seventh=True,
    loose=0.0,
)
_HIPHOP = Style(
    "hiphop",
    (84, 98),
    ("minor",),
    (
        {
            "kick": "X.....x.x.......X.x....x..x.....",
            "snare": "....X..-....X.-.....X..-....X...",
            "closed_hat": "x.o.x.o.x.o.x.oox.o.x.o.x.oox.o.",
        },
        {
            "kick": "X..x......x.....X..x...x..x..x..",
            "clap": "....X.......X.......X.......X...",
            "closed_hat": "x.x.x.x.x.x.x.x.x.x.x.x.x.xxx.x.",
            "rim": "..........x............x........",
        },
    ),
    ("1===..1...5=..<.", "1=====..1=..7=5="),
    ("....D.......D...", "1.3.5.3.1.3.5.4."),
    ("C=====..c===....", "C===..C===..c=.."),
    {"minor": ((1, 4, 1, 5), (1, 6, 4, 5), (4, 4, 1, 1))},
    ("dusty", "crate", "deep808", "maple"),
    {
        "bass": ("sub", "fingered", "fmbass"),
        "guitar": ("nylon", "wah", "clean"),
        "piano": ("electric", "upright"),
        "residuals": ("vibes", "brass", "strings"),
    },
    swing=0.26,
    loose=0.004,
    seventh=True,
    lead="melody",
)
_DNB = Style(
    "dnb",
    (168, 176),
    ("minor",),
    (
        {
            "kick": "X.........x.....X.........x.....",
            "snare": "....X.......X.......X.......X..-",
            "closed_hat": "x.o.x.o.x.o.x.o.x.o.x.o.x.o.x.oo",
        },
        {
            "kick": "X.x.......xx....X.x.......x.....",
            "snare": "....X..-.-..X..-.-..X..-.-....X.",
            "closed_hat": "x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.",
            "open_hat": "..............x.................",
        },
    ),
    ("1=======....5===", "1==1==..8=7=5==."),
    ("D=======........",),
    ("C===============", "C==C==C===......"),
    {"minor": ((1, 1, 6, 6), (1, 6, 3, 7))},
    ("crate", "tight808", "hard909", "garage"),
    {
        "bass": ("reese", "sub", "acid"),
        "guitar": ("clean",),
        "piano": ("glass", "electric", "grand"),
        "residuals": ("warm", "choir", "strings"),
    },
    loose=0.0,
    optional=("piano", "residuals"),
)
_BALLAD = Style(
    "ballad",
    (64, 78),
    ("major", "minor"),
    (
        {"kick": "X.........x.....", "rim": "....x.......x...", "closed_hat": "x.o.x.o.x.o.x.o."},
        {
            "kick": "X.......x.x.....X.....x.x.......",
            "snare": "....X.......X.......X.......X...",
            "closed_hat": "x.o.x.o.x.o.x.o.x.o.x.o.x.o.x.oo",
        },
    ),
    ("1=======5===1=<=", "1=========1=5==="),
    ("1.2.3.4.5.4.3.2.", "D===..DUD===D.DU"),
    ("1.2.3.4.3.2.3.2.", "C=======C===c==="),
    _BOTH,
    ("maple", "deep808", "dusty", "club909"),
    {
        "bass": ("fingered", "sub", "picked"),
        "guitar": ("nylon", "steel"),
        "piano": ("grand", "electric", "upright"),
        "residuals": ("strings", "choir", "warm"),
    },
    loose=0.006,
)
_REGGAE = Style(
    "reggae",
    (70, 84),
    ("minor", "major"),
    (
        {"kick": "........X.......", "rim": "........X....x..", "closed_hat": "x.x.x.x.x.x.x.xo"},
        {
            "kick": "X...X...X...X...",
            "snare": "........X.......",
            "closed_hat": "..x...x...x...x.",
            "high_tom": "..............-.",
        },
    ),
    ("1=..1=3=5=..5.<.", "..1=1=..5=3=1=.."),
    ("....D.......D...", "....D.U.....D.U."),
    ("..c.C.c...c.C.c.", "....C.......C..."),
    {"minor": ((1, 4, 1, 4), (1, 7, 1, 7)), "major": ((1, 4, 1, 5), (1, 2, 1, 2))},
    ("garage", "dusty", "maple", "deep808"),
    {
        "bass": ("fingered", "sub", "picked"),
        "guitar": ("clean", "wah", "steel"),
        "piano": ("upright", "electric"),
        "residuals": ("organ", "brass"),
    },
    swing=0.2,
    loose=0.005,
    lead="stab",
)
_FUNK = Style(
    "funk",
    (96, 114),
    ("minor",),
    (
        {
            "kick": "X..x..x...x..x..",
            "snare": "....X..-.-..X..-",
            "closed_hat": "xoxoxoxoxoxoxo.o",
            "open_hat": "..............x.",
        },
        {
            "kick": "X.x.......xx....X.x...x...x.....",
            "snare": "....X..-.-.-X.......X..-.-..X.-.",
            "closed_hat": "x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.",
        },
    ),
    ("1..8.1..1.5.7.8.", "1.1..81...57.8.<"),
    ("mmDmmDmUmmDmmUDm", "..D.mm.D..DUmm.."),
    ("..C..C....C..C..", "C..C...C..C....."),
    {"minor": ((1, 1, 4, 4), (1, 4, 1, 7))},
    ("garage", "maple", "tight808", "crate"),
    {
        "bass": ("fmbass", "picked", "fingered"),
        "guitar": ("wah", "clean"),
        "piano": ("electric", "upright"),
        "residuals": ("brass", "organ"),
    },
    loose=0.003,
    seventh=True,
    lead="stab",
)
_TRAP = Style(
    "trap",
    (132, 146),
    ("minor",),
    (
        {
            "kick": "X.........x...x.X.....x.........",
            "snare": "........X...............X.......",
            "closed_hat": "x.x.x.x.x.x.xxx.x.x.x.x.xxxxx.x.",
        },
        {
            "kick": "X.....x.....x...X.........x..x..",
            "clap": "........X...............X.......",
            "closed_hat": "x.x.x.xxx.x.x.x.x.x.x.x.x.x.xxxx",
            "open_hat": "..............x.................",
        },
    ),
    ("1=======....1=..", "1=====1=....5==="),
    ("1...3...5...4...",),
    ("1.2.3.2.4.3.2.3.", "C===============", "1...3...2...4..."),
    {"minor": ((1, 1, 6, 5), (1, 6, 4, 4))},
    ("deep808", "tight808", "club909"),
    {
        "bass": ("sub", "reese"),
        "guitar": ("nylon", "clean"),
        "piano": ("glass", "grand"),
        "residuals": ("vibes", "choir", "strings"),
    },
    loose=0.0,
    lead="melody",
)

STYLES: dict[str, Style] = {
    style.name: style for style in (_ROCK, _HOUSE, _HIPHOP, _DNB, _BALLAD, _REGGAE, _FUNK, _TRAP)
}
