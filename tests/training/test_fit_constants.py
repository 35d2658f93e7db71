"""What the constants of the signal features are fitted to: groups of classes, and what whitening makes of them."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.encoder_fit import GROUPS, fit_whitening, within_class_covariance
from training.fit_constants import PARTS, SHARES, FontFeatures, groups_of, joined_steps


def font(seed: int) -> FontFeatures:
    """Features of two numbers: six clips of each collection, of two classes and three programs; four stems of each part."""
    rng = np.random.default_rng(seed)
    same, program = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 1, 2, 0, 1, 2])
    collections = {name: (rng.standard_normal((6, 2)), same, program) for names in GROUPS.values() for name in names}
    songs = {part: (rng.standard_normal((4, 2)), np.array([7, 7, 8, 8])) for part in PARTS}
    return FontFeatures(collections, songs, [np.full((5, 2), 10.0 * seed + number) for number in range(3)])


def test_each_group_but_the_alterations_has_its_collections() -> None:
    groups = groups_of([font(1), font(2)])
    assert len(groups) + 1 == len(SHARES)
    assert [len(group) for group in groups] == [len(GROUPS["notes"]), 5, 5, len(PARTS)]


def test_classes_of_two_soundfonts_are_different() -> None:
    _, phrases, instruments, songs = groups_of([font(1), font(2)])
    assert len(np.unique(phrases[0][1])) == 4
    assert len(np.unique(instruments[0][1])) == 6
    assert len(np.unique(songs[0][1])) == 4
    assert len(phrases[0][0]) == len(phrases[0][1]) == 12


def test_the_changes_of_an_alteration_are_joined_over_the_soundfonts() -> None:
    steps = joined_steps([font(1), font(2)])
    assert [step.shape for step in steps] == [(10, 2)] * 3
    assert steps[1][[0, 9], 0].tolist() == [11.0, 21.0]


def test_within_classes_whitened_features_vary_alike_in_all_directions() -> None:
    rng = np.random.default_rng(0)
    classes = np.repeat(np.arange(200), 10)
    mixed = rng.standard_normal((2000, 3)) @ np.array([[3.0, 0.5, 0.0], [0.0, 0.2, 0.1], [0.0, 0.0, 1.0]])
    values = mixed + rng.standard_normal((200, 3))[classes] * 5
    mean, whitening = fit_whitening([[(values, classes)], [(values, classes)]], [], shrinkage=0.0)
    whitened = (values - mean) @ whitening
    np.testing.assert_allclose(within_class_covariance(whitened, classes), np.eye(3), atol=1e-6)
    np.testing.assert_allclose(whitened.mean(axis=0), 0, atol=1e-6)


@pytest.mark.parametrize(("shares", "larger"), [((1.0, 1.0, 0.01), 0), ((0.01, 0.01, 1.0), 1)])
def test_a_group_counts_by_its_share(shares: tuple[float, ...], larger: int) -> None:
    """Classes vary most in the first number, alterations change the second: the group with the larger share decides which is
    scaled down more."""
    rng = np.random.default_rng(1)
    classes = np.repeat(np.arange(100), 10)
    within = rng.standard_normal((1000, 2)) * [1.0, 0.1]
    values = within + rng.standard_normal((100, 2))[classes]
    step = rng.standard_normal((500, 2)) * [0.1, 1.0]
    _, whitening = fit_whitening([[(values, classes)], [(values, classes)]], [step], 0.0, shares)
    assert np.argmin(np.diag(whitening)) == larger
