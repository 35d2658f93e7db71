"""Evaluate both versions of the built-in encoder against simple baselines, on many retrieval tasks.

    python -m benchmarks.encoder_evaluation [--midi FOLDER] [--no-ablation]

Real sounds come from SOUNDALIKE_TEST_DATA. With `--midi FOLDER` (rendered by `benchmarks.render_midi_sounds` from
TimGM6mb.sf2) the larger part of the evaluation runs as well. Version 2's constants are fitted to other SoundFonts, but
version 1's to these very renders. So version 1 has a second column, "unseen": each half of the instruments is queried with
constants that were fitted to the other half. Real sounds are unseen in any case.

A task has queries. For each query some clips are relevant, some are not, and some are excluded (the query itself, its
neighbours in time). R@1: share of queries whose nearest clip is relevant. mAP: mean average precision. Triplets:
probability that a relevant clip is nearer than another one (ABX), 0.5 by chance. Intervals: 95 % bootstrap over the
classes of the queries. The script exits with code 1 if version 2 is worse than version 1, unseen, in a family of tasks by
more than the interval of their difference. The ablation is one of version 2's signal features, without the network.

Baselines: mean and standard deviation of 20 MFCCs; mean log mel spectrum of 128 bands; mean chroma (librosa's defaults,
standardised over all clips of the evaluation, cosine).
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import librosa
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from benchmarks import encoder_sounds as sounds
from benchmarks.encoder_fit import GROUPS, Features, extract_features, fit_constants, midi_collections
from benchmarks.shared.audio_data import audio_folder
from benchmarks.shared.builtin_versions import BothVersions, Version, as_version
from benchmarks.shared.markdown import print_table
from soundalike.models.encoders import Encoder
from soundalike.models.encoders.builtin import signal_encoder
from soundalike.models.encoders.builtin.builtin_encoder import CONSTANTS, WEIGHTS, BuiltinEncoder
from soundalike.models.encoders.builtin.builtin_features import BLOCKS

Matrix = NDArray[np.float64]
Flags = NDArray[np.bool_]
Embed = Callable[[str], Matrix]  # name of a collection -> unit rows
Collections = Mapping[str, sounds.Collection]
Constants = tuple[Matrix, Matrix]  # mean, whitening
PARTS = ("bass", "drums", "guitar", "piano", "residuals")


@dataclass(frozen=True)
class Task:
    """Queries are the clips of `collection`; candidates are the same clips, or those of `against`.

    `relevant` and `excluded` are (queries, candidates); `classes` is (queries,).
    """

    title: str
    family: str
    collection: str
    relevant: Flags
    excluded: Flags
    classes: NDArray[Any]
    against: str = ""


@dataclass(frozen=True)
class Result:
    """Figures of a task, one value per query."""

    first: Matrix
    precision: Matrix
    triplets: Matrix
    classes: NDArray[Any]


def equal_pairs(labels: NDArray[Any]) -> Flags:
    """(N, N): which pairs have the same label."""
    return np.asarray(labels[:, None] == labels[None, :])


def sample_task(collections: Collections) -> Task:
    kinds = collections["samples"].labels["kind"]
    same = equal_pairs(kinds) & (kinds != "")[None, :] & (kinds != "")[:, None]
    excluded = np.eye(len(kinds), dtype=bool) | (kinds == "")[None, :]
    return Task("class of a sample", "samples", "samples", same, excluded, kinds)


def real_tasks(collections: Collections) -> list[Task]:
    tasks = [sample_task(collections)]
    kinds = collections["samples"].labels["kind"]
    one_shots = collections["one-shot loops"].labels["same"]
    repeated = one_shots[:, None] == np.arange(len(kinds))[None, :]
    unused = ~np.isin(np.arange(len(kinds)), one_shots)[None, :].repeat(len(one_shots), axis=0)
    tasks.append(
        Task("one-shot that a loop repeats", "samples", "one-shot loops", repeated, unused, one_shots, "samples")
    )
    windows = {"songs10": ("song, 10 s windows", 20), "songs5": ("song, 5 s windows", 10)}
    stems = {f"stem {part}": (f"song of a stem: {part}", 10) for part in ("drums", "other", "vocals", "mixture")}
    for name, (title, gap) in (windows | stems).items():
        labels = collections[name].labels
        near = np.abs(labels["start"][:, None] - labels["start"][None, :]) < gap - 0.5
        same = equal_pairs(labels["same"])
        family = "songs" if name in windows else "stems"
        tasks.append(Task(title, family, name, same, same & near, labels["same"]))
    return tasks


def tone_tasks(collections: Collections) -> list[Task]:
    """Single notes and hits."""
    labels = collections["tones"].labels
    program, key = labels["program"], labels["key"]
    same, at_pitch, family = equal_pairs(program), equal_pairs(key), equal_pairs(program // 8)
    tasks = [
        Task("instrument at another pitch", "tones", "tones", same, same & at_pitch, program),
        Task("other of the family, same pitch", "tones", "tones", family, same | ~at_pitch, program // 8),
    ]
    kits = collections["kits"].labels
    same, excluded = equal_pairs(kits["kind"]), equal_pairs(kits["kit"])
    tasks.append(Task("drum piece, other kit", "tones", "kits", same, excluded, kits["kind"]))
    return tasks


def midi_tasks(collections: Collections) -> list[Task]:
    tasks = tone_tasks(collections)
    for part in (*PARTS, "mix"):
        track = collections[f"phrases_{part}"].labels["track"]
        itself = np.eye(len(track), dtype=bool)
        name, title = f"phrases_{part}", f"track of a phrase: {part}"
        tasks.append(Task(title, "tracks", name, equal_pairs(track), itself, track))
    for part in PARTS:
        labels = collections[f"phrases_{part}"].labels
        same, excluded = equal_pairs(labels["program"]), equal_pairs(labels["track"])
        title = f"instrument of a phrase: {part}"
        tasks.append(Task(title, "instruments", f"phrases_{part}", same, excluded, labels["program"]))
    return tasks


def similarities(task: Task, embed: Embed) -> Matrix:
    """(queries, candidates) cosines."""
    rows = embed(task.collection)
    return np.asarray(rows @ (embed(task.against) if task.against else rows).T)


def evaluate(task: Task, embed: Embed) -> Result:
    """Figures of a task."""
    return ranked(task, similarities(task, embed))


def ranked(task: Task, similarity: Matrix) -> Result:
    """Figures of a task from similarities (queries, candidates)."""
    first, precision, triplets, classes = [], [], [], []
    for index, row in enumerate(similarity):
        kept = np.flatnonzero(~task.excluded[index])
        order = kept[np.argsort(-row[kept], kind="stable")]
        ranks = np.flatnonzero(task.relevant[index][order])
        others = len(order) - len(ranks)
        if len(ranks) == 0 or others == 0:
            continue
        first.append(float(ranks[0] == 0))
        precision.append(float(np.mean((np.arange(len(ranks)) + 1) / (ranks + 1))))
        triplets.append(1 - float(np.mean(ranks - np.arange(len(ranks)))) / others)
        classes.append(task.classes[index])
    return Result(np.array(first), np.array(precision), np.array(triplets), np.array(classes))


def bootstrap_means(values: Matrix, classes: NDArray[Any], draws: int = 500) -> Matrix:
    """(draws,) means of `values`; whole classes are drawn with replacement."""
    _, index = np.unique(classes, return_inverse=True)
    sums, counts = np.bincount(index, values), np.bincount(index)
    drawn = np.random.default_rng(0).integers(0, len(sums), (draws, len(sums)))
    return np.asarray(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1))


def interval(means: Matrix) -> tuple[float, float]:
    """95 % interval of bootstrapped means."""
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


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
