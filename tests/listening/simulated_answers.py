"""Listeners with planted weights who answer a whole test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from soundalike.listening.answer_record import AnswerRecord, TrialAnswer
from soundalike.listening.design import Design
from soundalike.listening.excerpt_vectors import ExcerptVectors
from soundalike.listening.schedule import Trial, trials
from soundalike.preferences.hierarchical import grade_probabilities
from soundalike.preferences.triplets import GRADES

START = datetime(2026, 1, 5, 9, tzinfo=UTC)


def answer_trials(
    design: Design,
    vectors: ExcerptVectors,
    listener_index: int,
    weights: Mapping[str, float],
    *,
    name: str = "",
    seed: int = 0,
    cant_tell: float = 0.03,
    attentive: bool = True,
    done: Sequence[str] = (),
) -> list[AnswerRecord]:
    """Answers to all trials of a listener except those `done`; weights: log-odds for a difference of 1 between cosines.

    attentive: whether catch trials are answered correctly; else every answer is a guess.
    """
    rng = np.random.default_rng((seed, listener_index))
    planted = np.array([weights.get(part, 0.0) for part in design.weighted_parts])
    records = []
    for number, trial in enumerate(trials(design, listener_index)):
        answer = _answer(design, vectors, trial, planted, rng, attentive)
        if rng.random() < cant_tell and not trial.catch:
            answer = "cant_tell"
        if trial.id in done:
            continue
        at = START + timedelta(days=listener_index, seconds=30 * number)
        records.append(
            AnswerRecord(
                name or f"L{listener_index + 1:02d}",
                trial.id,
                trial.triplet,
                trial.question,
                answer,
                trial.swapped,
                trial.catch,
                trial.repeat_of,
                8.0,
                6.5,
                7.0,
                5,
                at.isoformat(),
                20.0 + float(rng.random()),
            )
        )
    return records


def _answer(
    design: Design,
    vectors: ExcerptVectors,
    trial: Trial,
    planted: np.ndarray,
    rng: np.random.Generator,
    attentive: bool,
) -> TrialAnswer:
    if trial.catch and attentive:
        return "A+"
    triplet = design.triplet_by_id[trial.triplet]
    z = vectors.features([triplet], design.weighted_parts) @ planted if attentive else np.zeros(1)
    return GRADES[int(rng.choice(len(GRADES), p=grade_probabilities(z, 1.0)[0]))]
