"""Models of preference against scikit-learn, statsmodels 0.15.0 and general optimisers, and what every method must keep."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import optimize
from sklearn.linear_model import LinearRegression, Ridge

from soundalike.errors import InputError
from soundalike.preferences import estimators, likelihoods
from soundalike.preferences.estimators import (
    METHODS,
    RIDGE_ALPHAS,
    VOTE_ALPHAS,
    Fit,
    fit_logistic,
    fit_nonnegative,
    fit_ols,
    fit_ordinal,
    fit_ridge,
    folds,
    get_method,
)
from soundalike.preferences.triplet_data import Float64, TripletData
from tests.preferences.planted import WEIGHTS, World

STEADY = [name for name in METHODS if not name.endswith("-cv")]


def formula() -> TripletData:
    """Sixty triplets of three parts by formula, so that another program can be given the same numbers."""
    i = np.arange(60)
    wave = np.sin(1.7 * i + 0.3)
    f = np.column_stack([0.15 * wave, 0.12 * np.cos(2.9 * i) + 0.05 * wave, 0.1 * np.sin(i * i * 0.37)])
    z = f @ np.array([6, 3, -2.0])
    votes = np.column_stack(
        [
            np.round(3 * (1 + np.tanh(z - 0.5 + 0.7 * np.sin(5 * i)))),
            2 + i % 3 + (z > 0),
            1 + (i * 7) % 4 + (z < 0),
            np.round(3 * (1 - np.tanh(z + 0.5 + 0.6 * np.cos(3 * i)))),
        ]
    ).astype(np.int64)
    return alone(f, votes)


def alone(features: Float64, votes: NDArray[np.number[Any]]) -> TripletData:
    """Triplets that share no track, all of them kept."""
    count = len(votes)
    tracks = tuple(frozenset({str(i)}) for i in range(count))
    return TripletData(np.asarray(features, dtype=float), votes.astype(np.int64), tracks, np.ones(count, dtype=bool))


@pytest.fixture(scope="module")
def made() -> TripletData:
    return World(WEIGHTS[[1, 5, 6]]).draw(np.random.default_rng(4), 120)


def test_least_squares_are_scikit_learns(made: TripletData) -> None:
    f, y = made.features[made.kept], made.labels[made.kept]
    assert 0 < made.kept.sum() < len(made)
    assert np.allclose(fit_ols(made).weights, LinearRegression(fit_intercept=False).fit(f, y).coef_)
    for alpha in (1.0, 0.2):
        ridge = Ridge(alpha=alpha, fit_intercept=False).fit(f, y)
        assert np.allclose(fit_ridge(made, alpha).weights, ridge.coef_)
    assert fit_ridge(made).alpha == 1
    positive = LinearRegression(fit_intercept=False, positive=True).fit(-f, y)
    against = TripletData(-made.features, made.votes, made.tracks, made.kept)
    assert np.allclose(fit_nonnegative(against).weights, positive.coef_)


def test_ols_and_its_hc3_are_statsmodels() -> None:
    """`OLS(y, f).fit(cov_type="HC3")`."""
    fit = fit_ols(formula())
    assert fit.covariance is not None
    assert fit.weights == pytest.approx([6.763455352, 1.7798548727, -2.8420670848], abs=1e-8)
    assert np.sqrt(np.diag(fit.covariance)) == pytest.approx([0.7665454111, 0.8528305882, 0.9340998853], abs=1e-8)
    assert fit.covariance[0] == pytest.approx([0.5875918672, -0.4788674045, 0.2253700604], abs=1e-8)


def test_logistic_and_its_clustered_deviations_are_statsmodels() -> None:
    """`GLM(votes, f, Binomial()).fit(cov_type="cluster", cov_kwds={"groups": triplet, "use_correction": False})`, its
    deviations times sqrt(60 / 57)."""
    fit = fit_logistic(formula())
    assert fit.covariance is not None
    assert fit.weights == pytest.approx([6.1007978587, 2.639415479, -1.7700568876], abs=1e-7)
    assert np.sqrt(np.diag(fit.covariance)) == pytest.approx([0.6509267491, 0.7553690511, 0.9768856137], abs=1e-7)


def test_ordinal_is_statsmodels_on_both_orders() -> None:
    """`OrderedModel(grades, f, distr="logit")` on each answer and its turned copy, which makes the thresholds symmetric."""
    fit = fit_ordinal(formula())
    assert fit.weights == pytest.approx([6.7749360894, 2.8820964582, -2.3500615923], abs=1e-5)
    assert fit.strength == pytest.approx(1.6209317295, abs=1e-6)


@pytest.mark.parametrize(("alpha", "lapse"), [(0.0, 0.1), (0.7, 0.0), (0.3, 0.2)])
def test_penalties_and_lapses_against_a_general_optimiser(made: TripletData, alpha: float, lapse: float) -> None:
    for model, fit in (
        (likelihoods.Binary(lapse), fit_logistic(made, alpha, lapse)),
        (likelihoods.Ordinal(lapse), fit_ordinal(made, alpha, lapse)),
    ):
        size = made.parts + model.extras

        def loss(theta: Float64, model: likelihoods.Model = model) -> float:
            return model.loss(theta, made.features, made.votes) + alpha / 2 * float(np.sum(theta[:3] ** 2))

        found = optimize.minimize(loss, np.zeros(size), method="BFGS", options={"gtol": 1e-3})
        assert np.allclose(fit.weights, found.x[:3], rtol=1e-3, atol=1e-3)
        if fit.strength is not None:
            assert fit.strength == pytest.approx(np.exp(found.x[3]), rel=1e-3)


@pytest.mark.parametrize("name", METHODS)
def test_turning_a_triplet_changes_nothing(made: TripletData, name: str) -> None:
    """No intercept: A and B in each other's place, in some triplets, give the same weights."""
    flip = np.arange(len(made)) % 3 == 0
    turned = TripletData(
        np.where(flip[:, np.newaxis], -made.features, made.features),
        np.where(flip[:, np.newaxis], made.votes[:, ::-1], made.votes),
        made.tracks,
        made.kept,
    )
    one, other = METHODS[name].fit(made), METHODS[name].fit(turned)
    assert np.allclose(one.weights, other.weights, rtol=1e-6, atol=1e-7)
    assert one.method == other.method == name


