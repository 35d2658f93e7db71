"""Drum hits, notes and loops of the project's own synth, with every number of a voice varied."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from soundalike.models.encoders.builtin.one_shot_classes import CLASSES
from soundalike.synth import dsp
from soundalike.synth.drum_shapes import FAMILIES, VOICES, HitShape
from soundalike.synth.drums import Kit, render_shape
from soundalike.synth.patches import PATCHES
from soundalike.synth.patches import VOICES as PATCH_VOICES
from soundalike.synth.seeds import generator
from soundalike.synth.songs import render_loop, render_song
from soundalike.synth.specs import song_specs
from training.clip_store import Clip

Float32 = NDArray[np.float32]

RATE = 32_000
LONGEST = 1.6
SOURCE = "soundalike.synth"
_CLASS_OF_VOICE = {
    "kick": "kick",
    "snare": "snare",
    "clap": "clap",
    "rim": "percussion",
    "closed_hat": "hat",
    "open_hat": "hat",
    "low_tom": "tom",
    "high_tom": "tom",
    "cymbal": "cymbal",
}
OTHER = CLASSES.index("other")


def drum_hits(count: int, seed: int) -> Iterator[Clip]:
    """`count` hits, each of another invented drum machine."""
    for index in range(count):
        rng = generator("training hit", seed, index)
        voice = VOICES[index % len(VOICES)]
        shape = _varied(FAMILIES[str(rng.choice(list(FAMILIES)))][voice], rng)
        noises = tuple((low, max(high, 1.3 * low), *rest) for low, high, *rest in shape.noises)
        metal = shape.metal and (shape.metal[0], max(shape.metal[1], 1.5 * shape.metal[0]), *shape.metal[2:])
        shape = replace(shape, noises=noises, metal=metal)
        factors = np.exp(rng.normal(0.0, [0.18, 0.35, 0.15, 0.35]))
        drive = float(rng.exponential(0.8)) if rng.random() < 0.5 else 0.0
        family = str(rng.choice(["808", "lofi"], p=[0.85, 0.15]))  # "lofi" adds its word length and low-pass
        kit = Kit(f"training {seed} {index}", family, *map(float, factors), drive=drive)
        samples = _resampled(render_shape(shape, kit, voice, rng))
        label = CLASSES.index(_CLASS_OF_VOICE[voice])
        yield Clip(samples, SOURCE, "hit", label, "key 37" if voice == "rim" else CLASSES[label])


def _varied(shape: HitShape, rng: np.random.Generator) -> HitShape:
    """The shape with every number multiplied by a random factor, each of its sources sometimes left out."""

    def vary(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(vary(item) for item in value)
        if isinstance(value, int):
            return max(2, round(value * float(np.exp(rng.normal(0.0, 0.3)))))
        return float(value) * float(np.exp(rng.normal(0.0, 0.15)))

    return replace(
        shape,
        **{
            field.name: vary(getattr(shape, field.name))
            for field in fields(shape)
            if getattr(shape, field.name) not in (None, ())
        },
    )


def notes(count: int, seed: int) -> Iterator[Clip]:
    """`count` notes and chords of patches whose settings are varied; every third is a bass."""
    basses = [name for name, patch in PATCHES.items() if patch.part == "bass"]
    for index in range(count):
        rng = generator("training note", seed, index)
        patch = PATCHES[str(rng.choice(basses if index % 3 == 0 else list(PATCHES)))]
        settings = {name: value * float(np.exp(rng.normal(0.0, 0.25))) for name, value in patch.settings.items()}
        for name in ("voices", "partials"):
            if name in settings:
                settings[name] = max(1, round(settings[name]))
        chord = patch.part != "bass" and rng.random() < 0.5
        root = patch.low + int(rng.integers(0, 20))
        midis = (root, root + int(rng.integers(3, 5)), root + 7) if chord else (root,)
        held = float(np.exp(rng.uniform(np.log(0.12), np.log(1.3))))
        samples_count = round((held + settings.get("release", 0.08)) * dsp.SAMPLE_RATE)
        total = np.zeros(samples_count)
        for midi in midis:
            total += PATCH_VOICES[patch.voice](
                settings, dsp.to_hz(midi), samples_count, float(rng.uniform(0.4, 1)), rng
            )
        total = dsp.overdrive(total * 0.5, settings.get("drive", 0.0))
        if "cabinet" in settings:
            total = dsp.lowpass(dsp.highpass(total, 85.0), settings["cabinet"], 3)
        total *= dsp.gate(samples_count, settings.get("attack", 0.001), settings.get("release", 0.08))
        kind = "bass" if patch.part == "bass" else "chord" if chord else "note"
        yield Clip(_resampled(total), SOURCE, kind, OTHER, f"{SOURCE} {patch.name}")


def loops(count: int, seed: int) -> Iterator[Clip]:
    """Loops of every part of `count` songs."""
    for spec in song_specs(seed + 500, count):
        for part in spec.parts:
            samples = _resampled(render_loop(spec, part).mean(axis=0), 5.0)
            sound = spec.kit if part == "drums" else spec.patch(part)
            yield Clip(samples, SOURCE, "loop", -1, f"{SOURCE} loop {part} {sound}")


def songs(count: int, seed: int) -> Iterator[tuple[str, Float32]]:
    """(part, samples) of the stems of `count` songs, one song after the other; the mixture is their sum."""
    for spec in song_specs(seed + 700, count, 30.0):
        for part, stem in render_song(spec).stems.items():
            yield f"{spec.title}/{part}", _resampled(stem.mean(axis=0), 40.0)


def _resampled(samples: NDArray[np.floating], longest: float = LONGEST) -> Float32:
    cut = np.asarray(samples[: round(longest * dsp.SAMPLE_RATE)], dtype=np.float32)
    return np.asarray(soxr.resample(cut, dsp.SAMPLE_RATE, RATE), dtype=np.float32)
