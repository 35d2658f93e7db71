"""Splits, leaving out with shared tracks, learning curves, and how many triplets it takes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from soundalike.errors import InputError
from soundalike.preferences.estimators import METHODS, Fit, Method
from soundalike.preferences.evaluation import (
    cross_validate,
    is_correct,
    learning_curve,
    leave_tracks_out,
    predict,
    shuffle_splits,
    triplets_needed,
)
from soundalike.preferences.triplet_data import TripletData
from tests.preferences.planted import WEIGHTS, World, fingerprints


@pytest.fixture(scope="module")
def made() -> TripletData:
    return World(WEIGHTS[[1, 5, 6]]).draw(np.random.default_rng(4), 150)


class Watched:
    """A method that keeps what it was given to learn from, and always answers with the same weights."""

    def __init__(self, weights: list[float]) -> None:
        self.weights = np.array(weights)
        self.seen: list[TripletData] = []
        self.method = Method("watched", "", "labels", self._fit)

    def _fit(self, data: TripletData) -> Fit:
        self.seen.append(data)
        return Fit("watched", self.weights, None, len(data))


def test_a_prediction_is_the_sign_and_a_tie_is_none() -> None:
    features = np.array([[1.0, -1.0], [-0.1, 0.0], [1.0, 1.0]])
    assert predict(features, np.array([2.0, 2.0])).tolist() == [0, -1, 1]
    assert predict(features[0], np.array([2.0, 1.0])).tolist() == 1


def test_a_tie_agrees_with_nobody() -> None:
    votes = np.array([[3, 0, 0, 0], [0, 0, 0, 3], [1, 0, 0, 1], [3, 0, 0, 0]])
    data = TripletData(np.zeros((4, 1)), votes, (frozenset("1"),) * 4, np.array([True, True, False, True]))
    assert is_correct(data, np.array([1, 1, 0, 0])).tolist() == [True, False, False, False]


def test_splits_are_those_of_the_paper(made: TripletData) -> None:
    splits = shuffle_splits(made)
    kept, rest = np.flatnonzero(made.kept), np.flatnonzero(~made.kept)
    share = np.mean(made.labels[kept] == 1)
    assert len(splits) == 100
    for training, tested in splits:
        assert len(tested) == math.ceil(0.3 * len(kept))
        assert sorted([*training, *tested]) == list(range(len(made)))
        assert made.kept[tested].all()
        assert set(rest) <= set(training)  # below the cut-off: to learn from, never to test on
        assert np.mean(made.labels[tested] == 1) == pytest.approx(share, abs=1 / len(tested))
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(splits, shuffle_splits(made), strict=True))
    assert not np.array_equal(splits[0][1], shuffle_splits(made, seed=1)[0][1])


def test_too_few_to_split_are_refused(made: TripletData) -> None:
    with pytest.raises(InputError, match="0 triplets"):
        shuffle_splits(made.take([]))
    with pytest.raises(InputError, match="3 triplets"):
        shuffle_splits(made.take(np.flatnonzero(made.kept)[:3]))


def test_data_with_the_winner_always_first_can_be_split(made: TripletData) -> None:
    """Which candidate is called A means nothing to models without an intercept."""
    signs = np.where(made.labels < 0, -1.0, 1.0)[:, np.newaxis]
    first = TripletData(
        made.features * signs, np.where(signs < 0, made.votes[:, ::-1], made.votes), made.tracks, made.kept
    )
    assert set(first.labels[first.kept]) == {1}
    splits = shuffle_splits(first, 20)
    assert all(len(tested) == math.ceil(0.3 * first.kept.sum()) for _, tested in splits)
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(splits, shuffle_splits(first, 20), strict=True))
    result = cross_validate(first, METHODS["ridge"], splits)
    other = cross_validate(made, METHODS["ridge"], splits)
    assert result.agreements == pytest.approx(other.agreements)


def test_cross_validation_by_hand(made: TripletData) -> None:
    watched = Watched([1.0, 0.0, 0.0])
    splits = shuffle_splits(made, 7)
    found = cross_validate(made, watched.method, splits)
    hits = made.features[:, 0] * made.labels > 0
    assert found.agreements == pytest.approx([hits[tested].mean() for _, tested in splits])
    assert found.weights.tolist() == [[1, 0, 0]] * 7
    tested = np.concatenate([tested for _, tested in splits])
    assert np.array_equal(found.tested, np.bincount(tested, minlength=len(made)))
    assert np.array_equal(found.correct, found.tested * hits)
    chosen = np.arange(len(made)) < 75
    assert found.agreement_of(chosen) == pytest.approx(hits[tested[tested < 75]].mean())
    assert math.isnan(found.agreement_of(~made.kept))
    for (training, _), seen in zip(splits, watched.seen, strict=True):
        assert np.array_equal(seen.features, made.features[training])


def test_no_track_is_shared_with_training(made: TripletData) -> None:
    watched = Watched([0.0, 0.0, 1.0])
    found = leave_tracks_out(made, watched.method)
    indices = np.flatnonzero(made.kept)
    assert len(watched.seen) == len(indices)
    for index, seen in zip(indices, watched.seen, strict=True):
        apart = [i for i in range(len(made)) if not made.tracks[i] & made.tracks[index]]
        assert np.array_equal(seen.features, made.features[apart])
        assert not any(tracks & made.tracks[index] for tracks in seen.tracks)
        assert found.training[index] == made.kept[apart].sum()
    assert np.array_equal(found.predictions[indices], np.sign(made.features[indices, 2]))
    assert np.allclose(found.scores[indices], made.features[indices, 2])
    assert not found.predictions[~made.kept].any()
    assert found.failed == 0
    assert np.array_equal(found.tested, made.kept)


def test_triplets_without_a_model_are_counted_and_not_tested(made: TripletData) -> None:
    linked = TripletData(made.features, made.votes, (frozenset({"one"}),) * len(made), made.kept)
    found = leave_tracks_out(linked, METHODS["ols"])
    assert found.failed == made.kept.sum()
    assert not found.predictions.any()
    assert not found.training.any()
    assert not found.tested.any()


def test_the_learning_curve_rises_and_tests_on_what_is_left(made: TripletData) -> None:
    watched = Watched([0.0, 0.0, 1.0])
    kept = int(made.kept.sum())
    points = learning_curve(made, watched.method, [10, 40, kept - 10, kept - 9], repeats=8)
    assert [point.triplets for point in points] == [10, 40, kept - 10]  # the last leaves fewer than ten
    assert [len(seen) for seen in watched.seen] == [10] * 8 + [40] * 8 + [kept - 10] * 8
    assert all(seen.kept.all() for seen in watched.seen)
    whole = np.mean(made.features[:, 2] * made.labels > 0, where=made.kept)
    assert points[0].agreement == pytest.approx(whole, abs=0.02)
    hits = made.features[:, 2] * made.labels > 0
    last = []
    for seen in watched.seen[-8:]:
        left = made.kept & ~np.isin(made.features[:, 0], seen.features[:, 0])
        assert left.sum() == 10
        last.append(hits[left].mean())
    assert points[2].agreement == pytest.approx(np.mean(last))
    assert points[2].deviation == pytest.approx(np.std(last, ddof=1))
    big = World(WEIGHTS).draw(np.random.default_rng(1), 600)
    few, many = learning_curve(big, METHODS["ols"], [10, 200], repeats=20)
    assert many.agreement > few.agreement + 0.05
    assert many.deviation < few.deviation


def test_sizes_that_no_model_can_learn_from_are_left_out(made: TripletData) -> None:
    assert learning_curve(made, METHODS["logistic-cv"], [5], repeats=3) == []


def test_how_many_more_triplets_by_hand() -> None:
    """Variance 1 + 2 - 2 * .5 = 2 after 100 triplets, a difference of 1: (1.96 + .8416)^2 * 2 times as many."""
    fit = Fit("x", np.array([2.0, 1.0, 1.0]), np.array([[1, 0.5, 0], [0.5, 2, 0], [0, 0, 1.0]]), 100)
    times = (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) ** 2 * 2
    assert triplets_needed(fit, 0, 1) == pytest.approx(100 * (times - 1))
    assert triplets_needed(fit, 1, 0) == triplets_needed(fit, 0, 1)
    assert triplets_needed(fit, 1, 2) == math.inf
    sure = Fit("x", np.array([20.0, 1.0]), np.eye(2), 100)
    assert triplets_needed(sure, 0, 1) == 0
    with pytest.raises(InputError, match="nonnegative"):
        triplets_needed(Fit("nonnegative", np.zeros(2), None, 100), 0, 1)


def test_so_many_triplets_do_tell_the_weights_apart() -> None:
    """Power, simulated: with the number it asks for, about 80 % of the fits find the planted difference."""
    world, rng = World(np.array([4.0, 8.0])), np.random.default_rng(0)
    pilot = METHODS["logistic"].fit(world.draw(rng, 4000))
    assert pilot.covariance is not None
    few = Fit("x", world.weights, pilot.covariance * 4000 / 20, 20)  # as after 20 triplets, at the planted weights
    needed = 20 + triplets_needed(few, 0, 1)
    assert needed > 40
    found = 0
    for _ in range(200):
        fit = METHODS["logistic"].fit(world.draw(rng, round(needed)))
        assert fit.covariance is not None
        c = fit.covariance
        found += abs(fit.weights[1] - fit.weights[0]) > 1.96 * math.sqrt(c[0, 0] + c[1, 1] - 2 * c[0, 1])
    assert 0.7 <= found / 200 <= 0.9


@pytest.mark.long
def test_what_only_knows_tracks_does_well_in_shuffled_splits_and_fails_without_shared_tracks() -> None:
    rng = np.random.default_rng(0)
    shuffled, apart = [], []
    for _ in range(4):
        data = fingerprints(rng)
        shuffled.append(cross_validate(data, METHODS["ridge"], shuffle_splits(data, 5)).agreements.mean())
        found = leave_tracks_out(data, METHODS["ridge"])
        apart.append(is_correct(data, found.predictions)[data.kept].mean())
        assert found.failed == 0
        assert found.training[data.kept].min() > 150
    assert min(shuffled) > 0.8
    assert 0.35 < np.mean(apart) < 0.65
