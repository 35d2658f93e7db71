"""Sounds for evaluating the built-in encoder and fitting its constants: real ones and General-MIDI renders.

Real sounds come from the folder of test data (`songs/`, `samples/`, `multitracks/`), rendered ones from a folder that
`benchmarks.render_midi_sounds` has filled. Everything is mono float32 at 32 kHz. `labels["same"]` is the class of a
clip.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from scipy import signal

from soundalike.audio.decode import load

Clip = NDArray[np.float32]

RATE = 32_000
MIDI_PHRASES = ("bass", "drums", "guitar", "piano", "residuals", "mix")
SAMPLE_CLASSES: dict[str, str] = {
    "kick": r"bd_|drum_bass|drum_heavy_kick|elec_(soft|hollow)_kick",
    "snare": r"sn_|drum_snare|elec_.*snare",
    "hat": r"hat_|drum_cymbal_(closed|pedal)",
    "cymbal": r"drum_(cymbal|splash)|ride_|elec_cymbal",
    "tom": r"drum_tom|elec_fuzz_tom",
    "loop": r"loop_|arovane_beat",
    "bass": r"bass_",
    "guitar": r"guit_",
    "tabla": r"tabla_",
    "ambience": r"ambi_",
}
"""Class of a sample: the first pattern that matches the start of its file name. Others have no class."""


@dataclass(frozen=True)
class Collection:
    """Clips, and arrays with one label per clip."""

    clips: list[Clip]
    labels: dict[str, NDArray[Any]]


def sample_class(name: str) -> str:
    return next((kind for kind, pattern in SAMPLE_CLASSES.items() if re.match(pattern, name)), "")


def _mono(path: Path) -> Clip:
    return np.asarray(load(path, RATE, channels=1).samples[0], dtype=np.float32)


def samples(folder: Path) -> Collection:
    """The first 10 s of all samples; `kind` is the class, "" for none."""
    paths = sorted((folder / "samples").glob("*.flac"))
    kinds = np.array([sample_class(path.stem) for path in paths])
    return Collection([_mono(path)[: 10 * RATE] for path in paths], {"kind": kinds})


def one_shot_loops(samples_: Collection) -> Collection:
    """For each short sample that has a class, a loop of 5 s of it at varying level; each stroke cuts the last."""
    rng = np.random.default_rng(0)
    clips, sources = [], []
    for index, (clip, kind) in enumerate(zip(samples_.clips, samples_.labels["kind"], strict=True)):
        if len(clip) > 1.2 * RATE or kind in ("", "loop"):
            continue
        loop = np.zeros(5 * RATE, np.float32)
        time, step = rng.uniform(0, 0.2), rng.choice([0.125, 0.15, 0.2, 0.25])
        while time < 5:
            first, gap = int(time * RATE), rng.choice([1, 2, 2, 3, 4]) * step
            count = min(len(clip), int(gap * RATE), len(loop) - first)
            loop[first : first + count] = np.float32(rng.uniform(0.6, 1)) * clip[:count]
            time += gap
        clips.append(loop)
        sources.append(index)
    return Collection(clips, {"same": np.array(sources)})


def songs(folder: Path, seconds: float) -> Collection:
    """Up to 8 windows per song, evenly spread; `same` is the song, `start` in s."""
    clips, same, starts = [], [], []
    paths = sorted(path for path in (folder / "songs").iterdir() if path.suffix in (".ogg", ".m4a"))
    for number, path in enumerate(paths):
        whole = _mono(path)
        duration = len(whole) / RATE
        count = min(8, max(2, int((duration - seconds) // (2 * seconds)) + 1))
        for start in np.linspace(0, max(duration - seconds, 0), count):
            clip = whole[int(start * RATE) : int((start + seconds) * RATE)]
            if np.abs(clip).max() > 1e-3:
                clips.append(clip)
                same.append(number)
                starts.append(start)
    return Collection(clips, {"same": np.array(same), "start": np.array(starts)})


def stems(folder: Path, part: str) -> Collection:
    """Windows of 5 s of one part of the multitracks, without quiet ones; `same` is the song, `start` in s."""
    clips, same, starts = [], [], []
    for number, path in enumerate(sorted((folder / "multitracks").glob(f"*/{part}.*"))):
        whole = _mono(path)
        loud = float(np.sqrt(np.mean(whole**2)))
        for start in range(0, len(whole) // RATE - 4, 5):
            clip = whole[start * RATE : (start + 5) * RATE]
            if float(np.sqrt(np.mean(clip**2))) > 0.1 * loud:
                clips.append(clip)
                same.append(number)
                starts.append(start)
    return Collection(clips, {"same": np.array(same), "start": np.array(starts)})


def _kit_folds(kit: NDArray[Any]) -> NDArray[Any]:
    return np.unique(kit, return_inverse=True)[1] % 2


def midi(folder: Path, name: str) -> Collection:
    """A collection of `benchmarks.render_midi_sounds`; `fold` splits it in halves by instrument (mixes: by track)."""
    with np.load(folder / f"{name}.npz") as arrays:
        audio = arrays["audio"]
        ends = np.cumsum(arrays["lengths"])
        labels = {key: arrays[key] for key in arrays.files if key not in ("audio", "lengths")}
    clips = [part.astype(np.float32) / 32768 for part in np.split(audio, ends[:-1])]
    if name == "tones":
        labels["same"], labels["fold"] = labels["program"], labels["program"] // 2 % 2
    elif name == "kits":
        labels["same"], labels["fold"] = labels["kit"] * 1000 + labels["key"], _kit_folds(labels["kit"])
    elif name == "phrases_drums":
        labels["same"], labels["fold"] = labels["track"], _kit_folds(labels["program"])
    elif name == "phrases_mix":
        labels["same"], labels["fold"] = labels["track"], labels["track"] % 2
    else:
        labels["same"], labels["fold"] = labels["track"], labels["program"] // 2 % 2
    return Collection(clips, labels)


def _coded(clip: Clip, container: str, coding: str, level: float) -> Clip:
    buffer = io.BytesIO()
    mode = "CONSTANT" if container == "MP3" else None
    settings = {"compression_level": level, "bitrate_mode": mode}
    soundfile.write(buffer, clip * 0.9, RATE, format=container, subtype=coding, **settings)
    buffer.seek(0)
    return np.asarray(soundfile.read(buffer, dtype="float32")[0], dtype=np.float32)


def shelf(clip: Clip, decibels: float, corner: float, high: bool) -> Clip:
    """A shelving filter (R. Bristow-Johnson's audio EQ cookbook, slope 1)."""
    a, w = 10 ** (decibels / 40), 2 * np.pi * corner / RATE
    k, c, s = np.sqrt(2 * a) * np.sin(w), np.cos(w), -1 if high else 1
    top = [a * (a + 1 - s * (a - 1) * c + k), s * 2 * a * (a - 1 - s * (a + 1) * c), a * (a + 1 - s * (a - 1) * c - k)]
    bottom = [a + 1 + s * (a - 1) * c + k, -s * 2 * (a - 1 + s * (a + 1) * c), a + 1 + s * (a - 1) * c - k]
    return np.asarray(signal.lfilter(top, bottom, clip), dtype=np.float32)


def noisy(clip: Clip) -> Clip:
    noise = np.random.default_rng(len(clip)).standard_normal(len(clip)).astype(np.float32)
    return clip + noise * np.float32(np.sqrt(np.mean(clip**2)) * 10 ** (-30 / 20))


def _shifted(clip: Clip) -> Clip:
    import librosa

    return np.asarray(librosa.effects.pitch_shift(clip, sr=RATE, n_steps=1, n_fft=min(2048, len(clip))), np.float32)


ALTERATIONS: dict[str, Callable[[Clip], Clip]] = {
    "gain -12 dB": lambda clip: clip * np.float32(0.25),
    "mp3, about 100 kbit/s": lambda clip: _coded(clip, "MP3", "MPEG_LAYER_III", 0.75),
    "ogg, about 60 kbit/s": lambda clip: _coded(clip, "OGG", "VORBIS", 0.8),
    "bass +6 dB": lambda clip: shelf(clip, 6, 250, high=False),
    "bass -6 dB": lambda clip: shelf(clip, -6, 250, high=False),
    "treble +6 dB": lambda clip: shelf(clip, 6, 3000, high=True),
    "treble -6 dB": lambda clip: shelf(clip, -6, 3000, high=True),
    "3 % faster": lambda clip: np.asarray(soxr.resample(clip, 1.03 * RATE, RATE), dtype=np.float32),
    "a semitone up": _shifted,
    "noise at -30 dB": noisy,
}


def to_alter(windows: Collection, one_shots: Collection) -> Collection:
    """Every third window of songs and about forty one-shots; `song` is true for the former."""
    chosen = windows.clips[::3] + one_shots.clips[:: max(1, len(one_shots.clips) // 40)]
    return Collection(chosen, {"song": np.arange(len(chosen)) < len(windows.clips[::3])})


def tone(
    pitch: float = 261.6,
    tilt: float = 9.0,
    attack: float = 0.02,
    odd: float = 0.0,
    stretch: float = 0.0,
    vibrato: float = 0.0,
    decay: float = 0.0,
    lag: float = 0.0,
    noise: float = 0.0,
    tremolo: float = 0.0,
) -> Clip:
    """A tone of 1 s. pitch: Hz; tilt: slope of the harmonics in dB per octave; attack: s; odd: dB by which even
    harmonics are weaker; stretch: inharmonicity B; vibrato: semitones at 6 Hz; decay: s to 1/e, 0 for none; lag: ms by which each
    harmonic starts after the one below (spectral flux); noise: RMS relative to the tone; tremolo: depth, 5 Hz.
    """
    time = np.arange(RATE) / RATE
    bend = (2 ** (vibrato / 12) - 1) * np.cos(2 * np.pi * 6 * time) / (2 * np.pi * 6)
    phases = np.random.default_rng(0).uniform(0, 2 * np.pi, 60)
    total = np.zeros(RATE)
    for order in range(1, 60):
        ratio = order * np.sqrt(1 + stretch * order**2)
        if ratio * pitch > 13_500:
            break
        level = -tilt * np.log2(order) - (odd if order % 2 == 0 else 0)
        envelope = np.minimum(time / (attack + lag * order / 1000), 1)
        if decay:
            envelope = envelope * np.exp(-np.maximum(time - attack, 0) / decay * (1 + 0.1 * order))
        wave = np.sin(2 * np.pi * pitch * (time - bend) * ratio + phases[order])
        total += 10 ** (level / 20) * envelope * wave
    total *= np.minimum(1, (1 - time) / 0.05) * (1 + tremolo * np.sin(2 * np.pi * 5 * time))
    total /= np.sqrt(np.mean(total**2))
    total += noise * np.random.default_rng(1).standard_normal(RATE) * np.minimum(time / attack, 1)
    return (total / 10).astype(np.float32)


DIMENSIONS: dict[str, tuple[str, tuple[float, ...], dict[str, float]]] = {
    "attack time 2 to 200 ms": ("attack", (0.002, 0.006, 0.02, 0.06, 0.2), {}),
    "brightness, 18 to 2 dB per octave": ("tilt", (18, 14, 10, 6, 2), {}),
    "even harmonics 0 to -32 dB": ("odd", (0, 4, 8, 16, 32), {}),
    "harmonics enter 0 to 24 ms apart": ("lag", (0, 3, 6, 12, 24), {}),
    "decay 0.1 to 1.6 s": ("decay", (0.1, 0.2, 0.4, 0.8, 1.6), {"attack": 0.004}),
    "inharmonicity 0 to 0.01": ("stretch", (0, 3e-4, 1e-3, 3e-3, 1e-2), {"attack": 0.004, "decay": 0.5}),
    "vibrato 0 to 0.8 semitones": ("vibrato", (0, 0.1, 0.2, 0.4, 0.8), {}),
    "tremolo 0 to 0.8": ("tremolo", (0, 0.1, 0.2, 0.4, 0.8), {}),
    "noise 0 to 0 dB": ("noise", (0, 0.03, 0.1, 0.3, 1.0), {}),
    "pitch 0 to 12 semitones": ("pitch", tuple(261.6 * 2 ** (k / 12) for k in (0, 2, 4, 7, 12)), {}),
}
"""Dimensions of timbre (McAdams et al. 1995, and others): a parameter of `tone`, five values of it, other settings."""


def tone_rows() -> Iterator[tuple[str, list[Clip]]]:
    """Rows of five tones along each dimension, at three pitches."""
    for name, (parameter, values, others) in DIMENSIONS.items():
        for ratio in (0.75, 1.0, 1.5):
            row = []
            for value in values:
                settings = {"pitch": 261.6, **others, parameter: value}
                settings["pitch"] *= ratio
                row.append(tone(**settings))
            yield name, row
