"""Examples for the network of the vocals: 10 s of music, with or without a voice, as what it sees and what it should answer.

The music is that of `separator_examples` without its voices, sometimes with what is mistaken for a voice: leads that glide, wind
that whistles (`distractions`). The voice is a line of `sung_lines`, of flite or of a multitrack: doubled, in parallel, chopped,
with echo. The built-in separator takes bass and drums out of the mixture first; the network sees what it leaves. Example n
depends on the seed and n only.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.models.separators.builtin import short_time
from soundalike.models.separators.builtin.learned_masks import MASKS_REACH, MaskNetwork, learned_masks
from soundalike.models.separators.builtin.masks import HOP, REACH, load_network
from soundalike.models.separators.builtin.vocal_masks import VOCAL_BANDS, vocal_inputs
from soundalike.synth.seeds import generator
from training import distractions, sung_lines
from training.alterations import RATE, faded, rms
from training.clip_store import Clip, ClipStore, save_clips
from training.separator_examples import (
    LENGTH,
    Stems,
    excerpt,
    high_passed,
    mixed_stems,
    placed,
    store,
    table,
    write_shards,
)
from training.sources import SPEECH

Float32 = NDArray[np.float32]
Rng = np.random.Generator

SUNG = "sung-lines"
WITH_VOICE, ALONE = 0.62, 0.08
"""Shares of the examples that have a voice, and that have neither drums nor bass."""
LEVELS = (-13.0, 5.0)  # dB
KINDS = {"sung": 0.78, "flite": 0.14, "multitrack": 0.08}
"""Shares of the voices."""
DISTRACTED, DISTRACTIONS = 0.35, (-14.0, 4.0)
"""Share of the examples with a distraction; its level in dB."""
SECOND_VOICES = {1.004: 0.2, 0.996: 0.2, 1.008: 0.2, 1.26: 0.1, 1.5: 0.1, 0.75: 0.08, 0.5: 0.06, 2.0: 0.06}
"""Speeds of a second voice beside the first, with their shares: doubled, or in parallel."""


def make_lines(packages: Path, work: Path, seed: int) -> None:
    """Write the store `SUNG` to `work`, unless it exists."""
    if not (work / f"{SUNG}.json").exists():
        clips = (Clip(samples, SPEECH.name, "voice", -1, name) for name, samples in sung_lines.lines(packages, seed))
        print(f"{SUNG}: {save_clips(work, SUNG, clips)} lines", flush=True)


def make_examples(work: Path, count: int, seed: int) -> None:
    """Write `vocal-examples/NNN.npz` for `count` examples; shards that exist are kept."""
    write_shards(work / "vocal-examples", count, lambda number: example(work, seed, number))


def example(work: Path, seed: int, number: int) -> dict[str, NDArray[np.float16]]:
    """One example.

    inputs (frames, VOCAL_INPUTS); power (frames, bands): natural logarithm of that of the residuals; shares (frames, bands): the
    real mask of the voice in the residuals with the least squared error.
    """
    rng = generator("voice example", seed, number)
    stems = mixed_stems(work, rng, False, without_voices(work))
    voice = np.zeros(LENGTH, np.float32)
    if rng.random() < WITH_VOICE:
        voice = voice_stem(work, rng)
        voice *= np.float32(0.1 * 10 ** (rng.uniform(*LEVELS) / 20) / max(rms(voice), 1e-6))
    if rng.random() < DISTRACTED:
        other = distractions.lead(rng) if rng.random() < 0.6 else distractions.wind(rng)
        stems["residuals"] += other * np.float32(0.1 * 10 ** (rng.uniform(*DISTRACTIONS) / 20) / max(rms(other), 1e-6))
    if rng.random() < ALONE:
        stems["drums"][:] = stems["bass"][:] = 0
    mixture = np.sum(list(stems.values()), axis=0) + voice
    frames = -(-LENGTH // HOP)
    around = short_time.spectra_around(mixture[None], 0, frames, MASKS_REACH + REACH)
    bass, drums = learned_masks(around, short_time.power(around), *_networks())
    mask = np.maximum(1 - bass - drums, 0)
    residuals = around[0][MASKS_REACH : len(around[0]) - MASKS_REACH] * mask
    power = np.square(np.abs(residuals))
    inner = slice(REACH, REACH + frames)
    true = short_time.spectra_around(voice[None], 0, frames, 0)[0]
    banded = VOCAL_BANDS.sums(power[inner])
    shares = VOCAL_BANDS.sums((true * residuals[inner].conj()).real) / (banded + 1e-9)
    return {
        "inputs": vocal_inputs(power, mask).astype(np.float16),
        "power": np.log(banded + 1e-9).astype(np.float16),
        "shares": np.clip(shares, -4, 4).astype(np.float16),
    }


def voice_stem(work: Path, rng: Rng) -> Float32:
    """(LENGTH,) of a voice, or of two."""
    of, index = _line(work, rng)
    place, speed = float(rng.random()), float(np.exp(rng.normal(0, 0.06)))
    voice = excerpt(of, index, place, speed)
    if rng.random() < 0.25:
        late = round(rng.uniform(0.005, 0.04) * RATE)
        other = speed * float(rng.choice(list(SECOND_VOICES), p=list(SECOND_VOICES.values())))
        voice = voice + np.roll(excerpt(of, index, place, other), late) * np.float32(rng.uniform(0.3, 1))
    if rng.random() < 0.12:
        voice = _chopped(voice, rng)
    if rng.random() < 0.1:  # it sings a part of the time
        at = round(rng.uniform(0.1, 0.9) * LENGTH)
        voice = voice.copy()
        voice[slice(0, at) if rng.random() < 0.5 else slice(at, None)] = 0
    voice = placed(voice, rng, "residuals").mean(axis=0)
    if rng.random() < 0.2:
        voice = _with_echo(voice, rng)
    return high_passed(voice, float(np.exp(rng.uniform(np.log(70), np.log(250))))) if rng.random() < 0.6 else voice


def _line(work: Path, rng: Rng) -> tuple[ClipStore, int]:
    kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
    if kind == "sung":
        sung = store(work, SUNG)
        return sung, int(rng.integers(len(sung)))
    found = _voices(work)[kind]
    name, index = found[int(rng.integers(len(found)))]
    return store(work, name), index


def _chopped(voice: Float32, rng: Rng) -> Float32:
    """One short piece again and again, as a sampler plays it."""
    length = round(rng.uniform(0.1, 0.6) * RATE)
    first = int(rng.integers(0, LENGTH - length))
    piece, out = faded(voice[first : first + length].copy()), np.zeros_like(voice)
    for start in range(0, LENGTH, int(rng.uniform(1, 2.5) * length)):
        out[start : start + length] += piece[: LENGTH - start]
    return out


def _with_echo(voice: Float32, rng: Rng) -> Float32:
    late, gain, out = round(rng.uniform(0.15, 0.5) * RATE), float(rng.uniform(0.2, 0.5)), voice.copy()
    for number in (1, 2, 3):
        out[number * late :] += voice[: -number * late] * np.float32(gain**number)
    return out


@cache
def without_voices(work: Path) -> dict[str, dict]:
    """The stems of `separator_examples` by song and part, without voices."""
    whole = table(work)
    songs = {}
    for name, parts in whole["songs"].items():
        others = [stem for stem in parts.get("residuals", []) if voice_kind(work, *stem) is None]
        songs[name] = {**{part: stems for part, stems in parts.items() if part != "residuals"}}
        if others:
            songs[name]["residuals"] = others
    sources = [
        [kept for stems in source if (kept := [stem for stem in stems if voice_kind(work, *stem) is None])]
        for source in whole["parts"]["residuals"]
    ]
    return {"songs": songs, "parts": {**whole["parts"], "residuals": [source for source in sources if source]}}


@cache
def _voices(work: Path) -> dict[str, Stems]:
    """The voices among the stems of `separator_examples`, by kind."""
    found: dict[str, Stems] = {}
    for source in table(work)["parts"]["residuals"]:
        for stem in (stem for stems in source for stem in stems):
            kind = voice_kind(work, *stem)
            if kind is not None:
                found.setdefault(kind, []).append(stem)
    return found


def voice_kind(work: Path, name: str, index: int) -> str | None:
    """Of which of `KINDS` a stem of the residuals is, or that it is an invented voice, which is neither used as a voice nor as
    music; None if it is no voice."""
    group = store(work, name).groups[index]
    if name == "stems-voices":
        return "flite"
    if name == "stems-multitrack" and group.endswith("/vocals"):
        return "multitrack"
    if name == "stems-invented" and group.endswith("/residuals") and int(group.split()[1].partition("/")[0]) % 4 == 0:
        return "invented"
    return None


@cache
def _networks() -> tuple:
    return load_network(), MaskNetwork()
