"""Render General-MIDI sounds for fitting and evaluating the built-in encoder.

    python -m benchmarks.render_midi_sounds SOUNDFONT FOLDER

Needs `tinysoundfont`, which is not a dependency of the project: use a separate environment (`pip install numpy
tinysoundfont --no-deps`; the package `pretty_midi` contains a General-MIDI SoundFont). Deterministic.

Writes to FOLDER one .npz per collection: `audio` int16 (all clips one after the other, each with a peak of 32000),
`lengths`, and one array per label, at 32 kHz mono:

tones            120 programs x 6 pitches x 2 velocities, 1.6 s; `program`, `key`, `velocity`
kits             pieces of 8 drum kits at 2 velocities, 1.5 s; `kind`, `kit`, `key`
phrases_PART     64 invented tracks x 3 excerpts of 5 s; `track`, `program` (the kit for drums)
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Clip = NDArray[np.float32]
Event = tuple[float, int, int, int]  # seconds, 0 off / 1 on, key, velocity

RATE = 32_000
DRUMS = 9  # the MIDI channel of percussion
KITS = (0, 8, 16, 24, 25, 32, 40, 48)
KINDS: dict[str, tuple[int, ...]] = {
    "kick": (35, 36),
    "snare": (38, 40),
    "rim": (37,),
    "clap": (39,),
    "closed hat": (42, 44),
    "open hat": (46,),
    "tom": (41, 43, 45, 47, 48, 50),
    "crash": (49, 57),
    "ride": (51, 59),
    "cowbell": (56,),
    "tambourine": (54,),
    "conga": (62, 63, 64),
    "maracas": (70, 82),
    "clave": (75, 76, 77),
}
PROGRAMS: dict[str, tuple[int, ...]] = {
    "bass": tuple(range(32, 40)),
    "guitar": tuple(range(24, 32)),
    "piano": tuple(range(8)),
    "residuals": (*range(16, 24), *range(40, 55), *range(56, 96)),
}
OCTAVES = {"bass": (2, 3), "guitar": (3, 5), "piano": (3, 5), "residuals": (3, 6)}
SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10))
CHORDS = ((0, 3, 4, 0), (0, 5, 3, 4), (5, 3, 0, 4), (0, 4, 5, 3), (0, 0, 3, 3), (1, 4, 0, 0), (0, 6, 5, 4))
TRACKS, EXCERPTS, SECONDS = 64, 3, 5.0


class Instrument:
    """A loaded SoundFont."""

    def __init__(self, soundfont: str) -> None:
        from tinysoundfont import Synth  # installed for this only

        self._synth = Synth(samplerate=RATE)
        self._font = self._synth.sfload(soundfont)

    def choose(self, program: int, drums: bool) -> None:
        if drums:
            self._synth.program_select(DRUMS, self._font, 128, program, True)
        else:
            self._synth.program_select(0, self._font, 0, program)

    def play(self, events: Sequence[Event], seconds: float, drums: bool) -> Clip:
        """A mono clip of `events`; the decay after it is discarded."""
        pieces, position, channel = [], 0, DRUMS if drums else 0
        for time, on, key, velocity in sorted(events):
            count = int(time * RATE) - position
            if count > 0:
                pieces.append(self._generate(count))
                position += count
            if on:
                self._synth.noteon(channel, key, velocity)
            else:
                self._synth.noteoff(channel, key)
        pieces.append(self._generate(int(seconds * RATE) - position))
        self._synth.sounds_off()
        self._generate(4096)
        return np.concatenate(pieces)

    def _generate(self, count: int) -> Clip:
        stereo = np.frombuffer(self._synth.generate(count), np.float32).reshape(-1, 2)
        return np.asarray(stereo.mean(axis=1), dtype=np.float32)


def save(folder: Path, name: str, clips: Sequence[Clip], **labels: Sequence[Any]) -> None:
    whole = [np.rint(clip / max(float(np.abs(clip).max()), 1e-9) * 32000).astype(np.int16) for clip in clips]
    arrays = {label: np.array(values) for label, values in labels.items()}
    np.savez(folder / f"{name}.npz", audio=np.concatenate(whole), lengths=[len(clip) for clip in clips], **arrays)
    print(f"{name}: {len(clips)} clips, {sum(map(len, clips)) / RATE:.0f} s")


def tones(instrument: Instrument, folder: Path) -> None:
    clips, labels = [], []
    for program in range(120):
        instrument.choose(program, drums=False)
        for key in (43, 50, 57, 62, 67, 73):
            for velocity in (60, 110):
                clip = instrument.play([(0.02, 1, key, velocity), (1.0, 0, key, 0)], 1.6, drums=False)
                if np.abs(clip).max() > 1e-4:
                    clips.append(clip)
                    labels.append((program, key, velocity))
    program_, key_, velocity_ = zip(*labels, strict=True)
    save(folder, "tones", clips, program=program_, key=key_, velocity=velocity_)


def kits(instrument: Instrument, folder: Path) -> None:
    clips, labels = [], []
    for kit in KITS:
        instrument.choose(kit, drums=True)
        for kind, keys in KINDS.items():
            for key in keys:
                for velocity in (70, 115):
                    clip = instrument.play([(0.01, 1, key, velocity)], 1.5, drums=True)
                    if np.abs(clip).max() > 1e-4:
                        clips.append(clip)
                        labels.append((kind, kit, key))
    kind_, kit_, key_ = zip(*labels, strict=True)
    save(folder, "kits", clips, kind=kind_, kit=kit_, key=key_)


def varied(pattern: NDArray[np.bool_], rate: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    return np.logical_xor(pattern, rng.random(len(pattern)) < rate)


class Track:
    """An invented piece: tempo, key and chords, and for each part an instrument, a pattern and a way of playing."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.step = 15 / rng.uniform(72, 165)  # s per sixteenth note
        self.root = int(rng.integers(12))
        self.scale = SCALES[rng.integers(2)]
        self.chords = CHORDS[rng.integers(len(CHORDS))]
        self.parts = {part: self._style(part) for part in PROGRAMS}
        self.kit = int(rng.choice(KITS))
        extra = int(rng.choice([45, 50, 47, 56, 54, 39, 51, 37]))
        chances = {36: 0.25, 38: 0.15, 42: rng.uniform(0.2, 0.8), 46: 0.08, extra: rng.uniform(0, 0.3)}
        self.drums = {key: rng.random(16) < chance for key, chance in chances.items()}
        self.drums[36][0] = True
        if rng.random() < 0.8:
            self.drums[38][[4, 12]] = True
        if rng.random() < 0.5:
            self.drums[42][::2] = True
        self.velocity = {key: int(rng.integers(70, 118)) for key in self.drums}

    def _style(self, part: str) -> dict[str, Any]:
        rng = self.rng
        pattern = rng.random(16) < rng.uniform(0.15, 0.7)
        pattern[0] = True
        low, high = OCTAVES[part]
        return {
            "program": int(rng.choice(PROGRAMS[part])),
            "pattern": pattern,
            "octave": int(rng.integers(low, high + 1)),
            "length": float(rng.choice([0.5, 1, 2, 4, 8])),
            "velocity": int(rng.integers(60, 115)),
            "chords": part != "bass" and rng.random() < 0.6,
            "leaps": rng.random(),
        }

    def _degrees(self, part: str, degree: int) -> list[int]:
        style, rng = self.parts[part], self.rng
        if style["chords"]:
            return [degree, degree + 2, degree + 4]
        if part == "bass":
            return [degree + (int(rng.choice([2, 4, -3, 7])) if rng.random() < 0.4 * style["leaps"] else 0)]
        return [degree + int(rng.choice([0, 2, 4, 6, 1, -1, 7]))]

    def notes(self, part: str, excerpt: int, offset: float) -> list[Event]:
        """One excerpt of a pitched part: the same style, other notes."""
        style, rng, events = self.parts[part], self.rng, []
        pattern = varied(style["pattern"], 0.06, rng)
        for bar in range(int(np.ceil(SECONDS / (16 * self.step))) + 1):
            for step in np.flatnonzero(varied(pattern, 0.04, rng)):
                time = (bar * 16 + step) * self.step - offset
                if not 0 <= time < SECONDS - 0.05:
                    continue
                for degree in self._degrees(part, self.chords[(bar + excerpt) % 4]):
                    octave = style["octave"] + 1 + degree // 7
                    key = int(np.clip(12 * octave + self.root + self.scale[degree % 7], 24, 100))
                    velocity = int(np.clip(style["velocity"] + rng.integers(-10, 11), 30, 127))
                    end = min(time + style["length"] * self.step * 0.95, SECONDS)
                    events += [(time, 1, key, velocity), (end, 0, key, 0)]
        return events

    def strokes(self, offset: float) -> list[Event]:
        """One excerpt of the drums."""
        rng, events = self.rng, []
        patterns = {key: varied(pattern, 0.03, rng) for key, pattern in self.drums.items()}
        for bar in range(int(np.ceil(SECONDS / (16 * self.step))) + 1):
            for key, pattern in patterns.items():
                for step in np.flatnonzero(varied(pattern, 0.02, rng)):
                    time = (bar * 16 + step) * self.step - offset
                    if 0 <= time < SECONDS - 0.03:
                        velocity = int(np.clip(self.velocity[key] + rng.integers(-12, 13), 30, 127))
                        events.append((time, 1, key, velocity))
        return events


