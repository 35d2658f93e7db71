"""Collects the sounds and the backgrounds of a training run from the packages, the real audio and the synth."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.render_midi_sounds import Instrument
from soundalike.audio import decode
from soundalike.models.encoders.builtin.one_shot_classes import CLASSES
from training import soundfonts, synth_sounds
from training.classes import UNKNOWN, class_of_name
from training.clip_store import Clip, save_clips
from training.sources import KITS, MULTITRACKS, SAMPLES, SONGS, SOUNDFONTS

Float32 = NDArray[np.float32]

RATE = 32_000
LOOP_SECONDS = 5.0
_TONAL = {"bass": "bass", "guit": "note", "ambi": "note"}


def collect(packages: Path, audio: Path, work: Path, seed: int) -> None:
    """Write the clips and backgrounds to `work`; what is there already is kept.

    packages: the root where the Debian packages are unpacked (or `/`); audio: a folder with samples/, songs/ and
    multitracks/.
    """
    work.mkdir(parents=True, exist_ok=True)
    jobs = {
        "clips-kits": (kit_hits, packages),
        "clips-samples": (_samples, audio),
        **{f"clips-{name}": (_soundfont, packages, name) for name in SOUNDFONTS},
        "clips-synth": (_synth, seed),
        "clips-loops": (_loops, audio, seed),
        **{f"backgrounds-{name}": (_arrangements, packages, name) for name in SOUNDFONTS},
        "backgrounds-real": (_real, audio),
        "backgrounds-synth": (_synth_songs, seed),
    }
    missing = {name: job for name, job in jobs.items() if not (work / f"{name}.json").exists()}
    with ProcessPoolExecutor(2) as pool:
        for name, count in pool.map(_save, [work] * len(missing), missing, missing.values()):
            print(f"{name}: {count} sounds", flush=True)


def _save(work: Path, name: str, job: tuple) -> tuple[str, int]:
    make, *arguments = job
    return name, save_clips(work, name, make(*arguments))


def _decoded(path: Path, seconds: float | None = None) -> Float32:
    samples = decode.load(path, RATE, 1).samples[0]
    return samples if seconds is None else samples[: round(seconds * RATE)]


def kit_hits(packages: Path) -> Iterator[Clip]:
    """All hits of the drum kits that are trained on."""
    for name, source in KITS.items():
        for path in sorted((packages / "usr/share/hydrogen/data/drumkits" / name).iterdir()):
            if path.suffix in (".wav", ".flac", ".aiff"):
                label = class_of_name(path.stem)
                group = CLASSES[label] if label != UNKNOWN else f"{name} {path.stem}"
                yield Clip(_decoded(path, soundfonts.LONGEST), source.name, "hit", label, group)


def _samples(audio: Path) -> Iterator[Clip]:
    for path in sorted((audio / "samples").glob("*.flac")):
        prefix = path.stem.split("_")[0]
        if prefix in ("loop", "arovane"):
            samples = _decoded(path)
            for first in range(0, len(samples), round(LOOP_SECONDS * RATE)):
                piece = samples[first : first + round(LOOP_SECONDS * RATE)]
                if len(piece) > RATE:
                    yield Clip(piece, SAMPLES.name, "loop", UNKNOWN, f"loop {path.stem}")
            continue
        label = UNKNOWN if prefix in ("glitch", "misc", "vinyl", "mehackit") else class_of_name(path.stem)
        if prefix in _TONAL:
            label = CLASSES.index("other")
        kind = _TONAL.get(prefix, "hit")
        group = CLASSES[label] if 0 <= label < CLASSES.index("percussion") else f"sample {path.stem}"
        yield Clip(_decoded(path, soundfonts.LONGEST), SAMPLES.name, kind, label, group)


def _soundfont(packages: Path, name: str) -> Iterator[Clip]:
    instrument = _instrument(packages, name)
    yield from soundfonts.drum_hits(instrument, SOUNDFONTS[name].name)
    yield from soundfonts.notes(instrument, SOUNDFONTS[name].name, each=10, chords=6)
    for font, number, part, samples in soundfonts.phrases(instrument, f"{SOUNDFONTS[name].name} loops", 40):
        for excerpt in range(4):
            piece = samples[round(excerpt * LOOP_SECONDS * RATE) : round((excerpt + 1) * LOOP_SECONDS * RATE)]
            yield Clip(piece, SOUNDFONTS[name].name, "loop", UNKNOWN, f"{font} {number} {part}")


def _synth(seed: int) -> Iterator[Clip]:
    yield from synth_sounds.drum_hits(4000, seed)
    yield from synth_sounds.notes(2000, seed)
    yield from synth_sounds.loops(60, seed)


def _loops(audio: Path, seed: int) -> Iterator[Clip]:
    for name in MULTITRACKS:
        for path in sorted((audio / "multitracks" / name).glob("*.ogg")):
            samples = _decoded(path)
            for first in range(0, len(samples) - RATE, round(LOOP_SECONDS * RATE)):
                piece = samples[first : first + round(LOOP_SECONDS * RATE)]
                if np.sqrt(np.mean(piece**2)) > 5e-3:
                    yield Clip(piece, "multitracks", "loop", UNKNOWN, f"{name} {path.stem}")


def _arrangements(packages: Path, name: str) -> Iterator[Clip]:
    instrument = _instrument(packages, name)
    for font, number, part, samples in soundfonts.phrases(instrument, f"{SOUNDFONTS[name].name} songs", 40):
        yield Clip(samples, SOUNDFONTS[name].name, "stem", UNKNOWN, f"{font} {number}/{part}")


def _real(audio: Path) -> Iterator[Clip]:
    for name in SONGS:
        yield Clip(_decoded(audio / "songs" / name), "songs", "stem", UNKNOWN, f"{name}/mix")
    for name in MULTITRACKS:
        for path in sorted((audio / "multitracks" / name).glob("*.ogg")):
            yield Clip(_decoded(path), "multitracks", "stem", UNKNOWN, f"{name}/{path.stem}")


def _synth_songs(seed: int) -> Iterator[Clip]:
    for group, samples in synth_sounds.songs(40, seed):
        yield Clip(samples, synth_sounds.SOURCE, "stem", UNKNOWN, group)


def _instrument(packages: Path, name: str) -> Instrument:
    return Instrument(str(next((packages / "usr/share/sounds").rglob(name))))
