"""The noise ceiling: the beta-binomial by hand, by simulation and on the released answers."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate, stats

from soundalike.errors import InputError
from soundalike.preferences.noise_ceiling import (
    Beta,
    Float64,
    Int64,
    fit_beta,
    majority_probability,
    noise_ceiling,
    noise_ceiling_interval,
)
from soundalike.preferences.triplets import GRADES, Triplet, Votes, add_votes


def triplet(number: int, votes: Votes, tracks: tuple[str, str, str]) -> Triplet:
    return Triplet(f"x{number}", f"a{number}", f"b{number}", "mix", tracks, {"total": votes})


def drawn(a: float, b: float, count: int, seed: int = 0) -> tuple[Float64, Int64, Int64]:
    """Populations' shares, votes for one side, all votes."""
    rng = np.random.default_rng(seed)
    share, totals = rng.beta(a, b, count), rng.integers(4, 9, count)
    return share, rng.binomial(totals, share), totals


def test_the_likelihood_is_scipys() -> None:
    _, k, n = drawn(1.5, 0.6, 400)
    found = fit_beta(k, n, symmetric=False)

    def loss(a: float, b: float) -> float:
        return -float(np.sum(stats.betabinom.logpmf(k, n, a, b)))

    best = loss(found.a, found.b)
    for factor in (0.98, 1.02):
        assert loss(factor * found.a, found.b) > best
        assert loss(found.a, factor * found.b) > best


def test_planted_populations_are_found() -> None:
    _, k, n = drawn(1.3, 1.3, 20_000)
    found = fit_beta(k, n, symmetric=True)
    assert found.a == found.b == pytest.approx(1.3, abs=0.05)
    _, k, n = drawn(1.7, 0.2, 20_000)
    found = fit_beta(k, n, symmetric=False)
    assert (found.a, found.b) == pytest.approx((1.7, 0.2), rel=0.1)


def test_triplets_without_votes_say_nothing_and_none_at_all_is_an_error() -> None:
    k, n = np.array([3, 5, 0, 1]), np.array([5, 6, 0, 5])
    assert fit_beta(k, n, symmetric=False) == fit_beta(k[n > 0], n[n > 0], symmetric=False)
    with pytest.raises(InputError, match="has a vote"):
        fit_beta(k[2:3], n[2:3], symmetric=True)


def test_the_posterior_by_hand() -> None:
    """4 of 5 under a flat prior: P(share > 1/2 | Beta(5, 2)) = 57/64; the other way round the same."""
    found = majority_probability(np.array([4, 1]), np.array([5, 5]), Beta(1, 1))
    assert found == pytest.approx([57 / 64, 57 / 64])
    k, n, beta = 2, 7, Beta(1.7, 0.2)
    whole = integrate.quad(lambda p: p ** (k + 0.7) * (1 - p) ** (n - k - 0.8), 0, 1)[0]
    below = integrate.quad(lambda p: p ** (k + 0.7) * (1 - p) ** (n - k - 0.8), 0, 0.5)[0]
    assert majority_probability(np.array([k]), np.array([n]), beta) == pytest.approx([below / whole])


def test_the_ceiling_is_what_a_perfect_model_reaches() -> None:
    share, k, n = drawn(1.3, 1.3, 20_000)
    triplets = [
        triplet(i, (int(one), 0, 0, int(all_ - one)), ("1", "2", "3"))
        for i, (one, all_) in enumerate(zip(k, n, strict=True))
    ]
    kept = np.maximum(k, n - k) / n >= 0.8 - 1e-9
    reached = np.mean((share > 0.5)[kept] == (2 * k > n)[kept])
    assert noise_ceiling(triplets, 0.8) == pytest.approx(reached, abs=0.005)


def test_the_slot_of_the_same_track_does_not_matter() -> None:
    rows: list[Votes] = [(4, 1, 0, 1), (5, 0, 0, 0), (2, 1, 1, 1), (0, 1, 1, 4), (3, 3, 0, 0)]
    straight = [triplet(i, votes, ("1", "1", "2")) for i, votes in enumerate(2 * rows)]
    mixed = [one.swapped() if i % 2 else one for i, one in enumerate(straight)]
    assert noise_ceiling(mixed, 0.8) == pytest.approx(noise_ceiling(straight, 0.8))
    assert 0.5 < noise_ceiling(straight, 0.8) < 1


def test_none_kept_is_nan() -> None:
    assert np.isnan(noise_ceiling([triplet(0, (1, 0, 0, 1), ("1", "2", "3"))], 0.8))
    assert np.isnan(noise_ceiling([], 0.8))


