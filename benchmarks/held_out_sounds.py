"""Sounds that the built-in encoder was not trained on, as pools to search in: drum hits, notes, chords, loops, voices.

`packages`: where the Debian packages hydrogen-drumkits and lmms-common are unpacked; `midi`: a folder rendered by
`benchmarks.render_midi_sounds` from TimGM6mb.sf2; multitracks come from SOUNDALIKE_TEST_DATA. What the encoder was trained
on: `training/sources.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from benchmarks import encoder_sounds as sounds
from benchmarks.shared.audio_data import audio_folder
from soundalike.audio import decode
from soundalike.synth.drum_shapes import VOICES
from soundalike.synth.drums import KITS, render_hit
from training.alterations import RATE, faded
from training.classes import UNKNOWN, class_of_name
from training.sources import KITS_HELD_OUT, MULTITRACKS_HELD_OUT

Float32 = NDArray[np.float32]

POOL = 2_595


@dataclass(frozen=True)
class Sound:
    """A sound of a pool; wanted: whether it may be looked for (the others only distract)."""

    samples: Float32
    label: str
    wanted: bool = True


def held_out_hits(packages: Path) -> list[Sound]:
    """The hits of the kits that nothing was trained on and of LMMS; those whose names state no class are not looked for."""
    paths = [
        path
        for kit in KITS_HELD_OUT
        for path in sorted((packages / "usr/share/hydrogen/data/drumkits" / kit).glob("*.*"))
    ]
    paths += _samples_of_lmms(packages, "drums")
    paths = [path for path in paths if path.suffix in (".wav", ".flac", ".aiff", ".ogg") and "empty" not in path.stem]
    found = [Sound(loaded(path, 3.0), str(class_of_name(path.stem))) for path in paths]
    return [replace(sound, wanted=sound.label != str(UNKNOWN)) for sound in found]


def drum_hits(packages: Path, midi: Path) -> list[Sound]:
    """`POOL` hits: the held-out ones are looked for, renders and the synth's distract."""
    found = held_out_hits(packages)
    held_out = len(found)
    kits = sounds.midi(midi, "kits")
    names = {"closed hat": "hat", "open hat": "hat", "crash": "cymbal", "ride": "cymbal"}
    for clip, kind in zip(kits.clips, kits.labels["kind"], strict=True):
        found.append(Sound(clip, str(class_of_name(names.get(str(kind), str(kind)))), wanted=False))
    for path in sorted(audio_folder("samples").glob("*.flac")):
        label = class_of_name(path.stem)
        if label != UNKNOWN and not path.stem.startswith(("loop", "arovane", "bass", "ambi", "guit")):
            found.append(Sound(loaded(path, 3.0), str(label), wanted=False))
    numbered = [(kit, voice) for kit in KITS for voice in VOICES]
    found += [
        Sound(_at_rate(render_hit(kit, voice)), str(class_of_name(voice.replace("_", " "))), wanted=False)
        for kit, voice in numbered
    ]
    rng, base = np.random.default_rng(0), len(found)
    while len(found) < POOL:  # variations of the distracting hits, so that the pool is as large as a user's
        sound = found[int(rng.integers(held_out, base))]
        varied = soxr.resample(sound.samples, RATE, RATE * float(np.exp(rng.uniform(-0.35, 0.35))))
        found.append(Sound(np.asarray(varied, np.float32), sound.label, wanted=False))
    return found[:POOL]


def bass_notes(packages: Path, midi: Path) -> list[Sound]:
    """Notes of the basses of a held-out SoundFont, and LMMS's."""
    tones = sounds.midi(midi, "tones")
    low = tones.labels["key"] < 55
    basses = (tones.labels["program"] // 8 == 4) & low
    found = [
        Sound(clip, f"program {program}", wanted=bool(bass))
        for clip, program, bass in zip(tones.clips, tones.labels["program"], basses, strict=True)
    ]
    paths = _samples_of_lmms(packages, "basses")
    return found + [Sound(loaded(path, 3.0), path.stem.rstrip("0123456789")) for path in paths]


def chord_stabs(midi: Path) -> list[Sound]:
    """Triads of the programs of a held-out SoundFont: three tones of nearby keys, cut to a stab."""
    tones = sounds.midi(midi, "tones")
    found, rng = [], np.random.default_rng(0)
    for program in range(104):
        rows = np.flatnonzero((tones.labels["program"] == program) & (tones.labels["velocity"] == 110))
        for shift in (0, 3):
            if len(rows) < 6:
                continue
            notes = [
                shifted(tones.clips[row], interval)[:RATE]
                for row, interval in zip(rows[shift : shift + 3], rng.integers(-2, 3, 3), strict=True)
            ]
            chord = np.sum(notes, axis=0)
            samples = chord[: round(float(rng.uniform(0.3, 0.9)) * RATE)].astype(np.float32)
            found.append(Sound(faded(samples), f"program {program}"))
    return found


def loops(packages: Path, midi: Path, part: str) -> list[Sound]:
    """LMMS's loops and phrases of invented tracks played by a held-out SoundFont."""
    phrases = sounds.midi(midi, f"phrases_{part}")
    found = [Sound(clip, f"track {track}") for clip, track in zip(phrases.clips, phrases.labels["track"], strict=True)]
    folder = {"bass": "bassloops", "drums": "beats"}[part]
    paths = _samples_of_lmms(packages, folder)
    return found + [Sound(loaded(path, 6.0), path.stem.rstrip("0123456789")) for path in paths]


def vocal_chops() -> list[Sound]:
    """Pieces of half a second to one and a half of the vocals of held-out multitracks."""
    found, rng = [], np.random.default_rng(0)
    for name in MULTITRACKS_HELD_OUT:
        for path in sorted((audio_folder("multitracks") / name).glob("vocals.*")):
            whole, at = loaded(path, 60.0), 0
            while at < len(whole) - 2 * RATE:
                count = round(float(rng.uniform(0.5, 1.5)) * RATE)
                piece = whole[at : at + count]
                if rms(piece) > 0.3 * rms(whole):
                    found.append(Sound(faded(piece), name))
                at += count
    return found


def shifted(samples: Float32, semitones: float) -> Float32:
    """At another pitch and speed."""
    return np.asarray(soxr.resample(samples, RATE * 2 ** (float(semitones) / 12), RATE), dtype=np.float32)


def rms(samples: Float32) -> float:
    """Root mean square; 0 for nothing."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if samples.size else 0.0


@cache
def loaded(path: Path, seconds: float) -> Float32:
    """The first seconds of a file, mono at `RATE`."""
    return decode.load(path, RATE, 1).samples[0][: round(seconds * RATE)]


def _at_rate(samples: Float32) -> Float32:
    return np.asarray(soxr.resample(samples, 44_100, RATE), dtype=np.float32)


def _samples_of_lmms(packages: Path, folder: str) -> list[Path]:
    """The samples of a folder, without the one file that is damaged."""
    paths = sorted((packages / "usr/share/lmms/samples" / folder).glob("*.ogg"))
    return [path for path in paths if path.name != "kick04.ogg"]
