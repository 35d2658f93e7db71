"""Render pieces of known key from the corpus of music21 with General-MIDI sounds, for `benchmarks.stated_keys`.

    python -m benchmarks.render_scores FOLDER

Needs music21, tinysoundfont and pretty_midi (for its SoundFont), which are not dependencies of the project: use a separate
environment (`pip install --no-deps music21 pretty_midi tinysoundfont numpy more-itertools chardet joblib webcolors jsonpickle
requests`, and the dependencies of requests). Deterministic.

Writes to FOLDER one WAV file per piece, 22.05 kHz mono, of up to a minute; its name states kind and key. Every seventh chorale
of Bach: the key is that of the last bass note, with the mode of the key signature; those whose signature fits neither mode are
left out. Every 21st tune of Ryan's Mammoth Collection, with the key that its file states, if there is only one.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tinysoundfont
from music21 import converter, key
from numpy.typing import NDArray

RATE = 22_050
SECONDS = 60.0
NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
MODES = {"": "major", "maj": "major", "major": "major", "m": "minor", "min": "minor", "minor": "minor"}
FOR_CHORALES = (0, 4, 16, 19, 24, 48, 52, 73, 40, 56, 61, 11, 25, 89)
FOR_TUNES = (73, 40, 0, 21, 24, 105)
"""Programs of General MIDI, in turn."""

Note = tuple[float, float, int]
"""Onset and end in quarters, MIDI note."""


def corpus(package: str, *parts: str) -> Path:
    """A path inside an installed package."""
    specification = importlib.util.find_spec(package)
    if specification is None or specification.origin is None:
        raise SystemExit(f"{package} is not installed")
    return Path(specification.origin).parent.joinpath(*parts)


def notes_of(score: Any) -> list[Note]:
    """All notes of a score."""
    return [
        (float(one.offset), float(one.offset + one.quarterLength), int(pitch.midi))
        for one in score.flatten().notes
        if one.quarterLength > 0
        for pitch in one.pitches
    ]


def signatures(score: Any) -> list[Any]:
    return list(score.flatten().getElementsByClass(key.KeySignature))


def chorales() -> Iterator[tuple[str, list[Note]]]:
    """Key and notes of each chorale."""
    for path in sorted(corpus("music21", "corpus", "bach").glob("*.mxl"))[::7]:
        score = converter.parse(path)
        notes, stated = notes_of(score), signatures(score)
        if not stated or len(notes) < 40:
            continue
        end = max(note[1] for note in notes)
        tonic = min(note[2] for note in notes if note[1] > end - 0.01) % 12
        major = 7 * stated[0].sharps % 12
        if tonic in (major, (major - 3) % 12):
            yield f"{NAMES[tonic]} {'major' if tonic == major else 'minor'}", notes


def tunes() -> Iterator[tuple[str, list[Note]]]:
    """Key and notes of each tune."""
    for path in sorted(corpus("music21", "corpus", "ryansMammoth").glob("*.abc"))[::21]:
        text = path.read_text(encoding="utf-8", errors="replace")
        stated = {line[2:].strip() for line in text.splitlines() if line.startswith("K:")}
        match = re.fullmatch(r"([A-G])([#b]?)\s*(\w*)", stated.pop()) if len(stated) == 1 else None
        if match is None or match[3].lower() not in MODES:
            continue
        notes = notes_of(converter.parse(text, format="abc"))
        if len(notes) >= 30:
            root = LETTERS[match[1]] + {"#": 1, "b": -1, "": 0}[match[2]]
            yield f"{NAMES[root % 12]} {MODES[match[3].lower()]}", notes


def render(notes: list[Note], program: int, tempo: float) -> NDArray[np.float32]:
    """Mono samples, at `tempo` quarters per minute."""
    synth = tinysoundfont.Synth(samplerate=RATE)
    synth.program_select(0, synth.sfload(str(corpus("pretty_midi", "TimGM6mb.sf2"))), 0, program)
    beat = 60.0 / tempo
    played = [(begin * beat, end * beat - 0.01, pitch) for begin, end, pitch in notes if begin * beat < SECONDS]
    events = sorted(
        [(begin, True, pitch) for begin, _, pitch in played] + [(end, False, pitch) for _, end, pitch in played]
    )
    pieces, position = [], 0
    for when, starts, pitch in [*events, (events[-1][0] + 1.0, False, 0)]:
        count = round(when * RATE) - position
        if count > 0:
            pieces.append(np.frombuffer(synth.generate(count), dtype=np.float32).reshape(-1, 2).mean(axis=1))
            position += count
        if starts:
            synth.noteon(0, pitch, 90)
        else:
            synth.noteoff(0, pitch)
    return np.concatenate(pieces)


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for kind, pieces, programs, tempo in (("chorale", chorales(), FOR_CHORALES, 90), ("tune", tunes(), FOR_TUNES, 110)):
        for number, (name, notes) in enumerate(pieces):
            samples = render(notes, programs[number % len(programs)], tempo)
            scaled = np.round(samples / max(float(np.abs(samples).max()), 1e-9) * 30_000).astype("<i2")
            with wave.open(str(folder / f"{kind} {number:03d} {name}.wav"), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(RATE)
                file.writeframes(scaled.tobytes())


if __name__ == "__main__":
    main()
