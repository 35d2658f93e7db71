"""Both versions of the built-in separator, song by song, on sounds that are not trained on; prints Markdown.

Version 2 with the weights in a folder. The multitracks, the collages and the generated songs of
`benchmarks.separator_evaluation`; and arrangements played by another SoundFont with drums of other kits, in groups that are
hard in one way each. All are separated and evaluated as the mean of their channels. Of a part that is absent the figure is the
level of what it gets, in dB above the mixture. Residuals are with the vocals; these are evaluated besides, where it is known
whether there is a voice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from benchmarks.render_midi_sounds import Instrument
from benchmarks.separator_evaluation import collages, sdr
from benchmarks.separator_sounds import drum_track
from benchmarks.shared.markdown import print_table
from soundalike.audio import decode
from soundalike.models.separators.builtin.builtin_separator import BuiltinSeparator
from soundalike.models.separators.builtin.signal_separator import SignalSeparator
from soundalike.synth.seeds import generator
from soundalike.synth.songs import render_song
from soundalike.synth.specs import song_specs
from training import arrangements
from training.alterations import rms
from training.separator_examples import LENGTH, placed
from training.separator_stems import RATE, any_kit
from training.sources import KITS_HELD_OUT, SEPARATOR_MULTITRACK

Float32 = NDArray[np.float32]
Stems = dict[str, Float32]
Figure = tuple[float, bool] | None
"""SDR in dB, or the level of what an absent part gets, in dB above the mixture; and whether it is absent."""

PARTS = ("drums", "bass", "residuals")
VOCALS = "vocals"
HEADER = ("set", "song", "masks", *PARTS, "bass + residuals", VOCALS)
GROUPS = {
    "plain": {},
    "quiet drums": {"drums": -17.0},
    "no drums": {"drums": -np.inf},
    "struck, no drums": {"drums": -np.inf},
    "no bass": {"bass": -np.inf},
    "quiet bass": {"bass": -14.0},
}
EACH = 5  # arrangements of each group
GENERATED = 8
ABSENT = 1e-6


def evaluate(packages: Path, audio: Path, work: Path, soundfont: Path) -> None:
    """Print the figures of each song, and their means over each set."""
    methods = {
        "version 1": SignalSeparator().separate,
        "version 2": BuiltinSeparator(weights=work / "separator.npz", vocal_weights=work / "vocals.npz").separate,
    }
    rows, sets = [], {}
    for group, name, stems in clips(packages, audio, work, soundfont):
        mixture = np.asarray(np.sum([stem for part, stem in stems.items() if part != VOCALS], axis=0), np.float32)
        mono = mixture.mean(axis=0, keepdims=True)
        for label, method in methods.items():
            figures = figures_of(stems, mixture, method(mono))
            rows.append((group, name, label, *figures))
            sets.setdefault((group, label), []).append(figures)
    means = [
        (group, f"mean of {len(figures)}", label, *(mean_of(column) for column in zip(*figures, strict=True)))
        for (group, label), figures in sets.items()
    ]
    print_table(HEADER, [(*row[:3], *(_cell(figure) for figure in row[3:])) for row in (*rows, *means)])


def clips(packages: Path, audio: Path, work: Path, soundfont: Path) -> Iterator[tuple[str, str, Stems]]:
    """(set, name, stems (channels, samples)); without `bass` where it is part of the residuals."""
    yield from multitracks(audio, None)
    yield from collaged(audio, 1_000_000)
    yield from generated(7, GENERATED)
    yield from arranged(packages, work, soundfont, "validation")


def multitracks(audio: Path, only: str | None) -> Iterator[tuple[str, str, Stems]]:
    """All multitracks, or the one called `only`."""
    for song in sorted((audio / "multitracks").iterdir()):
        if only not in (None, song.name):
            continue
        files = {path.stem: decode.load(path, RATE, 2).samples for path in song.glob("*.ogg")}
        length = min(stem.shape[1] for stem in files.values())
        files = {name: stem[:, :length] for name, stem in files.items()}
        stems = {"drums": files["drums"], "residuals": files["other"] + files["vocals"], VOCALS: files["vocals"]}
        stems |= {"bass": files["bass"]} if "bass" in files else {}
        yield "multitracks", song.name + (" (trained on)" if song.name == SEPARATOR_MULTITRACK else ""), stems


def collaged(audio: Path, seed: int) -> Iterator[tuple[str, str, Stems]]:
    """Collages of `benchmarks.separator_evaluation`."""
    for clip in collages(audio, seed):
        yield "collages", clip.name, {part: stem[None] for part, stem in clip.stems.items()}


def generated(seed: int, count: int) -> Iterator[tuple[str, str, Stems]]:
    """Songs of the package's own generator, which have no voices."""
    for spec in song_specs(seed=seed, count=count):
        stems = {}
        for part, samples in render_song(spec).stems.items():
            stereo = np.stack([soxr.resample(channel, 44_100, RATE) for channel in samples]).astype(np.float32)
            part = part if part in PARTS else "residuals"
            stems[part] = stems.get(part, np.float32(0)) + stereo
        yield "generated", spec.title, {part: stems.get(part, np.zeros_like(stereo)) for part in (*PARTS, VOCALS)}


