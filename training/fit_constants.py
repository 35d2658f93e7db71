"""Fits the constants that whiten the encoder's signal features (`builtin_constants.npz`) to what two SoundFonts play.

What is the same to a listener, by group:

notes        notes of 120 programs, the class being the program; drum pieces, the class being the piece of the kit
phrases      excerpts of invented tracks played by five parts, the class being the track
instruments  the same excerpts, the class being the program: other music by the same instrument
songs        drums, basses and residuals of arrangements, as they are and as the built-in separator gives them, the class being
             the instrument: what other parts leave in a separated stem says nothing about it
alterations  a clip and the same clip after a codec, an equaliser, a little noise, another speed or pitch

The covariance within these classes is made white (`whitened_features`). No label says what is *different*.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import encoder_sounds as sounds
from benchmarks.encoder_fit import GROUPS, extract_features, fit_whitening, midi_collections
from benchmarks.render_midi_sounds import Instrument, render
from soundalike.audio.level import rms_level
from soundalike.models.encoders.builtin.builtin_encoder import CONSTANTS
from soundalike.models.separators import load_separator
from soundalike.synth.seeds import generator
from training import arrangements
from training.alterations import rms
from training.separator_examples import CORNERS, HIGH_PASS, LEVELS, high_passed, placed
from training.soundfonts import DRUM_PRESETS
from training.sources import SOUNDFONTS

Float32 = NDArray[np.float32]
Matrix = NDArray[np.float64]
Rng = np.random.Generator
Labelled = tuple[Matrix, NDArray[Any]]

SHARES = {"notes": 5.0, "phrases": 1.0, "instruments": 1.0, "songs": 0.5, "alterations": 0.5}
"""Of each group in the covariance."""
SHRINKAGE = 0.12
RATE, SECONDS, WINDOW = 32_000, 20.0, 10.0
PARTS = ("bass", "drums", "residuals")
SONGS, ENSEMBLES = 160, 40
"""Songs of each SoundFont; sets of four instruments, one of which plays the residuals of a song."""
FIRST_TRACKS = 1000
"""Seed of the tracks of the first SoundFont; `benchmarks.encoder_evaluation` has those of seed 1."""
ALTERED = 40
"""Clips of each collection that are altered."""
LEAST_SEPARATED, LEAST_TRUE = -36.0, -25.0
"""Levels (dB above the mixture) from which a separated and a true stem count."""


@dataclass(frozen=True)
class FontFeatures:
    """What is measured of one SoundFont: by collection the features (N, D) of its clips, their class and their program; of the
    stems in songs, by part; and how the features of some clips change with each alteration."""

    collections: dict[str, tuple[Matrix, NDArray[Any], NDArray[Any]]]
    songs: dict[str, Labelled]
    steps: list[Matrix]


def fit_constants(packages: Path, work: Path, seed: int, out: Path = CONSTANTS) -> None:
    """Write the constants to `out`. packages: as in `collect.collect`; rendered sounds are kept in `work`."""
    work.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(2) as pool:
        fonts = list(pool.map(measure, [packages] * 2, [work] * 2, SOUNDFONTS, [0, 1], [seed] * 2))
    mean, whitening = fit_whitening(groups_of(fonts), joined_steps(fonts), SHRINKAGE, list(SHARES.values()))
    # Half precision: the constants are not known to more than three digits.
    np.savez(out, mean=mean.astype(np.float32), whitening=whitening.astype(np.float16))
    print(f"{out}: {len(mean)} features, {out.stat().st_size / 1e3:.0f} kB")


def groups_of(fonts: list[FontFeatures]) -> list[list[Labelled]]:
    """The collections of each group but the alterations; classes of different SoundFonts are different ones."""
    names = GROUPS["phrases"]
    return [
        [_together([font.collections[name][:2] for font in fonts]) for name in GROUPS["notes"]],
        [_together([font.collections[name][:2] for font in fonts]) for name in names],
        [_together([(font.collections[name][0], font.collections[name][2]) for font in fonts]) for name in names],
        [_together([font.songs[part] for font in fonts]) for part in PARTS],
    ]


def joined_steps(fonts: list[FontFeatures]) -> list[Matrix]:
    """Of each alteration, the changes of all clips."""
    return [np.concatenate(steps) for steps in zip(*(font.steps for font in fonts), strict=True)]


def _together(collections: list[Labelled]) -> Labelled:
    classes = [np.array([f"{number} {name}" for name in names]) for number, (_, names) in enumerate(collections)]
    return np.concatenate([values for values, _ in collections]), np.concatenate(classes)


def measure(packages: Path, work: Path, name: str, number: int, seed: int) -> FontFeatures:
    """The features of what the SoundFont `name`, the `number`th, plays."""
    font = str(next((packages / "usr/share/sounds").rglob(name)))
    folder = work / f"midi-{name}"
    if not folder.exists():
        unfinished = work / f".midi-{name}"
        render(font, unfinished, FIRST_TRACKS * seed + number)
        unfinished.rename(folder)
    clips = midi_collections(folder)
    collections = {}
    for collection in (name for names in GROUPS.values() for name in names):
        labels = clips[collection].labels
        programs = labels.get("program", labels["same"])
        collections[collection] = extract_features(clips[collection].clips).values, labels["same"], programs
    rng = generator("altered", seed, name)
    plain = [
        clip
        for of_collection in clips.values()
        for clip in (
            of_collection.clips[index] for index in rng.choice(len(of_collection.clips), ALTERED, replace=False)
        )
    ]
    before = extract_features(plain).values
    steps = [extract_features([alter(clip) for clip in plain]).values - before for alter in sounds.ALTERATIONS.values()]
    return FontFeatures(collections, _songs(Instrument(font), name, seed), steps)


def _songs(instrument: Instrument, font: str, seed: int) -> dict[str, Labelled]:
    """Of each part the features of true and separated stems in windows of songs, and the program (the ensemble) of each."""
    separator = load_separator("builtin")
    clips: dict[str, list[Float32]] = {part: [] for part in PARTS}
    played: dict[str, list[int]] = {part: [] for part in PARTS}
    for number in range(SONGS):
        rng = generator("labelled song", seed, font, number)
        programs = {"bass": int(rng.choice(arrangements.BASSES)), "drums": int(rng.choice(DRUM_PRESETS))}
        programs["residuals"] = int(rng.integers(ENSEMBLES))
        true = dict(_stems(instrument, rng, programs, font))
        mixture = np.sum(list(true.values()), axis=0)
        separated = separator.separate(mixture[np.newaxis])
        separated["residuals"] += separated.pop("vocals")  # the songs have no voices
        for first in range(0, len(mixture), round(WINDOW * RATE)):
            window = slice(first, first + round(WINDOW * RATE))
            reference = rms_level(mixture[window])
            for part in PARTS:
                stems = np.ascontiguousarray(separated[part][0, window]), true[part][window]
                over = [rms_level(stem) - reference for stem in stems]
                if over[0] > LEAST_SEPARATED and over[1] > LEAST_TRUE:
                    clips[part] += stems
                    played[part] += [programs[part]] * 2
    return {part: (extract_features(clips[part]).values, np.array(played[part])) for part in PARTS}


def _stems(instrument: Instrument, rng: Rng, programs: dict[str, int], font: str) -> Iterator[tuple[str, Float32]]:
    """The stems (samples,) of one arrangement, mixed as the examples of the separator are."""
    ensemble = generator("ensemble", font, programs["residuals"])
    kinds = (arrangements.SUSTAINED, arrangements.STRUMMED, arrangements.LEADS, arrangements.STRUCK)
    others = iter([int(ensemble.choice(of_kind)) for of_kind in kinds])
    stems = {part: np.zeros(round(SECONDS * RATE), np.float32) for part in PARTS}
    for layer in arrangements.Arrangement(rng).layers():
        program = next(others, None) if layer.part == "residuals" else programs[layer.part]
        if program is None:
            continue
        instrument.choose(program, layer.drums)
        sound = placed(instrument.play(layer.events, SECONDS, layer.drums), rng, layer.part).mean(axis=0)
        gain = 1.0 if layer.drums else 10 ** (rng.uniform(-9, 0) / 20) / max(rms(sound), 1e-4)
        stems[layer.part] += sound * np.float32(gain)
    if rng.random() < HIGH_PASS:
        stems["residuals"] = high_passed(stems["residuals"], float(np.exp(rng.uniform(*np.log(CORNERS)))))
    for part, stem in stems.items():
        low, high = LEVELS[part]
        level = 0.1 * 10 ** (rng.uniform(0.6 * low, high) / 20)
        yield part, stem * np.float32(level / max(rms(stem), 1e-6))