def phrases(instrument: Instrument, folder: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts = (*PROGRAMS, "drums", "mix")
    clips: dict[str, list[Clip]] = {part: [] for part in parts}
    programs: dict[str, list[int]] = {part: [] for part in parts}
    for index in range(TRACKS):
        track = Track(rng)
        gains = {part: rng.uniform(0.5, 1.2) for part in parts}
        for excerpt in range(EXCERPTS):
            offset = rng.uniform(0, 16 * track.step)
            mix = np.zeros(int(SECONDS * RATE), np.float32)
            for part in parts[:-1]:
                drums = part == "drums"
                program = track.kit if drums else track.parts[part]["program"]
                instrument.choose(program, drums)
                events = track.strokes(offset) if drums else track.notes(part, excerpt, offset)
                clip = instrument.play(events, SECONDS, drums)
                clips[part].append(clip)
                programs[part].append(program)
                if index % 3 or part not in ("guitar", "piano"):
                    mix += np.float32(gains[part] / max(float(np.sqrt(np.mean(clip**2))), 1e-6)) * clip
            clips["mix"].append(mix)
            programs["mix"].append(0)
    tracks = np.repeat(np.arange(TRACKS), EXCERPTS)
    for part in parts:
        save(folder, f"phrases_{part}", clips[part], track=list(tracks), program=programs[part])


def render(soundfont: str, folder: Path, seed: int = 1) -> None:
    """Write all collections to `folder`; another seed invents other tracks."""
    instrument = Instrument(soundfont)
    folder.mkdir(parents=True, exist_ok=True)
    tones(instrument, folder)
    kits(instrument, folder)
    phrases(instrument, folder, seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("soundfont")
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    render(arguments.soundfont, arguments.folder)


if __name__ == "__main__":
    main()