def arranged(packages: Path, work: Path, soundfont: Path, seed: str) -> Iterator[tuple[str, str, Stems]]:
    """Arrangements of 10 s with `soundfont`; in half of them a kit that is not trained on plays the drums."""
    path = work / f"{seed}.npz"
    if not path.exists():
        np.savez(path, **{f"{group}/{number}": stems for group, number, stems in _rendered(packages, soundfont, seed)})
    with np.load(path) as stored:
        for name in stored.files:
            group, _, number = name.partition("/")
            stems = dict(zip(PARTS, stored[name].astype(np.float32), strict=True))
            yield f"arranged, {group}", number, {**stems, VOCALS: np.zeros_like(stems["drums"])}


def _rendered(packages: Path, soundfont: Path, seed: str) -> Iterator[tuple[str, int, NDArray[np.float16]]]:
    """Stems (3, 2, LENGTH) of each arrangement."""
    instrument = Instrument(str(soundfont))
    kits = [_hits(packages / "usr/share/hydrogen/data/drumkits" / name) for name in KITS_HELD_OUT]
    for group, levels in GROUPS.items():
        for number in range(EACH):
            rng = generator(seed, group, number)
            stems = {part: np.zeros((2, LENGTH), np.float32) for part in PARTS}
            for layer in arrangements.Arrangement(rng).layers():
                program = layer.program
                if group.startswith("struck") and layer.part == "residuals":
                    program = int(rng.choice(arrangements.STRUCK))
                if layer.part == "drums" and number % 2:
                    continue
                instrument.choose(program, layer.drums)
                sound = instrument.play(layer.events, arrangements.SECONDS, layer.drums)[-LENGTH:].copy()
                stems[layer.part] += _levelled(placed(sound, rng, layer.part), float(rng.uniform(-8, 0)))
            if number % 2:
                hits = kits[int(rng.integers(len(kits)))]
                track = drum_track(rng, 60 / float(rng.uniform(70, 160)), lambda rng, hits=hits: any_kit(rng, hits))
                stems["drums"] = placed(track, rng, "drums")
            for part in PARTS:
                level = levels.get(part, float(rng.uniform(-7, 3) if part == "bass" else rng.uniform(-5, 3)))
                stems[part] = _levelled(stems[part], level)
            if number % 3 == 0:
                stems = {part: np.repeat(stem.mean(axis=0, keepdims=True), 2, axis=0) for part, stem in stems.items()}
            yield group, number, np.stack([stems[part] for part in PARTS]).astype(np.float16)


def _hits(folder: Path) -> list[Float32]:
    paths = sorted(path for path in folder.iterdir() if path.suffix in (".wav", ".flac", ".aiff"))
    return [decode.load(path, RATE, 1).samples[0] for path in paths[:: max(1, len(paths) // 40)]]


def _levelled(stem: Float32, decibels: float) -> Float32:
    return np.asarray(stem * (0.1 * 10 ** (decibels / 20) / max(rms(stem), 1e-6)), np.float32)


def figures_of(stems: Stems, mixture: Float32, found: Stems) -> tuple[Figure, ...]:
    """The figures after the names; None where there is no true stem."""
    true = {name: stem.mean(axis=0) for name, stem in stems.items()}
    mono = {part: stem.mean(axis=0) for part, stem in found.items()}
    vocals = mono.get(VOCALS)
    mono["residuals"] = mono["residuals"] + (0 if vocals is None else vocals)
    whole = np.asarray(true.get("bass", 0) + true["residuals"])
    level = rms(mixture.mean(axis=0))
    figures = [_figure(true.get(part), mono[part], level) for part in PARTS]
    if "bass" not in true:
        figures[-1] = None
    sung = None if vocals is None else _figure(true.get(VOCALS), vocals, level)
    return (*figures, _figure(whole, mono["bass"] + mono["residuals"], level), sung)


def _figure(true: Float32 | None, found: Float32, mixture: float) -> Figure:
    if true is None:
        return None
    if rms(true) < ABSENT:
        return 20 * float(np.log10((rms(found) + 1e-9) / mixture)), True
    return sdr(true, found), False


def mean_of(figures: Sequence[Figure]) -> Figure:
    """The mean SDR where the part is present; the mean level if it never is."""
    known = [figure for figure in figures if figure is not None]
    chosen = [value for value, absent in known if not absent] or [value for value, _ in known]
    return (float(np.mean(chosen)), all(absent for _, absent in known)) if known else None


def _cell(figure: Figure) -> str:
    if figure is None:
        return "-"
    return f"absent: {figure[0]:.1f}" if figure[1] else f"{figure[0]:.2f}"
