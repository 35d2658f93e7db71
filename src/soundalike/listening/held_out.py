"""Agreement on held-out triplets: each predicted by a model fitted without any triplet that shares a song with it.

Only triplets drawn at random are predicted: those of an active design were chosen for what the weights said about them. All
others, chosen or drawn, are learnt from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soundalike.listening.answered_triplets import AnsweredTest
from soundalike.parts import MIX
from soundalike.preferences.hierarchical import HierarchicalFit, fit_hierarchical
from soundalike.preferences.ordinal_observations import Observations
from soundalike.preferences.triplet_data import TripletData

Bool = NDArray[np.bool_]

MIN_ANSWERS = 10
"""Answers that must be left to learn from."""


@dataclass(frozen=True)
class HeldOut:
    """Predictions of N triplets.

    tested: (N,) those of which a majority was predicted: at random, with a majority of the cut-off, and enough answers left to
    learn from. correct, baseline: (N,) whether the group's weights, or the cosine of the mix (of the part, in a test of stems),
    agree with it. failed: how many had too few answers left.
    answers: (V,) the single answers predicted; own_correct, group_correct: (V,) whether the listener's own weights, or the
    group's, predict the answer.
    """

    tested: Bool
    correct: Bool
    baseline: Bool
    failed: int
    answers: Bool
    own_correct: Bool
    group_correct: Bool


def predict_held_out(
    answered: AnsweredTest, data: TripletData, observations: Observations, fit: HierarchicalFit, parts: tuple[str, ...]
) -> HeldOut:
    """Predict each random triplet. data, observations: of the answered triplets; fit: to all of them, for the size of effects."""
    at_random = np.array([triplet.origin == "random" for triplet in answered.designed])
    kept = at_random & data.kept
    scores = np.zeros(len(data))
    tested, failed = np.zeros(len(data), dtype=bool), 0
    answers, own_scores = np.zeros(len(observations), dtype=bool), np.zeros(len(observations))
    group_scores = np.zeros(len(observations))
    for index in np.flatnonzero(at_random):
        others = observations.take(~data.shares_track([index])[observations.triplet])
        if len(others) < MIN_ANSWERS:
            failed += int(kept[index])
            continue
        model = fit_hierarchical(others, (fit.taste,), (fit.triplet_effect,))
        features = data.features[index]
        tested[index], scores[index] = kept[index], float(features @ model.weights)
        mine = observations.triplet == index
        answers |= mine
        own_scores[mine] = model.own[observations.listener[mine]] @ features
        group_scores[mine] = scores[index]
    towards = np.where(observations.for_a, 1.0, -1.0)
    return HeldOut(
        tested,
        np.sign(scores) == data.labels,
        np.sign(baseline_scores(answered, data, parts)) == data.labels,
        failed,
        answers,
        own_scores * towards > 0,
        group_scores * towards > 0,
    )


def baseline_scores(answered: AnsweredTest, data: TripletData, parts: tuple[str, ...]) -> NDArray[np.float64]:
    """(N,) the difference of the cosines of what was heard: of the mix, or of the stem."""
    heard = np.array([[part == triplet.part for part in parts] for triplet in answered.designed], dtype=np.float64)
    return np.asarray((data.features * heard).sum(axis=1))


def baseline_name(answered: AnsweredTest) -> str:
    """What `baseline_scores` are called."""
    return "the cosine of the mix" if answered.designed[0].part == MIX else "the cosine of the part"
