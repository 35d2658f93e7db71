"""Answers of a listening test prepared for fitting: which count, and what to know about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from soundalike.errors import InputError
from soundalike.parts import MIX
from soundalike.preferences.estimators import METHODS, Method
from soundalike.preferences.listeners import (
    ListenerSummary,
    ScreeningRule,
    count_repeated,
    drop_repeated,
    screened_out,
    summarise_listeners,
    without_listeners,
)
from soundalike.preferences.triplets import Perspective, Triplet, merge_mirrored, vote_counts
from soundalike.research.datasets.inst_sim_abx import Answers

MIN_OF_STRENGTH = 10
"""Fewer strong or fewer weak answers than this do not show where listeners draw the line between them."""


@dataclass(frozen=True)
class OwnAnswers:
    """Mix triplets to fit to: mirrored ones merged, repeated answers dropped, listeners screened.

    listeners: before screening; excluded: listener -> rule; notes: what was done, one sentence each; of_parts: number of
    triplets of single parts, which are left out; tracks_known: whether the track of every clip is known.
    """

    triplets: tuple[Triplet, ...]
    listeners: tuple[ListenerSummary, ...]
    excluded: Mapping[str, str]
    notes: tuple[str, ...]
    of_parts: int
    tracks_known: bool


def prepare_answers(answers: Answers, rules: Sequence[ScreeningRule], perspective: Perspective) -> OwnAnswers:
    """Prepare answers for fitting. Raises InputError if no mix triplet is left."""
    mixes = [triplet for triplet in answers.triplets if triplet.part == MIX]
    if not mixes:
        raise InputError(
            "all triplets compare single parts (their clips are in folders named after parts); weights are fitted to whole "
            "mixes"
        )
    notes = []
    merged = merge_mirrored(mixes)
    if len(merged) < len(mixes):
        notes.append(f"{len(mixes) - len(merged)} triplets were asked in both orders; their answers are merged")
    repeated = count_repeated(merged)
    if repeated:
        notes.append(f"{repeated} answers repeat a triplet by the same listener; only the first of each counts")
        merged = drop_repeated(merged)
    checks = {name: (checks.asked, checks.right) for name, checks in answers.listener_checks.items()}
    summaries = summarise_listeners(merged, checks, perspective)
    excluded = screened_out(summaries, rules)
    if rules:
        notes.append(
            f"screening by {', '.join(map(str, rules))} excludes {len(excluded)} of {len(summaries)} listeners"
            + (f" ({', '.join(f'{name}: {rule}' for name, rule in excluded.items())})" if excluded else "")
        )
        merged = without_listeners(merged, excluded)
    if not merged:
        raise InputError("screening excludes all listeners; use weaker rules")
    of_parts = len(answers.triplets) - len(mixes)
    return OwnAnswers(tuple(merged), tuple(summaries), excluded, tuple(notes), of_parts, answers.tracks_known)


def usable_method(method: Method, triplets: Sequence[Triplet], perspective: Perspective) -> tuple[Method, str]:
    """The method to fit with, and a note if it is another: models of strength need answers of both strengths."""
    strong, weak = np.dot(vote_counts(triplets, perspective).sum(axis=0), [[1, 0], [0, 1], [0, 1], [1, 0]]).tolist()
    if not method.name.startswith("ordinal") or min(strong, weak) >= MIN_OF_STRENGTH:
        return method, ""
    instead = METHODS[method.name.replace("ordinal", "logistic")]
    return instead, (
        f"{strong} clear and {weak} hesitant answers do not show what strength means ({MIN_OF_STRENGTH} of each are needed): "
        f"fitted with {instead.name}, which ignores it, in place of {method.name}"
    )
