"""One-shots of known classes in any number: the strokes of the drum kits and short notes of the patches, each varied."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from soundalike.errors import InputError
from soundalike.synth import dsp
from soundalike.synth.drums import KITS, render_hit
from soundalike.synth.patches import PATCHES, patch_named, render_note
from soundalike.synth.seeds import generator

_VOICES: Mapping[str, tuple[str, ...]] = {
    "kick": ("kick",),
    "snare": ("snare",),
    "clap": ("clap",),
    "hat": ("closed_hat", "open_hat"),
    "tom": ("low_tom", "high_tom"),
    "cymbal": ("cymbal",),
    "percussion": ("rim",),
}

_NOTES: Mapping[str, tuple[str, ...]] = {
    "bass": tuple(name for name, patch in PATCHES.items() if patch.part == "bass"),
    "guitar": tuple(name for name, patch in PATCHES.items() if patch.part == "guitar"),
    "keys": tuple(name for name, patch in PATCHES.items() if patch.part == "piano"),
    "vocal": ("choir",),
}

ONE_SHOT_CLASSES = (*_VOICES, *_NOTES)
"""Those that can be rendered, by their names in `audio.metadata.class_names`."""


def render_one_shot(sound_class: str, number: int, seed: int = 0) -> NDArray[np.float32]:
    """The one-shot of that number of a class: mono float32 (samples,), peak 0.9, at `dsp.SAMPLE_RATE`.

    Numbers go through the kits (or patches) in turn; tuning, brightness and length vary from one to the next. Raises InputError
    for a class that cannot be rendered.
    """
    rng = generator("one-shot", sound_class, number, seed)
    if sound_class in _VOICES:
        voices = _VOICES[sound_class]
        kits = list(KITS)
        voice = voices[number // len(kits) % len(voices)]
        signal = np.asarray(render_hit(kits[number % len(kits)], voice, number), dtype=np.float64)
    elif sound_class in _NOTES:
        patches = _NOTES[sound_class]
        name = patches[number % len(patches)]
        patch = patch_named(name)
        note = patch.low + int(rng.integers(0, 18))
        signal = np.asarray(render_note(name, note, float(rng.uniform(0.12, 0.5))), dtype=np.float64)
    else:
        raise InputError(f"no one-shot of the class {sound_class!r} can be made; choose {', '.join(ONE_SHOT_CLASSES)}")
    return dsp.normalise(_varied(signal, rng), 0.9).astype(np.float32)


def _varied(signal: dsp.Signal, rng: np.random.Generator) -> dsp.Signal:
    """Played back faster or slower by up to two semitones, through a filter, cut shorter."""
    speed = 2 ** (rng.uniform(-2, 2) / 12)
    played = np.interp(np.arange(0, len(signal) - 1, speed), np.arange(len(signal)), signal)
    played = dsp.lowpass(played, float(rng.uniform(6_000, 16_000)), order=1)
    kept = round(len(played) * rng.uniform(0.7, 1.0))
    return played[:kept] * np.minimum(1, np.arange(kept)[::-1] / 400)
