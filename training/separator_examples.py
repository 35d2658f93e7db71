"""Examples for the separator: 10 s of music mixed from stems, as what the network sees and what it should answer.

Stems of one song or of different ones, each with another speed, equaliser, room and saturation, some of them absent. The
residuals mostly end above the lowest notes, as in most music, where whatever is low and no drum is the bass. Example n
depends on the seed and n only, so making them can be interrupted.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from soundalike.models.separators.builtin import short_time
from soundalike.models.separators.builtin.learned_masks import (
    MASK_EDGES,
    NETWORK_REACH,
    PARTS,
    network_inputs,
)
from soundalike.models.separators.builtin.masks import HOP, REACH, Network, load_network, masks
from soundalike.synth.seeds import generator
from training.alterations import RATE, altered, faded, new_sound, rms
from training.clip_store import HITS, NOTES, REST, ClipStore

Float32 = NDArray[np.float32]
Stems = list[tuple[str, int]]
"""Stems by the name of their store and their place in it."""

SECONDS = 10.0
SHARD = 20  # examples
LENGTH = round(SECONDS * RATE)
LEVELS = {"bass": (-14.0, 5.0), "drums": (-22.0, 5.0), "residuals": (-9.0, 5.0)}  # dB
ABSENT = {"bass": 0.13, "drums": 0.2, "residuals": 0.06}
SAME_SONG = 0.45
HIGH_PASS, CORNERS = 0.85, (55.0, 170.0)
"""Share of the residuals that are high-passed, and between which frequencies (Hz)."""
UNDIVIDED = 0.06
"""Share of the examples in which bass and residuals are one real recording that is not divided further: they train the
drums only."""
PLUCKED = {"bass": 0.03, "drums": 0.0, "residuals": 0.05}
"""Share of the stems that are chopped into short sounds, which are no drums for all that."""
PLACED = 0.4
"""Share of the examples with a few single sounds, as when a sample is placed in a song: lone hits are drums too."""
NO_BEAT = 0.5
"""Share of those in which nothing else is a drum."""
LONE_NOTES = 0.3
"""Share of those that have single notes too, or only these, which are no drums."""
PLACED_LEVELS = (-8.0, 14.0)  # dB over what else sounds then
_SIZE_WEIGHT = 0.3
"""A source of n stems is chosen n^0.3 times as often as one of a single stem."""


def make_examples(work: Path, count: int, seed: int) -> None:
    """Write `examples/NNN.npz` for `count` examples; shards that exist are kept."""
    write_shards(work / "examples", count, lambda number: example(work, seed, number))


def write_shards(folder: Path, count: int, make: Callable[[int], dict[str, NDArray[Any]]]) -> None:
    """Write `NNN.npz` to `folder` for `count` examples, SHARD in each; those that exist are kept."""
    folder.mkdir(exist_ok=True)
    for number in range(-(-count // SHARD)):
        path = folder / f"{number:03}.npz"
        if path.exists():
            continue
        rows = [make(number * SHARD + index) for index in range(SHARD)]
        temporary = path.with_name(f".{number:03}.{os.getpid()}.npz")
        np.savez(temporary, **{name: np.stack([row[name] for row in rows]) for name in rows[0]})
        temporary.rename(path)
        print(f"shard {number}", flush=True)


def example(work: Path, seed: int, number: int) -> dict[str, NDArray[np.generic]]:
    """One example.

    inputs (frames + 2 NETWORK_REACH, INPUTS) float16; power (frames, MASK_BANDS) float16: natural logarithm; shares (frames,
    2, MASK_BANDS) float16: the real masks of bass and drums with the least squared error; undivided: whether that of the bass
    is the sum of bass and residuals.
    """
    rng = generator("separator example", seed, number)
    undivided = rng.random() < UNDIVIDED
    stems = mixed_stems(work, rng, undivided)
    frames, reach = LENGTH // HOP, REACH + NETWORK_REACH
    parts = [short_time.spectra_around(stem[None], 0, frames, reach)[0] for stem in stems.values()]
    mixture = np.sum(parts, axis=0)
    power = short_time.power([mixture])
    inputs = network_inputs(mixture, power, *masks(power, _cues()))
    inner = slice(reach, reach + frames)
    power = np.add.reduceat(power[inner], MASK_EDGES[:-1], axis=1)
    common = [(part[inner] * mixture[inner].conj()).real for part in parts[:2]]
    shares = np.stack([np.add.reduceat(one, MASK_EDGES[:-1], axis=1) for one in common], axis=1)
    shares /= power[:, None] + 1e-9
    return {
        "inputs": inputs.astype(np.float16),
        "power": np.log(power + 1e-9).astype(np.float16),
        "shares": np.clip(shares, -4, 4).astype(np.float16),
        "undivided": np.array(undivided),
    }


def mixed_stems(
    work: Path, rng: np.random.Generator, undivided: bool, of: dict[str, dict] | None = None
) -> dict[str, Float32]:
    """(LENGTH,) of each part; if `undivided`, the bass is everything but the drums. of: the stems to choose from, as `table`
    has them (None: all)."""
    stored = table(work) if of is None else of
    songs = [song for song, parts in stored["songs"].items() if len(parts) > 1]
    if undivided:
        songs = [song for song in songs if REST in stored["songs"][song]]
    song = str(rng.choice(songs)) if rng.random() < SAME_SONG else ""
    single = rng.random() < PLACED
    no_drums = NO_BEAT if single else ABSENT["drums"]
    speed, place = float(np.exp(rng.normal(0, 0.06))), float(rng.random())
    stems = {}
    for part in PARTS:
        stem = np.zeros(LENGTH, np.float32)
        kind = {"bass": REST, "residuals": ""}.get(part, part) if undivided else part
        if kind and (kind == REST or rng.random() >= (no_drums if part == "drums" else ABSENT[part])):
            for name, index in _chosen(stored, rng, kind, song):
                own = (place, speed) if song else (float(rng.random()), float(np.exp(rng.normal(0, 0.1))))
                layer = placed(excerpt(store(work, name), index, *own), rng, part).mean(axis=0)
                quiet = -18 if store(work, name).groups[index].endswith("/cymbals") else -9
                stem += layer * np.float32(10 ** (rng.uniform(quiet, 0) / 20) / max(rms(layer), 1e-4))
            if part == "residuals" and rng.random() < HIGH_PASS:
                stem = high_passed(stem, float(np.exp(rng.uniform(*np.log(CORNERS)))))
            stem *= np.float32(0.1 * 10 ** (rng.uniform(*LEVELS[part]) / 20) / max(rms(stem), 1e-6))
        stems[part] = stem
    if single:
        _place(work, stems, rng, undivided)
    if rng.random() < 0.15:
        _duck(stems, rng)
    if rng.random() < 0.25:
        _compress(stems, rng)
    return stems


def _place(work: Path, stems: dict[str, Float32], rng: np.random.Generator, undivided: bool) -> None:
    """Add one to eight single sounds at any time."""
    kinds = (
        ["drums"]
        if undivided or rng.random() >= LONE_NOTES
        else ["drums", "notes"]
        if rng.random() < 0.6
        else ["notes"]
    )
    for kind in kinds:
        repeated = _single(work, rng, kind) if rng.random() < 0.25 else None
        for _ in range(int(rng.integers(1, 9))):
            part, sound = repeated or _single(work, rng, kind)
            start = int(rng.uniform(-0.2, SECONDS - 0.1) * RATE)
            sound = sound[max(0, -start) :][: LENGTH - max(0, start)]
            span = slice(max(0, start), max(0, start) + len(sound))
            if not np.any(sound):
                continue
            mixture = np.sum([stem[span] for stem in stems.values()], axis=0)
            level = max(rms(mixture), 0.01) * 10 ** (rng.uniform(*PLACED_LEVELS) / 20)
            stems[part][span] += sound * np.float32(level / max(rms(sound), 1e-4))


def _single(work: Path, rng: np.random.Generator, kind: str) -> tuple[str, Float32]:
    """The part and the samples of a hit, of a second or two of a beat, or of a note."""
    if kind == "drums" and rng.random() < 0.15:
        ((name, index), *_) = _chosen(table(work), rng, "drums", "")
        loop = excerpt(store(work, name), index, float(rng.random()), float(np.exp(rng.normal(0, 0.1))))
        return "drums", _altered(faded(loop[: round(rng.uniform(0.5, 5) * RATE)]), rng)
    sounds = store(work, NOTES if kind == "notes" else HITS)
    sources = [np.flatnonzero(np.array(sounds.sources) == source) for source in sorted(set(sounds.sources))]
    weights = np.array([len(source) for source in sources], float) ** _SIZE_WEIGHT
    index = int(rng.choice(sources[int(rng.choice(len(sources), p=weights / weights.sum()))]))
    sound = new_sound(sounds.samples(index), rng, 5) if rng.random() < 0.6 else sounds.samples(index)
    part = {"hit": "drums", "bass": "bass"}.get(sounds.kinds[index], "residuals")
    longest = float(np.exp(rng.uniform(np.log(0.12), np.log(1.6))))
    return part, _altered(faded(sound[: round(longest * RATE)]), rng)


def _altered(samples: Float32, rng: np.random.Generator) -> Float32:
    return altered(samples, rng) if rng.random() < 0.6 else samples


def _chosen(stored: dict[str, dict], rng: np.random.Generator, part: str, song: str) -> Stems:
    """The stems to sum up: those of one song (a few of its residuals may be missing), or those of any source."""
    if song and part in stored["songs"][song]:
        stems = list(stored["songs"][song][part])
        return stems if part != "residuals" else [stem for stem in stems if rng.random() < 0.8] or stems[:1]
    if song and rng.random() < 0.3:
        return []
    sources = stored["parts"][part]
    weights = np.array([len(source) for source in sources], float) ** _SIZE_WEIGHT
    count = int(rng.integers(1, 4)) if part == "residuals" else 2 if rng.random() < 0.1 else 1
    chosen: Stems = []
    for _ in range(count):
        source = sources[int(rng.choice(len(sources), p=weights / weights.sum()))]
        chosen += source[int(rng.integers(len(source)))]
    return chosen


def placed(samples: Float32, rng: np.random.Generator, part: str) -> Float32:
    """A mono sound as (2, samples): chopped, saturated, equalised, in a room, wide or narrow, left or right."""
    if rng.random() < PLUCKED[part]:
        samples *= _plucks(samples, rng)
    if rng.random() < 0.2:
        drive = float(np.exp(rng.uniform(0, 1.8))) / max(float(np.abs(samples).max()), 1e-6)
        samples = np.tanh(samples * np.float32(drive))
    count = scipy.fft.next_fast_len(len(samples) + RATE // 2, real=True)
    spectrum = scipy.fft.rfft(samples, count)
    if rng.random() < 0.6:
        spectrum *= _curve(rng, count)
    pan = 0.0 if rng.random() < (0.85 if part == "bass" else 0.4) else float(rng.uniform(-1, 1)) * 0.8
    gains = np.cos((pan + 1) * np.pi / 4), np.sin((pan + 1) * np.pi / 4)
    wet = 0.0 if rng.random() < (0.75 if part == "bass" else 0.4) else float(10 ** (rng.uniform(-24, -3) / 20))
    seconds = float(np.exp(rng.uniform(np.log(0.01), np.log(0.4))))
    sides = []
    for gain in gains:
        response = spectrum * np.float32(gain)
        if wet:
            tail = rng.standard_normal(round(1.2 * seconds * RATE)) * np.exp(
                -np.arange(round(1.2 * seconds * RATE)) * 6.9 / seconds / RATE
            )
            response = response + spectrum * scipy.fft.rfft(
                (wet * tail / np.sqrt(np.sum(tail**2))).astype(np.float32), count
            )
        sides.append(scipy.fft.irfft(response, count)[: len(samples)])
    return np.asarray(sides, np.float32)


def high_passed(samples: Float32, corner: float) -> Float32:
    count = scipy.fft.next_fast_len(len(samples) + RATE // 10, real=True)
    frequency = np.maximum(scipy.fft.rfftfreq(count, 1 / RATE), 1)
    response = (1 / np.sqrt(1 + (corner / frequency) ** 8)).astype(np.float32)
    return np.asarray(scipy.fft.irfft(scipy.fft.rfft(samples, count) * response, count)[: len(samples)], np.float32)


def _plucks(samples: Float32, rng: np.random.Generator) -> Float32:
    """An envelope that falls from each onset of the sound to the next, so that attacks stay as they are."""
    hop = RATE // 100
    blocks = samples[: len(samples) // hop * hop].reshape(-1, hop)
    level = np.log(np.square(blocks).mean(axis=1) + 1e-6)
    rise = level[3:] - level[:-3]
    peaks, _ = scipy.signal.find_peaks(rise, height=0.7, distance=6)
    starts = np.concatenate([[0.0], peaks * hop / RATE])
    time = np.arange(len(samples)) / RATE
    since = time - starts[np.searchsorted(starts, time, side="right") - 1]
    return np.exp(-since / np.exp(rng.uniform(np.log(0.05), np.log(0.5)))).astype(np.float32)


def _curve(rng: np.random.Generator, count: int) -> Float32:
    """A smooth random equaliser, +-6 dB or so."""
    points = np.log2([40, 120, 350, 1000, 3000, 9000, 15000])
    gains = np.clip(rng.normal(0, 3.5, len(points)) + rng.normal(0, 1) * np.arange(len(points)), -14, 14)
    grid = np.linspace(np.log2(20), 14, 200)
    curve = np.interp(grid, points, gains)
    frequency = np.log2(np.maximum(scipy.fft.rfftfreq(count, 1 / RATE), 20))
    return (10 ** (np.interp(frequency, grid, curve) / 20)).astype(np.float32)


def excerpt(of: ClipStore, index: int, place: float, speed: float) -> Float32:
    """LENGTH samples of a stem from `place` on (0 to 1 of what is possible), played at another speed."""
    whole = of.samples(index)
    needed = round(LENGTH * speed) + 2
    first = int(place * max(0, len(whole) - needed))
    piece = np.take(whole, np.arange(first, first + needed), mode="wrap")
    return np.interp(np.arange(LENGTH) * speed, np.arange(needed), piece).astype(np.float32)


def _duck(stems: dict[str, Float32], rng: np.random.Generator) -> None:
    """Everything but the drums gets quieter with each beat, as with a side chain."""
    phase = (np.arange(LENGTH) / RATE * rng.uniform(65, 160) / 60) % 1
    gain = (1 - rng.uniform(0.3, 0.9) * np.exp(-phase * rng.uniform(2, 6))).astype(np.float32)
    for part in ("bass", "residuals"):
        stems[part] *= gain


def _compress(stems: dict[str, Float32], rng: np.random.Generator) -> None:
    """A compressor over the mixture: one gain for all stems."""
    mixture = np.sum(list(stems.values()), axis=0)
    block = 256
    level = np.sqrt(np.mean(mixture[: LENGTH // block * block].reshape(-1, block) ** 2, axis=1) + 1e-8)
    smooth = scipy.ndimage.uniform_filter1d(np.log(level), int(rng.integers(3, 12)))
    gain = np.exp(-rng.uniform(0.2, 0.7) * np.maximum(smooth - smooth.mean(), 0))
    curve = np.interp(np.arange(LENGTH), np.arange(len(gain)) * block, gain).astype(np.float32)
    for part in stems:
        stems[part] *= curve


@cache
def store(work: Path, name: str) -> ClipStore:
    """The store of this name."""
    return ClipStore(work, name)


@cache
def table(work: Path) -> dict[str, dict]:
    """The stems (store, index) by song and part; and by part and source, where drums of one song stay together."""
    songs: dict[str, dict[str, Stems]] = {}
    parts: dict[str, list[list[Stems]]] = {part: [] for part in (*PARTS, REST)}
    for path in sorted(work.glob("stems-*.json")):
        clips = store(work, path.stem)
        own: dict[str, dict[str, Stems]] = {part: {} for part in parts}
        for index, (kind, group) in enumerate(zip(clips.kinds, clips.groups, strict=True)):
            song = group.rpartition("/")[0]
            own[kind].setdefault(song if kind == "drums" else group, []).append((path.stem, index))
            songs.setdefault(song, {}).setdefault(kind, []).append((path.stem, index))
        for part, stems in own.items():
            if stems:
                parts[part].append(list(stems.values()))
    return {"songs": songs, "parts": parts}


@cache
def _cues() -> Network:
    return load_network()
