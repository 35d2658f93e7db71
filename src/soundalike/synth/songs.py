"""Songs and loops rendered from their specification: events from patterns, sounds from kits and patches, mixing levels.

A song is float32 stereo at 44.1 kHz; its mixture is exactly the sum of its stems; bar 0 starts at sample 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from soundalike.errors import InputError
from soundalike.parts import ordered
from soundalike.synth import dsp, mixing, patterns
from soundalike.synth.drums import kit_named, render_hit
from soundalike.synth.patches import patch_named, render_chord
from soundalike.synth.patterns import Clock, Hit, Note
from soundalike.synth.seeds import generator
from soundalike.synth.specs import PITCHED, Section, SongSpec

TAIL = 1.5
"""Seconds after the last bar, for what rings on."""

_LEVELS = {"drums": 0.0, "bass": -1.5, "guitar": -5.0, "piano": -5.0, "residuals": -7.0}
_PANS = {"bass": 0.0, "guitar": -0.35, "piano": 0.3, "residuals": 0.0}
_ROOMS = {"drums": 0.12, "bass": 0.0, "guitar": 0.2, "piano": 0.22, "residuals": 0.45}
_DRUM_PANS = {
    "closed_hat": 0.28,
    "open_hat": 0.28,
    "rim": -0.2,
    "low_tom": 0.3,
    "high_tom": -0.25,
    "cymbal": -0.35,
}
_DRUM_LEVELS = {"kick": 1.0, "snare": 0.8, "clap": 0.7, "rim": 0.55, "low_tom": 0.7, "high_tom": 0.65}
_STROKES = 4
"""How many different strokes of each voice a hand-played kit has."""


@dataclass(frozen=True)
class Song:
    """A rendered song and what is known about it."""

    spec: SongSpec
    stems: dict[str, dsp.Stereo]
    """Part -> (2, samples), in the order of parts."""
    mixture: dsp.Stereo
    hits: tuple[Hit, ...]
    """Every stroke of the drums, at its time in the song."""
    sample_rate: int = dsp.SAMPLE_RATE

    @property
    def duration(self) -> float:
        """Seconds."""
        return float(self.mixture.shape[1] / self.sample_rate)


def render_song(spec: SongSpec) -> Song:
    """The song of `spec`: the same samples for the same specification."""
    samples = round((spec.bars * _clock(spec).bar + TAIL) * dsp.SAMPLE_RATE)
    ending = dsp.gate(samples, 0.0, 0.6).astype(np.float32)
    levels = generator("levels", spec.seed)
    response = mixing.room(generator("room", spec.seed), 0.6 + 0.9 * float(levels.random()))
    hits = tuple(_drum_hits(spec))
    stems: dict[str, dsp.Stereo] = {}
    for part in ordered(spec.parts):
        bus = np.zeros((2, samples), dtype=np.float32)
        if part == "drums":
            _play_drums(bus, spec.kit, hits)
        else:
            _play_notes(bus, spec.patch(part), _PANS[part], _part_notes(spec, part))
        bus = mixing.add_room(bus, response, _ROOMS[part])
        wanted = 10 ** ((_LEVELS[part] + float(levels.normal(0.0, 1.0))) / 20)
        stems[part] = bus * (ending * np.float32(0.1 * wanted / max(mixing.active_level(bus), 1e-6)))
    final, mixture = mixing.master(stems)
    return Song(spec=spec, stems=final, mixture=mixture, hits=hits)


def render_loop(spec: SongSpec, part: str, bars: int = 2) -> dsp.Stereo:
    """`bars` bars of one part of the song, by itself without room: float32 (2, samples), peak 0.8, that loops
    seamlessly.

    Raises InputError where the song has no such part.
    """
    if part not in spec.parts:
        raise InputError(f"{spec.title!r} has no {part!r}; it has {', '.join(ordered(spec.parts))}")
    # The tail of the loop belongs at its beginning: render two passes and keep the second.
    once = round(bars * _clock(spec).bar * dsp.SAMPLE_RATE)
    looped = replace(spec, sections=(Section("loop", bars, (part,)),) * 2)
    bus = np.zeros((2, 2 * once), dtype=np.float32)
    if part == "drums":
        _play_drums(bus, spec.kit, tuple(_drum_hits(looped, plain=True)))
    else:
        _play_notes(bus, spec.patch(part), 0.0, _part_notes(looped, part))
    loop = bus[:, once:] * dsp.gate(once, 0.0005, 0.003).astype(np.float32)
    return np.asarray(loop * np.float32(0.8 / max(float(np.max(np.abs(loop))), 1e-6)), dtype=np.float32)


def _clock(spec: SongSpec) -> Clock:
    return Clock(float(spec.tempo), patterns.style_named(spec.style).swing)


def _bars(spec: SongSpec) -> Iterator[tuple[int, int, Section]]:
    """(bar of the song, bar of the section, section)."""
    bar = 0
    for section in spec.sections:
        for inner in range(section.bars):
            yield bar, inner, section
            bar += 1


def _drum_hits(spec: SongSpec, plain: bool = False) -> Iterator[Hit]:
    """All strokes at their times; `plain` leaves out crashes and fills, which mark sections."""
    style = patterns.style_named(spec.style)
    clock = _clock(spec)
    for bar, inner, section in _bars(spec):
        if "drums" not in section.parts:
            continue
        # A loop plays the same at every pass, so its deviations depend on the bar within it.
        rng = generator("drums", spec.seed, inner if plain else bar)
        for hit in patterns.drum_bar(
            style.grooves[spec.groove],
            clock,
            inner,
            rng,
            patterns.DrumFeel(
                loose=style.loose,
                sparse=section.sparse,
                crash=not plain and section.name == "chorus" and inner == 0,
                fill=not plain and section.name == "verse" and inner == section.bars - 1,
            ),
        ):
            yield replace(hit, time=hit.time + bar * clock.bar)


def _play_drums(bus: dsp.Stereo, kit: str, hits: tuple[Hit, ...]) -> None:
    machine = kit_named(kit).machine
    for index, hit in enumerate(hits):
        sound = render_hit(kit, hit.voice, 0 if machine else index % _STROKES)
        sound = sound * np.float32(_DRUM_LEVELS.get(hit.voice, 0.4) * hit.velocity**1.4)
        choke = _choked_at(hits, index)
        if choke is not None:
            keep = round((choke - hit.time) * dsp.SAMPLE_RATE) + 256
            if keep < sound.size:
                sound = sound[:keep] * dsp.gate(keep, 0.0, 0.008).astype(np.float32)
        left, right = dsp.pan_gains(_DRUM_PANS.get(hit.voice, 0.0))
        mixing.place(bus, sound, round(hit.time * dsp.SAMPLE_RATE), left, right)


def _choked_at(hits: tuple[Hit, ...], index: int) -> float | None:
    """When a later stroke stops this one: hats stop each other, a kick stops the kick before it."""
    hit = hits[index]
    group = {"open_hat": ("open_hat", "closed_hat"), "kick": ("kick",)}.get(hit.voice)
    if group is None:
        return None
    return next(
        (later.time for later in hits[index + 1 : index + 40] if later.voice in group and later.time > hit.time),
        None,
    )


def _play_notes(bus: dsp.Stereo, patch: str, pan: float, notes: Iterator[Note]) -> None:
    left, right = dsp.pan_gains(pan)
    for note in notes:
        sound = render_chord(patch, note.midis, note.duration, note.velocity, note.strum, note.muted)
        mixing.place(bus, sound, round(note.time * dsp.SAMPLE_RATE), left, right)


def _part_notes(spec: SongSpec, part: str) -> Iterator[Note]:
    """All notes of a pitched part at their times."""
    play = _player(spec, part)
    clock = _clock(spec)
    for bar, inner, section in _bars(spec):
        if part in section.parts:
            for note in play(inner):
                yield replace(note, time=note.time + bar * clock.bar)


def _player(spec: SongSpec, part: str) -> Callable[[int], list[Note]]:
    """What `part` plays in a bar of a section, by the number of the bar."""
    if part not in PITCHED:
        raise InputError(f"{part!r} is not a pitched part; those are {', '.join(PITCHED)}")
    style, clock, key, degrees = patterns.style_named(spec.style), _clock(spec), spec.key, spec.progression
    patch = patch_named(spec.patch(part))
    rng = generator("line", spec.seed, part)
    lanes = {"bass": style.bass, "guitar": style.guitar, "piano": style.piano}.get(part, ("",))
    lane = lanes[int(rng.integers(len(lanes)))]

    def degree(bar: int) -> int:
        return degrees[bar % len(degrees)]

    def play(bar: int) -> list[Note]:
        if part == "bass":
            return patterns.bass_bar(lane, clock, key, degree(bar), degree(bar + 1), patch.low)
        if part == "guitar":
            power_chords = patch.settings.get("power", 0.0) > 0.0
            feel = patterns.GuitarFeel(power_chords, skank=style.name in ("reggae", "funk"))
            return patterns.guitar_bar(lane, clock, key, degree(bar), patch.low, feel)
        if part == "piano":
            return patterns.keys_bar(lane, clock, key, degree(bar), patch.low, style.seventh)
        # A phrase comes back every four bars.
        phrase = generator("phrase", spec.seed, bar % 4)
        return patterns.lead_bar(style.lead, clock, key, degree(bar), patch.low, phrase)

    return play