@pytest.mark.parametrize("name", METHODS)
def test_a_part_that_is_never_there_has_weight_0(made: TripletData, name: str) -> None:
    f = np.insert(made.features, 1, 0.0, axis=1)
    fit = METHODS[name].fit(TripletData(f, made.votes, made.tracks, made.kept))
    assert fit.weights[1] == 0
    assert np.allclose(np.delete(fit.weights, 1), METHODS[name].fit(made).weights, rtol=1e-6, atol=1e-7)
    bounds = fit.intervals()
    assert bounds is None or bounds[1].tolist() == [0, 0]


@pytest.mark.parametrize("name", METHODS)
def test_nothing_but_silence_gives_no_weights(name: str, made: TripletData) -> None:
    silent = TripletData(0 * made.features, made.votes, made.tracks, made.kept)
    assert METHODS[name].fit(silent).weights.tolist() == [0, 0, 0]


@pytest.mark.parametrize("name", [name for name in METHODS if name != "nonnegative"])
def test_two_parts_that_are_the_same_share_their_weight(made: TripletData, name: str) -> None:
    twice = TripletData(made.features[:, [0, 0, 2]], made.votes, made.tracks, made.kept)
    weights = METHODS[name].fit(twice).weights
    assert weights[0] == pytest.approx(weights[1], rel=1e-4)


@pytest.mark.parametrize("name", METHODS)
def test_methods_of_labels_see_the_kept_alone_and_those_of_votes_see_all(made: TripletData, name: str) -> None:
    other = made.votes.copy()
    other[~made.kept] = np.where(made.features[~made.kept, 2:] > 0, [9, 3, 0, 0], [0, 0, 3, 9])
    changed = METHODS[name].fit(TripletData(made.features, other, made.tracks, made.kept)).weights
    same = np.allclose(changed, METHODS[name].fit(made).weights)
    assert same == (METHODS[name].uses == "labels")


@pytest.mark.parametrize("scale", [0.01, 0.1, 0.5])
def test_separable_votes_are_refused_with_the_cure(scale: float) -> None:
    rng = np.random.default_rng(0)
    f = scale * rng.normal(size=(40, 2))
    f[:, 0] += scale * np.sign(f[:, 0])  # a margin, so that the gradient vanishes on the way to infinity
    first = f[:, 0] > 0
    data = alone(f, np.where(first[:, np.newaxis], [3, 2, 0, 0], [0, 0, 2, 3]))
    for lapse in (0.0, 0.1):
        with pytest.raises(InputError, match="penalty"):
            fit_logistic(data, lapse=lapse)
    assert fit_logistic(data, alpha=0.1).weights[0] > 0
    assert METHODS["logistic-cv"].fit(data).weights[0] > 0
    assert fit_ordinal(data).weights[0] > 0  # weak answers keep it from infinity


@pytest.mark.parametrize("scale", [0.01, 0.1, 0.5])
def test_a_part_that_only_one_unanimous_triplet_has_is_refused(scale: float) -> None:
    rng = np.random.default_rng(1)
    f = np.zeros((40, 2))
    f[:, 0], f[0, 1] = scale * rng.normal(size=40), scale
    votes = rng.integers(1, 5, size=(40, 4))
    votes[0] = (5, 0, 0, 0)
    for fit in (fit_logistic, fit_ordinal):
        with pytest.raises(InputError, match="penalty"):
            fit(alone(f, votes))


