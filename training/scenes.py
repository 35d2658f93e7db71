"""Scenes: 20 s of music in which known sounds are placed, as mel spectra of the mixture and of its separated stems.

A scene is separated once and holds up to twenty sounds, so that a view of a sound in a mix costs little. Shards of scenes
are .npz files; scene n depends on the seed and n only, so making them can be interrupted and continued.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.models.encoders.builtin.builtin_spectra import mel_power
from soundalike.models.encoders.builtin.signal_encoder import SignalEncoder
from soundalike.models.separators.builtin.signal_separator import SignalSeparator
from soundalike.synth.seeds import generator
from training.alterations import RATE, altered, equalised, faded, new_sound, pitched, rms
from training.clip_store import ClipStore

Float32 = NDArray[np.float32]
Bytes = NDArray[np.uint8]

SECONDS = 20.0
SHARD = 50  # scenes
VIEWS = ("mix", "bass", "drums", "residuals")
HIT_FRAMES, LOOP_FRAMES = 100, 314  # 1.6 s and 5 s
_SHARE_OF_LOOPS = 0.25
_ONLY_LOOPS_FROM = 3000
"""Scenes from this number on hold loops only: a scene has room for three or four of them."""
_KINDS = {"hit": 0.56, "bass": 0.14, "note": 0.16, "chord": 0.14}
_BACKGROUNDS = {"backgrounds-real": 0.4, "backgrounds-synth": 0.25, "backgrounds-Fluid": 0.18, "backgrounds-Muse": 0.17}


@dataclass
class Shard:
    """What becomes one file: `mels` of the scenes, and one row of each other list per sound in them."""

    mels: list[Bytes] = field(default_factory=list)
    clean: list[Bytes] = field(default_factory=list)
    vectors: list[NDArray[np.float16]] = field(default_factory=list)
    rows: list[tuple[int, ...]] = field(default_factory=list)
    """(scene, first frame, frames, view of its stem, clip, label, group, loop)."""


def quantised(samples: Float32) -> Bytes:
    """(T, MELS) mel levels in steps of half a dB; 0 is -70 dB and less."""
    decibels = 10 * np.log10(mel_power(samples) + np.float32(1e-11))
    return np.clip(np.rint((decibels + 70) * 2), 0, 255).astype(np.uint8)


def make_scenes(work: Path, count: int, seed: int) -> None:
    """Write `scenes/NNN.npz` for `count` scenes; shards that exist are kept."""
    (work / "scenes").mkdir(exist_ok=True)
    (work / "scenes" / "count.txt").write_text(str(-(-count // SHARD)))
    shards = [number for number in range(-(-count // SHARD)) if not _path(work, number).exists()]
    with ProcessPoolExecutor(2) as pool:
        for number in pool.map(_make_shard, [work] * len(shards), shards, [seed] * len(shards), chunksize=1):
            print(f"shard {number}", flush=True)


def shard_count(work: Path) -> int:
    """How many shards there are, or will be when `make_scenes` has ended."""
    return int((work / "scenes" / "count.txt").read_text())


def _path(work: Path, number: int) -> Path:
    return work / "scenes" / f"{number:03}.npz"


@cache
def stores(work: Path) -> dict[str, ClipStore]:
    """All stores of a run by name."""
    return {path.stem: ClipStore(work, path.stem) for path in sorted(work.glob("*.json"))}


@cache
def clip_table(work: Path) -> tuple[list[tuple[str, int]], list[str], dict[tuple[str, str], NDArray[np.intp]]]:
    """All clips as (store, index), the names of their groups, and for each kind the numbers of its clips by source."""
    clips, groups, kinds, sources = [], [], [], []
    for name, store in stores(work).items():
        if name.startswith("clips-"):
            clips += [(name, index) for index in range(len(store))]
            groups += store.groups
            kinds += store.kinds
            sources += store.sources
    by_source = {
        (kind, source): np.flatnonzero([a == kind and b == source for a, b in zip(kinds, sources, strict=True)])
        for kind, source in sorted(set(zip(kinds, sources, strict=True)))
    }
    return clips, groups, by_source


def _make_shard(work: Path, number: int, seed: int) -> int:
    shard = Shard()
    for scene in range(SHARD):
        _add_scene(work, shard, seed, number * SHARD + scene)
    temporary = work / "scenes" / f".{number:03}.{os.getpid()}.npz"
    np.savez(
        temporary,
        mels=np.stack(shard.mels),
        hits=_stacked(shard.clean, HIT_FRAMES),
        loops=_stacked(shard.clean, LOOP_FRAMES),
        vectors=np.stack(shard.vectors),
        rows=np.array(shard.rows, dtype=np.int32),
    )
    temporary.rename(_path(work, number))
    return number


def _stacked(clean: list[Bytes], frames: int) -> Bytes:
    return np.array([row for row in clean if len(row) == frames], dtype=np.uint8).reshape(-1, frames, 64)


def _background(work: Path, rng: np.random.Generator) -> Float32:
    names = list(_BACKGROUNDS)
    prefix = str(rng.choice(names, p=list(_BACKGROUNDS.values())))
    store = next(store for name, store in stores(work).items() if name.startswith(prefix))
    song = str(rng.choice(sorted({group.rpartition("/")[0] for group in store.groups})))
    stems = [index for index, group in enumerate(store.groups) if group.rpartition("/")[0] == song]
    if len(stems) > 1 and rng.random() < 0.5:
        stems = [stem for stem in stems if rng.random() < 0.6] or stems[:1]
    whole = [store.samples(stem) * np.float32(10 ** (-rng.uniform(0, 9) / 20)) for stem in stems]
    length = min(map(len, whole))
    count, speed = round(SECONDS * RATE), float(rng.normal(0, 0.6))
    first = int(rng.integers(max(1, length - 2 * RATE)))
    wanted = round(count * 2 ** (speed / 12)) + 64
    mixture = np.sum([stem[:length] for stem in whole], axis=0)
    piece = np.take(mixture, np.arange(first, first + wanted), mode="wrap").astype(np.float32)
    piece = np.resize(pitched(piece, speed), count)
    return equalised(piece, rng, 3) if rng.random() < 0.5 else piece


def _add_scene(work: Path, shard: Shard, seed: int, number: int) -> None:
    rng = generator("scene", seed, number)
    clips, groups, by_source = clip_table(work)
    found = stores(work)
    group_number = {name: number for number, name in enumerate(sorted(set(groups)))}
    mixture = _background(work, rng)
    mixture *= np.float32(0.1 / max(rms(mixture), 1e-6))
    are_loops = rng.random() < _SHARE_OF_LOOPS or number >= _ONLY_LOOPS_FROM
    at, scene = 0.3, len(shard.mels)
    while at < SECONDS - (5.3 if are_loops else 1.0):
        clip = _choose(by_source, rng, are_loops)
        name, index = clips[clip]
        store = found[name]
        kind, group = store.kinds[index], store.groups[index]
        sound = store.samples(index)
        if kind != "loop" and rng.random() < 0.6:
            sound = new_sound(sound, rng, 5 if kind == "hit" else 3)
        sound = sound[: round((5.0 if are_loops else 1.6) * RATE)]
        used = altered(sound, rng) if rng.random() < 0.6 else sound
        gap = float(rng.uniform(0.15, 0.5))
        longest = 5.0 if are_loops else float(rng.uniform(0.25, 1.5))
        used = faded(used[: round(min(longest, SECONDS - at - 0.1) * RATE)])
        if rms(used) > 1e-4 and rms(sound) > 1e-4:
            first = round(at * RATE)
            level = 10 ** (float(rng.uniform(-8, 14)) / 20)
            around = max(rms(mixture[first : first + len(used)]), 0.01)
            mixture[first : first + len(used)] += np.float32(level * around / rms(used)) * used
            frames = LOOP_FRAMES if are_loops else HIT_FRAMES
            clean = np.zeros((frames, 64), np.uint8)
            levels = quantised(sound / np.abs(sound).max())[:frames]
            clean[: len(levels)] = levels
            shard.clean.append(clean)
            shard.vectors.append(_encoder().embed([sound])[0].astype(np.float16))
            shard.rows.append(
                (
                    scene,
                    round(at * RATE / 512),
                    round(len(used) / 512),
                    _view(kind, group),
                    clip,
                    store.labels[index],
                    group_number[group],
                    int(are_loops),
                )
            )
        at += len(used) / RATE + gap
    mixture /= max(float(np.abs(mixture).max()), 1e-6)
    stems = {"mix": mixture, **{part: stem[0] for part, stem in _separator().separate(mixture[None]).items()}}
    shard.mels.append(np.stack([quantised(stems[view]) for view in VIEWS]))


def _choose(by_source: dict[tuple[str, str], NDArray[np.intp]], rng: np.random.Generator, loop: bool) -> int:
    """A clip: the kind first, then the source (in proportion to the root of its size), then any of it."""
    kind = "loop" if loop else str(rng.choice(list(_KINDS), p=list(_KINDS.values())))
    sources = [indices for (of_kind, _), indices in by_source.items() if of_kind == kind]
    weights = np.sqrt([len(indices) for indices in sources])
    return int(rng.choice(sources[int(rng.choice(len(sources), p=weights / weights.sum()))]))


def _view(kind: str, group: str) -> int:
    if kind == "hit" or (kind == "loop" and ("drums" in group or group.startswith("loop"))):
        return VIEWS.index("drums")
    if kind == "bass" or (kind == "loop" and "bass" in group):
        return VIEWS.index("bass")
    return VIEWS.index("residuals")


@cache
def _encoder() -> SignalEncoder:
    return SignalEncoder()


@cache
def _separator() -> SignalSeparator:
    return SignalSeparator()
