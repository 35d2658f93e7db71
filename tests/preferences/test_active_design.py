"""Choosing the next triplets."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike.preferences.active_design import (
    Belief,
    Contrast,
    StillNeeded,
    choose_triplets,
    expected_information,
    grade_information,
    still_needed,
)
from soundalike.preferences.hierarchical import grade_probabilities


def belief(parts: int = 3, seed: int = 0) -> Belief:
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((parts, parts))
    return Belief(rng.standard_normal(parts), root @ root.T + np.eye(parts), 1.0)


@pytest.mark.parametrize("z", [-2.0, 0.0, 0.7, 4.0])
def test_the_information_is_the_expected_squared_score(z: float) -> None:
    step = 1e-5
    p = grade_probabilities(np.array([z]), 1.3)[0]
    slope = (grade_probabilities(np.array([z + step]), 1.3)[0] - grade_probabilities(np.array([z - step]), 1.3)[0]) / (
        2 * step
    )
    assert grade_information(np.array([z]), 1.3)[0] == pytest.approx(float(np.sum(slope**2 / p)), rel=1e-6)


def test_the_expected_information_is_the_mean_over_the_posterior() -> None:
    draws = np.random.default_rng(0).normal(0.4, 1.5, 200_000)
    expected = float(grade_information(draws, 1.0).mean())
    assert expected_information(np.array([0.4]), np.array([1.5**2]), 1.0)[0] == pytest.approx(expected, rel=5e-3)
    assert expected_information(np.array([0.4]), np.array([0.0]), 1.0)[0] == pytest.approx(
        grade_information(np.array([0.4]), 1.0)[0]
    )


@pytest.mark.parametrize("contrast", [Contrast(0, 2), Contrast(1), None])
def test_each_choice_reduces_the_covariance_most(contrast: Contrast | None) -> None:
    """Against the updated covariance of every candidate, step by step."""
    now, features = belief(), np.random.default_rng(1).normal(0, 0.5, (40, 3))
    chosen = choose_triplets(now, features, 4, contrast=contrast).tolist()
    variance = np.einsum("nk,kl,nl->n", features, now.covariance, features)
    information = expected_information(features @ now.weights, variance, now.strength)
    precision = np.linalg.inv(now.covariance)
    for step, choice in enumerate(chosen):
        after = []
        for candidate in range(len(features)):
            covariance = np.linalg.inv(
                precision + information[candidate] * np.outer(features[candidate], features[candidate])
            )
            if contrast is None:
                after.append(float(np.linalg.slogdet(covariance)[1]))
            else:
                c = contrast.coefficients(3)
                after.append(float(c @ covariance @ c))
        allowed = [n for n in range(len(features)) if n not in chosen[:step]]
        assert choice == min(allowed, key=lambda n: after[n])
        precision = precision + information[choice] * np.outer(features[choice], features[choice])


def test_no_song_is_used_more_often_than_the_cap() -> None:
    features = np.random.default_rng(1).normal(0, 0.5, (60, 3))
    groups = [frozenset((f"song{n % 7}", f"song{n % 5}")) for n in range(60)]
    chosen = choose_triplets(belief(), features, 20, groups=groups, cap=2)
    assert len(chosen) >= 5
    used = [song for n in chosen for song in groups[n]]
    assert max(used.count(song) for song in set(used)) <= 2


def test_all_candidates_are_chosen_once_if_there_are_too_few() -> None:
    assert sorted(choose_triplets(belief(), np.eye(3), 10).tolist()) == [0, 1, 2]


def test_a_contrast_has_the_interval_of_a_difference() -> None:
    covariance = np.array([[4.0, 1.0], [1.0, 1.0]])
    low, high = Contrast(0, 1).interval(np.array([3.0, 1.0]), covariance)
    assert (low + high) / 2 == pytest.approx(2.0)
    assert high - low == pytest.approx(2 * 1.959964 * np.sqrt(4 + 1 - 2))
    assert Contrast(0, 1).relative_width(np.array([3.0, 1.0]), covariance) == pytest.approx((high - low) / 2)
    assert Contrast(0).interval(np.array([3.0, 1.0]), covariance)[1] == pytest.approx(3 + 1.959964 * 2)
    assert Contrast(0, 1).relative_width(np.zeros(2), covariance) == np.inf


def test_half_the_width_needs_four_times_the_answers() -> None:
    assert still_needed(2.0, 1.0, 50) == StillNeeded(answers=150)
    assert still_needed(1.0, 1.0, 50) is None
    assert still_needed(1.001, 1.0, 50) == StillNeeded(answers=1)


def test_what_tastes_leave_needs_listeners() -> None:
    # Of the squared width 4, tastes are 0.2: the other 3.8 must fall to 0.8.
    assert still_needed(2.0, 1.0, 80, listeners=4, taste_width=0.2**0.5) == StillNeeded(answers=300)
    needed = still_needed(2.0, 1.0, 80, listeners=4, taste_width=0.9)
    assert needed == StillNeeded(listeners=12)
    assert str(needed) == "tastes differ: about 12 more listeners"
