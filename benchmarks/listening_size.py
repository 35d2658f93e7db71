"""How many listeners and triplets does a listening test need? Simulated tests of several sizes with planted weights.

    PYTHONPATH=. python -m benchmarks.listening_size [--simulations 200]

Every listener answers every triplet once, as in a test of `soundalike listen new`. Tastes and triplets differ
(`benchmarks.listening_simulation`). For each size:

- width of the 95 % interval of (drums - bass) in mean weights, and how often it contains the planted difference;
- how often it excludes 0, where the planted weights differ by a mean weight or more;
- the share of new triplets that the fitted weights order as the planted ones do.

Prints Markdown. Deterministic.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np

from benchmarks.listening_simulation import CONTRAST, NEW_TRIPLETS, PARTS, make_group
from benchmarks.shared.markdown import print_table
from soundalike.preferences.hierarchical import fit_hierarchical

SIZES = ((1, 30), (1, 60), (1, 120), (1, 240), (4, 60), (8, 60), (20, 60), (8, 120), (20, 120))
"""Listeners, triplets."""
TASTE, TRIPLET_EFFECT = 0.5, 0.7
APART = 1.0
"""Planted difference of drums and bass, in mean weights, from which a test should tell them apart."""


@dataclass(frozen=True)
class Outcome:
    """Of one test. width: in mean weights; apart: whether the planted difference is large; told_apart: whether 0 is excluded;
    ordered: share of new triplets in the order of the planted weights."""

    width: float
    covered: bool
    apart: bool
    told_apart: bool
    ordered: float


def run_test(seed: int, listeners: int, triplets: int) -> Outcome:
    """Simulate one test and fit its weights. Of one listener, the planted weights are that listener's."""
    group = make_group(seed, TASTE, TRIPLET_EFFECT, listeners=listeners, triplets=triplets, answers_each=triplets)
    fit = fit_hierarchical(group.observations)
    planted = group.own[0] if listeners == 1 else group.world.weights
    low, high = CONTRAST.interval(fit.weights, fit.covariance)
    difference = float(CONTRAST.coefficients(len(PARTS)) @ planted)
    new = group.world.features(group.world.draw(NEW_TRIPLETS, np.random.default_rng((seed, 4))))
    return Outcome(
        CONTRAST.relative_width(fit.weights, fit.covariance),
        low <= difference <= high,
        abs(difference) >= APART * float(np.abs(planted).mean()),
        not low <= 0 <= high,
        float(np.mean((new @ fit.weights > 0) == (new @ planted > 0))),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=200)
    simulations = parser.parse_args().simulations
    rows = []
    for listeners, triplets in SIZES:
        found = [run_test(seed, listeners, triplets) for seed in range(simulations)]
        rows.append(
            (
                listeners,
                triplets,
                listeners * triplets,
                f"{np.median([one.width for one in found]):.2f}",
                f"{np.mean([one.covered for one in found]):.1%}",
                f"{np.mean([one.told_apart for one in found if one.apart]):.0%}",
                f"{np.mean([one.ordered for one in found]):.1%}",
            )
        )
    print_table(
        (
            "listeners",
            "triplets",
            "answers",
            "width of drums - bass (median)",
            "coverage",
            "zero outside the interval, if they differ by the mean weight",
            "new triplets in the planted order",
        ),
        rows,
    )


if __name__ == "__main__":
    main()
