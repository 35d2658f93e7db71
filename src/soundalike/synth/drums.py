"""Drum kits: every voice of every kit is one `HitShape` of its family, modified by the kit's parameters.

A shape adds up to four sources: a sine that falls in pitch (kicks, toms), membrane modes (acoustic shells),
bands of noise (snares, claps, shakers) and a cloud of metallic modes (hats, cymbals). Families stand for how
drums are made: `acoustic`, two drum machines (`808`, `909`), and `lofi` (an old sampler's
rate and word length).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from soundalike.errors import InputError
from soundalike.synth import dsp
from soundalike.synth.drum_shapes import FAMILIES, VOICES, HitShape
from soundalike.synth.seeds import generator, split_variant


@dataclass(frozen=True)
class Kit:
    """One drum kit. The numbers multiply those of the family's shapes; 1 leaves them."""

    name: str
    family: str
    tune: float = 1.0
    """Pitch of everything that has one."""
    length: float = 1.0
    """Decay times."""
    bright: float = 1.0
    """Centre of noises and metal."""
    snap: float = 1.0
    """Level of noise against tone."""
    drive: float = 0.0
    """Added overdrive."""
    machine: bool = True
    """Whether every stroke is the same but for its level."""


KITS: dict[str, Kit] = {
    kit.name: kit
    for kit in (
        Kit("maple", "acoustic", tune=1.0, length=1.0, bright=1.0, snap=1.0, machine=False),
        Kit("garage", "acoustic", tune=1.22, length=0.7, bright=1.25, snap=1.6, drive=1.6, machine=False),
        Kit("deep808", "808", tune=0.92, length=1.45, bright=0.85, snap=0.8),
        Kit("tight808", "808", tune=1.3, length=0.55, bright=1.2, snap=1.3, drive=0.6),
        Kit("club909", "909", tune=1.0, length=1.0, bright=1.0, snap=1.0),
        Kit("hard909", "909", tune=1.18, length=0.75, bright=1.2, snap=1.35, drive=3.0),
        Kit("dusty", "lofi", tune=0.95, length=0.9, bright=0.8, snap=0.9, drive=0.8),
        Kit("crate", "lofi", tune=1.25, length=0.6, bright=1.15, snap=1.4, drive=0.3),
    )
}


def kit_named(name: str) -> Kit:
    """The kit of that name; `maple~3` is the third variant of `maple`: the same family with other numbers.

    Raises InputError for a name that is not in `KITS`.
    """
    base, variant = split_variant(name)
    if base not in KITS:
        raise InputError(f"unknown drum kit {name!r}; the kits are {', '.join(KITS)}")
    return KITS[base] if variant is None else _variant(KITS[base], name)


@lru_cache(maxsize=256)
def _variant(kit: Kit, name: str) -> Kit:
    tune, length, bright, snap, drive = generator("kit variant", name).standard_normal(5)
    return replace(
        kit,
        name=name,
        tune=kit.tune * float(np.exp(0.15 * tune)),
        length=kit.length * float(np.exp(0.25 * length)),
        bright=kit.bright * float(np.exp(0.2 * bright)),
        snap=kit.snap * float(np.exp(0.25 * snap)),
        drive=max(0.0, kit.drive + 0.5 * float(drive)),
    )


@lru_cache(maxsize=1024)
def render_hit(kit: str, voice: str, seed: int = 0) -> NDArray[np.float32]:
    """One stroke at full level: mono float32 (samples,), peak 0.9, starting at the attack and ending in
    silence (read-only).

    `kit` is a key of `KITS` or a variant, `voice` one of `VOICES`; `seed` numbers the strokes of a hand-played kit, which
    differ a little as a drummer's do. Raises InputError for an unknown kit or voice.
    """
    made_of = kit_named(kit)
    if voice not in VOICES:
        raise InputError(f"unknown drum voice {voice!r}; the voices are {', '.join(VOICES)}")
    shape = FAMILIES[made_of.family][voice]
    stroke = generator("stroke", kit, voice, 0 if made_of.machine else seed)
    signal = render_shape(shape, made_of, voice, stroke)
    hit = (dsp.normalise(signal, 0.9)).astype(np.float32)
    hit.setflags(write=False)
    return hit


