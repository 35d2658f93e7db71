"""Evaluate both versions of the built-in encoder against simple baselines, on many retrieval tasks.

    python -m benchmarks.encoder_evaluation [--midi FOLDER] [--no-ablation]

Real sounds come from SOUNDALIKE_TEST_DATA. With `--midi FOLDER` (rendered by `benchmarks.render_midi_sounds` from
TimGM6mb.sf2) the larger part of the evaluation runs as well. Version 2's constants are fitted to other SoundFonts, but
version 1's to these very renders. So version 1 has a second column, "unseen": each half of the instruments is queried with
constants that were fitted to the other half. No constants were fitted to real sounds; version 2's network, 3 % of the
cosine, was trained on the samples and on two of the multitracks.

The tasks and figures are those of `encoder_tasks`. The script exits with code 1 if version 2 is worse than version 1,
unseen, in a family of tasks by more than the interval of their difference. The ablation is one of version 2's signal
features, without the network.

Baselines: mean and standard deviation of 20 MFCCs; mean log mel spectrum of 128 bands; mean chroma (librosa's defaults,
standardised over all clips of the evaluation, cosine).
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import librosa
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from benchmarks import encoder_sounds as sounds
from benchmarks.encoder_fit import GROUPS, Features, extract_features, fit_constants, midi_collections
from benchmarks.encoder_tasks import (
    Collections,
    Embed,
    Matrix,
    Result,
    Task,
    bootstrap_means,
    evaluate,
    interval,
    midi_tasks,
    ranked,
    real_tasks,
    similarities,
)
from benchmarks.shared.audio_data import audio_folder
from benchmarks.shared.builtin_versions import BothVersions, Version, as_version
from benchmarks.shared.markdown import print_table
from soundalike.models.encoders import Encoder
from soundalike.models.encoders.builtin import signal_encoder
from soundalike.models.encoders.builtin.builtin_encoder import CONSTANTS, WEIGHTS, BuiltinEncoder
from soundalike.models.encoders.builtin.builtin_features import BLOCKS

Constants = tuple[Matrix, Matrix]  # mean, whitening


def unit(rows: Matrix) -> Matrix:
    """Rows at unit length; zeros stay zeros."""
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9))


def raw_features(clips: Sequence[sounds.Clip]) -> Features:
    """Raw features of clips; of silent ones no block is present."""
    found = extract_features(clips)
    audible = np.array([float(clip.any()) for clip in clips])
    return replace(found, present={block: found.present.get(block, 1.0) * audible for block in BLOCKS})


def compose(features: Features, constants: Constants, weights: Mapping[str, float]) -> Matrix:
    """Vectors (N, D) from raw features as the encoder computes them, with any weights of the blocks."""
    mean, whitening = constants
    whitened = (features.values - mean) @ whitening
    blocks, first = [], 0
    for name, size in BLOCKS.items():
        block = unit(whitened[:, first : first + size])
        blocks.append(block * np.sqrt(weights.get(name, 0.0)) * features.present[name][:, None])
        first += size
    return unit(np.concatenate(blocks, axis=1))


def baselines(collections: Collections) -> dict[str, Embed]:
    """MFCC, mel and chroma of every collection, standardised over all clips."""
    raw: dict[str, dict[str, Matrix]] = {"MFCC": {}, "mel": {}, "chroma": {}}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning)  # "n_fft is too large" for the shortest samples
        for name, collection in collections.items():
            features = [_baseline_features(clip) for clip in collection.clips]
            for kind in raw:
                raw[kind][name] = np.array([clip[kind] for clip in features])

    def standardised(kind: str) -> Embed:
        everything = np.concatenate(list(raw[kind].values()))
        mean, scale = everything.mean(axis=0), everything.std(axis=0) + 1e-9
        rows = {name: unit((values - mean) / scale) for name, values in raw[kind].items()}
        return lambda name: rows[name]

    return {kind: standardised(kind) for kind in raw}


def _baseline_features(clip: sounds.Clip) -> dict[str, Any]:
    mel = librosa.power_to_db(librosa.feature.melspectrogram(y=clip, sr=sounds.RATE))
    mfcc = librosa.feature.mfcc(S=mel, n_mfcc=20)
    chroma = librosa.feature.chroma_stft(y=clip, sr=sounds.RATE, n_fft=4096, tuning=0.0)
    return {
        "MFCC": np.concatenate([mfcc.mean(axis=1), mfcc.std(axis=1)]),
        "mel": mel.mean(axis=1),
        "chroma": chroma.mean(axis=1),
    }


def unseen_results(tasks: Sequence[Task], collections: Collections, shipped: Embed) -> dict[str, Result]:
    """Results of version 1 by task: instruments are queried with constants fitted to the other half of them, sounds of no
    instrument with the shipped ones."""
    names = [name for group in GROUPS.values() for name in group]
    features = {name: raw_features(clips.clips) for name, clips in collections.items() if "fold" in clips.labels}

    def half(fold: int) -> Embed:
        others = {name: _without_fold(fold, collections[name].labels, features[name]) for name in names}
        constants = fit_constants(others, [])
        rows = {name: compose(values, constants, signal_encoder.WEIGHTS) for name, values in features.items()}
        return rows.__getitem__

    halves = [half(fold) for fold in (0, 1)]

    def result(task: Task) -> Result:
        folds = collections[task.collection].labels.get("fold")
        if folds is None:
            return evaluate(task, shipped)
        first, second = (similarities(task, embed) for embed in halves)
        return ranked(task, np.where((folds == 0)[:, None], first, second))

    return {task.title: result(task) for task in tasks}


def _without_fold(fold: int, labels: Mapping[str, NDArray[Any]], features: Features) -> tuple[Features, NDArray[Any]]:
    """Features and classes of a collection without the instruments of one fold."""
    rows = labels["fold"] != fold
    present = {block: values[rows] for block, values in features.present.items()}
    return Features(features.values[rows], present), labels["same"][rows]


def family_means(results: Mapping[str, Result], tasks: Sequence[Task]) -> list[float]:
    """Mean mAP of each family of tasks, then the mean of those."""
    families = dict.fromkeys(task.family for task in tasks)
    means = [
        float(np.mean([results[task.title].precision.mean() for task in tasks if task.family == family]))
        for family in families
    ]
    return [*means, float(np.mean(means))]


def print_tasks(columns: Mapping[str, Mapping[str, Result]], tasks: Sequence[Task]) -> None:
    """R@1, mAP, triplets and the interval of the mAP: a row per task, a column per encoder."""
    print("R@1 / **mAP** / triplets (interval of mAP)\n")
    rows = [[task.title, *(cell(results[task.title]) for results in columns.values())] for task in tasks]
    means = [f"**{family_means(results, tasks)[-1]:.3f}**" for results in columns.values()]
    print_table(["task", *columns], [*rows, ["mean mAP of the families of tasks", *means]])


def cell(result: Result) -> str:
    low, high = interval(bootstrap_means(result.precision, result.classes))
    figures = f"{result.first.mean():.2f} / **{result.precision.mean():.3f}** / {result.triplets.mean():.3f}"
    return f"{figures} ({low:.2f}-{high:.2f})"


def print_families(
    new: Mapping[str, Result], old: Mapping[str, Result], tasks: Sequence[Task], title: str
) -> list[str]:
    """A row per family of tasks: mAP of version 2 and of what has the title, and their difference on the same queries. Returns
    the families of which version 2 is worse by more than the interval."""
    worse, rows = [], []
    for family in dict.fromkeys(task.family for task in tasks):
        titles = [task.title for task in tasks if task.family == family]
        before, after = (np.mean([results[title].precision.mean() for title in titles]) for results in (old, new))
        drawn = [bootstrap_means(new[title].precision - old[title].precision, new[title].classes) for title in titles]
        low, high = interval(np.mean(drawn, axis=0))
        rows.append([family, f"{before:.3f}", f"{after:.3f}", f"{after - before:+.3f} ({low:+.3f} to {high:+.3f})"])
        if high < 0:
            worse.append(family)
    print_table(["family, mAP", title, "version 2", "difference"], rows)
    return worse


def print_ablation(tasks: Sequence[Task], collections: Collections) -> None:
    """Mean mAP of each family of tasks by version 2's signal features: without a block, with only it, with twice its weight."""
    features = {name: raw_features(collection.clips) for name, collection in collections.items()}
    with np.load(CONSTANTS) as stored:
        constants = stored["mean"].astype(np.float64), stored["whitening"].astype(np.float64)

    def row(title: str, weights: Mapping[str, float]) -> list[str]:
        rows = {name: compose(values, constants, weights) for name, values in features.items()}
        results = {task.title: evaluate(task, rows.__getitem__) for task in tasks}
        return [title, *(f"{100 * value:.1f}" for value in family_means(results, tasks))]

    rows = [row("all blocks", WEIGHTS)]
    for title, change in (
        ("without", lambda block: {**WEIGHTS, block: 0.0}),
        ("only", lambda block: {block: 1.0}),
        ("twice", lambda block: {**WEIGHTS, block: 2 * WEIGHTS[block]}),
    ):
        rows += [row(f"{title} {block}", change(block)) for block in BLOCKS]
    print_table(["mAP, %", *dict.fromkeys(task.family for task in tasks), "mean"], rows)


