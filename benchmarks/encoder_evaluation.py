"""The study of the embedded encoder, as Markdown tables: python benchmarks/encoder.py [--midi FOLDER] [--no-ablation]

Real sounds come from SOUNDALIKE_TEST_DATA; with `--midi FOLDER` (rendered by `midi_sounds.py`) the larger part of the
study runs too. The encoder's constants come from those renders, so for tasks on them there is a column "unseen": each
half of the instruments is asked for with constants made from the other half. Real sounds are unseen in any case.

A task has queries, and for each the clips that are the same (relevant), those that count as others, and those left out
(itself, its neighbours in time). R@1: share of queries whose nearest clip is relevant. mAP: mean average precision.
Triplets: probability that a relevant clip is nearer than another one, 0.5 by chance; that is ABX. Intervals: 95 %
bootstrap over the classes that the queries belong to.

The baselines are what one would try first: mean and deviation of 20 MFCCs, mean log mel spectrum of 128 bands, mean
chroma (librosa's defaults, standardised over all clips of the study, cosine).
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import encoder_sounds as sounds
from benchmarks.encoder_fit import GROUPS, Features, constants, extract, material
from soundalike.models.encoders.builtin.builtin_encoder import CONSTANTS, WEIGHTS, BuiltinEncoder
from soundalike.models.encoders.builtin.builtin_features import BLOCKS

Matrix = NDArray[np.float64]
Flags = NDArray[np.bool_]
Embed = Callable[[str], Matrix]  # name of a collection -> unit rows
PARTS = ("bass", "drums", "guitar", "piano", "residuals")


@dataclass(frozen=True)
class Task:
    """Queries are the clips of `collection`, candidates too or those of `against`; flags are (queries, candidates)."""

    title: str
    family: str
    collection: str
    relevant: Flags
    excluded: Flags
    classes: NDArray[Any]
    against: str = ""


@dataclass(frozen=True)
class Result:
    """Figures of a task, one of each a query."""

    first: Matrix
    precision: Matrix
    triplets: Matrix
    classes: NDArray[Any]


def alike(labels: NDArray[Any]) -> Flags:
    return np.asarray(labels[:, None] == labels[None, :])


def real_tasks(found: Mapping[str, sounds.Collection]) -> list[Task]:
    tasks = []
    kinds = found["samples"].labels["kind"]
    same = alike(kinds) & (kinds != "")[None, :] & (kinds != "")[:, None]
    left_out = np.eye(len(kinds), dtype=bool) | (kinds == "")[None, :]
    tasks.append(Task("class of a sample", "samples", "samples", same, left_out, kinds))
    hits = found["hit loops"].labels["same"]
    one = hits[:, None] == np.arange(len(kinds))[None, :]
    other = ~np.isin(np.arange(len(kinds)), hits)[None, :].repeat(len(hits), axis=0)
    tasks.append(Task("the hit that a loop repeats", "samples", "hit loops", one, other, hits, "samples"))
    windows = {"songs10": ("song, 10 s windows", 20), "songs5": ("song, 5 s windows", 10)}
    stems = {f"stem {part}": (f"song of a stem: {part}", 10) for part in ("drums", "other", "vocals", "mixture")}
    for name, (title, gap) in (windows | stems).items():
        labels = found[name].labels
        near = np.abs(labels["start"][:, None] - labels["start"][None, :]) < gap - 0.5
        same = alike(labels["same"])
        family = "songs" if name in windows else "stems"
        tasks.append(Task(title, family, name, same, same & near, labels["same"]))
    return tasks


def midi_tasks(found: Mapping[str, sounds.Collection]) -> list[Task]:
    labels = found["tones"].labels
    program, key = labels["program"], labels["key"]
    same, at_pitch, family = alike(program), alike(key), alike(program // 8)
    tasks = [
        Task("instrument at another pitch", "tones", "tones", same, same & at_pitch, program),
        Task("other of the family, same pitch", "tones", "tones", family, same | ~at_pitch, program // 8),
    ]
    kits = found["kits"].labels
    tasks.append(Task("drum piece, other kit", "tones", "kits", alike(kits["kind"]), alike(kits["kit"]), kits["kind"]))
    for part in (*PARTS, "mix"):
        labels = found[f"phrases_{part}"].labels
        track, itself = alike(labels["track"]), np.eye(len(labels["track"]), dtype=bool)
        name, title = f"phrases_{part}", f"track of a phrase: {part}"
        tasks.append(Task(title, "tracks", name, track, itself, labels["track"]))
    for part in PARTS:
        labels = found[f"phrases_{part}"].labels
        program, track = alike(labels["program"]), alike(labels["track"])
        title = f"instrument of a phrase: {part}"
        tasks.append(Task(title, "instruments", f"phrases_{part}", program, track, labels["program"]))
    return tasks


def judge(task: Task, embed: Embed, queries: Flags | None = None) -> Result:
    """Figures of a task; with `queries` (one flag a query), of those only."""
    rows = embed(task.collection)
    columns = embed(task.against) if task.against else rows
    first, precision, triplets, classes = [], [], [], []
    for index, similarity in enumerate(rows @ columns.T):
        if queries is not None and not queries[index]:
            continue
        kept = np.flatnonzero(~task.excluded[index])
        order = kept[np.argsort(-similarity[kept], kind="stable")]
        at = np.flatnonzero(task.relevant[index][order])
        others = len(order) - len(at)
        if len(at) == 0 or others == 0:
            continue
        first.append(float(at[0] == 0))
        precision.append(float(np.mean((np.arange(len(at)) + 1) / (at + 1))))
        triplets.append(1 - float(np.mean(at - np.arange(len(at)))) / others)
        classes.append(task.classes[index])
    return Result(np.array(first), np.array(precision), np.array(triplets), np.array(classes))


def interval(values: Matrix, classes: NDArray[Any], draws: int = 500) -> tuple[float, float]:
    """95 % interval of the mean of `values`, whole classes drawn with replacement."""
    _, index = np.unique(classes, return_inverse=True)
    sums, counts = np.bincount(index, values), np.bincount(index)
    drawn = np.random.default_rng(0).integers(0, len(sums), (draws, len(sums)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def unit(rows: Matrix) -> Matrix:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9))


def composed(found: Features, mean: Matrix, whitening: Matrix, weights: Mapping[str, float]) -> Matrix:
    """What the encoder does to raw features, for many rows and any weights."""
    whitened = (found.values - mean) @ whitening
    parts, first = [], 0
    for block, size in BLOCKS.items():
        part = unit(whitened[:, first : first + size])
        parts.append(part * np.sqrt(weights.get(block, 0.0)) * found.present.get(block, np.ones(len(part)))[:, None])
        first += size
    return unit(np.concatenate(parts, axis=1))


def baselines(found: Mapping[str, sounds.Collection]) -> dict[str, Embed]:
    import warnings

    import librosa

    warnings.filterwarnings("ignore", category=UserWarning)  # "n_fft is too large" of the shortest samples
    raw: dict[str, dict[str, Matrix]] = {"MFCC": {}, "mel": {}, "chroma": {}}
    for name, collection in found.items():
        rows: dict[str, list[Any]] = {kind: [] for kind in raw}
        for clip in collection.clips:
            mel = librosa.power_to_db(librosa.feature.melspectrogram(y=clip, sr=sounds.RATE))
            mfcc = librosa.feature.mfcc(S=mel, n_mfcc=20)
            chroma = librosa.feature.chroma_stft(y=clip, sr=sounds.RATE, n_fft=4096, tuning=0.0)
            rows["MFCC"].append(np.concatenate([mfcc.mean(axis=1), mfcc.std(axis=1)]))
            rows["mel"].append(mel.mean(axis=1))
            rows["chroma"].append(chroma.mean(axis=1))
        for kind in raw:
            raw[kind][name] = np.array(rows[kind])

    def standardised(kind: str) -> Embed:
        everything = np.concatenate(list(raw[kind].values()))
        mean, scale = everything.mean(axis=0), everything.std(axis=0) + 1e-9
        rows = {name: unit((values - mean) / scale) for name, values in raw[kind].items()}
        return lambda name: rows[name]

    return {kind: standardised(kind) for kind in raw}


def cell(result: Result) -> str:
    low, high = interval(result.precision, result.classes)
    figures = f"{result.first.mean():.2f} / **{result.precision.mean():.3f}** / {result.triplets.mean():.3f}"
    return f"{figures} ({low:.2f}-{high:.2f})"


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print(flush=True)


def families(results: Mapping[str, Result], tasks: Sequence[Task]) -> list[float]:
    """Mean mAP of each family of tasks, then the mean of those."""
    names = list(dict.fromkeys(task.family for task in tasks))
    means = [
        float(np.mean([results[task.title].precision.mean() for task in tasks if task.family == name]))
        for name in names
    ]
    return [*means, float(np.mean(means))]


def print_ablation(
    tasks: Sequence[Task],
    run: Callable[[Mapping[str, float]], dict[str, Result]],
    scaled: dict[str, Result] | None,
) -> None:
    names = list(dict.fromkeys(task.family for task in tasks))
    rows = [["all blocks", *(f"{100 * value:.1f}" for value in families(run(WEIGHTS), tasks))]]
    if scaled is not None:
        rows.append(["scaled, not whitened", *(f"{100 * value:.1f}" for value in families(scaled, tasks))])
    for title, change in (
        ("without", lambda block: {**WEIGHTS, block: 0.0}),
        ("only", lambda block: {block: 1.0}),
        ("twice", lambda block: {**WEIGHTS, block: 2 * WEIGHTS[block]}),
    ):
        for block in BLOCKS:
            figures = families(run(change(block)), tasks)
            rows.append([f"{title} {block}", *(f"{100 * value:.1f}" for value in figures)])
    print_table(["mAP, %", *names, "mean"], rows)


def print_robustness(plain: sounds.Collection, encoder: BuiltinEncoder) -> None:
    song = plain.labels["song"]
    clean = encoder.embed(plain.clips)
    rows = []
    for title, alter in sounds.ALTERATIONS.items():
        similarity = encoder.embed([alter(clip) for clip in plain.clips]) @ clean.T
        row = [title]
        for kind in (song, ~song):
            among = similarity[np.ix_(kind, kind)]
            others = (clean @ clean.T)[np.ix_(kind, kind)][~np.eye(kind.sum(), dtype=bool)]
            found = float(np.mean(among.argmax(axis=1) == np.arange(len(among))))
            own = float(np.diag(among).mean())
            row.append(f"{found:.2f} / {own:.3f} / {(own - others.mean()) / others.std():.1f}")
        rows.append(row)
    print_table(
        ["altered by", "song windows: itself first / cosine / deviations above others", "samples: the same"], rows
    )


def print_dimensions(encoder: BuiltinEncoder) -> None:
    steps: dict[str, list[Matrix]] = {}
    for name, row in sounds.tone_rows():
        vectors = encoder.embed(row).astype(np.float64)
        steps.setdefault(name, []).append(1 - vectors @ vectors.T)
    rows = []
    for name, distances in steps.items():
        triples = [(a, b, c) for a in range(5) for b in range(5) for c in range(5) if a < b < c or a > b > c]
        ordered = np.mean([[found[a, c] > found[a, b] for a, b, c in triples] for found in distances])
        mean = np.mean(distances, axis=0)
        rows.append([name, " ".join(f"{mean[k, k + 1]:.3f}" for k in range(4)), f"{mean[0, 4]:.2f}", f"{ordered:.2f}"])
    print_table(["dimension", "distance (1 - cosine) of each step", "end to end", "order kept"], rows)


def print_speed(encoder: BuiltinEncoder, found: Mapping[str, sounds.Collection]) -> None:
    clips = found["songs10"].clips[:10]
    shots = [clip[: sounds.RATE // 2] for clip in found["samples"].clips[:50]]
    rows = []
    for title, batch in (("10 s windows", clips), ("0.5 s hits", shots)):
        best = float("inf")
        for _ in range(5):
            began = time.perf_counter()
            encoder.embed(batch)
            best = min(best, time.perf_counter() - began)
        audio = sum(map(len, batch)) / sounds.RATE
        rows.append([title, f"{1e3 * best / audio:.2f}", f"{1e3 * best / len(batch):.2f}"])
    print_table(["embedding, one core, one thread", "ms an audio second", "ms a waveform"], rows)


def collect(data: Path, midi_folder: Path | None) -> dict[str, sounds.Collection]:
    found = material(midi_folder) if midi_folder else {}
    found["samples"] = sounds.samples(data)
    found["hit loops"] = sounds.hit_loops(found["samples"])
    found["songs10"], found["songs5"] = sounds.songs(data, 10), sounds.songs(data, 5)
    for part in ("drums", "other", "vocals", "mixture"):
        found[f"stem {part}"] = sounds.stems(data, part)
    return found


def half(
    found: Mapping[str, sounds.Collection], raw: Mapping[str, Features], left_out: int | None
) -> dict[str, tuple[Features, NDArray[Any]]]:
    """What constants are made from, without the instruments of one fold (None: with all)."""
    kept = {}
    for name in (name for group in GROUPS.values() for name in group):
        labels = found[name].labels
        rows = labels["fold"] != left_out
        present = {block: values[rows] for block, values in raw[name].present.items()}
        kept[name] = Features(raw[name].values[rows], present), labels["same"][rows]
    return kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--midi", type=Path, help="folder rendered by midi_sounds.py")
    parser.add_argument("--no-ablation", action="store_true")
    options = parser.parse_args()
    if "SOUNDALIKE_TEST_DATA" not in os.environ:
        sys.exit("set SOUNDALIKE_TEST_DATA to the folder of test data")
    encoder = BuiltinEncoder()
    found = collect(Path(os.environ["SOUNDALIKE_TEST_DATA"]), options.midi)
    tasks = real_tasks(found) + (midi_tasks(found) if options.midi else [])
    raw = {name: extract(collection.clips) for name, collection in found.items()}
    with np.load(CONSTANTS) as stored:
        shipped = stored["mean"].astype(np.float64), stored["whitening"].astype(np.float64)
    halves = [constants(half(found, raw, fold), []) for fold in ((0, 1) if options.midi else ())]
    scaled = [constants(half(found, raw, fold), [], shrinkage=1.0) for fold in ((0, 1, None) if options.midi else ())]

    def run(weights: Mapping[str, float], unseen: bool = True, whitened: bool = True) -> dict[str, Result]:
        results = {}
        for task in tasks:
            folds = found[task.collection].labels.get("fold")
            whole, parts = (shipped, halves) if whitened else (scaled[2], scaled[:2])
            if folds is None or not unseen:
                results[task.title] = judge(task, lambda name, made=whole: composed(raw[name], *made, weights))
                continue
            found_parts = [
                judge(task, lambda name, made=made: composed(raw[name], *made, weights), folds == fold)
                for fold, made in enumerate(parts)
            ]
            results[task.title] = Result(
                *(
                    np.concatenate([getattr(part, field) for part in found_parts])
                    for field in Result.__dataclass_fields__
                )
            )
        return results

    columns = {"builtin": run(WEIGHTS, unseen=False)}
    if options.midi:
        columns["builtin, unseen"] = run(WEIGHTS)
    for name, embed in baselines(found).items():
        columns[name] = {task.title: judge(task, embed) for task in tasks}
    print("R@1 / **mAP** / triplets (interval of mAP)\n")
    rows = [[task.title, *(cell(results[task.title]) for results in columns.values())] for task in tasks]
    means = [f"**{families(results, tasks)[-1]:.3f}**" for results in columns.values()]
    print_table(["task", *columns], [*rows, ["mean mAP of the families of tasks", *means]])
    if not options.no_ablation:
        plain = run(WEIGHTS, whitened=False) if options.midi else None
        print_ablation(tasks, run, plain)
    print_robustness(sounds.to_alter(found["songs10"], found["samples"]), encoder)
    print_dimensions(encoder)
    print_speed(encoder, found)


if __name__ == "__main__":
    main()