def test_the_released_mix_answers(test_data: Path) -> None:
    """The figures of 480 mix triplets at 80 %: Beta(1.29, 1.29) and Beta(1.70, .20), 94.6, 99.4 and 97.6 %."""
    file = test_data / "inst_sim_abx" / "inst_sim_abx_answers.csv"
    if not file.is_file():
        pytest.skip(f"no {file.name} there")
    counts: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    with file.open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            names = (row["reference"], row["sample_a"], row["sample_b"])
            if "/mix/" in names[0]:
                counts[names][GRADES.index(row["answer_total"])] += 1
    triplets = []
    for names, (a, b, c, d) in counts.items():
        first, second, third = (re.sub(r".*_(\d+)-\d+\.wav$", r"\1", name) for name in names)
        triplets.append(Triplet(*names, "mix", (first, second, third), {"total": (a, b, c, d)}))
    xab, xyc = ([one for one in triplets if one.kind == kind] for kind in ("XAB", "XYC"))
    for_a = np.array([one.for_a() for one in xab])
    all_a = for_a + np.array([one.for_b() for one in xab])
    found = fit_beta(for_a, all_a, symmetric=True)
    assert (found.a, found.b) == pytest.approx((1.29, 1.29), abs=0.01)
    own = [one if one.tracks[0] == one.tracks[1] else one.swapped() for one in xyc]
    for_own = np.array([one.for_a() for one in own])
    found = fit_beta(for_own, for_own + np.array([one.for_b() for one in own]), symmetric=False)
    assert (found.a, found.b) == pytest.approx((1.70, 0.20), abs=0.01)
    for chosen, share in ((xab, 0.946), (xyc, 0.994), (triplets, 0.976)):
        assert noise_ceiling(chosen, 0.8) == pytest.approx(share, abs=0.003)


def test_single_votes_say_nothing_of_noise() -> None:
    once = [triplet(i, (1, 0, 0, 0) if i % 3 else (0, 0, 0, 1), ("1", "2", "3")) for i in range(60)]
    assert np.isnan(noise_ceiling(once, 0.8))
    twice = [triplet(100 + i, (2, 0, 0, 0), ("1", "2", "3")) for i in range(10)]
    assert np.isnan(noise_ceiling(once + twice[:9], 0.8))
    assert 0.5 <= noise_ceiling(once + twice, 0.8) <= 1


def test_a_ceiling_may_be_of_some_of_the_triplets() -> None:
    rows: list[Votes] = [(9, 0, 0, 0), (4, 0, 0, 1)] * 10
    several = [triplet(i, votes, ("1", "2", "3")) for i, votes in enumerate(rows)]
    clear = noise_ceiling(several, 0.8, include=lambda one: one.agreement() == 1)
    unclear = noise_ceiling(several, 0.8, include=lambda one: one.agreement() < 1)
    assert unclear < noise_ceiling(several, 0.8) < clear


def test_the_interval_contains_the_ceiling() -> None:
    rows: list[Votes] = [(9, 0, 0, 0), (4, 0, 0, 1), (1, 1, 1, 2)] * 15
    several = [triplet(i, votes, (f"{i}x", f"{i}a", f"{i}b")) for i, votes in enumerate(rows)]
    bounds = noise_ceiling_interval(several, 0.8)
    assert 0.5 < bounds.low < noise_ceiling(several, 0.8) < bounds.high < 1
    assert np.isnan(noise_ceiling_interval(several[:5], 0.8).low)


def test_the_interval_of_independent_triplets_is_that_of_resampling() -> None:
    _, k, n = drawn(1.3, 1.3, 300)
    counts = [(int(one), 0, 0, int(all_ - one)) for one, all_ in zip(k, n, strict=True)]
    several = [triplet(i, votes, (f"{i}x", f"{i}a", f"{i}b")) for i, votes in enumerate(counts)]
    bounds = noise_ceiling_interval(several, 0.8)
    rng = np.random.default_rng(0)
    values = []
    for _ in range(60):
        drawn_again = [replace(several[i], reference=f"r{n}") for n, i in enumerate(rng.integers(300, size=300))]
        values.append(noise_ceiling(drawn_again, 0.8))
    assert (bounds.high - bounds.low) / 3.92 == pytest.approx(np.std(values), rel=0.3)


def test_shared_tracks_widen_the_interval() -> None:
    """Ten tracks: triplets of a track are all clear or all unclear."""
    several = []
    for i in range(200):
        track = i % 10
        votes: Votes = (9, 0, 0, 0) if track < 5 else (4, 0, 0, 1)
        several.append(triplet(i, votes, (f"{track}", f"{i}a", f"{i}b")))
    apart = [replace(one, tracks=(f"{i}x", f"{i}a", f"{i}b")) for i, one in enumerate(several)]
    linked, alone = (noise_ceiling_interval(some, 0.8) for some in (several, apart))
    assert linked.high - linked.low > 1.5 * (alone.high - alone.low)


def test_triplets_asked_in_both_orders_count_once() -> None:
    rows: list[Votes] = [(3, 1, 0, 1), (4, 0, 0, 0), (2, 1, 1, 1), (0, 1, 1, 3), (2, 3, 0, 0)] * 4
    halves = [triplet(i, votes, ("1", "1", "2")) for i, votes in enumerate(rows)]
    both_orders = [one for half in halves for one in (half, half.swapped())]
    doubled = [replace(one, votes=add_votes(one.votes, one.votes)) for one in halves]
    assert noise_ceiling(both_orders, 0.8) == pytest.approx(noise_ceiling(doubled, 0.8))
    assert noise_ceiling(doubled, 0.8) > noise_ceiling(halves, 0.8)
