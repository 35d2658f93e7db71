"""The trials of one listener, as a function of the design and the listener's number.

Conventions
- Each block of triplets (the first design, then each extension) is asked in one pass a question, `overall` first. Questions are
  never asked on one screen: answers given together are nearly identical.
- A pass contains every triplet of the block in a new random order, catch trials and repeats.
- A catch trial offers X itself as one candidate. A repeat asks an earlier trial of the pass again with the sides exchanged.
- Half of the trials of a pass show B first. Two listeners with numbers 2k and 2k + 1 get the same order with opposite sides.
- Trials of earlier blocks do not change when the design is extended.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from soundalike.errors import InputError
from soundalike.listening.design import Design, DesignTriplet, Question

PRACTICE = 2
MIN_DISTANCE = 5
"""A repeat comes at least so many trials after the trial that it repeats, where the pass is long enough."""


@dataclass(frozen=True)
class Trial:
    """One question about three clips.

    id: unique for a listener, such as `0-overall-007`. triplet: id of the triplet (of the one that a catch trial is made from).
    x, a, b: ids of excerpts; in a catch trial a is x. swapped: whether B is shown first (left).
    x_clip, left_clip, right_clip: file names in `clips/`. repeat_of: id of the trial that this one repeats.
    pass_number: from 0, over all blocks.
    """

    id: str
    triplet: str
    question: Question
    block: int
    pass_number: int
    x: str
    a: str
    b: str
    swapped: bool
    x_clip: str
    left_clip: str
    right_clip: str
    catch: bool = False
    repeat_of: str | None = None


def trials(design: Design, listener_index: int) -> tuple[Trial, ...]:
    """All trials of the listener with this number (from 0), in order. Raises InputError for a negative number."""
    if listener_index < 0:
        raise InputError(f"the number of a listener is {listener_index}; it must be 0 or more")
    passes = [(block, question) for block in range(design.blocks) for question in design.questions]
    return tuple(
        trial
        for number, (block, question) in enumerate(passes)
        for trial in _trials_of_pass(design, listener_index, block, question, number)
    )


def practice_trials(design: Design) -> tuple[Trial, ...]:
    """Trials with a known answer, the same for every listener; they are not stored. Their ids start with `practice-`."""
    chosen = [triplet for triplet in design.triplets if triplet.block == 0][:PRACTICE]
    return tuple(
        _trial(design, triplet, design.questions[0], f"practice-{number}", catch=True, swapped=bool(number % 2))
        for number, triplet in enumerate(chosen)
    )


def _trials_of_pass(
    design: Design, listener_index: int, block: int, question: Question, number: int
) -> tuple[Trial, ...]:
    rng = np.random.default_rng((design.seed, listener_index // 2, block, design.questions.index(question)))
    triplets = [triplet for triplet in design.triplets if triplet.block == block]
    asked: list[Trial] = []
    for catch, group in ((False, triplets), (True, _some(triplets, design.catch_share, rng))):
        sides = _balanced_sides(len(group), rng)
        asked += [
            _trial(design, triplet, question, "", catch=catch, swapped=bool(side) != bool(listener_index % 2))
            for triplet, side in zip(group, sides, strict=True)
        ]
    order = [asked[index] for index in rng.permutation(len(asked))]
    order = _with_repeats(order, round(design.repeat_share * len(triplets)), rng)
    named = [
        replace(one, id=f"{block}-{question}-{n:03d}", block=block, pass_number=number) for n, one in enumerate(order)
    ]
    first = {(one.triplet, one.catch): one.id for one in reversed(named)}
    return tuple(
        one if one.repeat_of is None else replace(one, repeat_of=first[one.triplet, one.catch]) for one in named
    )


def _some(triplets: list[DesignTriplet], share: float, rng: np.random.Generator) -> list[DesignTriplet]:
    """At least one triplet for each catch trial, unless the share is 0."""
    count = min(len(triplets), max(1, round(share * len(triplets)))) if share else 0
    return [triplets[index] for index in rng.choice(len(triplets), count, replace=False)]


def _balanced_sides(count: int, rng: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """(count,) zeros and ones, half each; an odd one is drawn."""
    return np.asarray(rng.permutation((np.arange(count) + rng.integers(2)) % 2))


def _with_repeats(order: list[Trial], count: int, rng: np.random.Generator) -> list[Trial]:
    """`order` with `count` of its trials asked again later, sides exchanged; those trials come from its first part."""
    distance = min(MIN_DISTANCE, max(1, len(order) // 2))
    eligible = [index for index in range(len(order) - distance + 1) if not order[index].catch]
    chosen = rng.permutation(len(eligible))[:count]
    # A repeat after position p: sorted by p, so that insertions do not move the places that are still to come.
    repeats = []
    for index in sorted(eligible[one] for one in chosen):
        one = order[index]
        again = replace(
            one, swapped=not one.swapped, left_clip=one.right_clip, right_clip=one.left_clip, repeat_of=one.triplet
        )
        repeats.append((int(rng.integers(index + distance - 1, len(order))), again))
    result = list(order)
    for place, again in sorted(repeats, key=lambda pair: pair[0], reverse=True):
        result.insert(place + 1, again)
    return result


def _trial(
    design: Design, triplet: DesignTriplet, question: Question, name: str, *, catch: bool, swapped: bool
) -> Trial:
    a = triplet.x if catch else triplet.a
    x_clip, a_clip, b_clip = (design.by_id[excerpt].clip for excerpt in (triplet.x, a, triplet.b))
    left, right = (b_clip, a_clip) if swapped else (a_clip, b_clip)
    return Trial(
        name, triplet.id, question, triplet.block, 0, triplet.x, a, triplet.b, swapped, x_clip, left, right, catch
    )
