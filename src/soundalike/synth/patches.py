"""Pitched instruments: a patch is a voice (one way of making a note) with its settings.

`render_note` makes one note, `render_chord` several at once (strummed strings share one amplifier, so
distortion comes after their sum). Both give mono float32 with an attack that starts at the first sample,
ending in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from soundalike.errors import InputError
from soundalike.synth import dsp
from soundalike.synth.seeds import generator, split_variant

Voice = Callable[[dict[str, float], float, int, float, np.random.Generator], dsp.Signal]
"""(settings, Hz, samples, velocity 0..1, generator) -> note of that many samples, level about 1, without its
final release.
"""


@dataclass(frozen=True)
class Patch:
    """One instrument: `part` is the stem it belongs to, `voice` a key of `VOICES`, `low` the MIDI note its
    register starts at.
    """

    name: str
    part: str
    voice: str
    low: int
    settings: dict[str, float] = field(default_factory=dict, hash=False)


def _string(s: dict[str, float], hz: float, count: int, velocity: float, rng: np.random.Generator) -> dsp.Signal:
    """A plucked string: the modes of a Karplus-Strong loop, written out, with stiffness, picking point and
    pick noise.
    """
    k = np.arange(1, s.get("partials", 48) + 1)
    stretched = hz * k * np.sqrt(1.0 + s.get("stiffness", 5e-5) * k**2)
    pick = np.abs(np.sin(np.pi * k * s.get("pick_at", 0.18))) + 0.03
    levels = pick / k ** s.get("tilt", 1.0) * np.exp(-k / s.get("bright", 14.0) / (0.4 + 0.6 * velocity))
    falls = s.get("ring", 5.0) * (110.0 / hz) ** 0.5 / (1.0 + s.get("damping", 0.12) * (k - 1))
    if s.get("body", 0.0):
        for centre in (105.0, 215.0, 410.0):  # air and plate resonances of a hollow body
            levels = levels * (1.0 + s["body"] * np.exp(-(np.log2(stretched / centre) ** 2) / 0.04))
    note = dsp.modal(count, stretched, levels / np.sqrt(np.sum(levels**2)), falls, rng.uniform(-0.3, 0.3, k.size))
    click = dsp.bandpass(rng.standard_normal(min(count, 2000)), 900.0, 6000.0)
    note[: click.size] += s.get("click", 0.05) * velocity * click * dsp.decay(click.size, 0.02)
    return note


def _piano(s: dict[str, float], hz: float, count: int, velocity: float, rng: np.random.Generator) -> dsp.Signal:
    """Stiff strings in detuned pairs with a two-stage decay, and the knock of the hammer."""
    k = np.arange(1, 36)
    stiffness = s.get("stiffness", 3.5e-4) * (hz / 220.0) ** 0.6
    stretched = hz * k * np.sqrt(1.0 + stiffness * k**2)
    levels = np.exp(-k / (s.get("bright", 9.0) * (0.35 + 0.65 * velocity) * (220.0 / hz) ** 0.4)) / k**0.5
    levels = levels * (np.abs(np.sin(np.pi * k / 8.3)) + 0.1)
    falls = s.get("ring", 9.0) * (110.0 / hz) ** 0.6 / (1.0 + 0.22 * (k - 1))
    cents = s.get("detune", 1.2) * rng.uniform(0.6, 1.4)
    pairs = np.concatenate([stretched * 2 ** (cents / 2400), stretched * 2 ** (-cents / 2400)])
    both = np.concatenate([levels, 0.6 * levels]) / np.sqrt(np.sum(levels**2))
    note = dsp.modal(count, pairs, both, np.concatenate([falls, 0.35 * falls]), rng.uniform(-0.4, 0.4, pairs.size))
    knock = dsp.bandpass(rng.standard_normal(min(count, 4000)), 120.0, 1800.0)
    note[: knock.size] += s.get("knock", 0.25) * velocity * knock * dsp.decay(knock.size, 0.06)
    return note * np.minimum(1.0, dsp.seconds(count) / 0.0015)


def _fm(s: dict[str, float], hz: float, count: int, velocity: float, rng: np.random.Generator) -> dsp.Signal:
    """Two-operator phase modulation whose index dies away: electric pianos, plucked basses, bells."""
    t = dsp.seconds(count)
    index = s.get("index", 2.0) * (0.3 + 0.7 * velocity) * dsp.decay(count, s.get("index_fall", 0.6))
    modulator = np.sin(2 * np.pi * hz * s.get("ratio", 1.0) * t)
    carrier = np.sin(2 * np.pi * hz * t + index * modulator)
    tine = s.get("tine", 0.0) * np.sin(2 * np.pi * hz * s.get("tine_ratio", 7.0) * t) * dsp.decay(count, 0.35)
    wobble = 1.0 + s.get("tremolo", 0.0) * np.sin(2 * np.pi * 4.6 * t)
    return np.asarray((carrier + tine * velocity) * dsp.decay(count, s.get("ring", 4.0)) * wobble)


def _saw(s: dict[str, float], hz: float, count: int, velocity: float, rng: np.random.Generator) -> dsp.Signal:
    """Detuned saw or square waves, band-limited; a filter that closes is a faster decay of the higher
    harmonics.
    """
    k = np.arange(1, min(s.get("partials", 60), dsp.SAMPLE_RATE * 0.4 / hz) + 1)
    levels = 1.0 / k
    if s.get("square", 0.0):
        levels = np.where(k % 2 == 1, levels, levels * (1.0 - s["square"]))
    cutoff = s.get("cutoff", 1200.0) * (0.5 + 0.5 * velocity)
    levels = levels / np.sqrt(1.0 + (k * hz / cutoff) ** (2 * s.get("poles", 4.0)))
    levels = levels * (1.0 + s.get("resonance", 0.0) * np.exp(-(np.log2(k * hz / cutoff) ** 2) / 0.08))
    falls = s.get("ring", 60.0) / (1.0 + s.get("closing", 0.0) * (k * hz / 400.0))
    voices = int(s.get("voices", 1))
    cents = np.linspace(-1.0, 1.0, voices) * s.get("detune", 8.0) if voices > 1 else np.zeros(1)
    hzs = np.multiply.outer(2.0 ** (cents / 1200.0), hz * k).ravel()
    phases = rng.uniform(0, 2 * np.pi, voices)[:, None] * k if voices > 1 else np.zeros((1, k.size))
    scale = 1.0 / np.sqrt(voices * np.sum(levels**2))
    note = dsp.modal(count, hzs, np.tile(levels * scale, voices), np.tile(falls, voices), phases.ravel())
    return note + s.get("sub", 0.0) * np.sin(np.pi * hz * dsp.seconds(count))


def _sub(s: dict[str, float], hz: float, count: int, velocity: float, rng: np.random.Generator) -> dsp.Signal:
    """A sine with a little of its octave, gliding down into the note."""
    t = dsp.seconds(count)
    cycles = hz * (t + s.get("glide", 0.0) * 0.02 * (1.0 - np.exp(-t / 0.02)))
    wave = np.sin(2 * np.pi * cycles) + s.get("octave", 0.12) * np.sin(4 * np.pi * cycles)
    return np.asarray(wave * dsp.decay(count, s.get("ring", 6.0)))


def _air(s: dict[str, float], hz: float, count: int, velocity: float, rng: np.random.Generator) -> dsp.Signal:
    """Voices and breath: a soft saw ensemble through vowel formants, with filtered noise around the note."""
    body = _saw({**s, "voices": 5, "detune": 14.0, "cutoff": 2600.0, "poles": 2.0}, hz, count, velocity, rng)
    vowel = dsp.bandpass(body, 520.0, 900.0) + 0.6 * dsp.bandpass(body, 1000.0, 1400.0) + 0.15 * body
    breath = dsp.bandpass(rng.standard_normal(count), hz * 1.5, hz * 8.0) * s.get("breath", 0.15)
    return vowel * 1.6 + breath


def _organ(s: dict[str, float], hz: float, count: int, velocity: float, rng: np.random.Generator) -> dsp.Signal:
    """Drawbars with key click and a rotating speaker."""
    ratios = np.array([0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0])
    bars = np.array([0.7, 1.0, 0.5, 0.6, 0.15, 0.25, 0.1, 0.12]) ** s.get("mellow", 1.0)
    note = dsp.modal(count, hz * ratios, bars / np.sqrt(np.sum(bars**2)), np.inf, rng.uniform(0, 6.28, 8))
    click = dsp.bandpass(rng.standard_normal(min(count, 800)), 1500.0, 6000.0)
    note[: click.size] += s.get("click", 0.1) * click * dsp.decay(click.size, 0.012)
    return np.asarray(note * (1.0 + s.get("rotor", 0.18) * np.sin(2 * np.pi * 6.3 * dsp.seconds(count))))


def _bar(s: dict[str, float], hz: float, count: int, velocity: float, rng: np.random.Generator) -> dsp.Signal:
    """A struck bar: few widely spaced modes, the higher ones short."""
    ratios = np.array([1.0, 2.0, 3.93, 9.2, 13.0])
    levels = np.array([1.0, s.get("octave", 0.15), 0.35, 0.18, 0.08]) * np.array([1, 1, velocity, velocity, velocity])
    falls = s.get("ring", 3.0) * (440.0 / hz) ** 0.3 / ratios**0.8
    return dsp.modal(count, hz * ratios, levels, falls)


VOICES: dict[str, Voice] = {
    "string": _string,
    "piano": _piano,
    "fm": _fm,
    "saw": _saw,
    "sub": _sub,
    "air": _air,
    "organ": _organ,
    "bar": _bar,
}

PATCHES: dict[str, Patch] = {
    patch.name: patch
    for patch in (
        Patch("sub", "bass", "sub", 28, {"glide": 1.5, "attack": 0.006, "release": 0.06, "drive": 0.3}),
        Patch(
            "fingered",
            "bass",
            "string",
            28,
            {"bright": 7, "tilt": 1.1, "pick_at": 0.25, "ring": 4.5, "click": 0.02},
        ),
        Patch(
            "picked",
            "bass",
            "string",
            28,
            {"bright": 22, "tilt": 0.75, "pick_at": 0.1, "click": 0.16, "drive": 0.8},
        ),
        Patch("fmbass", "bass", "fm", 28, {"index": 3.2, "index_fall": 0.45, "ring": 2.2, "release": 0.04}),
        Patch(
            "acid",
            "bass",
            "saw",
            28,
            {"cutoff": 1100, "resonance": 2.5, "closing": 9, "ring": 9, "drive": 1.2},
        ),
        Patch(
            "reese",
            "bass",
            "saw",
            28,
            {"voices": 3, "detune": 16, "cutoff": 520, "sub": 0.5, "attack": 0.01, "drive": 0.5},
        ),
        Patch(
            "nylon",
            "guitar",
            "string",
            45,
            {"bright": 8, "tilt": 1.0, "ring": 3.2, "body": 0.9, "pick_at": 0.28},
        ),
        Patch(
            "steel",
            "guitar",
            "string",
            45,
            {"bright": 26, "tilt": 0.8, "ring": 5, "body": 0.5, "pick_at": 0.13, "click": 0.12},
        ),
        Patch(
            "clean",
            "guitar",
            "string",
            45,
            {"bright": 18, "tilt": 0.9, "ring": 6, "pick_at": 0.07, "drive": 0.4, "cabinet": 4800},
        ),
        Patch(
            "overdrive",
            "guitar",
            "string",
            40,
            {"bright": 20, "ring": 9, "drive": 9, "cabinet": 4200, "power": 1},
        ),
        Patch(
            "wah",
            "guitar",
            "string",
            50,
            {"bright": 14, "ring": 2.0, "pick_at": 0.06, "drive": 1.2, "cabinet": 2200, "nasal": 1},
        ),
        Patch("grand", "piano", "piano", 48, {"bright": 9}),
        Patch(
            "upright",
            "piano",
            "piano",
            48,
            {"bright": 5, "detune": 9, "ring": 4.5, "knock": 0.5, "stiffness": 7e-4},
        ),
        Patch(
            "electric",
            "piano",
            "fm",
            48,
            {"index": 0.9, "index_fall": 1.2, "ring": 4, "tine": 0.16, "tremolo": 0.2},
        ),
        Patch(
            "glass",
            "piano",
            "fm",
            55,
            {"index": 1.8, "ratio": 3.5, "index_fall": 0.8, "ring": 2.6, "release": 0.2},
        ),
        Patch(
            "strings",
            "residuals",
            "saw",
            50,
            {"voices": 6, "detune": 11, "cutoff": 3200, "poles": 1.5, "attack": 0.18, "release": 0.3},
        ),
        Patch(
            "warm",
            "residuals",
            "saw",
            48,
            {"voices": 4, "detune": 9, "cutoff": 700, "poles": 3, "attack": 0.4, "release": 0.5},
        ),
        Patch("choir", "residuals", "air", 52, {"breath": 0.2, "attack": 0.25, "release": 0.4}),
        Patch("organ", "residuals", "organ", 48, {"attack": 0.004, "release": 0.03}),
        Patch("vibes", "residuals", "bar", 60, {"ring": 3.5, "release": 0.25}),
        Patch(
            "brass",
            "residuals",
            "saw",
            53,
            {"voices": 3, "detune": 7, "cutoff": 2400, "poles": 2, "attack": 0.04, "release": 0.08},
        ),
    )
}


_VARIED: dict[str, dict[str, float]] = {
    "string": {"bright": 14.0, "tilt": 1.0, "ring": 5.0, "pick_at": 0.18, "damping": 0.12, "click": 0.05},
    "piano": {"bright": 9.0, "detune": 1.2, "ring": 9.0, "knock": 0.25, "stiffness": 3.5e-4},
    "fm": {"index": 2.0, "index_fall": 0.6, "ring": 4.0},
    "saw": {"cutoff": 1200.0, "detune": 8.0, "ring": 60.0, "attack": 0.004},
    "sub": {"octave": 0.12, "glide": 1.0, "ring": 6.0, "drive": 0.3},
    "air": {"breath": 0.15, "attack": 0.2},
    "organ": {"mellow": 1.0, "click": 0.1, "rotor": 0.18},
    "bar": {"octave": 0.15, "ring": 3.0, "attack": 0.001},
}
"""What differs between the variants of a patch, by voice, with the values where a patch has none."""

_SPREAD = 0.35
"""Standard deviation of the logarithm of what differs."""


def patch_named(name: str) -> Patch:
    """The patch of that name; `grand~3` is the third variant of `grand`: the same voice with other settings.

    Raises InputError for a name that is not in `PATCHES`.
    """
    base, variant = split_variant(name)
    if base not in PATCHES:
        raise InputError(f"unknown patch {name!r}; the patches are {', '.join(PATCHES)}")
    return PATCHES[base] if variant is None else _variant(PATCHES[base], name)


def _variant(patch: Patch, name: str) -> Patch:
    rng = generator("patch variant", name)
    varied = {
        key: patch.settings.get(key, usual) * float(np.exp(rng.normal(0.0, _SPREAD)))
        for key, usual in _VARIED[patch.voice].items()
    }
    return replace(patch, name=name, settings={**patch.settings, **varied})


def render_note(patch: str, midi: int, duration: float, velocity: float = 1.0) -> NDArray[np.float32]:
    """One note held for `duration` seconds: mono float32 (samples,), level proportional to `velocity` (0..1).

    Raises InputError for an unknown patch.
    """
    return render_chord(patch, (midi,), duration, velocity)


def render_chord(
    patch: str,
    midis: Sequence[int],
    duration: float,
    velocity: float = 1.0,
    strum: float = 0.0,
    muted: bool = False,
) -> NDArray[np.float32]:
    """Notes that start within `strum` seconds (from first to last in the order given), held until `duration`
    seconds: mono float32.

    `muted` strings are stopped by the hand. Read-only. Raises InputError for an unknown patch or no notes at
    all.
    """
    if not midis:
        raise InputError("a chord needs one note at least, and got none")
    layer = round(min(max(velocity, 0.0), 1.0) * 4) / 4
    chord = _chord(patch, tuple(midis), round(duration, 4), max(layer, 0.25), round(strum, 4), muted)
    return np.asarray(chord * np.float32(velocity), dtype=np.float32)


@lru_cache(maxsize=192)
def _chord(
    name: str, midis: tuple[int, ...], duration: float, velocity: float, strum: float, muted: bool
) -> NDArray[np.float32]:
    patch = patch_named(name)
    settings = {**patch.settings, "ring": 0.5, "damping": 0.5} if muted else patch.settings
    release = settings.get("release", 0.08)
    count = round((duration + release) * dsp.SAMPLE_RATE)
    step = strum / max(1, len(midis) - 1)
    total = np.zeros(count)
    for index, midi in enumerate(midis):
        at = min(round(index * step * dsp.SAMPLE_RATE), count - 64)
        rng = generator("note", name, midi)
        total[at:] += VOICES[patch.voice](settings, dsp.to_hz(midi), count - at, velocity, rng)
    drive = settings.get("drive", 0.0)
    if drive > 0.0:
        total = dsp.overdrive(total * 0.5, drive * (0.6 + 0.4 * velocity))
    if "cabinet" in settings:
        total = dsp.lowpass(dsp.highpass(total, 500.0 if "nasal" in settings else 85.0), settings["cabinet"], 3)
    return (total * 0.3 * dsp.gate(count, settings.get("attack", 0.001), release)).astype(np.float32)