def test_fewer_triplets_than_parts() -> None:
    """Least squares fits exactly with the shortest weights, and claims no certainty."""
    rng = np.random.default_rng(2)
    data = alone(rng.normal(size=(3, 5)), np.array([[2, 1, 1, 0], [0, 1, 2, 2], [3, 1, 1, 0]]))
    fit = fit_ols(data)
    assert np.allclose(data.features @ fit.weights, data.labels)
    assert np.allclose(fit.weights, np.linalg.lstsq(data.features, data.labels, rcond=None)[0])
    assert fit.intervals() is None
    assert fit_logistic(data).intervals() is None
    for name in ("ridge-cv", "logistic-cv", "ordinal-cv"):
        with pytest.raises(InputError, match="3 triplets are too few"):
            METHODS[name].fit(data)


@pytest.mark.parametrize("name", METHODS)
def test_nothing_to_learn_from_is_an_error(made: TripletData, name: str) -> None:
    with pytest.raises(InputError):
        METHODS[name].fit(made.take([]))


def test_refusals_name_the_value(made: TripletData) -> None:
    with pytest.raises(InputError, match="cut-off"):
        fit_ols(made.take(~made.kept))
    for lapse in (-0.1, 1.0):
        with pytest.raises(InputError, match="lapse"):
            fit_logistic(made, lapse=lapse)
    for fit in (fit_ridge, fit_logistic, fit_ordinal):
        with pytest.raises(InputError, match="-2"):
            fit(made, -2.0)
    clear = TripletData(made.features, made.votes * np.array([1, 0, 0, 1]), made.tracks, made.kept)
    with pytest.raises(InputError, match="same strength"):
        fit_ordinal(clear)
    with pytest.raises(InputError, match=r"'lasso'.*ols"):
        get_method("lasso")
    assert get_method("ols") is METHODS["ols"]


def test_intervals_are_normal_ones() -> None:
    fit = Fit("x", np.array([1.0, -2.0]), np.diag([0.25, 4.0]), 10)
    bounds = fit.intervals()
    assert bounds is not None
    assert np.allclose(bounds, [[1 - 0.98, 1 + 0.98], [-2 - 3.92, -2 + 3.92]], atol=1e-3)
    narrow = fit.intervals(0.5)
    assert narrow is not None
    assert narrow[0, 1] - narrow[0, 0] == pytest.approx(2 * 0.6745 * 0.5, abs=1e-4)
    assert Fit("x", np.zeros(2), None, 10).intervals() is None


@pytest.mark.parametrize(("name", "alphas"), [("ridge-cv", RIDGE_ALPHAS), ("logistic-cv", VOTE_ALPHAS)])
def test_the_chosen_penalty_is_that_of_the_least_held_out_loss(
    made: TripletData, name: str, alphas: tuple[float, ...]
) -> None:
    """Chosen again the long way, with scikit-learn's ridge and a loss written out."""
    usable = made.take(made.kept) if name == "ridge-cv" else made
    losses = []
    for alpha in alphas:
        loss = 0.0
        for training, held in folds(usable):
            one, rest = usable.take(held), usable.take(training)
            if name == "ridge-cv":
                ridge = Ridge(alpha=alpha, fit_intercept=False).fit(rest.features, rest.labels)
                loss += float(np.sum((one.labels - ridge.predict(one.features)) ** 2))
            else:
                z = one.features @ fit_logistic(rest, alpha).weights
                loss += float(one.for_a @ np.logaddexp(0, -z) + (one.total - one.for_a) @ np.logaddexp(0, z))
        losses.append(loss)
    fit = METHODS[name].fit(made)
    assert fit.alpha == alphas[int(np.argmin(losses))]
    assert fit.triplets == len(usable)


def test_noise_is_penalised_more_than_signal() -> None:
    rng = np.random.default_rng(5)
    signal, noise = World(WEIGHTS).draw(rng, 200), World(0 * WEIGHTS).draw(rng, 200)
    for name in ("logistic-cv", "ordinal-cv"):
        assert METHODS[name].fit(noise).alpha > METHODS[name].fit(signal).alpha


def test_folds_share_no_track_where_enough_is_left() -> None:
    chain = alone(np.ones((100, 2)), np.ones((100, 4)))
    paired = TripletData(
        chain.features, chain.votes, tuple(frozenset({f"{i // 4}", f"own {i}"}) for i in range(100)), chain.kept
    )
    pairs = folds(paired)
    assert sorted(np.concatenate([held for _, held in pairs]).tolist()) == list(range(100))
    for training, held in pairs:
        assert not paired.shares_track(held)[training].any()
        assert estimators.MIN_TRIPLETS_PER_PART * 2 <= len(training) < 80


def test_folds_are_plain_where_tracks_link_everything() -> None:
    linked = TripletData(
        np.ones((50, 2)), np.ones((50, 4), dtype=np.int64), (frozenset({"one"}),) * 50, np.ones(50, bool)
    )
    for training, held in folds(linked):
        assert len(training) == 40
        assert not np.intersect1d(training, held).size