def print_robustness(clips: sounds.Collection, encoder: Encoder) -> None:
    """How well an altered clip retrieves its original."""
    song = clips.labels["song"]
    clean = encoder.embed(clips.clips)
    rows = []
    for title, alter in sounds.ALTERATIONS.items():
        similarity = encoder.embed([alter(clip) for clip in clips.clips]) @ clean.T
        row = [title]
        for kind in (song, ~song):
            altered = similarity[np.ix_(kind, kind)]
            others = (clean @ clean.T)[np.ix_(kind, kind)][~np.eye(kind.sum(), dtype=bool)]
            first = float(np.mean(altered.argmax(axis=1) == np.arange(len(altered))))
            own = float(np.diag(altered).mean())
            row.append(f"{first:.2f} / {own:.3f} / {(own - others.mean()) / others.std():.1f}")
        rows.append(row)
    header = ["alteration", "song windows: itself first / cosine / deviations above others", "samples: the same"]
    print_table(header, rows)


def print_dimensions(encoder: Encoder) -> None:
    """Distances along dimensions of timbre, and the share of triples that are ordered correctly."""
    distances: dict[str, list[Matrix]] = {}
    for name, tones in sounds.tone_rows():
        vectors = encoder.embed(tones).astype(np.float64)
        distances.setdefault(name, []).append(1 - vectors @ vectors.T)
    triples = [(a, b, c) for a in range(5) for b in range(5) for c in range(5) if a < b < c or a > b > c]
    rows = []
    for name, matrices in distances.items():
        ordered = np.mean([[matrix[a, c] > matrix[a, b] for a, b, c in triples] for matrix in matrices])
        mean = np.mean(matrices, axis=0)
        steps = " ".join(f"{mean[k, k + 1]:.3f}" for k in range(4))
        rows.append([name, steps, f"{mean[0, 4]:.2f}", f"{ordered:.2f}"])
    print_table(["dimension", "distance (1 - cosine) of each step", "end to end", "order kept"], rows)


