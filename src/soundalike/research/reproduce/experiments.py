"""Weights fitted to the mix triplets and tested in every way: what Tables 2 to 4, and the plots, are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from soundalike.errors import InputError
from soundalike.parts import MIX
from soundalike.preferences.estimators import Fit, Method
from soundalike.preferences.evaluation import (
    SPLITS,
    TEST_SHARE,
    LeftOut,
    OverSplits,
    Split,
    leave_one_out,
    over_splits,
    predict,
    right,
    shuffle_splits,
)
from soundalike.preferences.triplet_data import Bool, Float64, Judged, judged
from soundalike.preferences.triplets import Kind, Perspective, Triplet
from soundalike.research.reproduce import published

BASELINE = "cosine of the mix"
DESCRIBED_BY = "ordinal-cv"
"""The method whose fits the plots and the perspectives show: it learns from all votes and their strength."""


@dataclass(frozen=True)
class Case:
    """One encoder with one way of taking mixtures apart, and the features of the mix triplets that could be used.

    stems: the key of `conditions`; title: what its row is called; gate: level gate in dB, None as in the
    paper; triplets: N; features (N, K) of `parts`; cut_off: agreement from which a triplet is kept; perspective: whose answers
    count.
    """

    encoder: str
    stems: str
    title: str
    gate: float | None
    parts: tuple[str, ...]
    triplets: tuple[Triplet, ...]
    features: Float64
    cut_off: float = published.FIT_CUT_OFF
    perspective: Perspective = "total"

    @property
    def label(self) -> str:
        """The row's label."""
        return self.title if self.gate is None else f"{self.title}, gated at {self.gate:g} dB"


@dataclass(frozen=True)
class Judgement:
    """A case with each method fitted and tested in every way. whole: fits to all triplets; failed: by method, why it could
    not be fitted."""

    case: Case
    judged: Judged
    over: Mapping[str, OverSplits]
    apart: Mapping[str, LeftOut]
    whole: Mapping[str, Fit]
    failed: Mapping[str, str]
    baseline: OverSplits


def judge(
    case: Case,
    methods: Sequence[Method],
    *,
    splits: int = SPLITS,
    seed: int = 0,
    report: Callable[[str], None] = lambda _: None,
) -> Judgement:
    """Fit and test each method on a case. Raises InputError where there are too few triplets to split."""
    data = judged(case.features, case.triplets, case.cut_off, case.perspective)
    drawn = shuffle_splits(data, splits, TEST_SHARE, seed)
    over: dict[str, OverSplits] = {}
    apart: dict[str, LeftOut] = {}
    whole: dict[str, Fit] = {}
    failed: dict[str, str] = {}
    report(f"fitting {case.encoder}, {case.label}: {len(methods)} methods, {splits} splits")
    for method in methods:
        try:
            fit, tested = method.fit(data), over_splits(data, method, drawn)
        except InputError as error:
            failed[method.name] = str(error)
            continue
        whole[method.name], over[method.name] = fit, tested
        apart[method.name] = leave_one_out(data, method)
    return Judgement(case, data, over, apart, whole, failed, _baseline(case, data, drawn))


def _baseline(case: Case, data: Judged, drawn: Sequence[Split]) -> OverSplits:
    """The cosine of the mix on the same splits."""
    weights = _only_mix(case)
    fixed = Method(BASELINE, "", "none", lambda some: Fit(BASELINE, weights, None, len(some)))
    return over_splits(data, fixed, drawn)


def _only_mix(case: Case) -> Float64:
    return np.array([part == MIX for part in case.parts], dtype=np.float64)


def cosine_right(judgement: Judgement) -> Bool:
    """(N,) where the cosine of the mix is right."""
    data = judgement.judged
    return right(data, predict(data.features, _only_mix(judgement.case)))


def of_kind(judgement: Judgement, kind: Kind) -> Bool:
    """(N,) the kept triplets of this kind."""
    chosen = _voted(judgement.case)
    return np.array([triplet.kind == kind for triplet in chosen]) & judgement.judged.kept


def _voted(case: Case) -> list[Triplet]:
    """The triplets behind a case's `Judged`: those with a vote."""
    return [triplet for triplet in case.triplets if sum(triplet.counts(case.perspective))]
