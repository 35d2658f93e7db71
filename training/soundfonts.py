"""Hits, notes, chords and phrases played by SoundFonts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks.render_midi_sounds import PROGRAMS, SECONDS, Instrument, Track
from soundalike.models.encoders.builtin.one_shot_classes import CLASSES
from soundalike.synth.seeds import generator
from training.classes import class_of_key
from training.clip_store import Clip

Float32 = NDArray[np.float32]

LONGEST = 1.6  # s of one hit or note
DRUM_PRESETS = (0, 1, 3, 8, 10, 16, 18, 24, 25, 32, 34, 40, 48, 56, 58, 59, 96)
BASS = range(32, 40)
STABS = ((0, 4, 7), (0, 3, 7), (0, 4, 7, 10), (0, 3, 7, 10), (0, 5, 7), (0, 7, 12))
OTHER = CLASSES.index("other")


def drum_hits(instrument: Instrument, font: str) -> Iterator[Clip]:
    """Every key of the drum presets at two velocities."""
    for preset in DRUM_PRESETS:
        instrument.choose(preset, drums=True)
        for key in range(27, 88):
            for velocity in (70, 118):
                samples = instrument.play([(0.0, 1, key, velocity)], LONGEST, drums=True)
                if np.abs(samples).max() > 1e-3:
                    label = class_of_key(key)
                    group = f"key {key}" if CLASSES[label] == "percussion" or label < 0 else CLASSES[label]
                    yield Clip(samples, font, "hit", label, group)


def notes(instrument: Instrument, font: str, each: int, chords: int) -> Iterator[Clip]:
    """`each` notes and `chords` chord stabs of every melodic program; five times as many notes of basses."""
    for program in range(120):
        instrument.choose(program, drums=False)
        rng = generator("soundfont", font, program)
        low, high = (26, 52) if program in BASS else (40, 84)
        count = each * (5 if program in BASS else 1)
        for index in range(count + (0 if program in BASS else chords)):
            root = int(rng.integers(low, high))
            intervals = (0,) if index < count else STABS[int(rng.integers(len(STABS)))]
            held, velocity = float(np.exp(rng.uniform(np.log(0.12), np.log(1.4)))), int(rng.integers(60, 121))
            events = [(0.0, 1, root + step, velocity) for step in intervals]
            events += [(held, 0, root + step, 0) for step in intervals]
            samples = instrument.play(events, LONGEST, drums=False)
            if np.abs(samples).max() > 1e-3:
                kind = "bass" if program in BASS else "note" if index < count else "chord"
                yield Clip(samples, font, kind, OTHER, f"program {program}")


def phrases(instrument: Instrument, font: str, tracks: int) -> Iterator[tuple[str, int, str, Float32]]:
    """(font, track, part, samples of 20 s) of invented pieces: four excerpts of `Track` in a row."""
    for number in range(tracks):
        rng = generator("track", font, number)
        track = Track(rng)
        for part in (*PROGRAMS, "drums"):
            drums = part == "drums"
            instrument.choose(track.kit if drums else track.parts[part]["program"], drums)
            pieces = []
            for excerpt in range(4):
                offset = excerpt * SECONDS % (16 * track.step)
                events = track.strokes(offset) if drums else track.notes(part, excerpt, offset)
                pieces.append(instrument.play(events, SECONDS, drums))
            yield font, number, part, np.concatenate(pieces)
