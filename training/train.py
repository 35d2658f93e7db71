"""Trains the network: pairs of a clean sound and the same sound in a scene, seeded, continued from the last checkpoint."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from soundalike.models.encoders.builtin.builtin_network import RANGE_DB
from training.checkpoint import restore, save
from training.fitting import rate_at
from training.network import Ears
from training.scenes import HIT_FRAMES, LOOP_FRAMES, clip_table, shard_count

PAIRS, LOOP_PAIRS = 128, 40
INSTRUMENTS, NOTES = 16, 4
"""A batch of hits and notes holds so many notes of so many instruments, so that each meets other notes of its own."""
LOOPS_EVERY = 8
"""Every so many steps the batch holds loops."""
WARMUP, PEAK_RATE, DECAY = 100, 2e-3, 0.02
CHECKPOINT_EVERY = 100
ADDED = {0: 0.15, 1: 0.5}
"""Share of the mixed sides of hits and of loops that are not taken from their scene: the clean sound is added to any
other scene, band by band, so that a loop meets more than one background."""
FIRST_SHARDS, STEPS_PER_SHARD = 50, 15
"""Training begins with so many shards of scenes and takes up another one every so many steps, so that scenes can be made
at the same time with the same result."""
LOSSES = {"instance": 1.0, "group": 0.7, "target": 1.5, "class": 0.3}
LOOP_LOSSES = {"instance": 1.0, "group": 0.5, "target": 2.0, "class": 0.0}

SAME = 0.97
"""Cosine of signal features above which two clips are taken for the same recording."""

Bytes = NDArray[np.uint8]


class Pairs:
    """All sounds in the scenes that are taken up so far, and views of them."""

    def __init__(self, work: Path) -> None:
        self._paths = [work / "scenes" / f"{number:03}.npz" for number in range(shard_count(work))]
        by_source = clip_table(work)[2]
        self._tonal_clips = np.concatenate(
            [of for (kind, _), of in by_source.items() if kind in ("bass", "note", "chord")]
        )
        self.mels: list[Bytes] = []
        self.clean: list[Bytes] = []
        self.rows: NDArray[np.int32] = np.empty((0, 9), np.int32)
        self.vectors: NDArray[np.float16] = np.empty((0, 0), np.float16)

    def take_up(self, step: int) -> None:
        """Read the shards that step `step` uses; waits for one that is still being made."""
        wanted = min(len(self._paths), FIRST_SHARDS + step // STEPS_PER_SHARD)
        rows, vectors = [self.rows], [self.vectors] if len(self.vectors) else []
        for path in self._paths[len(self.mels) : wanted]:
            while not path.exists():
                time.sleep(1)
            with np.load(path) as shard:
                of_shard, hits, loops = shard["rows"], iter(shard["hits"]), iter(shard["loops"])
                self.clean += [next(loops if row[7] else hits) for row in of_shard]
                rows.append(np.insert(of_shard, 0, len(self.mels), axis=1))
                vectors.append(shard["vectors"])
                self.mels.append(shard["mels"])
        self.rows, self.vectors = np.concatenate(rows), np.concatenate(vectors)
        tonal = np.isin(self.rows[:, 5], self._tonal_clips)
        self._loops = np.flatnonzero(self.rows[:, 8] == 1)
        self._hits = np.flatnonzero((self.rows[:, 8] == 0) & ~tonal)
        notes = np.flatnonzero(tonal)
        order = notes[np.argsort(self.rows[notes, 7], kind="stable")]
        _, firsts = np.unique(self.rows[order, 7], return_index=True)
        self._instruments = [notes for notes in np.split(order, firsts[1:]) if len(notes) >= NOTES]

    def batch(self, rng: np.random.Generator, loop: int) -> tuple[Tensor, ...]:
        """Inputs of the clean and the mixed side, target vectors, kin, groups and classes.

        Sounds of equal kin are not negatives of each other: pieces of one clip, and notes of one instrument.
        """
        chosen = self._chosen(rng, loop)
        clean = np.stack([self._clean(index, rng) for index in chosen])
        mixed = np.stack(
            [
                self._added(index, rng, loop) if rng.random() < ADDED[loop] else self._mixed(index, rng, loop)
                for index in chosen
            ]
        )
        rows = self.rows[chosen]
        kin = np.where(np.isin(rows[:, 5], self._tonal_clips), -1 - rows[:, 7], rows[:, 5])
        inputs = [torch.from_numpy(_normalised(side, rng))[:, None] for side in (clean, mixed)]
        labels = [torch.from_numpy(values.astype(np.int64)) for values in (kin, rows[:, 7], rows[:, 6])]
        return inputs[0], inputs[1], torch.from_numpy(self.vectors[chosen].astype(np.float32)), *labels

    def _chosen(self, rng: np.random.Generator, loop: int) -> NDArray[np.intp]:
        if loop:
            return np.asarray(rng.choice(self._loops, LOOP_PAIRS, replace=False))
        instruments = rng.choice(len(self._instruments), INSTRUMENTS, replace=False)
        notes = [rng.choice(self._instruments[number], NOTES, replace=False) for number in instruments]
        hits = rng.choice(self._hits, PAIRS - INSTRUMENTS * NOTES, replace=False)
        return np.concatenate([hits, *notes])

    def _clean(self, index: int, rng: np.random.Generator) -> Bytes:
        view = self.clean[index].copy()
        late = int(rng.integers(0, 3))
        view[late:] = view[: len(view) - late]
        view[:late] = 0
        if rng.random() < 0.25:
            view[int(rng.integers(len(view) // 8, len(view))) :] = 0
        return view

    def _mixed(self, index: int, rng: np.random.Generator, loop: int) -> Bytes:
        """A region as a person draws it: it begins early, sometimes late, and is too short or too long."""
        shard, scene, first, frames, stem, *_ = (int(value) for value in self.rows[index])
        draw = rng.random()
        view = 0 if draw < 0.45 else stem if draw < 0.93 else int(rng.integers(4))
        early, length = _region(frames, rng, loop)
        begin = max(0, first - early)
        piece = self.mels[shard][scene, view, begin : begin + length]
        out = np.zeros((LOOP_FRAMES if loop else HIT_FRAMES, piece.shape[1]), np.uint8)
        out[: len(piece)] = piece
        return out

    def _added(self, index: int, rng: np.random.Generator, loop: int) -> Bytes:
        """The clean sound over a stretch of another scene, at -8 to 14 dB: powers of bands add up."""
        sound = 10 ** (self.clean[index].astype(np.float32) / 20)  # half decibels to power
        frames = int(np.max(np.flatnonzero(self.clean[index].any(axis=1)), initial=7)) + 1
        early, length = _region(frames, rng, loop)
        scenes = self.mels[int(rng.integers(len(self.mels)))]
        first = int(rng.integers(0, scenes.shape[2] - length))
        view = scenes[
            int(rng.integers(len(scenes))), 0 if rng.random() < 0.7 else int(rng.integers(4)), first : first + length
        ]
        mixture = 10 ** (view.astype(np.float32) / 20)
        begin, skip = max(0, early), max(0, -early)
        count = min(length - begin, len(sound) - skip)
        level = (
            10 ** (float(rng.uniform(-8, 14)) / 10) * mixture.sum() / max(float(sound.sum()), 1e-9) * frames / length
        )
        mixture[begin : begin + count] += np.float32(level) * sound[skip : skip + count]
        out = np.zeros((LOOP_FRAMES if loop else HIT_FRAMES, mixture.shape[1]), np.uint8)
        decibels = 10 * np.log10(mixture / mixture.max() + np.float32(1e-12)) + 110
        out[:length] = np.clip(np.rint(2 * decibels), 0, 255)
        return out


def _region(frames: int, rng: np.random.Generator, loop: int) -> tuple[int, int]:
    """By how many frames a region begins early (late: negative), and how many it holds, for a sound of `frames`."""
    early = int(rng.integers(0, 8)) if rng.random() < 0.85 else -int(rng.integers(0, 4))
    if loop:
        return early, int(rng.integers(max(64, frames // 2), LOOP_FRAMES + 1))
    length = int(np.exp(rng.uniform(math.log(9), math.log(HIT_FRAMES))))
    if rng.random() < 0.5:  # about as long as the sound
        length = int(np.clip(frames * rng.uniform(0.7, 1.4) + early, 9, HIT_FRAMES))
    return early, length


def _normalised(levels: Bytes, rng: np.random.Generator) -> NDArray[np.float32]:
    """What `network_input` gives, from quantised levels, after a small random equaliser; filled to a multiple of 8 frames."""
    decibels = levels.astype(np.float32) / 2
    curve = rng.normal(0, 2.5, (len(levels), 9))
    smooth = np.stack([np.interp(np.arange(64), np.linspace(0, 63, 9), row) for row in curve]).astype(np.float32)
    decibels = np.where(levels > 0, decibels + smooth[:, None], np.float32(-100))
    decibels -= decibels.max(axis=(1, 2), keepdims=True)
    out = np.zeros((len(levels), (levels.shape[1] // 8 + 1) * 8, 64), np.float32)
    out[:, : levels.shape[1]] = np.maximum(decibels + np.float32(RANGE_DB), 0) / np.float32(RANGE_DB / 2)
    return out


def objective(
    clean: dict[str, Tensor], mixed: dict[str, Tensor], target: Tensor, kin: Tensor, groups: Tensor, classes: Tensor
) -> dict[str, Tensor]:
    """The four losses."""
    losses = {"instance": _same_sound(clean["instance"], mixed["instance"], kin, target)}
    losses["group"] = _same_group(torch.cat([clean["group"], mixed["group"]]), torch.cat([groups, groups]))
    near = [(side["target"] * target).sum(dim=1) for side in (clean, mixed)]
    losses["target"] = (1 - torch.cat(near)).mean()
    known = classes >= 0
    logits, wanted = torch.cat([clean["class"][known], mixed["class"][known]]), classes[known]
    losses["class"] = functional.cross_entropy(logits, wanted.repeat(2)) if known.any() else logits.sum()
    return losses


def _same_sound(clean: Tensor, mixed: Tensor, kin: Tensor, target: Tensor) -> Tensor:
    """NT-Xent (Chen et al. 2020) between the two sides; sounds of the same kin are no negatives, nor are sounds that signal
    features cannot tell apart (SoundFonts share recordings)."""
    logits = clean @ mixed.T / 0.07
    also = (kin[:, None] == kin[None, :]) | (target @ target.T > SAME)
    also &= ~torch.eye(len(kin), dtype=torch.bool)
    logits = logits.masked_fill(also, -1e4)
    own = torch.arange(len(kin))
    return 0.5 * (functional.cross_entropy(logits, own) + functional.cross_entropy(logits.T, own))


def _same_group(vectors: Tensor, groups: Tensor) -> Tensor:
    """Supervised contrastive loss (Khosla et al. 2020)."""
    logits = vectors @ vectors.T / 0.1
    logits = logits - 1e4 * torch.eye(len(vectors))
    logs = logits - torch.logsumexp(logits, dim=1, keepdim=True)
    same = (groups[:, None] == groups[None, :]).float() - torch.eye(len(vectors))
    return -((same * logs).sum(dim=1) / same.sum(dim=1).clamp_min(1)).mean()


def train(work: Path, steps: int, seed: int) -> None:
    """Train for `steps` steps and write `checkpoint.pt`; a checkpoint of the same number of steps is continued."""
    torch.manual_seed(seed)
    network = Ears()
    optimiser = torch.optim.AdamW(network.parameters(), lr=PEAK_RATE, weight_decay=DECAY)
    path, parts = work / "checkpoint.pt", {"network": network, "optimiser": optimiser}
    first = restore(path, parts)
    pairs = Pairs(work)
    print(f"step {first} of {steps}", flush=True)
    started, sums = time.monotonic(), {}
    for step in range(first, steps):
        rng = np.random.default_rng([seed, step])
        for group in optimiser.param_groups:
            group["lr"] = rate_at(step, steps, WARMUP, PEAK_RATE)
        pairs.take_up(step)
        loop = int(step % LOOPS_EVERY == LOOPS_EVERY - 1)
        clean, mixed, *rest = pairs.batch(rng, loop)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            heads = {name: value.float() for name, value in network(torch.cat([clean, mixed])).items()}
        sides = [
            {name: value[part] for name, value in heads.items()}
            for part in (slice(None, len(clean)), slice(len(clean), None))
        ]
        losses = objective(sides[0], sides[1], *rest)
        shares = LOOP_LOSSES if loop else LOSSES
        total = sum(shares[name] * value for name, value in losses.items())
        optimiser.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        optimiser.step()
        if not loop:
            for name, value in losses.items():
                sums[name] = 0.98 * sums.get(name, float(value.detach())) + 0.02 * float(value.detach())
        if (step + 1) % 50 == 0:
            shown = {name: round(value, 3) for name, value in sums.items()}
            seconds = round(time.monotonic() - started)
            print(json.dumps({"step": step + 1, "s": seconds, "sounds": len(pairs.rows), **shown}), flush=True)
        if (step + 1) % CHECKPOINT_EVERY == 0 or step + 1 == steps:
            save(path, parts, step + 1)
