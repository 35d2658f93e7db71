"""Invented arrangements of General-MIDI instruments for the separator: 20 s of drums, a bass line and up to five other layers.

They are more varied than the tracks of `benchmarks.render_midi_sounds`: sustained, walking, octave and riff basses, pads,
strummed chords, arpeggios, melodies and short plucked or struck notes, in any tempo and meter of four.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.render_midi_sounds import CHORDS, KITS, SCALES, Event

Rng = np.random.Generator

SECONDS = 20.0
BASSES = (*range(32, 40), 80, 81, 84, 87, 90)
"""Programs of basses, and the synthesiser leads that electronic music plays as basses."""
STRUCK = (*range(8, 16), 45, 46, 105, 106, 107, 108, 112, 114)
"""Programs whose notes are short and sharp, but no drums."""
SUSTAINED = (*range(16, 24), *range(40, 45), *range(48, 55), *range(56, 80), *range(82, 96), 109, 110, 111)
STRUMMED = (*range(8), *range(24, 32), 104, 105)
LEADS = (*range(8), *range(24, 32), 40, 41, 42, *range(52, 55), *range(56, 88))
LOW_DRUMS = (35, 36, 37, 38, 39, 40, 41, 43, 45, 47, 48, 50)


@dataclass(frozen=True)
class Layer:
    """What one instrument plays: `part` is a part of the separator, `drums` whether the program is a drum kit."""

    part: str
    name: str
    program: int
    drums: bool
    events: list[Event]


class Arrangement:
    """Tempo, key and chords of a piece; `layers` invents who plays what."""

    def __init__(self, rng: Rng) -> None:
        self._rng = rng
        self._step = 15 / float(rng.uniform(62, 176))  # s per sixteenth note
        self._root = int(rng.integers(12))
        self._scale = SCALES[rng.integers(len(SCALES))]
        chords = CHORDS[rng.integers(len(CHORDS))]
        self._chords = chords if rng.random() < 0.6 else tuple(np.repeat(chords, 2))
        self._swing = float(rng.uniform(0.1, 0.6)) if rng.random() < 0.25 else 0.0
        self._loose = float(rng.uniform(0, 0.012))

    def layers(self) -> Iterator[Layer]:
        """Drums in two layers (skins, and cymbals and the like), a bass, and two to five others."""
        rng = self._rng
        kit = int(rng.choice(KITS))
        skins, cymbals = self._beat()
        yield Layer("drums", "skins", kit, True, skins)
        yield Layer("drums", "cymbals", kit, True, cymbals)
        yield Layer("bass", "bass", int(rng.choice(BASSES)), False, self._bass())
        makers = (
            (SUSTAINED, self._pad, 0.25),
            (STRUMMED, self._strums, 0.25),
            (LEADS, self._melody, 0.2),
            ((*STRUCK, *STRUMMED), self._arpeggio, 0.15),
            (STRUCK, self._plucks, 0.15),
        )
        for number in range(int(rng.integers(2, 6))):
            programs, make, _ = makers[int(rng.choice(len(makers), p=[share for *_, share in makers]))]
            yield Layer("residuals", f"layer {number}", int(rng.choice(programs)), False, make())

    def _bars(self) -> Iterator[tuple[int, float, int]]:
        """(number, s, degree of its chord) of each bar."""
        bar = 16 * self._step
        for number in range(int(np.ceil(SECONDS / bar))):
            yield number, number * bar, int(self._chords[number % len(self._chords)])

    def _time(self, start: float, step: float) -> float:
        late = self._swing * self._step if int(step) % 2 else 0.0
        return start + step * self._step + late + float(self._rng.normal()) * self._loose

    def _key(self, degree: int, octave: int, low: int = 24, high: int = 100) -> int:
        key = 12 * (octave + 1 + degree // 7) + self._root + self._scale[degree % 7]
        while key > high:
            key -= 12
        return max(key, low)

    def _note(self, events: list[Event], time: float, seconds: float, key: int, velocity: float) -> None:
        if 0 <= time < SECONDS - 0.05:
            events.append((time, 1, key, int(np.clip(velocity, 25, 127))))
            events.append((min(time + max(seconds, 0.03), SECONDS), 0, key, 0))

    def _bass(self) -> list[Event]:
        rng, events = self._rng, []
        style = str(rng.choice(["held", "eighths", "walking", "octaves", "riff", "syncopated"]))
        octave, gate = int(rng.choice([1, 1, 2, 2, 3], p=[0.15, 0.15, 0.35, 0.25, 0.1])), float(rng.uniform(0.35, 1.0))
        riff = [(step, int(rng.choice([0, 0, 0, 2, 4, 7, -3]))) for step in np.flatnonzero(rng.random(16) < 0.4)] or [
            (0, 0)
        ]
        loud = float(rng.uniform(75, 115))
        for _, start, degree in self._bars():
            if style == "held":
                places = [(0, 0, 16)] if rng.random() < 0.6 else [(0, 0, 8), (8, int(rng.choice([0, 4, -3])), 8)]
            elif style == "eighths":
                places = [(step, 0 if rng.random() < 0.9 else 4, 2) for step in range(0, 16, 2)]
            elif style == "walking":
                places = [(step, int(rng.choice([0, 1, 2, 3, 4, 5, 7])) if step else 0, 4) for step in range(0, 16, 4)]
            elif style == "octaves":
                places = [(step, 7 if step % 4 else 0, 2) for step in range(0, 16, 2)]
            elif style == "riff":
                places = [(step, interval, 2) for step, interval in riff]
            else:
                places = [(step, 0, 3) for step in (0, 3, 6, 10, 12) if step == 0 or rng.random() < 0.8]
            for step, interval, length in places:
                key = self._key(degree + interval, octave, 23, 57)
                self._note(events, self._time(start, step), length * self._step * gate, key, loud + rng.normal() * 8)
        return events

    def _pad(self) -> list[Event]:
        rng, events = self._rng, []
        octave, loud, notes = int(rng.integers(2, 6)), float(rng.uniform(60, 110)), int(rng.integers(1, 5))
        for _, start, degree in self._bars():
            for voice in (0, 2, 4, 7)[:notes]:
                key = self._key(degree + voice, octave, 36)
                self._note(events, self._time(start, 0), 15.5 * self._step, key, loud)
        return events

    def _strums(self) -> list[Event]:
        rng, events = self._rng, []
        octave, loud, gate = int(rng.integers(2, 5)), float(rng.uniform(60, 115)), float(np.exp(rng.uniform(-1.5, 1.2)))
        pattern = rng.random(16) < rng.uniform(0.12, 0.5)
        pattern[0], spread, notes = True, float(rng.uniform(0, 0.02)), int(rng.integers(2, 5))
        for _, start, degree in self._bars():
            for step in np.flatnonzero(pattern):
                for index, voice in enumerate((0, 2, 4, 7)[:notes]):
                    time = self._time(start, step) + index * spread
                    key = self._key(degree + voice, octave, 36)
                    self._note(events, time, 4 * gate * self._step, key, loud + rng.normal() * 8)
        return events

    def _melody(self) -> list[Event]:
        rng, events = self._rng, []
        octave, loud, place = int(rng.integers(3, 6)), float(rng.uniform(70, 115)), int(rng.integers(-2, 6))
        for _, start, degree in self._bars():
            step = 0
            while step < 16:
                length = int(rng.choice([1, 2, 2, 3, 4, 4, 6, 8]))
                if rng.random() < 0.8:
                    place = int(np.clip(place + rng.integers(-2, 3), -4, 9))
                    key = self._key(degree * (place % 2 == 0) + place, octave, 45)
                    self._note(
                        events, self._time(start, step), 0.95 * length * self._step, key, loud + rng.normal() * 8
                    )
                step += length
        return events

    def _arpeggio(self) -> list[Event]:
        rng, events = self._rng, []
        octave, loud, every = int(rng.integers(3, 6)), float(rng.uniform(60, 110)), int(rng.choice([1, 2, 2, 4]))
        order, gate = rng.permutation([0, 2, 4, 7, 9])[: int(rng.integers(3, 6))], float(rng.uniform(0.5, 4))
        for bar, start, degree in self._bars():
            for index, step in enumerate(range(0, 16, every)):
                key = self._key(degree + int(order[(index + bar) % len(order)]), octave, 40)
                self._note(events, self._time(start, step), gate * every * self._step, key, loud + rng.normal() * 8)
        return events

    def _plucks(self) -> list[Event]:
        """Sparse or dense short notes, often in the rhythm of a drum."""
        rng, events = self._rng, []
        octave, loud = int(rng.integers(2, 6)), float(rng.uniform(70, 120))
        pattern = rng.random(16) < rng.uniform(0.1, 0.7)
        if rng.random() < 0.4:
            pattern[:: int(rng.choice([2, 4, 8]))] = True
        for _, start, degree in self._bars():
            interval = int(rng.choice([0, 2, 4]))
            for step in np.flatnonzero(pattern):
                key = self._key(degree + interval, octave, 36)
                self._note(events, self._time(start, step), self._step, key, loud + rng.normal() * 10)
        return events

    def _beat(self) -> tuple[list[Event], list[Event]]:
        rng = self._rng
        hat, every = int(rng.choice([42, 42, 44, 46, 51, 59, 70, 69, 54])), int(rng.choice([1, 2, 2, 2, 4]))
        snare = int(rng.choice([38, 38, 40, 39, 37]))
        chances: dict[int, np.ndarray] = {
            int(rng.choice([35, 36])): (rng.random(16) < rng.uniform(0, 0.25)) | np.isin(np.arange(16), (0, 8)),
            snare: (rng.random(16) < rng.uniform(0, 0.12)) | np.isin(np.arange(16), (4, 12)),
            hat: (rng.random(16) < 0.06) | (np.arange(16) % every == 0),
        }
        if rng.random() < 0.25:
            chances[next(iter(chances))][::4] = True
        for _ in range(int(rng.integers(0, 4))):
            chances[int(rng.integers(35, 82))] = rng.random(16) < rng.uniform(0.03, 0.35)
        for key in list(chances):
            if rng.random() < 0.1:
                del chances[key]
        velocity = {key: float(rng.uniform(65, 120)) for key in chances}
        skins: list[Event] = []
        cymbals: list[Event] = []
        for bar, start, _ in self._bars():
            silent = rng.random() < 0.04
            if bar % 4 == 0 and rng.random() < 0.4:
                self._note(cymbals, self._time(start, 0), 0.1, int(rng.choice([49, 57, 55])), 95)
            for key, pattern in chances.items():
                for step in np.flatnonzero(pattern ^ (rng.random(16) < 0.02)):
                    if not silent:
                        accent = 8 if step % 4 == 0 else -6 * (step % 2)
                        kind = skins if key in LOW_DRUMS else cymbals
                        self._note(kind, self._time(start, step), 0.1, key, velocity[key] + accent + rng.normal() * 6)
            if bar % 4 == 3 and rng.random() < 0.35 and not silent:
                for step in range(int(rng.choice([8, 12])), 16):
                    self._note(skins, self._time(start, step), 0.1, int(rng.choice([41, 43, 45, 47, 48, 50, 38])), 105)
        return skins, cymbals