def render_shape(shape: HitShape, kit: Kit, voice: str, stroke: np.random.Generator) -> dsp.Signal:
    """One stroke of any shape and kit, not only of those in the tables: mono (samples,), peak about 1.

    `kit.name` and `voice` number the drum: equal names give the same drum; stroke: how the strokes of one drum differ.
    """
    own = generator("kit", kit.name, voice)  # what makes this kit's drum its own: the same for every stroke
    bend = 1.0 if kit.machine else float(np.exp(stroke.normal(0.0, 0.012)))
    tune = kit.tune * float(np.exp(own.normal(0.0, 0.04))) * bend
    length = kit.length * float(np.exp(own.normal(0.0, 0.08)))
    bright = kit.bright * float(np.exp(own.normal(0.0, 0.05))) * bend
    count = round(max(0.06, shape.length * max(length, 0.5)) * dsp.SAMPLE_RATE)
    total = np.zeros(count)
    if shape.sweep is not None:
        start, end, time, fall, level = shape.sweep
        total += level * dsp.sweep(count, start * tune, end * tune, time) * dsp.decay(count, fall * length)
    if shape.modes:
        hz, levels, falls = np.array(shape.modes).T
        levels = levels * np.exp(stroke.normal(0.0, 0.0 if kit.machine else 0.12, levels.size))
        total += dsp.modal(count, hz * tune, levels, falls * length)
    for low, high, level, fall, attack in shape.noises:
        burst = _noise(count, stroke, low * bright, high * bright)
        total += level * kit.snap * burst * _strike(count, attack, fall * length)
    for delay in shape.bursts:
        low, high, level, fall, _ = shape.noises[0]
        at = round(delay * dsp.SAMPLE_RATE * (0.85 + 0.3 * own.random()))
        burst = _noise(count - at, stroke, low * bright, high * bright)
        total[at:] += level * kit.snap * burst * dsp.decay(count - at, 0.03)
    if shape.metal is not None:
        total += _metal(count, shape.metal, own, bright, length)
    return _finish(total, shape, kit)


def _noise(count: int, rng: np.random.Generator, low: float, high: float) -> dsp.Signal:
    burst = dsp.bandpass(rng.standard_normal(count), low, high)
    return 0.45 * burst / max(float(burst.std()), 1e-9)


def _strike(count: int, attack: float, fall: float) -> dsp.Signal:
    return dsp.decay(count, fall) * np.minimum(1.0, dsp.seconds(count) / max(attack, 1e-4))


def _metal(
    count: int,
    metal: tuple[float, float, int, float, float],
    own: np.random.Generator,
    bright: float,
    length: float,
) -> dsp.Signal:
    low, high, partials, level, fall = metal
    hz = np.exp(own.uniform(np.log(low), np.log(high), partials)) * bright
    levels = own.uniform(0.3, 1.0, hz.size) / np.sqrt(hz.size)
    # Plates lose their high modes first.
    falls = fall * length * np.clip((low * bright / hz) ** 0.5, 0.25, 1.0) * own.uniform(0.7, 1.3, hz.size)
    return level * dsp.modal(count, hz, levels, falls, own.uniform(0.0, 2 * np.pi, hz.size))


def _finish(total: dsp.Signal, shape: HitShape, kit: Kit) -> dsp.Signal:
    total = dsp.normalise(total, 1.0)
    total = dsp.overdrive(total, shape.drive + kit.drive)
    if kit.family == "lofi":
        total = dsp.lowpass(dsp.crush(total, 7.0, 3), 7000.0 * kit.bright)
    audible = np.flatnonzero(np.abs(total) > 10 ** (-66 / 20) * np.max(np.abs(total)))
    if audible.size:
        total = total[: audible[-1] + 1]
    return total * dsp.gate(total.size, 0.0003, 0.012)
