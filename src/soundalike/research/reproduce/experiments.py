"""Weights fitted to the mix triplets of one condition and evaluated: the data behind Tables 2 to 4 and the plots."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from soundalike.errors import InputError
from soundalike.parts import MIX
from soundalike.preferences.cluster_robust import Links
from soundalike.preferences.estimators import Fit, Method
from soundalike.preferences.evaluation import (
    SPLITS,
    TEST_SHARE,
    CrossValidation,
    LeaveTracksOut,
    Split,
    cross_validate,
    is_correct,
    leave_tracks_out,
    predict,
    shuffle_splits,
)
from soundalike.preferences.robust_weights import with_robust_covariance
from soundalike.preferences.triplet_data import Bool, Float64, TripletData
from soundalike.preferences.triplets import Kind, Perspective, Triplet
from soundalike.research.reproduce import published

BASELINE = "cosine of the mix"
PREFERRED_METHOD = "ordinal-cv"
"""The method whose fits the plots and the perspectives show: it uses all votes and their strength."""


@dataclass(frozen=True)
class Experiment:
    """One encoder with one source of stems, and the features of the usable mix triplets.

    stems: name in `conditions`; title: label of its rows; gate: level gate in dB, None for none (as in the paper).
    triplets: N; features: (N, K) of `parts`; cut_off: agreement from which a triplet is kept.
    perspective: whose answers are used.
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
        """Label of the experiment's rows."""
        return self.title if self.gate is None else f"{self.title}, gated at {self.gate:g} dB"


@dataclass(frozen=True)
class ExperimentResult:
    """An experiment with each method fitted and evaluated.

    cross_validated, leave_tracks_out: by method; fits: by method, to all triplets; failed: method -> reason.
    """

    experiment: Experiment
    data: TripletData
    cross_validated: Mapping[str, CrossValidation]
    leave_tracks_out: Mapping[str, LeaveTracksOut]
    fits: Mapping[str, Fit]
    failed: Mapping[str, str]
    baseline: CrossValidation


def run_experiment(
    experiment: Experiment,
    methods: Sequence[Method],
    *,
    splits: int = SPLITS,
    seed: int = 0,
    on_status: Callable[[str], None] = lambda _: None,
) -> ExperimentResult:
    """Fit and evaluate each method. Raises InputError if there are too few triplets to split."""
    data = TripletData.from_triplets(
        experiment.features, experiment.triplets, experiment.cut_off, experiment.perspective
    )
    drawn = shuffle_splits(data, splits, TEST_SHARE, seed)
    cross_validated: dict[str, CrossValidation] = {}
    left_out: dict[str, LeaveTracksOut] = {}
    fits: dict[str, Fit] = {}
    failed: dict[str, str] = {}
    fitted_by = methods[0].name if len(methods) == 1 else f"{len(methods)} methods"
    on_status(f"fitting {experiment.encoder}, {experiment.label}: {fitted_by}, {splits} splits")
    for method in methods:
        try:
            fit, evaluation = method.fit(data), cross_validate(data, method, drawn)
        except InputError as error:
            failed[method.name] = str(error)
            continue
        fits[method.name], cross_validated[method.name] = with_robust_covariance(data, fit), evaluation
        left_out[method.name] = leave_tracks_out(data, method)
    baseline = _evaluate_baseline(experiment, data, drawn)
    return ExperimentResult(experiment, data, cross_validated, left_out, fits, failed, baseline)


def _evaluate_baseline(experiment: Experiment, data: TripletData, splits: Sequence[Split]) -> CrossValidation:
    """The cosine of the mix on the same splits."""
    weights = _mix_only(experiment)
    fixed = Method(BASELINE, "", "none", lambda some: Fit(BASELINE, weights, None, len(some)))
    return cross_validate(data, fixed, splits)


def _mix_only(experiment: Experiment) -> Float64:
    return np.array([part == MIX for part in experiment.parts], dtype=np.float64)


def baseline_correct(result: ExperimentResult) -> Bool:
    """(N,) whether the cosine of the mix agrees with the majority."""
    return is_correct(result.data, predict(result.data.features, _mix_only(result.experiment)))


def kept_of_kind(result: ExperimentResult, kind: Kind) -> Bool:
    """(N,) mask of the kept triplets of this kind."""
    voted = [t for t in result.experiment.triplets if any(t.counts(result.experiment.perspective))]
    return np.array([triplet.kind == kind for triplet in voted]) & result.data.kept


def links_of(result: ExperimentResult, selection: Bool) -> Links:
    """Which of the selected triplets (N,) share a track."""
    return Links([tracks for tracks, chosen in zip(result.data.tracks, selection, strict=True) if chosen])


def model_correct(result: ExperimentResult, name: str) -> tuple[Bool, Bool] | None:
    """(N,) which triplets a method was tested on, leaving tracks out, and which it got right; None if on none.

    name: a method or `BASELINE`.
    """
    if name == BASELINE:
        return result.data.kept, baseline_correct(result)
    evaluation = result.leave_tracks_out.get(name)
    if evaluation is None or not evaluation.tested.any():
        return None
    return evaluation.tested, is_correct(result.data, evaluation.predictions)
