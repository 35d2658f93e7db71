"""Active tests: after each block of trials the next one is chosen from what the answers so far leave uncertain.

A quarter of each block (`ActiveGoal.random_share`) is drawn at random, because agreement on held-out answers can only be measured
on triplets that were not chosen for what the weights say about them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock

from soundalike.errors import InputError
from soundalike.listening.answer_record import AnswerRecord
from soundalike.listening.answered_triplets import answered_test, judged_triplet
from soundalike.listening.design import ActiveGoal, Design, DesignTriplet, Excerpt, read_design, write_design
from soundalike.listening.excerpt_vectors import ExcerptVectors, read_vectors
from soundalike.listening.triplet_drawing import DrawOptions, draw_triplets
from soundalike.preferences.active_design import Belief, Contrast, StillNeeded, choose_triplets, still_needed
from soundalike.preferences.hierarchical import HierarchicalFit, fit_hierarchical
from soundalike.preferences.ordinal_observations import observations_of
from soundalike.preferences.triplets import Kind

FIRST_BLOCK = 20
"""Random triplets before any is chosen."""
BLOCK = 12
CANDIDATES = 3_000
"""Triplets at random among which the next ones are chosen."""
BLOCK_CAP = 3
"""Times that a song may be used by the chosen triplets of one block: listeners tire of a song."""


@dataclass(frozen=True)
class ActiveProgress:
    """How far an active test is.

    answers: that count; low, high: 95 % interval of the goal's contrast; width: its width in units of the mean size of the
    weights, infinite without answers; needed: about what is still needed, None if nothing is or that cannot be told yet.
    """

    goal: ActiveGoal
    answers: int
    low: float
    high: float
    width: float
    needed: StillNeeded | None

    @property
    def reached(self) -> bool:
        """Whether the interval is narrow enough."""
        return self.width <= self.goal.width

    def __str__(self) -> str:
        what = f"{self.goal.first} - {self.goal.second}" if self.goal.second else self.goal.first
        if not np.isfinite(self.width):
            return f"weight of {what}: no answers yet"
        state = f"weight of {what}: {self.low:+.1f} to {self.high:+.1f}, width {self.width:.2f} of the mean weight"
        if self.reached:
            return f"{state}; the goal of {self.goal.width:g} is reached after {self.answers} answers"
        return f"{state}; the goal is {self.goal.width:g}: {self.needed}"


def active_progress(design: Design, vectors: ExcerptVectors, records: Sequence[AnswerRecord]) -> ActiveProgress:
    """How far the test is. Raises InputError if it has no goal."""
    goal, contrast = _goal_of(design)
    fit = _fit(design, vectors, records)
    if fit is None:
        return ActiveProgress(goal, 0, -np.inf, np.inf, np.inf, None)
    low, high = contrast.interval(fit.weights, fit.covariance)
    width = contrast.relative_width(fit.weights, fit.covariance)
    return ActiveProgress(goal, fit.answers, low, high, width, needed_for(fit, contrast, goal.width))


def needed_for(fit: HierarchicalFit, contrast: Contrast, goal: float) -> StillNeeded | None:
    """What the interval of a contrast still needs to be at most `goal` wide, in units of the mean size of the weights."""
    return still_needed(
        contrast.relative_width(fit.weights, fit.covariance),
        goal,
        fit.answers,
        listeners=len(fit.own),
        taste_width=contrast.relative_width(fit.weights, fit.taste_covariance),
    )


def extend_test(
    folder: Path, records: Sequence[AnswerRecord], *, count: int = BLOCK, blocks: int | None = None
) -> Design:
    """Add a block of triplets to the test in `folder`; returns the design as it is then.

    blocks: the number of blocks that the caller knows; if there are more already, nothing is added, so that two listeners who
    finish at the same time get one block. Of a test without a goal all new triplets are random. Safe between processes. Raises
    InputError if there are no more triplets.
    """
    with FileLock(folder / "design.lock"):
        design = read_design(folder)
        if blocks is not None and design.blocks != blocks:
            return design
        vectors = read_vectors(folder, design)
        design = design.extended(next_block(design, vectors, records, count))
        write_design(folder, design)
        return design


def continue_active(folder: Path, design: Design, records: Sequence[AnswerRecord]) -> Design:
    """For a server whose listener has answered all trials: the design with a block more if the test's goal is not reached.

    The same design for a test without a goal, with a reached one, or with one that takes other listeners. Raises InputError for
    a damaged test, or if no triplets are left.
    """
    if design.goal is None:
        return design
    progress = active_progress(design, read_vectors(folder, design), records)
    if progress.reached or (progress.needed is not None and progress.needed.listeners):
        return design
    return extend_test(folder, records, blocks=design.blocks)


def next_block(
    design: Design, vectors: ExcerptVectors, records: Sequence[AnswerRecord], count: int = BLOCK
) -> tuple[DesignTriplet, ...]:
    """The triplets of the next block. Deterministic, given the answers."""
    block = design.blocks
    rng = np.random.default_rng((design.seed, block))
    audible = {
        name: frozenset(part for part, heard in zip(vectors.parts, present, strict=True) if heard)
        for name, present in zip(vectors.ids, vectors.present, strict=True)
    }
    fit = _fit(design, vectors, records) if design.goal is not None else None
    share = 1.0 if design.goal is None or fit is None else design.goal.random_share
    by_chance = count if share == 1 else max(1, round(share * count))
    xyc_share = float(np.mean([triplet.kind == "XYC" for triplet in design.triplets if triplet.origin == "random"]))
    chosen: tuple[DesignTriplet, ...] = ()
    if by_chance < count and fit is not None:
        chosen = _chosen(design, vectors, fit, count - by_chance, rng)
    options = DrawOptions(by_chance, xyc_share, block=block)
    return (*chosen, *draw_triplets(design.excerpts, audible, options, rng, (*design.triplets, *chosen)))


def _goal_of(design: Design) -> tuple[ActiveGoal, Contrast]:
    if design.goal is None:
        raise InputError(
            f"the test {design.name} has no goal; make one with `soundalike listen new --active drums-bass`"
        )
    parts = design.weighted_parts
    for part in (design.goal.first, design.goal.second):
        if part and part not in parts:
            raise InputError(f"the goal is about {part!r}, which no excerpt of the test has; it has {', '.join(parts)}")
    second = parts.index(design.goal.second) if design.goal.second else None
    return design.goal, Contrast(parts.index(design.goal.first), second)


def _fit(design: Design, vectors: ExcerptVectors, records: Sequence[AnswerRecord]) -> HierarchicalFit | None:
    """The posterior from the answers to the first question; None without answers."""
    answered = answered_test(design, records, design.questions[0])
    if not answered.triplets:
        return None
    features = vectors.features(answered.designed, design.weighted_parts)
    return fit_hierarchical(observations_of(features, answered.triplets, answered.perspective, answered.listeners))


def _chosen(
    design: Design, vectors: ExcerptVectors, fit: HierarchicalFit, count: int, rng: np.random.Generator
) -> tuple[DesignTriplet, ...]:
    """The most informative of many triplets at random."""
    _, contrast = _goal_of(design)
    candidates = _candidates(design, rng)
    features = vectors.features(candidates, design.weighted_parts)
    belief = Belief(fit.weights, fit.covariance, fit.strength)
    songs = [frozenset(judged_triplet(design, candidate).tracks) for candidate in candidates]
    picked = choose_triplets(belief, features, count, contrast=contrast, groups=songs, cap=BLOCK_CAP)
    return tuple(
        DesignTriplet(
            f"{design.blocks}-active-{n:03d}", one.kind, one.part, one.x, one.a, one.b, "active", design.blocks
        )
        for n, one in enumerate((candidates[index] for index in picked.tolist()), 1)
    )


def _candidates(design: Design, rng: np.random.Generator) -> list[DesignTriplet]:
    """Different triplets at random that are not in the design, whichever of A and B comes first."""
    taken = {(one.x, frozenset((one.a, one.b))) for one in design.triplets}
    excerpts: Sequence[Excerpt] = design.excerpts
    candidates: list[DesignTriplet] = []
    for x, a, b in rng.integers(len(excerpts), size=(CANDIDATES, 3)).tolist():
        items = [excerpts[place].item for place in (x, a, b)]
        key = (excerpts[x].id, frozenset((excerpts[a].id, excerpts[b].id)))
        if len({x, a, b}) < 3 or items[1] == items[2] or key in taken:
            continue
        taken.add(key)
        kind: Kind = "XYC" if items[0] in items[1:] else "XAB"
        candidates.append(
            DesignTriplet("", kind, excerpts[x].part, excerpts[x].id, excerpts[a].id, excerpts[b].id, "active")
        )
    return candidates
