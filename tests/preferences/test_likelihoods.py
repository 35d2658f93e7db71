"""Derivatives against finite differences, probabilities against hand-worked ones, and when there is no maximum."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from soundalike.preferences.likelihoods import Binary, Model, Ordinal, has_no_maximum

MODELS: list[Model] = [Binary(), Binary(0.15), Ordinal(), Ordinal(0.15)]


@pytest.fixture(params=range(4))
def experiment(request: pytest.FixtureRequest) -> tuple[Model, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(request.param)
    model = MODELS[request.param]
    features = rng.normal(size=(30, 3))
    theta = np.r_[rng.normal(size=3), [0.4] * model.extras]
    return model, theta, features, rng.integers(0, 5, size=(30, 4))


def differences(function: object, theta: np.ndarray) -> np.ndarray:
    """Central differences of a function of theta, one row a parameter."""
    assert callable(function)
    step = 1e-5 * np.eye(len(theta))
    return np.array([(function(theta + one) - function(theta - one)) / 2e-5 for one in step])


def test_derivatives_are_those_of_the_loss(experiment: tuple[Model, np.ndarray, np.ndarray, np.ndarray]) -> None:
    model, theta, features, votes = experiment
    scores, hessian = model.derivatives(theta, features, votes)
    assert scores.shape == (30, len(theta))
    assert np.allclose(
        scores.sum(axis=0), differences(lambda at: model.loss(at, features, votes), theta), rtol=1e-6, atol=1e-6
    )
    gradient = differences(lambda at: model.derivatives(at, features, votes)[0].sum(axis=0), theta)
    assert np.allclose(hessian, gradient, rtol=1e-6, atol=1e-6)
    assert np.allclose(hessian, hessian.T)


def test_scores_belong_to_their_triplets(experiment: tuple[Model, np.ndarray, np.ndarray, np.ndarray]) -> None:
    model, theta, features, votes = experiment
    scores, _ = model.derivatives(theta, features, votes)
    alone, _ = model.derivatives(theta, features[7:8], votes[7:8])
    assert np.allclose(scores[7], alone[0])


def test_turning_a_and_b_changes_nothing_but_the_sign(
    experiment: tuple[Model, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    model, theta, features, votes = experiment
    assert model.loss(theta, -features, votes[:, ::-1]) == pytest.approx(model.loss(theta, features, votes))


def test_ordinal_probabilities_by_hand() -> None:
    z, s, lapse = 0.7, 1.3, 0.2
    clear_a, any_a, clear_b = expit(z - s), expit(z), expit(-z - s)
    shares = np.array([clear_a, any_a - clear_a, 1 - any_a - clear_b, clear_b])
    assert shares.sum() == pytest.approx(1)
    for grade, share in enumerate(lapse / 4 + (1 - lapse) * shares):
        vote = np.eye(4, dtype=np.int64)[grade : grade + 1]
        loss = Ordinal(lapse).loss(np.array([z, np.log(s)]), np.ones((1, 1)), vote)
        assert loss == pytest.approx(-np.log(share))


def test_binary_probabilities_by_hand() -> None:
    votes = np.array([[2, 1, 1, 1]])
    expected = -3 * np.log(0.05 + 0.9 * expit(0.7)) - 2 * np.log(0.05 + 0.9 * expit(-0.7))
    assert Binary(0.1).loss(np.array([0.7]), np.ones((1, 1)), votes) == pytest.approx(expected)


def test_extreme_weights_stay_finite() -> None:
    votes = np.array([[0, 0, 0, 3], [1, 0, 0, 0]])
    for model in MODELS:
        theta = np.r_[5e3, [0.0] * model.extras]
        assert np.isfinite(model.loss(theta, np.ones((2, 1)), votes))


@pytest.mark.parametrize(
    ("features", "votes", "binary", "ordinal"),
    [
        # A wins wherever f > 0; weak answers hold the ordinal model's weight, for certainty would make them strong.
        ([[1], [-2]], [[2, 1, 0, 0], [0, 0, 1, 2]], True, False),
        # Strong answers alone on one triplet: its w.f may grow for ever.
        ([[1], [-1]], [[2, 0, 0, 0], [0, 0, 0, 2]], True, True),
        # The same part once this way, once that way.
        ([[1], [1]], [[2, 1, 0, 0], [0, 0, 1, 2]], False, False),
        # The second part is there in one triplet only, whose answers are at one.
        ([[1, 0], [1, 0], [0, 1]], [[2, 1, 0, 0], [0, 0, 1, 2], [3, 0, 0, 0]], True, True),
        # Weak answers at 1, strong ones at 2: weight and threshold may grow together.
        ([[1], [2], [-1], [-2]], [[0, 3, 0, 0], [3, 0, 0, 0], [0, 0, 3, 0], [0, 0, 0, 3]], True, True),
        # A part that is never there is no direction.
        ([[1, 0], [1, 0]], [[2, 1, 0, 0], [0, 0, 1, 2]], False, False),
    ],
)
def test_separable_votes_have_no_maximum(
    features: list[list[float]], votes: list[list[int]], binary: bool, ordinal: bool
) -> None:
    f, v = np.array(features, dtype=float), np.array(votes)
    assert has_no_maximum(Binary().recession_rows(f, v)) is binary
    assert has_no_maximum(Ordinal().recession_rows(f, v)) is ordinal
    assert has_no_maximum(Binary().recession_rows(1e-3 * f, v)) is binary  # whatever the scale


def test_a_rising_direction_never_costs_a_vote_anything() -> None:
    """Rows that are all >= 0 along d: the loss falls along d, from wherever."""
    f, votes = np.array([[1.0], [-1.0]]), np.array([[2, 0, 0, 0], [0, 0, 0, 2]])
    rows = Ordinal().recession_rows(f, votes)
    direction = np.array([1.0, 0.5])
    assert (rows @ direction >= 0).all()
    losses = [Ordinal().loss(np.array([0.3 + t, np.log(1 + 0.5 * t)]), f, votes) for t in range(6)]
    assert (np.diff(losses) < 0).all()
