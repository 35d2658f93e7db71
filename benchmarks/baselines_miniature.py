"""D-CSN, Cascade and Cascade-PAFT on a miniature Slakh2100: trained on 96 generated tracks, evaluated on 60 others.

    python -m benchmarks.baselines_miniature FOLDER

Kits and patches of the test tracks, and of 16 tracks for validation, are not those of training. Everything is in FOLDER: an
interrupted run continues, and a second one only evaluates. Printed are

- held-out triplets of each part: agreement of the trained network, of its initial weights, and of MFCC (cosine of mean and
  standard deviation of 20, standardised) of the same mixtures, with the differences and intervals robust to shared tracks.
  `real` compares mixtures; in `pseudo` the positive shares nothing but the part, and the negative everything else;
- how far each subspace moves when one stem of a mixture is replaced, in units of its median distance between mixtures, also
  as a picture, FOLDER/movement.svg;
- the agreement with simulated listeners on held-out tracks, before and after PAFT.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import librosa
import matplotlib.pyplot as plt
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.shared.markdown import print_table
from soundalike.audio import decode
from soundalike.config import Runtime
from soundalike.models.encoders.trained.cascade_network import PART_DIMENSION, Cascade
from soundalike.models.encoders.trained.mel_spectra import SAMPLE_RATE
from soundalike.models.encoders.trained.trained_encoder import TrainedEncoder
from soundalike.models.encoders.trained.trained_file import SYSTEMS, TrainedNetwork, read_trained, write_trained
from soundalike.parts import MIX
from soundalike.preferences.cluster_robust import Links, paired_test, share_interval
from soundalike.preferences.triplets import Triplet, above_cut_off, merge_mirrored
from soundalike.research.baselines.preference_tuning import ClipAudio, TuningOptions, tune
from soundalike.research.baselines.segment_audio import SegmentAudio
from soundalike.research.baselines.track_scan import scan_tracks
from soundalike.research.baselines.training import prepare_training, train
from soundalike.research.baselines.training_options import TrainingOptions
from soundalike.research.baselines.training_triplets import SegmentRef, Sound, TrainingTriplet, TripletSampler
from soundalike.research.datasets.inst_sim_abx import read_answers, read_configurations
from soundalike.research.datasets.slakh import ClipCut, Slakh
from soundalike.research.reproduce.clip_jobs import Callbacks
from soundalike.synth.miniature_inst_sim_abx import write_inst_sim_abx
from soundalike.synth.miniature_slakh import FIRST_TRACKS, MiniTrack, plan_tracks, write_slakh

SPLITS = {"train": (11, 96, (1, 2, 3, 4, 5)), "validation": (12, 16, (6, 7)), "test": (13, 60, (8, 9, 10, 11, 12, 13))}
"""Seed, tracks, and which variants of kits and patches play."""

LENGTH = 24.0
CLIP = 2.0
RUNTIME = Runtime("cpu", threads=1)
CALLBACKS = Callbacks(lambda message: print(message, flush=True))
COMMON = {"width": 0.125, "clip": CLIP, "runtime": RUNTIME}
DCSN = {"batch": 16, "steps": 280, "pseudo": 0.6, "rate": 2e-3, "recombine": True}
CASCADE = {
    "batch": 6,
    "steps": 80,
    "joint_steps": 16,
    "pseudo": 0.6,
    "rate": 2e-3,
    "joint_scale": 20.0,
    "recombine": True,
}
PAFT = {"batch": 6, "steps": 20, "scale": 20.0, "held_out": 0.0, "cut_off": 0.6}
"""Few steps at high rates, for a short run; the papers' settings are the defaults of `soundalike train`."""

QUESTIONS = 400
"""Triplets of each kind about each part that simulated listeners answer, of the tracks for training and of those for testing."""

SWAPS = 30
"""Stems of each part that are replaced."""

Matrix = NDArray[np.float64]
Embed = Callable[[NDArray[np.float32], str], Matrix]
"""The vectors (parts, D) of a mixture; those of one part (the others are zero), or of all for `mix`."""


