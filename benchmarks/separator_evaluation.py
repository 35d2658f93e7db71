"""Evaluate both versions of the built-in separator against simple baselines.

    python -m benchmarks.separator_evaluation [--songs 8]

Three test sets. Version 1 was fitted to none of them (but to other synthesised music, `separator_sounds`). Its few hand-set
numbers (the share of the excess, the corner frequencies of the low bands, the size of the network) were chosen while looking
at the first two, so only the third is completely unseen. Of what trained version 2 only the multitrack *caesium* is here:

- *multitracks*: the four songs of multitracks/ in SOUNDALIKE_TEST_DATA, 60 s each. In all but one the bass is part of
  `other`; there, everything but the drums (other + vocals + bass) is compared with bass + residuals.
- *collages*: beats of recorded drum samples and lines of one recorded bass note over songs without drums.
- *generated songs*: `soundalike.synth`, true stems; everything but drums and bass is residuals.

Methods: the mixture itself as every part; an equal share of it as every part; librosa's median-filtering
harmonic-percussive separation (FitzGerald 2010) with the harmonic part below 200 Hz as bass; the built-in separators;
the ideal ratio mask, which knows the true magnitudes and is about the best that a real-valued mask on this spectrum can
do.

Figures: SDR = |s|^2 / |s - e|^2 and SI-SDR (Le Roux et al. 2019) in dB over the whole clip, mono at 32 kHz, means over
clips. The band correlation is closer to what the separator is for: the correlation of log band levels (18 bands, 60 dB
deep, means removed) of the separated drums with those of the true drums. Prints Markdown.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import librosa
import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from benchmarks.separator_sounds import LENGTH, SAMPLE_RATE, Kit, Rng, bass_track, beat_steps, drum_track, pick, pitched
from benchmarks.shared.audio_data import audio_folder
from benchmarks.shared.markdown import print_table
from soundalike.models.separators import Separator
from soundalike.models.separators.builtin import masks, short_time
from soundalike.models.separators.builtin.builtin_separator import BuiltinSeparator
from soundalike.models.separators.builtin.signal_separator import SignalSeparator

Samples = NDArray[np.float32]
Stems = dict[str, Samples]

DRUMLESS = (
    "Kevin_MacLeod - Dance of the Sugar Plum Fairy",
    "dont_close_your_eyes",
    "shrine-OGA-yd",
    "Battle_lost-OGA-Mumu",
    "Karissa_Hobbs - Lets Go Fishin",
    "US Army Strings - Hungarian Dance No 5",
)
SAMPLES = {
    "kicks": "bd_ drum_bass_ drum_heavy_kick elec_hollow_kick elec_soft_kick",
    "snares": "sn_ drum_snare elec_snare elec_hi_snare elec_lo_snare elec_mid_snare elec_filt_snare perc_snap",
    "hats": "hat_ drum_cymbal_closed drum_cymbal_pedal elec_cymbal elec_tick ride_",
    "others": "drum_tom drum_cymbal_open drum_splash drum_cowbell elec_triangle tabla_ perc_impact elec_wood",
    "basses": "bass_hard bass_hit bass_thick bass_trance bass_voxy bass_woodsy bass_dnb",
}
"""Prefixes of the file names of each class of recorded sounds."""
COLLAGES = 12
PARTS = ("bass", "drums", "residuals")
REST = "bass + residuals"
BUILTIN = "built-in separator, version 2"
DRUM_CORRELATION = "band correlation, drums"


@dataclass(frozen=True)
class Clip:
    """True mono stems; `bass` is missing where its stem does not exist."""

    name: str
    test_set: str
    stems: Stems

    @property
    def mixture(self) -> Samples:
        return np.asarray(np.sum(list(self.stems.values()), axis=0), np.float32)


def multitracks(folder: Path) -> Iterator[Clip]:
    """The songs of multitracks/ as drums, residuals, and bass where there is a stem of it."""
    for song in sorted((folder / "multitracks").iterdir()):
        parts = {path.stem: read(path) for path in song.glob("*.ogg")}
        length = min(len(samples) for samples in parts.values())
        parts = {name: samples[:length] for name, samples in parts.items()}
        stems = {"drums": parts["drums"], "residuals": parts["other"] + parts["vocals"]}
        if "bass" in parts:
            stems["bass"] = parts["bass"]
        yield Clip(song.name, "multitracks", stems)


def collages(folder: Path, seed: int = 1_000_000) -> Iterator[Clip]:
    """Recorded samples over songs without drums, 10 s each; drums, bass and residuals have equal RMS."""
    files = sorted((folder / "samples").glob("*.flac"))
    sounds = {
        name: tuple(read(file) for file in files if file.name.startswith(tuple(prefixes.split())))
        for name, prefixes in SAMPLES.items()
    }
    songs = [read(folder / "songs" / f"{name}.ogg") for name in DRUMLESS]

    def recorded_kit(rng: Rng) -> Kit:
        steps = [*beat_steps(rng), rng.random(16) < 0.15]
        return [
            (pitched(pick(rng, sounds[name]), rng.uniform(-3, 3)), gain, played)
            for name, gain, played in zip(
                ("kicks", "snares", "hats", "others"), (1.0, 0.9, 0.45, 0.6), steps, strict=True
            )
        ]

    for index in range(COLLAGES):
        rng = np.random.default_rng(seed + index)
        beat = 60 / rng.uniform(80, 140)
        song = songs[index % len(songs)]
        start = int(rng.integers(0, len(song) - LENGTH))
        tracks = {
            "drums": drum_track(rng, beat, recorded_kit),
            "bass": bass_track(rng, beat, pick(rng, sounds["basses"])),
            "residuals": song[start : start + LENGTH],
        }
        stems = {part: (0.1 * track / rms(track)).astype(np.float32) for part, track in tracks.items()}
        yield Clip(f"collage {index + 1}", "collages", stems)


def rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2))) + 1e-9


def read(path: Path) -> Samples:
    """A file as mono samples at SAMPLE_RATE."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return np.asarray(soxr.resample(samples.mean(axis=1), rate, SAMPLE_RATE), np.float32)


