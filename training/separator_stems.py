"""The stems that the separator is trained on: drums, basses and everything else, each by itself, mono at 32 kHz.

Nothing that evaluates the separator is in here: of the multitracks only `caesium`, no song, none of the samples of the
collages, nothing of `soundalike.synth`, no other SoundFont or drum kit than those of `sources`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.render_midi_sounds import Instrument
from benchmarks.separator_sounds import (
    Kit,
    Rng,
    accompaniment,
    bass_track,
    beat_steps,
    block_sound,
    clap_sound,
    cymbal_sound,
    drum_track,
    hat_sound,
    kick_sound,
    pick,
    pitched,
    random_kit,
    snare_sound,
    tom_sound,
    voice_track,
)
from soundalike.audio import decode
from soundalike.synth.seeds import generator
from training import arrangements, guitars, soundfonts, voices
from training.clip_store import HITS, NOTES, REST, Clip, save_clips
from training.collect import kit_hits
from training.sources import GUITARS, KITS, SAMPLES, SEPARATOR_MULTITRACK, SOUNDFONTS, VOICES

Float32 = NDArray[np.float32]

RATE = 32_000
PARTS = ("bass", "drums", "residuals")
INVENTION = "benchmarks.separator_sounds"
LOOPS = {
    "drums": "arovane_beat loop_amen loop_breakbeat loop_compus loop_industrial loop_mehackit loop_perc loop_tabla",
    "residuals": "ambi guit loop_drone loop_3d",
}
"""Prefixes of the names of recorded samples that are used; the collages of `benchmarks.separator_evaluation` use none."""
SONGS, SEQUENCES, INVENTED, DRONES, LINES, MADE_HITS = 110, 60, 400, 80, 240, 1400
"""Arrangements of each SoundFont; beats and bass lines of recorded sounds; tracks of each synthesised part; endless chords;
sung and spoken lines; synthesised hits."""
_KEYS = {"kick": (35, 36), "snare": (37, 38, 39, 40), "hat": (42, 44, 46, 51, 59, 69, 70, 82)}
_OTHER_KEYS = (41, 43, 45, 47, 48, 49, 50, 54, 55, 56, 57, 60, 62, 63, 64, 66, 67, 68, 75, 76)


def make_stems(packages: Path, audio: Path, work: Path, seed: int) -> None:
    """Write the stores `stems-*`, `HITS` and `NOTES` to `work`; those that exist are kept. Folders as in `collect.collect`."""
    work.mkdir(parents=True, exist_ok=True)
    jobs: dict[str, Callable[[], Iterator[Clip]]] = {
        "stems-multitrack": lambda: _multitrack(audio),
        "stems-samples": lambda: _samples(audio),
        "stems-invented": lambda: _invented(seed),
        **{f"stems-{name}": lambda name=name: _arrangements(packages, name, seed) for name in SOUNDFONTS},
        "stems-sequences": lambda: _sequences(packages, seed),
        "stems-drones": lambda: _drones(packages, seed),
        "stems-guitars": lambda: _guitars(packages),
        "stems-voices": lambda: _voices(packages, seed),
        HITS: lambda: _hits(packages, seed),
        NOTES: lambda: _notes(packages),
    }
    for name, clips in jobs.items():
        if not (work / f"{name}.json").exists():
            print(f"{name}: {save_clips(work, name, clips())} stems", flush=True)


def _multitrack(audio: Path) -> Iterator[Clip]:
    for part, file in (("drums", "drums"), ("residuals", "vocals"), (REST, "other")):
        samples = decode.load(audio / "multitracks" / SEPARATOR_MULTITRACK / f"{file}.ogg", RATE, 1).samples[0]
        yield Clip(samples, "multitracks", part, -1, f"{SEPARATOR_MULTITRACK}/{file}")


def _samples(audio: Path) -> Iterator[Clip]:
    for part, prefixes in LOOPS.items():
        for path in sorted((audio / "samples").glob("*.flac")):
            if path.name.startswith(tuple(prefixes.split())):
                samples = decode.load(path, RATE, 1).samples[0]
                yield Clip(samples, SAMPLES.name, part, -1, f"sample {path.stem}/{part}")


def _arrangements(packages: Path, name: str, seed: int) -> Iterator[Clip]:
    """The layers of invented arrangements; each layer is a stem."""
    instrument = _instrument(packages, name)
    for number in range(SONGS):
        for layer in arrangements.Arrangement(generator("arrangement", seed, name, number)).layers():
            instrument.choose(layer.program, layer.drums)
            samples = instrument.play(layer.events, arrangements.SECONDS, layer.drums)
            yield Clip(samples, SOUNDFONTS[name].name, layer.part, -1, f"{name} {number}/{layer.name}")


def _invented(seed: int) -> Iterator[Clip]:
    """Synthesised beats, bass lines, accompaniments (some as short as drums) and voices."""
    for index in range(INVENTED):
        rng = generator("invented", seed, index)
        beat = 60 / float(rng.uniform(65, 170))
        yield Clip(drum_track(rng, beat, random_kit), INVENTION, "drums", -1, f"invented {index}/drums")
        yield Clip(bass_track(rng, beat), INVENTION, "bass", -1, f"invented {index}/bass")
        make = voice_track if index % 4 == 0 else accompaniment
        yield Clip(make(rng, beat), INVENTION, "residuals", -1, f"invented {index}/residuals")


def _sequences(packages: Path, seed: int) -> Iterator[Clip]:
    """Beats of recorded hits, and lines of recorded notes."""
    name = next(iter(SOUNDFONTS))
    instrument = _instrument(packages, name)
    for index in range(SEQUENCES):
        rng = generator("sequence", seed, name, index)
        beat = 60 / float(rng.uniform(65, 165))
        instrument.choose(int(rng.choice(soundfonts.DRUM_PRESETS)), drums=True)
        track = drum_track(rng, beat, lambda rng: _kit(rng, instrument))
        yield Clip(track, SOUNDFONTS[name].name, "drums", -1, f"beat {name} {index}/drums")
        instrument.choose(int(rng.choice(arrangements.BASSES)), drums=False)
        note = instrument.play([(0.0, 1, int(rng.integers(26, 44)), 105)], 2.5, drums=False)
        yield Clip(bass_track(rng, beat, note), SOUNDFONTS[name].name, "bass", -1, f"beat {name} {index}/bass")
    for name, source in KITS.items():
        paths = sorted((packages / "usr/share/hydrogen/data/drumkits" / name).iterdir())[:60]
        hits = [decode.load(path, RATE, 1).samples[0] for path in paths if path.suffix in (".wav", ".flac", ".aiff")]
        for index in range(SEQUENCES // 2):
            rng = generator("sequence", seed, name, index)
            track = drum_track(rng, 60 / float(rng.uniform(65, 165)), lambda rng, hits=hits: any_kit(rng, hits))
            yield Clip(track, source.name, "drums", -1, f"beat {name} {index}/drums")


def _guitars(packages: Path) -> Iterator[Clip]:
    """Recorded electric guitars."""
    for name, samples in guitars.pieces(packages):
        yield Clip(samples, GUITARS.name, "residuals", -1, f"{name}/guitar")


def _voices(packages: Path, seed: int) -> Iterator[Clip]:
    """Sung and spoken lines."""
    for index, (voice, samples) in enumerate(voices.lines(packages, seed, LINES)):
        yield Clip(samples, VOICES.name, "residuals", -1, f"{voice} {index}/voice")


def _hits(packages: Path, seed: int) -> Iterator[Clip]:
    """Single drum hits; none of the recorded samples, which `benchmarks.sample_in_song` looks for."""
    yield from kit_hits(packages)
    for name, source in SOUNDFONTS.items():
        yield from soundfonts.drum_hits(_instrument(packages, name), source.name)
    makers = (kick_sound, snare_sound, clap_sound, hat_sound, tom_sound, cymbal_sound, block_sound)
    for index in range(MADE_HITS):
        rng = generator("hit", seed, index)
        yield Clip(makers[index % len(makers)](rng), INVENTION, "hit", -1, f"hit {index}")


def _notes(packages: Path) -> Iterator[Clip]:
    """Single notes and chords of all instruments."""
    for name, source in SOUNDFONTS.items():
        yield from soundfonts.notes(_instrument(packages, name), source.name, each=4, chords=3)


def _drones(packages: Path, seed: int) -> Iterator[Clip]:
    """Chords that are held all the time, synthesised and played."""
    name = next(iter(SOUNDFONTS))
    instrument = _instrument(packages, name)
    for index in range(DRONES):
        rng = generator("drone", seed, index)
        root = int(rng.integers(45, 70))
        keys = [
            root + int(step) for step in rng.choice([0, 3, 4, 7, 10, 12, 14, 16, 19, 24], size=int(rng.integers(1, 6)))
        ]
        if index % 2:
            instrument.choose(int(rng.choice(arrangements.SUSTAINED)), drums=False)
            events = [(0.0, 1, key, 95) for key in keys] + [(arrangements.SECONDS, 0, key, 0) for key in keys]
            yield Clip(
                instrument.play(events, arrangements.SECONDS, False),
                SOUNDFONTS[name].name,
                "residuals",
                -1,
                f"drone {index}/residuals",
            )
        else:
            yield Clip(_drone(rng, keys), INVENTION, "residuals", -1, f"drone {index}/residuals")


def _drone(rng: Rng, keys: list[int]) -> Float32:
    """Sums of harmonics of notes that never end, each with a slow tremolo."""
    time = np.arange(round(12 * RATE)) / RATE
    out, slope = np.zeros(len(time)), float(rng.uniform(0.5, 2.0))
    for key in keys:
        frequency = 440 * 2 ** ((key - 69 + rng.normal() * 0.05) / 12)
        note = np.zeros(len(time))
        for number in range(1, min(16, int(12_000 / frequency)) + 1):
            note += number**-slope * np.sin(2 * np.pi * (frequency * number * time + rng.random()))
        out += note * (1 + float(rng.uniform(0, 0.5)) * np.sin(2 * np.pi * (rng.uniform(0.1, 5) * time + rng.random())))
    return out.astype(np.float32)


def _kit(rng: Rng, instrument: Instrument) -> Kit:
    """A kit of hits of one preset, some of which are replaced by synthesised ones."""
    kit = []
    made = (kick_sound, snare_sound, hat_sound)
    for (keys, steps), gain, make in zip(
        zip(_KEYS.values(), beat_steps(rng), strict=True), (1.0, 0.9, 0.45), made, strict=True
    ):
        sound = make(rng) if rng.random() < 0.2 else _hit(rng, instrument, keys)
        kit.append((sound, gain, steps & (rng.random() < 0.92)))
    for _ in range(rng.integers(0, 3)):
        kit.append((_hit(rng, instrument, _OTHER_KEYS), 0.6, rng.random(16) < rng.uniform(0.05, 0.3)))
    return kit


def _hit(rng: Rng, instrument: Instrument, keys: tuple[int, ...]) -> Float32:
    sound = instrument.play([(0.0, 1, pick(rng, keys), int(rng.integers(80, 125)))], 1.5, drums=True)
    return pitched(sound, float(rng.uniform(-3, 3)))


def any_kit(rng: Rng, hits: list[Float32]) -> Kit:
    patterns = [*beat_steps(rng), rng.random(16) < 0.15]
    return [
        (pitched(hits[int(rng.integers(len(hits)))], float(rng.uniform(-3, 3))), gain, steps)
        for gain, steps in zip((1.0, 0.9, 0.5, 0.6), patterns, strict=True)
    ]


def _instrument(packages: Path, name: str) -> Instrument:
    return Instrument(str(next((packages / "usr/share/sounds").rglob(name))))
