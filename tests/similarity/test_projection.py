from __future__ import annotations

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from soundalike.similarity.cosine import unit
from soundalike.similarity.projection import FEWEST, project


def clusters(count: int, groups: int, dimension: int = 24, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors around as many directions, and which direction each is of."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(groups, dimension))
    of = rng.integers(0, groups, count)
    return unit((centres[of] + 0.35 * rng.normal(size=(count, dimension))).astype(np.float32)), of


def test_neighbours_stay_neighbours() -> None:
    vectors, of = clusters(400, 8)
    points = project(vectors)
    assert points.shape == (400, 2)
    assert points.min() >= 0
    assert points.max() <= 1
    assert max(np.ptp(points, axis=0)) == pytest.approx(1, abs=1e-5)
    shuffled = points[np.random.default_rng(0).permutation(400)]
    kept, chance = trustworthiness(vectors, points), trustworthiness(vectors, shuffled)
    assert kept > 0.9 > chance + 0.3
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert np.mean(of[distances.argmin(axis=1)] == of) > 0.97


@pytest.mark.parametrize("count", [30, 90])
def test_neighbours_of_few_points(count: int) -> None:
    """A small library takes more steps, since its groups lie on one another after those that a large one needs."""
    vectors, of = clusters(count, 3)
    points = project(vectors)
    means = np.array([points[of == group].mean(axis=0) for group in range(3)])
    nearest = np.linalg.norm(points[:, None] - means[None], axis=2).argmin(axis=1)
    assert np.mean(nearest == of) > 0.97


def test_points_that_are_no_landmarks_lie_among_their_neighbours() -> None:
    vectors, of = clusters(600, 6)
    points = project(vectors, landmarks=120)
    assert trustworthiness(vectors, points) > 0.85
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert np.mean(of[distances.argmin(axis=1)] == of) > 0.97


def test_the_same_vectors_give_the_same_points() -> None:
    vectors, _ = clusters(150, 4)
    np.testing.assert_array_equal(project(vectors), project(vectors.copy()))
    np.testing.assert_array_equal(project(vectors, landmarks=40), project(vectors, landmarks=40))


def test_progress_is_shares_and_nothing_printed(capsys: pytest.CaptureFixture[str]) -> None:
    shares: list[float] = []
    project(clusters(100, 3)[0], on_progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert len(shares) > 5
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("count", [0, 1, 2, 3, FEWEST - 1, FEWEST, FEWEST + 1, 30])
@pytest.mark.parametrize("dimension", [1, 2, 24])
def test_few_points(count: int, dimension: int) -> None:
    vectors = unit(np.random.default_rng(2).normal(size=(count, dimension)).astype(np.float32))
    points = project(vectors)
    assert points.shape == (count, 2)
    assert np.isfinite(points).all()
    if count == 1:
        assert points.tolist() == [[0.5, 0.5]]


def test_identical_vectors_lie_on_one_another() -> None:
    vectors, _ = clusters(40, 4)
    several = np.concatenate([vectors, vectors[:10], vectors[:10]])
    points = project(several)
    np.testing.assert_array_equal(points[:10], points[40:50])
    np.testing.assert_array_equal(points[:10], points[50:60])
    assert project(np.repeat(vectors[:1], 50, axis=0)).tolist() == [[0.5, 0.5]] * 50