def generated_songs(count: int) -> Iterator[Clip]:
    """Songs of the package's own generator; those without drums, bass or residuals are left out."""
    from soundalike.synth.songs import render_song
    from soundalike.synth.specs import song_specs

    for spec in song_specs(seed=7, count=count):
        song = render_song(spec)
        stems: Stems = {}
        for part, samples in song.stems.items():
            mono = soxr.resample(samples.mean(axis=0), song.sample_rate, SAMPLE_RATE).astype(np.float32)
            name = part if part in ("drums", "bass") else "residuals"
            stems[name] = stems.get(name, np.float32(0)) + mono
        if {"drums", "bass", "residuals"} <= stems.keys():
            yield Clip(spec.title, "generated songs", stems)


def mixture_itself(clip: Clip) -> Stems:
    return dict.fromkeys((*PARTS, REST), clip.mixture)


def equal_split(clip: Clip) -> Stems:
    return dict.fromkeys(PARTS, clip.mixture / np.float32(3))


def median_filtering(clip: Clip) -> Stems:
    """FitzGerald 2010 (librosa), with the separator's frames."""
    spectrum = librosa.stft(clip.mixture, n_fft=masks.FRAME, hop_length=masks.HOP)
    harmonic, percussive = librosa.decompose.hpss(spectrum)
    low = np.arange(masks.BINS)[:, None] * SAMPLE_RATE / masks.FRAME < 200
    drums, bass = (
        librosa.istft(s, n_fft=masks.FRAME, hop_length=masks.HOP, length=len(clip.mixture))
        for s in (percussive, harmonic * low)
    )
    return {"bass": bass, "drums": drums, "residuals": clip.mixture - bass - drums}


def separated_by(separator: Separator) -> Callable[[Clip], Stems]:
    """The method that separates a clip with `separator`; the residuals are with the vocals, as in the clips."""

    def separated(clip: Clip) -> Stems:
        stems = {part: samples[0] for part, samples in separator.separate(clip.mixture[None]).items()}
        vocals = stems.pop("vocals", np.float32(0))
        return {**stems, "residuals": stems["residuals"] + vocals}

    return separated


def ideal_ratio_mask(clip: Clip) -> Stems:
    """A mask computed from the true magnitudes."""
    spectrum = librosa.stft(clip.mixture, n_fft=masks.FRAME, hop_length=masks.HOP)
    sizes = {
        part: np.abs(librosa.stft(samples, n_fft=masks.FRAME, hop_length=masks.HOP))
        for part, samples in clip.stems.items()
    }
    total = np.sum(list(sizes.values()), axis=0) + 1e-12
    parts = {
        part: librosa.istft(spectrum * size / total, n_fft=masks.FRAME, hop_length=masks.HOP, length=len(clip.mixture))
        for part, size in sizes.items()
    }
    return {"bass": np.zeros_like(clip.mixture), **parts}


