"""From a style's tables to timed events: what every part plays in one bar.

Times are seconds from the start of the bar; velocities 0..1. Nothing here makes sound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from soundalike.errors import InputError
from soundalike.synth.styles import STYLES, Lanes, Style
from soundalike.synth.theory import Key, at_or_above, chord, power, strummed, voicing

STEPS = 16
"""Sixteenths a bar: all styles are in four."""

_LEVELS = {"X": 1.0, "x": 0.8, "o": 0.55, "-": 0.3}
_FILL = {
    "snare": "........x.x.X.XX",
    "high_tom": "........x.x.....",
    "low_tom": "............x.x.",
    "kick": "X.......x.......",
}
_SPARSE = ("closed_hat", "rim", "kick")


@dataclass(frozen=True)
class Hit:
    """One stroke of the drums."""

    time: float
    voice: str
    velocity: float


@dataclass(frozen=True)
class Note:
    """One note or chord of a pitched part, lowest string first."""

    time: float
    duration: float
    midis: tuple[int, ...]
    velocity: float
    strum: float = 0.0
    muted: bool = False


@dataclass(frozen=True)
class Clock:
    """Where the sixteenths of a bar lie."""

    tempo: float
    swing: float = 0.0

    @property
    def bar(self) -> float:
        """Seconds of a bar."""
        return 240.0 / self.tempo

    @property
    def step(self) -> float:
        """Seconds of a sixteenth."""
        return self.bar / STEPS

    def time(self, step: int) -> float:
        """When sixteenth `step` (0..16) sounds; every second one is late by the swing."""
        return (step + (self.swing if step % 2 else 0.0)) * self.step


def style_named(name: str) -> Style:
    """The style of that name. Raises InputError for a name that is not in `STYLES`."""
    if name not in STYLES:
        raise InputError(f"unknown style {name!r}; the styles are {', '.join(STYLES)}")
    return STYLES[name]


def _bar_of(lane: str, bar: int) -> str:
    start = bar * STEPS % len(lane)
    return lane[start : start + STEPS]


@dataclass(frozen=True)
class DrumFeel:
    """How the drums play a bar.

    loose: standard deviation of timing, s; sparse: without the backbeat (intros, breaks); crash: open with a cymbal; fill: a
    roll of snare and toms replaces the second half.
    """

    loose: float = 0.0
    sparse: bool = False
    crash: bool = False
    fill: bool = False


@dataclass(frozen=True)
class GuitarFeel:
    """How the guitar plays. power_chords: root and fifth only; skank: short chords."""

    power_chords: bool = False
    skank: bool = False


def drum_bar(
    lanes: Lanes,
    clock: Clock,
    bar: int,
    rng: np.random.Generator,
    feel: DrumFeel,
) -> list[Hit]:
    """The strokes of bar number `bar` (lanes may be several bars long)."""
    hits = [Hit(0.0, "cymbal", 0.8)] if feel.crash else []
    for voice, lane in lanes.items():
        text = _bar_of(lane, bar)
        if feel.sparse and voice not in _SPARSE:
            continue
        if feel.fill:
            text = text[:8] + "." * 8
        hits += _strokes(voice, text, clock, rng, feel.loose)
    if feel.fill:
        for voice, lane in _FILL.items():
            hits += _strokes(voice, "." * 8 + lane[8:], clock, rng, feel.loose)
    return sorted(hits, key=lambda hit: (hit.time, hit.voice))


def _strokes(voice: str, text: str, clock: Clock, rng: np.random.Generator, loose: float) -> list[Hit]:
    hits = []
    for step, mark in enumerate(text):
        late, louder = float(rng.normal()), float(rng.normal())
        if mark == ".":
            continue
        time = max(0.0, clock.time(step) + loose * min(max(late, -2.0), 2.0))
        spread = 0.06 if loose else 0.015
        hits.append(Hit(time, voice, min(1.0, max(0.1, _LEVELS[mark] * (1.0 + spread * louder)))))
    return hits


def _spans(text: str) -> list[tuple[int, int, str]]:
    """(first step, steps held, mark) of each note of a lane; `=` holds the note before it."""
    spans: list[tuple[int, int, str]] = []
    for step, mark in enumerate(text):
        if mark == "=" and spans and spans[-1][0] + spans[-1][1] == step:
            first, held, what = spans[-1]
            spans[-1] = (first, held + 1, what)
        elif mark not in ".=":
            spans.append((step, 1, mark))
    return spans


def bass_bar(lane: str, clock: Clock, key: Key, degree: int, following: int, low: int) -> list[Note]:
    """One bar of bass under the chord on `degree`, leading to the one on `following`."""
    tones = chord(key, degree, 4)
    root = at_or_above(tones[0], low)
    scale = key.pitch_classes
    pitches = {
        "1": root,
        "3": at_or_above(tones[1], root),
        "5": at_or_above(tones[2], root),
        "7": at_or_above(tones[3], root),
        "8": root + 12,
        "<": at_or_above(scale[(following - 2) % 7], low),
    }
    notes = []
    for step, held, mark in _spans(lane):
        end = clock.time(step + held) - 0.1 * clock.step
        velocity = 0.95 if step % 4 == 0 else 0.8
        notes.append(Note(clock.time(step), end - clock.time(step), (pitches[mark],), velocity))
    return notes


def guitar_bar(lane: str, clock: Clock, key: Key, degree: int, low: int, feel: GuitarFeel) -> list[Note]:
    """One bar of guitar: strums, mutes and picked strings."""
    tones = chord(key, degree, 3)
    strings = power(tones, low) if feel.power_chords else strummed(tones, low)
    spans = _spans(lane)
    notes = []
    for index, (step, held, mark) in enumerate(spans):
        start = clock.time(step)
        following = clock.time(spans[index + 1][0]) if index + 1 < len(spans) else clock.bar
        if mark in "12345":
            midis: tuple[int, ...] = (strings[min(int(mark), len(strings)) - 1],)
            notes.append(Note(start, min(clock.bar - start, 4 * clock.step), midis, 0.8))
            continue
        end = min(following, clock.time(step + held)) if mark == "m" or feel.skank else following
        midis = strings[::-1][:3] if mark == "U" else strings
        velocity = {"D": 0.9, "U": 0.7, "m": 0.5}[mark]
        notes.append(Note(start, 0.92 * (end - start), midis, velocity, strum=0.018, muted=mark == "m"))
    return notes


def keys_bar(lane: str, clock: Clock, key: Key, degree: int, low: int, seventh: bool) -> list[Note]:
    """One bar of piano: chords and broken chords."""
    tones = chord(key, degree, 4 if seventh else 3)
    notes_of = voicing(tones, low)
    ladder = (*notes_of, notes_of[0] + 12)
    notes = []
    for step, held, mark in _spans(lane):
        start, end = clock.time(step), clock.time(step + held)
        if mark in "Cc":
            notes.append(Note(start, 0.95 * (end - start), notes_of, 0.9 if mark == "C" else 0.55))
        else:
            notes.append(Note(start, min(clock.bar - start, 3 * clock.step), (ladder[int(mark) - 1],), 0.7))
    return notes


def lead_bar(kind: str, clock: Clock, key: Key, degree: int, low: int, rng: np.random.Generator) -> list[Note]:
    """One bar of what the residuals play: a held chord (`pad`), short chords (`stab`), or a phrase on the
    scale (`melody`).
    """
    tones = voicing(chord(key, degree, 3), low)
    if kind == "pad":
        return [Note(0.0, clock.bar, tones, 0.8)]
    if kind == "stab":
        return [Note(clock.time(step), 1.5 * clock.step, tones, 0.85) for step in (6, 14)]
    # Chord tones on the beat, neighbours of the scale between: a phrase that never leaves the key.
    scale = [low + semitone for semitone in range(20) if (low + semitone) % 12 in key.pitch_classes]
    place = scale.index(tones[0])
    notes = []
    for step in sorted({0, *rng.choice(np.arange(2, 16, 2), 4, replace=False).tolist()}):
        place = min(max(place + int(rng.integers(-2, 3)), 0), len(scale) - 1)
        pitch = tones[int(rng.integers(0, 3))] if step % 8 == 0 else scale[place]
        notes.append(Note(clock.time(step), 2.5 * clock.step, (pitch,), 0.8))
    return notes
