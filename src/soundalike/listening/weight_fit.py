"""Weights from the answers of a listening test: screening, the hierarchical fit, agreement on held-out answers, profiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from soundalike.errors import InputError
from soundalike.listening.answered_triplets import PERSPECTIVE_OF, AnsweredTest, answered_test
from soundalike.listening.design import Design, Question
from soundalike.listening.held_out import HeldOut, predict_held_out
from soundalike.listening.open_test import OpenTest
from soundalike.preferences.hierarchical import HierarchicalFit, fit_hierarchical
from soundalike.preferences.listeners import ListenerSummary, parse_rule, screened_out, summarise_listeners
from soundalike.preferences.ordinal_observations import Observations, observations_of
from soundalike.preferences.triplet_data import TripletData
from soundalike.preferences.triplets import check_cut_off
from soundalike.similarity.profiles import Profile
from soundalike.similarity.weights import checked

_NOTES = "Agreement: with majorities of random triplets, each predicted without triplets that share a song."
_NOTES_ON_STEMS = (
    "Stems were heard one at a time: the weights say how much each matters alone, not how they compare within a mix."
)

MIN_ANSWERS = 10
"""Fewer answers than this are not fitted to."""
MIN_OWN_ANSWERS = 20
"""A listener with fewer answers gets no profile of their own."""


@dataclass(frozen=True)
class QuestionFit:
    """Weights fitted to the answers to one question.

    answered: after screening; summaries: of all listeners before it; excluded: listener -> the rule; all_answered: before it.
    listeners: in the order of `fit.own`; observations, data: what was fitted to. cut_off: as in `fit_question`.
    """

    design: Design
    all_answered: AnsweredTest
    answered: AnsweredTest
    summaries: tuple[ListenerSummary, ...]
    excluded: Mapping[str, str]
    listeners: tuple[str, ...]
    observations: Observations
    data: TripletData
    fit: HierarchicalFit
    held_out: HeldOut
    cut_off: float

    @property
    def parts(self) -> tuple[str, ...]:
        """The weighted parts."""
        return self.design.weighted_parts

    def profile(self) -> Profile:
        """The group's weights, named after the test and, unless it is `overall`, the question."""
        question = self.answered.question
        name = self.design.name if question == "overall" else f"{self.design.name}-{question}"
        tested = self.held_out.correct[self.held_out.tested]
        return self._profile(
            name,
            self.fit.weights,
            self.fit.intervals(),
            f"{len(self.observations)} {question} answers of {listeners_text(len(self.listeners))}",
            float(tested.mean()) if len(tested) else None,
        )

    def own_profiles(self) -> list[Profile]:
        """The own weights of each listener with enough answers, if there are several listeners."""
        if len(self.listeners) < 2:
            return []
        counts = np.bincount(self.observations.listener, minlength=len(self.listeners))
        group = self.profile().name
        return [
            self._profile(
                f"{group}-{listener}",
                self.fit.own[number],
                self.fit.own_intervals(number),
                f"{counts[number]} {self.answered.question} answers of {listener}, shrunk to the group of "
                f"{len(self.listeners)}",
                None,
            )
            for number, listener in enumerate(self.listeners)
            if counts[number] >= MIN_OWN_ANSWERS
        ]

    def _profile(
        self, name: str, weights: np.ndarray, intervals: np.ndarray, answers: str, agreement: float | None
    ) -> Profile:
        """Weights (K,) scaled so that their sizes add up to 1: scores are then averages of cosines, up to signs."""
        heard = self.observations.scale > 0  # a part that differs in no triplet has no interval
        size = float(np.abs(weights).sum()) or 1.0
        bounds = dict(zip(self.parts, (intervals / size).tolist(), strict=True))
        stems = self.design.presentation == "stems"
        return Profile(
            name=name,
            encoder=self.design.encoder,
            separator=self.design.separator,
            weights=checked(dict(zip(self.parts, (weights / size).tolist(), strict=True)), self.parts),
            method="hierarchical ordinal model with effects of listeners and triplets (Laplace)",
            source="fitted by soundalike to a listening test",
            data=f"listening test {self.design.name}: {answers}",
            clip_seconds=round(float(np.median([excerpt.seconds for excerpt in self.design.excerpts])), 3),
            agreement=agreement,
            intervals={
                part: (low, high) for (part, (low, high)), known in zip(bounds.items(), heard, strict=True) if known
            },
            notes=f"{_NOTES_ON_STEMS if stems else _NOTES} The sizes of the weights add up to 1, which is {size:.3g} log-odds.",
        )


def listeners_text(count: int) -> str:
    """`1 listener`, `2 listeners`."""
    return "1 listener" if count == 1 else f"{count} listeners"


def fit_question(test: OpenTest, question: Question, cut_off: float = 0.8) -> QuestionFit:
    """Fit weights to the answers to `question`. cut_off: agreement from which a triplet has a majority to be predicted.

    Raises InputError if the test does not ask it, or if too few answers are left after screening.
    """
    check_cut_off(cut_off)
    design, perspective = test.design, PERSPECTIVE_OF[question]
    if question not in design.questions:
        raise InputError(f"the test {design.name} does not ask about {question}; it asks {', '.join(design.questions)}")
    before = answered_test(design, test.records, question)
    summaries = summarise_listeners(before.triplets, before.checks, perspective)
    excluded = screened_out(summaries, [parse_rule(rule) for rule in design.screening])
    answered = before.without(excluded)
    count = sum(len(triplet.ballots) for triplet in answered.triplets)
    if count < MIN_ANSWERS:
        raise InputError(
            f"{count} {question} answers are left after screening ({', '.join(design.screening)}) of "
            f"{sum(len(triplet.ballots) for triplet in before.triplets)}; {MIN_ANSWERS} or more are needed, 60 to say something"
        )
    features = test.vectors.features(answered.designed, design.weighted_parts)
    data = TripletData.from_triplets(features, answered.triplets, cut_off, perspective)
    listeners = answered.listeners
    observations = observations_of(features, answered.triplets, perspective, listeners)
    fit = fit_hierarchical(observations)
    return QuestionFit(
        design,
        before,
        answered,
        tuple(summaries),
        excluded,
        listeners,
        observations,
        data,
        fit,
        predict_held_out(answered, data, observations, fit, design.weighted_parts),
        cut_off,
    )