METHODS: dict[str, Callable[[Clip], Stems]] = {
    "mixture itself": mixture_itself,
    "equal split": equal_split,
    "median filtering (librosa)": median_filtering,
    "built-in separator, version 1": separated_by(SignalSeparator()),
    BUILTIN: separated_by(BuiltinSeparator()),
    "ideal ratio mask": ideal_ratio_mask,
}


def sdr(reference: Samples, estimate: Samples) -> float:
    """Signal to distortion ratio, dB; a gain counts as distortion."""
    truth, result = reference.astype(np.float64), estimate.astype(np.float64)
    return float(10 * np.log10((truth @ truth) / max(1e-12, np.sum((truth - result) ** 2))))


def si_sdr(reference: Samples, estimate: Samples) -> float:
    """Scale-invariant SDR, dB: Le Roux, Wisdom, Erdogan & Hershey, "SDR - half-baked or well done?", 2019."""
    truth, result = reference.astype(np.float64), estimate.astype(np.float64)
    target = (truth @ result) / (truth @ truth) * truth
    kept, lost = float(target @ target), float(np.sum((target - result) ** 2))
    return float(10 * np.log10(max(1e-12, kept) / max(1e-12, lost)))


def band_correlation(reference: Samples, estimate: Samples) -> float:
    """Correlation of log band levels; 1 for equal spectra over time up to a gain."""
    levels = []
    for samples in (reference, estimate):
        power = np.add.reduceat(short_time.power_spectrum(samples[None]), masks.EDGES[:-1:3], axis=1)
        level = 10 * np.log10(power / (power.mean() + 1e-20) + 1e-6)
        levels.append(level - level.mean())
    return float(np.sum(levels[0] * levels[1]) / np.sqrt(np.sum(levels[0] ** 2) * np.sum(levels[1] ** 2) + 1e-20))


def evaluate(clip: Clip, stems: Stems) -> dict[str, float]:
    """Figures of one clip: drums, bass and residuals; without a true bass, drums and everything else."""
    pairs = {"drums": (clip.stems["drums"], stems["drums"])}
    if "bass" in clip.stems:
        pairs["bass"] = (clip.stems["bass"], stems["bass"])
        pairs["residuals"] = (clip.stems["residuals"], stems["residuals"])
    else:
        rest = stems[REST] if REST in stems else stems["bass"] + stems["residuals"]
        pairs[REST] = (clip.stems["residuals"], rest)
    figures = {f"{name} {part}": measure(*pair) for part, pair in pairs.items() for name, measure in _MEASURES}
    return {**figures, DRUM_CORRELATION: band_correlation(*pairs["drums"])}


_MEASURES = (("SDR", sdr), ("SI-SDR", si_sdr))
COLUMNS = (*(f"{n} {p}" for p in ("drums", "bass", "residuals", REST) for n in ("SDR", "SI-SDR")), DRUM_CORRELATION)


def print_figures(title: str, rows: list[tuple[str, dict[str, float]]]) -> None:
    """A heading and a table of named rows of figures."""
    columns = [column for column in COLUMNS if any(column in figures for _, figures in rows)]
    print(f"\n### {title}\n")
    print_table(
        ("", *columns),
        [(name, *(f"{figures[c]:.2f}" if c in figures else "-" for c in columns)) for name, figures in rows],
    )


def mean_figures(clips: list[dict[str, float]]) -> dict[str, float]:
    """Mean of each figure over the clips that have it."""
    names = dict.fromkeys(name for figures in clips for name in figures)
    return {name: float(np.mean([figures[name] for figures in clips if name in figures])) for name in names}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=int, default=8, help="generated songs (0: none)")
    options = parser.parse_args()
    folder = audio_folder()
    clips = [*multitracks(folder), *collages(folder), *generated_songs(options.songs)]
    figures = {(clip.name, method): evaluate(clip, METHODS[method](clip)) for clip in clips for method in METHODS}
    for test_set in dict.fromkeys(clip.test_set for clip in clips):
        names = [clip.name for clip in clips if clip.test_set == test_set]
        rows = [(method, mean_figures([figures[name, method] for name in names])) for method in METHODS]
        print_figures(f"{test_set}: means of {len(names)} clips", rows)
    rows = [(f"{clip.test_set}: {clip.name}", figures[clip.name, BUILTIN]) for clip in clips]
    print_figures(f"{BUILTIN}, clip by clip", rows)


if __name__ == "__main__":
    main()