def load_collections(folder: Path, midi_folder: Path | None) -> dict[str, sounds.Collection]:
    """All sounds by name of their collection."""
    collections = midi_collections(midi_folder) if midi_folder else {}
    collections["samples"] = sounds.samples(folder)
    collections["one-shot loops"] = sounds.one_shot_loops(collections["samples"])
    collections["songs10"], collections["songs5"] = sounds.songs(folder, 10), sounds.songs(folder, 5)
    for part in ("drums", "other", "vocals", "mixture"):
        collections[f"stem {part}"] = sounds.stems(folder, part)
    return collections


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--midi", type=Path, help="folder rendered by benchmarks.render_midi_sounds")
    parser.add_argument("--no-ablation", action="store_true")
    options = parser.parse_args()
    with threadpool_limits(1):
        collections = load_collections(audio_folder(), options.midi)
        tasks = real_tasks(collections) + (midi_tasks(collections) if options.midi else [])
        both = BothVersions()
        rows = {name: both.embed(collection.clips) for name, collection in collections.items()}

        def shipped(version: Version) -> Embed:
            return lambda name: as_version(rows[name], version).astype(np.float64)

        def results(embed: Embed) -> dict[str, Result]:
            return {task.title: evaluate(task, embed) for task in tasks}

        columns = {"version 2": results(shipped("2")), "version 1": results(shipped("1"))}
        if options.midi:
            columns["version 1, unseen"] = unseen_results(tasks, collections, shipped("1"))
        older = list(columns)[1:]
        columns |= {name: results(embed) for name, embed in baselines(collections).items()}
        print_tasks(columns, tasks)
        for title in older:
            worse = print_families(columns["version 2"], columns[title], tasks, title)
        if not options.no_ablation:
            print_ablation(tasks, collections)
        for encoder in (BuiltinEncoder(), signal_encoder.SignalEncoder()):
            print(f"\nVersion {encoder.version}\n")
            print_robustness(sounds.to_alter(collections["songs10"], collections["samples"]), encoder)
            print_dimensions(encoder)
    if worse:
        raise SystemExit(f"version 2 is worse than {older[-1]} by more than the interval: {', '.join(worse)}")


if __name__ == "__main__":
    main()
