"""Retrieval tasks for encoders, their figures, and bootstrap intervals of these: what `encoder_evaluation` and `encoder_fusion`
measure by.

A task has queries. For each query some clips are relevant, some are not, and some are excluded (the query itself, its
neighbours in time). R@1: share of queries whose nearest clip is relevant. mAP: mean average precision. Triplets:
probability that a relevant clip is nearer than another one (ABX), 0.5 by chance. Intervals: 95 % bootstrap over the
classes of the queries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import encoder_sounds as sounds

Matrix = NDArray[np.float64]
Flags = NDArray[np.bool_]
Embed = Callable[[str], Matrix]  # name of a collection -> unit rows
Collections = Mapping[str, sounds.Collection]
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
