"""Do preference models recover planted weights, and do their intervals cover them?

    python -m benchmarks.planted_truth [--simulations 1000]

Listeners are simulated (`tests/preferences/planted.py`), so the truth is known: seven correlated parts, 5 to 12 votes per
triplet in four grades, and 5 % lapses, which the models know. Repeated many times with about 331 triplets:

1. *Coverage*: how often the 95 % interval of each weight contains the truth. Vote models get 331 triplets with all votes and
   are compared with the planted weights. Label models get as many triplets as leave about 331 kept at 80 % agreement and
   are compared with their own estimand: the best linear predictor of kept labels in a population of a million triplets.
2. *Methods compared*: cosine between fitted and planted weights, error of the weights after the best common scale (relative
   to the norm of the planted weights), and agreement on 20,000 other kept triplets.
3. *Leakage*: features that only identify the track of a clip, evaluated by shuffled splits and without shared tracks.

Prints Markdown. Deterministic; 1,000 simulations take about half a minute on one core.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from functools import partial

import numpy as np

from soundalike.parts import PARTS
from soundalike.preferences.estimators import (
    METHODS,
    Fit,
    Method,
    fit_logistic,
    fit_nonnegative,
    fit_ols,
    fit_ordinal,
    fit_ridge,
)
from soundalike.preferences.evaluation import cross_validate, is_correct, leave_tracks_out, predict, shuffle_splits
from soundalike.preferences.triplet_data import Bool, Float64, TripletData
from tests.preferences.planted import WEIGHTS, World, best_linear, fingerprints

TRIPLETS = 331


def covers(fit: Fit, truth: Float64) -> Bool:
    """(K,) which 95 % intervals contain the truth."""
    bounds = fit.intervals()
    assert bounds is not None  # these methods have a covariance
    return np.asarray((bounds[:, 0] <= truth) & (truth <= bounds[:, 1]))


def recovery(fit: Fit, test: TripletData) -> tuple[float, float, float]:
    """Cosine with the planted weights, error after the best scale, and agreement."""
    cosine = float(fit.weights @ WEIGHTS / np.linalg.norm(fit.weights) / np.linalg.norm(WEIGHTS))
    scale = float(fit.weights @ WEIGHTS / (fit.weights @ fit.weights))
    error = float(np.linalg.norm(scale * fit.weights - WEIGHTS) / np.linalg.norm(WEIGHTS))
    return cosine, error, float(is_correct(test, predict(test.features, fit.weights)).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    world, rng = World(WEIGHTS), np.random.default_rng(arguments.seed)
    linear = best_linear(world, rng)
    pool = world.draw(rng, 50_000)
    test = pool.take(np.flatnonzero(pool.kept)[:20_000])
    needed = round(TRIPLETS / float(pool.kept.mean()))
    cosine = float(linear @ WEIGHTS / np.linalg.norm(linear) / np.linalg.norm(WEIGHTS))
    covered: dict[str, list[Bool]] = defaultdict(list)
    figures: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    for _ in range(arguments.simulations):
        for_votes, for_labels = world.draw(rng, TRIPLETS), world.draw(rng, needed)
        for fit, truth in (
            (fit_logistic(for_votes, lapse=world.lapse), WEIGHTS),
            (fit_ordinal(for_votes, lapse=world.lapse), WEIGHTS),
            (fit_ols(for_labels), linear),
        ):
            covered[fit.method].append(covers(fit, truth))
        for fit in (
            fit_ols(for_labels),
            fit_ridge(for_labels),
            fit_nonnegative(for_labels),
            fit_logistic(for_labels, lapse=world.lapse),
            fit_ordinal(for_labels, lapse=world.lapse),
        ):
            figures[fit.method].append(recovery(fit, test))
    print(f"{arguments.simulations} simulations. {needed} triplets leave about {TRIPLETS} kept.")
    print(f"Cosine of the best linear predictor with the planted weights: {cosine:.4f}.\n")
    print(f"| coverage of 95 % intervals, % | {' | '.join(PARTS)} |")
    print(f"|---|{'---|' * len(PARTS)}")
    for name, rows in covered.items():
        print(f"| {name} | {' | '.join(f'{100 * share:.1f}' for share in np.mean(rows, axis=0))} |")
    known = is_correct(test, predict(test.features, WEIGHTS)).mean()
    print("\n| method | cosine with the truth | error of the weights, % | agreement, % |\n|---|---|---|---|")
    for name, triples in figures.items():
        means, deviations = np.mean(triples, axis=0), np.std(triples, axis=0, ddof=1)
        print(
            f"| {name} | {means[0]:.3f} ± {deviations[0]:.3f} | {100 * means[1]:.1f} ± {100 * deviations[1]:.1f} "
            f"| {100 * means[2]:.2f} ± {100 * deviations[2]:.2f} |"
        )
    print(f"| the planted weights | 1 | 0 | {100 * known:.2f} |")
    print_leakage(rng)


def print_leakage(rng: np.random.Generator, worlds: int = 20) -> None:
    """Both evaluations on features that identify tracks."""
    print("\n| features identify tracks, agreement, % | shuffled splits | no shared track | training triplets |")
    print("|---|---|---|---|")
    drawn = [fingerprints(rng) for _ in range(worlds)]
    penalised = Method("logistic, penalty .1", "", "votes", partial(fit_logistic, alpha=0.1))
    for method in (METHODS["ridge"], penalised):
        shuffled, left_out, sizes = [], [], []
        for data in drawn:
            shuffled.append(cross_validate(data, method, shuffle_splits(data, 10)).agreements.mean())
            result = leave_tracks_out(data, method)
            left_out.append(is_correct(data, result.predictions)[data.kept].mean())
            sizes.append(np.median(result.training[data.kept]))
        figures = " | ".join(
            f"{100 * np.mean(one):.1f} ± {100 * np.std(one, ddof=1):.1f}" for one in (shuffled, left_out)
        )
        print(f"| {method.name}; {worlds} worlds | {figures} | {np.median(sizes):.0f} |")


if __name__ == "__main__":
    main()
