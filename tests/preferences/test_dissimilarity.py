"""The timbre check, on matrices made up here."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from soundalike.errors import InputError
from soundalike.preferences.dissimilarity import check_timbre
from soundalike.preferences.triplet_data import Float64


def made(seed: int, count: int = 9, noise: float = 0.3) -> tuple[Float64, Float64]:
    """Cosines, and dissimilarities that follow them up to noise; some of these tie."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(count, 4))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = vectors @ vectors.T
    human = np.round(4 * (1 - cosines + noise * rng.normal(size=(count, count))), 0)
    human = (human + human.T) / 2
    np.fill_diagonal(human, 0)
    return cosines, human


@pytest.mark.parametrize("seed", range(4))
def test_triplets_and_correlations_by_plain_loops(seed: int) -> None:
    cosines, human = made(seed)
    cosines[0, 3] = cosines[3, 0] = cosines[0, 5] = cosines[5, 0] = 0.5  # a tie of the encoder
    agreeing, total = 0.0, 0
    for i, j, k in itertools.permutations(range(9), 3):
        if j < k and human[i, j] != human[i, k]:
            total += 1
            if cosines[i, j] == cosines[i, k]:
                agreeing += 0.5
            else:
                agreeing += (human[i, j] < human[i, k]) == (cosines[i, j] > cosines[i, k])
    found = check_timbre(cosines, human, draws=20)
    assert found.triplets == total
    assert found.triplet_agreement == pytest.approx(agreeing / total)
    pairs = list(itertools.combinations(range(9), 2))
    people, encoder = [human[pair] for pair in pairs], [1 - cosines[pair] for pair in pairs]
    assert found.pairs == 36
    assert found.spearman == pytest.approx(stats.spearmanr(people, encoder).statistic)
    assert found.kendall == pytest.approx(stats.kendalltau(people, encoder).statistic)
    assert found.interval.low < found.spearman < found.interval.high


def test_the_same_order_is_perfect_and_the_opposite_one_null() -> None:
    cosines, _ = made(0)
    same, opposite = check_timbre(cosines, 3 - 2 * cosines), check_timbre(cosines, 3 + 2 * cosines)
    assert (same.triplet_agreement, same.spearman, same.kendall) == pytest.approx((1, 1, 1))
    assert (opposite.triplet_agreement, opposite.spearman, opposite.kendall) == pytest.approx((0, -1, -1))


def test_an_upper_triangle_is_the_whole() -> None:
    cosines, human = made(1)
    upper = human.copy()
    upper[np.tril_indices(9)] = np.nan
    assert check_timbre(cosines, upper) == check_timbre(cosines, human)


def test_both_directions_are_averaged_where_both_were_judged() -> None:
    cosines, human = made(2)
    tilt = np.triu(np.random.default_rng(0).integers(-3, 4, size=(9, 9)), 1)  # whole numbers: ties stay ties
    uneven = human + tilt - tilt.T
    assert check_timbre(cosines, uneven, draws=20).triplet_agreement == check_timbre(cosines, human).triplet_agreement


def test_pairs_that_nobody_judged_are_left_out() -> None:
    cosines, human = made(3)
    gaps = human.copy()
    gaps[0, :] = gaps[:, 0] = np.nan
    whole, smaller = check_timbre(cosines, gaps), check_timbre(cosines[1:, 1:], human[1:, 1:])
    assert whole.pairs == smaller.pairs == 28
    assert whole.triplets == smaller.triplets
    assert whole.triplet_agreement == smaller.triplet_agreement
    assert whole.spearman == pytest.approx(smaller.spearman)


def test_an_encoder_without_order_agrees_by_half() -> None:
    _, human = made(0)
    found = check_timbre(np.ones((9, 9)), human, draws=20)
    assert found.triplet_agreement == 0.5
    assert np.isnan([found.spearman, found.kendall, found.interval.low, found.interval.high]).all()


def test_the_interval_is_the_same_for_the_same_seed() -> None:
    cosines, human = made(1)
    one, again, other = (check_timbre(cosines, human, draws=50, seed=seed).interval for seed in (1, 1, 2))
    assert one == again != other


@pytest.mark.parametrize(
    ("similarities", "human", "word"),
    [
        (np.ones((4, 4)), np.ones((4, 3)), "square"),
        (np.ones((4, 4)), np.ones((3, 3)), "4 sounds"),
        (np.ones((3, 3)), np.full((3, 3), np.inf), "infinite"),
        (np.ones((2, 2)), np.ones((2, 2)), "only 1 pairs"),
        (np.ones((4, 4)), np.full((4, 4), np.nan), "only 0 pairs"),
        (np.ones((4, 4)), np.ones((4, 4)), "same dissimilarity"),
    ],
)
def test_matrices_that_say_nothing_are_refused(similarities: Float64, human: Float64, word: str) -> None:
    with pytest.raises(InputError, match=word):
        check_timbre(similarities, human)