@dataclass(frozen=True)
class HeldOut:
    """A triplet, and its three mixtures by index into the list of all."""

    triplet: TrainingTriplet
    pseudo: bool
    sounds: tuple[int, int, int]


def main() -> None:
    """Render, train, evaluate, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--cascade-part", action="append", default=None, help="part of Cascade; repeatable; all if none"
    )
    parser.add_argument("--triplets", type=int, default=100, help="held-out `pseudo` triplets of each part")
    parser.add_argument("--real", type=int, default=30, help="held-out `real` triplets of each part")
    parser.add_argument("--systems", default="dcsn,cascade,cascade-paft", help="which to train and evaluate")
    options = parser.parse_args()
    torch.set_num_threads(1)
    systems = options.systems.split(",")
    render(options.folder, answers="cascade-paft" in systems)
    for system in systems:
        began, used = time.perf_counter(), time.process_time()
        path = train_system(options.folder, system, options.cascade_part)
        took = f"{time.process_time() - used:.0f} s of processor time, {(time.perf_counter() - began) / 60:.1f} min"
        print(f"{system}: {path.stat().st_size / 2**20:.1f} MiB, {took} in this run", flush=True)
    for system in systems:
        trained = read_trained(options.folder / system / f"{system}.pt", system)
        if system != "cascade-paft":
            print_triplets(options.folder, system, trained, options.real, options.triplets)
        if system == "dcsn":
            print_movement(options.folder, trained, options.folder / "movement.svg")
    if "cascade-paft" in systems:
        print_listeners(options.folder)


def render(folder: Path, *, answers: bool) -> None:
    """The tracks, and the answers of simulated listeners to tune to and held out if asked for; what exists is kept."""
    for split, (seed, count, variants) in SPLITS.items():
        tracks = folder / "slakh" / split
        if not (tracks / f"Track{FIRST_TRACKS[split] + count - 1:05d}" / "metadata.yaml").exists():
            write_slakh(folder / "slakh", seed, count, LENGTH, split=split, variants=variants)
        if answers and split != "validation" and not (folder / f"answers-{split}" / "truth.json").exists():
            planned = [
                MiniTrack(number, spec, decode.probe(tracks / f"Track{number:05d}" / "mix.flac").duration)
                for number, spec in enumerate(plan_tracks(seed, count, LENGTH, variants), FIRST_TRACKS[split])
            ]
            write_inst_sim_abx(folder / f"answers-{split}", planned, seed=seed, mixes=60, parts=QUESTIONS)


def train_system(folder: Path, system: str, parts: Sequence[str] | None) -> Path:
    """Train, unless it is trained already; the path of the file."""
    path = folder / system / f"{system}.pt"
    if path.exists():
        return path
    if system == "cascade":
        return train_cascade(folder, parts or SYSTEMS["cascade"].parts)
    if system == "cascade-paft":
        base = folder / "cascade" / "cascade.pt"
        chosen = TuningOptions(folder / "slakh", folder / "answers-train", path.parent, base, runtime=RUNTIME, **PAFT)
        return tune(chosen, CALLBACKS)
    return _train(TrainingOptions(system, folder / "slakh", path.parent, **COMMON, **DCSN))


def train_cascade(folder: Path, parts: Sequence[str]) -> Path:
    """Train each part by itself, in a folder of its own, and put them together: nothing in Cascade is shared by parts."""
    found = [train_part(folder, part) for part in parts]
    first = found[0]
    network = Cascade(tuple(parts), first.architecture.width)
    for part, trained in zip(parts, found, strict=True):
        network.of_part[part] = trained.network.of_part[part]
    path = folder / "cascade" / "cascade.pt"
    provenance = {**first.provenance, "parts": list(parts)}
    write_trained(path, replace(first.architecture, parts=tuple(parts)), network, provenance)
    return path


def train_part(folder: Path, part: str) -> TrainedNetwork:
    """One part of Cascade, unless it is trained already."""
    path = folder / "cascade" / part / "cascade.pt"
    if not path.exists():
        used = time.process_time()
        _train(TrainingOptions("cascade", folder / "slakh", path.parent, parts=(part,), **COMMON, **CASCADE))
        print(f"cascade, {part}: {time.process_time() - used:.0f} s of processor time in this run", flush=True)
    return read_trained(path, "cascade")


def _train(options: TrainingOptions) -> Path:
    return train(prepare_training(options, CALLBACKS))


def print_triplets(folder: Path, system: str, trained: TrainedNetwork, real: int, pseudo: int) -> None:
    """Held-out triplets: agreements and differences."""
    parts = trained.architecture.parts
    slakh = Slakh(folder / "slakh" / "test")
    facts, _ = scan_tracks(slakh, folder / "tracks-test.jsonl")
    held_out, mixtures = _draw(TripletSampler(facts, parts, CLIP, CLIP), parts, (real, pseudo))
    torch.manual_seed(0)
    untrained = TrainedNetwork(trained.architecture, trained.architecture.build(), {})
    embeds = [_embedder(system, trained), _embedder(system, untrained), _mfcc]
    audio = SegmentAudio(slakh, CLIP, 1 << 30)
    found: list[list[Matrix]] = [[] for _ in embeds]
    for sound, part in mixtures:
        mixture = audio.mixture(sound, part)
        for vectors, embed in zip(found, embeds, strict=True):
            vectors.append(embed(mixture, part))
    ours, initial, mfcc = (np.stack(vectors) for vectors in found)
    mfcc = np.repeat((mfcc - mfcc.mean(axis=0)) / mfcc.std(axis=0), len(parts), axis=1)
    columns = {
        "trained": _right(held_out, ours, parts, _euclidean),
        "initial": _right(held_out, initial, parts, _euclidean),
        "MFCC": _right(held_out, mfcc, parts, _cosine),
    }
    rows = []
    for kind in ("real", "pseudo"):
        for part in (*parts, "all"):
            chosen = np.array(
                [one.pseudo == (kind == "pseudo") and part in (one.triplet.part, "all") for one in held_out]
            )
            rows.append([f"{kind}, {part}", *_cells(columns, held_out, chosen)])
    header = ["triplets", *(f"{name}, %" for name in columns), "trained - initial, points", "trained - MFCC, points"]
    print(f"\n{system}: held-out triplets of each part, {real} real and {pseudo} pseudo\n")
    print_table(header, rows)


def _draw(
    sampler: TripletSampler, parts: Sequence[str], counts: tuple[int, int]
) -> tuple[list[HeldOut], list[tuple[Sound, str]]]:
    """So many real and pseudo triplets of each part, and their mixtures with the parts that are their targets."""
    rng = np.random.default_rng(1)
    numbers: dict[tuple[Sound, str], int] = {}
    found = []
    for part in parts:
        for pseudo, count in zip((False, True), counts, strict=True):
            for _ in range(count):
                triplet = sampler.draw(part, rng, pseudo)
                first, second, third = (
                    numbers.setdefault((sound, MIX if sound.target == sound.others else part), len(numbers))
                    for sound in (triplet.anchor, triplet.positive, triplet.negative)
                )
                found.append(HeldOut(triplet, pseudo, (first, second, third)))
    return found, list(numbers)


def _embedder(system: str, trained: TrainedNetwork) -> Embed:
    parts = trained.architecture.parts
    encoders = _encoders(system, trained)

    def embed(mixture: NDArray[np.float32], part: str) -> Matrix:
        vectors = np.zeros((len(parts), PART_DIMENSION))
        for own, encoder in encoders.items():
            if part == MIX or part in own:
                of_mixture = encoder.embed_parts([mixture])[0]
                for number, name in enumerate(own):
                    values = of_mixture[encoder.parts.index(name)]
                    vectors[parts.index(name)] = values[PART_DIMENSION * number : PART_DIMENSION * (number + 1)]
        return vectors

    return embed


def _encoders(system: str, trained: TrainedNetwork) -> dict[tuple[str, ...], TrainedEncoder]:
    """One encoder for each network that can run by itself, by its parts: all of D-CSN, each part of Cascade."""
    architecture = trained.architecture
    if not isinstance(trained.network, Cascade):
        return {architecture.parts: TrainedEncoder(system, trained, RUNTIME)}
    encoders = {}
    for part in architecture.parts:
        network = Cascade((part,), architecture.width)
        network.of_part[part] = trained.network.of_part[part]
        alone = TrainedNetwork(replace(architecture, parts=(part,)), network, {})
        encoders[part,] = TrainedEncoder(system, alone, RUNTIME)
    return encoders


def _mfcc(mixture: NDArray[np.float32], _: str) -> Matrix:
    coefficients = librosa.feature.mfcc(y=mixture, sr=SAMPLE_RATE, n_mfcc=20)
    row = np.concatenate([coefficients.mean(axis=1), coefficients.std(axis=1)])
    return np.asarray(row[np.newaxis], np.float64)


def _right(
    held_out: Sequence[HeldOut],
    vectors: NDArray[np.float64],
    parts: Sequence[str],
    distance: Callable[[Matrix, Matrix], float],
) -> NDArray[np.bool_]:
    """(N,) which triplets are ordered correctly by the vectors (mixtures, parts, D)."""
    right = []
    for one in held_out:
        anchor, positive, negative = vectors[list(one.sounds), parts.index(one.triplet.part)]
        right.append(distance(anchor, positive) < distance(anchor, negative))
    return np.array(right)


def _euclidean(first: Matrix, second: Matrix) -> float:
    return float(np.linalg.norm(first - second))


def _cosine(first: Matrix, second: Matrix) -> float:
    return -float(first @ second / max(float(np.linalg.norm(first) * np.linalg.norm(second)), 1e-12))


def _tracks(triplet: TrainingTriplet) -> frozenset[str]:
    sounds = (triplet.anchor, triplet.positive, triplet.negative)
    return frozenset(segment.track for sound in sounds for segment in (sound.target, sound.others))


def _cells(
    columns: Mapping[str, NDArray[np.bool_]], held_out: Sequence[HeldOut], chosen: NDArray[np.bool_]
) -> list[str]:
    links = Links([_tracks(one.triplet) for one, use in zip(held_out, chosen, strict=True) if use])
    cells = []
    for right in columns.values():
        interval = share_interval(right[chosen], links)
        cells.append(f"{100 * right[chosen].mean():.1f} [{100 * interval.low:.0f}, {100 * interval.high:.0f}]")
    for other in ("initial", "MFCC"):
        test = paired_test(columns["trained"][chosen], columns[other][chosen], links)
        low, high = 100 * test.interval.low, 100 * test.interval.high
        cells.append(f"{100 * test.difference:+.1f} [{low:+.1f}, {high:+.1f}]")
    return cells


def print_movement(folder: Path, trained: TrainedNetwork, picture: Path) -> None:
    """How far each subspace moves when the stem of one part is replaced by that of another track."""
    parts = trained.architecture.parts
    slakh = Slakh(folder / "slakh" / "test")
    facts, _ = scan_tracks(slakh, folder / "tracks-test.jsonl")
    sampler, audio = TripletSampler(facts, parts, CLIP, CLIP), SegmentAudio(slakh, CLIP, 1 << 30)
    embed, rng = _embedder("dcsn", trained), np.random.default_rng(2)
    usual = np.stack([embed(audio.stem(one, MIX), MIX) for one in _some(sampler.segments, 40, rng)])
    pairs = [np.linalg.norm(usual[a] - usual[b], axis=1) for a in range(40) for b in range(a)]
    scale = np.median(pairs, axis=0)
    means, most = [], []
    for number, part in enumerate(parts):
        triplets = [sampler.draw(part, rng, True) for _ in range(SWAPS)]
        moved = np.stack(
            [
                np.linalg.norm(
                    embed(audio.mixture(t.negative, part), MIX) - embed(audio.mixture(t.anchor, part), MIX), axis=1
                )
                for t in triplets
            ]
        )
        means.append((moved / scale).mean(axis=0))
        most.append(100 * np.mean((moved / scale).argmax(axis=1) == number))
    print(
        "\nD-CSN: movement of each subspace (columns) when one stem (rows) is replaced; 1: as far as other mixtures are\n"
    )
    rows = [
        [part, *(f"{value:.2f}" for value in values), f"{share:.0f}"]
        for part, values, share in zip(parts, means, most, strict=True)
    ]
    print_table(["replaced", *parts, "its own moves most, %"], rows)
    draw_movement(picture, parts, np.stack(means))


def draw_movement(path: Path, parts: Sequence[str], means: NDArray[np.float64]) -> None:
    """The table of `print_movement` as shades."""
    figure, axes = plt.subplots(figsize=(5, 4), layout="constrained")
    shades = axes.imshow(means, cmap="Blues", vmin=0.0)
    axes.set(xlabel="subspace that moves", ylabel="stem that is replaced")
    axes.set_xticks(range(len(parts)), parts)
    axes.set_yticks(range(len(parts)), parts)
    for (row, column), value in np.ndenumerate(means):
        colour = "white" if value > 0.6 * means.max() else "black"
        axes.text(column, row, f"{value:.2f}", ha="center", va="center", color=colour)
    figure.colorbar(shades, label="movement / median distance between mixtures")
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _some(segments: Sequence[SegmentRef], count: int, rng: np.random.Generator) -> list[SegmentRef]:
    return [segments[int(index)] for index in rng.choice(len(segments), count, replace=False)]


def print_listeners(folder: Path) -> None:
    """Agreement with simulated listeners about held-out tracks, before and after PAFT."""
    trained = {name: read_trained(folder / name / f"{name}.pt", name) for name in ("cascade", "cascade-paft")}
    parts = trained["cascade"].architecture.parts
    answers = [t for t in read_answers(folder / "answers-test").triplets if t.part in parts]
    kept = [t for t in merge_mirrored(above_cut_off(answers, PAFT["cut_off"])) if t.label()]
    names = list(dict.fromkeys(name for t in kept for name in (t.reference, t.a, t.b)))
    cuts = read_configurations(folder / "answers-test")
    clips = ClipAudio(Slakh(folder / "slakh"), cuts, names)
    right = {name: _agrees(kept, cuts, clips, parts, _embedder(name, network)) for name, network in trained.items()}
    rows = []
    for part in (*parts, "all"):
        for kind in ("XAB", "XYC", "both"):
            chosen = np.array([part in (t.part, "all") and kind in (t.kind, "both") for t in kept])
            links = Links([frozenset(t.tracks) for t, use in zip(kept, chosen, strict=True) if use])
            before, after = right["cascade"][chosen], right["cascade-paft"][chosen]
            test = paired_test(after, before, links)
            interval = f"[{100 * test.interval.low:+.1f}, {100 * test.interval.high:+.1f}]"
            shares = (f"{100 * values.mean():.1f}" for values in (before, after))
            rows.append([f"{kind}, {part}", str(len(before)), *shares, f"{100 * test.difference:+.1f} {interval}"])
    header = ["triplets", "number", "Cascade, %", "after PAFT, %", "difference, points"]
    print("\nSimulated listeners, held-out tracks\n")
    print_table(header, rows)


def _agrees(
    triplets: Sequence[Triplet], cuts: Mapping[str, ClipCut], clips: ClipAudio, parts: Sequence[str], embed: Embed
) -> NDArray[np.bool_]:
    """(N,) in which triplets the vectors prefer what the listeners prefer. cuts: of the clips, by name."""
    vectors: dict[tuple[ClipCut, str], Matrix] = {}
    right = []
    for triplet in triplets:
        own = []
        for name in (triplet.reference, triplet.a, triplet.b):
            key = cuts[name], triplet.part
            if key not in vectors:
                vectors[key] = embed(clips.mixture(name), triplet.part)[parts.index(triplet.part)]
            own.append(vectors[key])
        reference, a, b = own
        right.append(np.sign(_euclidean(reference, b) - _euclidean(reference, a)) == triplet.label())
    return np.array(right)


if __name__ == "__main__":
    main()
