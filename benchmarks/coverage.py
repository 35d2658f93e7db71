"""Do intervals and tests hold when triplets share tracks and listeners answer often?

    PYTHONPATH=. python -m benchmarks.coverage Inst-Sim-ABX [--simulations 1000]

Takes the design of the released mix triplets (which tracks each compares, which listener answered which) and makes outcomes
up (`tests/preferences/designs.py`), with and without effects of tracks and listeners, so that the truth is known:

1. *Agreement*: how often 95 % intervals of a share contain it, by Wilson's formula and by `share_interval`, for the kept XAB
   triplets, the kept XYC triplets and both.
2. *Paired test*: how often two models that are equally good are said to differ at 5 %, by McNemar's test and by `paired_test`.
3. *Weights*: how often 95 % intervals contain them, with covariances clustered by triplet alone and with those that are
   robust to tracks and listeners. The truth is the mean fit to 200,000 other triplets.

4. *Size*: coverage and width of the interval of an agreement by number of tracks and triplets, for random designs.

Prints Markdown. Deterministic.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np

from soundalike.parts import MIX
from soundalike.preferences.cluster_robust import Links, paired_test, share_interval
from soundalike.preferences.estimators import METHODS, Fit
from soundalike.preferences.intervals import wilson
from soundalike.preferences.robust_weights import with_robust_covariance
from soundalike.preferences.triplet_data import Bool, Float64, TripletData
from soundalike.preferences.triplets import KINDS, above_cut_off
from soundalike.research.datasets.inst_sim_abx import read_answers
from tests.preferences.designs import Design, design_of, random_design
from tests.preferences.planted import WEIGHTS

LEVELS = ((0.0, 1.0), (0.5, 1.1), (1.0, 1.3), (0.0, 3.2), (1.0, 3.2))
"""Standard deviation of track effects and log-odds of being right."""
PAIRS = ((0.0, 1.0, 1.5), (1.0, 0.5, 1.5), (1.0, 0.8, 1.5), (1.0, 0.95, 2.0))
"""Standard deviation of track effects, share that both models have in common, log-odds of being right."""
EFFECTS = ((0.0, 0.0), (0.7, 0.0), (0.0, 0.7), (0.7, 0.7))
"""Standard deviations of track appeal (log-odds) and of listeners' weights (relative)."""
PARTS = ("agreement", "test", "weights", "size")
METHOD_NAMES = ("ols", "logistic", "ordinal")


def agreement_coverage(design: Design, deviation: float, level: float, simulations: int) -> tuple[float, float, float]:
    """The true share, and the coverage of Wilson's and of the robust interval."""
    rng, links = np.random.default_rng(0), Links(design.track_sets)
    truth = design.expected_correct(level, deviation)
    covered = []
    for _ in range(simulations):
        correct = design.draw_correct(rng, level, deviation)
        intervals = wilson(int(correct.sum()), len(correct)), share_interval(correct, links)
        covered.append([one.low <= truth <= one.high for one in intervals])
    by_wilson, robust = np.mean(covered, axis=0)
    return truth, float(by_wilson), float(robust)


def rejections(design: Design, deviation: float, shared: float, level: float, simulations: int) -> tuple[float, float]:
    """How often McNemar's and the robust test reject equality of two equally good models at 5 %."""
    rng, links = np.random.default_rng(1), Links(design.track_sets)
    tests = [paired_test(*design.draw_pair(rng, level, deviation, shared), links) for _ in range(simulations)]
    return float(np.mean([t.exact_p < 0.05 for t in tests])), float(np.mean([t.p < 0.05 for t in tests]))


def weight_coverage(
    design: Design, effects: tuple[float, float], simulations: int
) -> dict[str, tuple[Float64, Float64]]:
    """By method, the coverage (K,) with the fit's own covariance and with the robust one."""
    truths, rng = true_weights(effects), np.random.default_rng(2)
    covered: dict[str, list[tuple[Bool, Bool]]] = defaultdict(list)
    for _ in range(simulations):
        data = design.draw_votes(rng, WEIGHTS, *effects)
        for name, truth in truths.items():
            fit = METHODS[name].fit(data)
            covered[name].append((contains(fit, truth), contains(with_robust_covariance(data, fit), truth)))
    return {
        name: (np.mean([r[0] for r in rows], axis=0), np.mean([r[1] for r in rows], axis=0))
        for name, rows in covered.items()
    }


def true_weights(effects: tuple[float, float], rounds: int = 10, triplets: int = 20_000) -> dict[str, Float64]:
    """By method, the weights fitted to so many triplets that chance hardly counts, with many tracks and listeners."""
    rng = np.random.default_rng(3)
    fits: dict[str, list[Float64]] = defaultdict(list)
    for _ in range(rounds):
        data = random_design(rng, triplets, triplets, triplets).draw_votes(rng, WEIGHTS, *effects)
        data = TripletData(data.features, data.votes, data.tracks, data.kept)
        for name in METHOD_NAMES:
            fits[name].append(METHODS[name].fit(data).weights)
    return {name: np.mean(rows, axis=0) for name, rows in fits.items()}


def contains(fit: Fit, truth: Float64) -> Bool:
    """(K,) whether the intervals contain the truth."""
    bounds = fit.intervals()
    assert bounds is not None  # these methods have a covariance
    return np.asarray((bounds[:, 0] <= truth) & (truth <= bounds[:, 1]))


def interval_width(tracks: int, triplets: int, simulations: int) -> list[tuple[float, float]]:
    """Coverage and median width (shares) of the interval of an agreement, without and with track effects."""
    design = random_design(np.random.default_rng(5), triplets, tracks)
    links, found = Links(design.track_sets), []
    for deviation, level in ((0.0, 1.0), (1.0, 1.3)):
        rng, truth = np.random.default_rng(0), design.expected_correct(level, deviation)
        intervals = [share_interval(design.draw_correct(rng, level, deviation), links) for _ in range(simulations)]
        widths = [one.high - one.low for one in intervals]
        found.append((float(np.mean([one.low <= truth <= one.high for one in intervals])), float(np.median(widths))))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("answers", type=Path)
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--part", choices=PARTS, action="append")
    arguments = parser.parse_args()
    wanted, simulations = arguments.part or PARTS, arguments.simulations
    mixes = [triplet for triplet in read_answers(arguments.answers).triplets if triplet.part == MIX]
    kept = above_cut_off(mixes, 0.8)
    designs = {kind: design_of([t for t in kept if t.kind == kind]) for kind in KINDS} | {"both": design_of(kept)}
    if "agreement" in wanted:
        print("| triplets | track effects | true share | Wilson covers, % | robust covers, % |\n|---|---|---|---|---|")
        for name, design in designs.items():
            for deviation, level in LEVELS:
                truth, by_wilson, robust = agreement_coverage(design, deviation, level, simulations)
                cells = f"{100 * truth:.1f} | {100 * by_wilson:.1f} | {100 * robust:.1f}"
                print(f"| {name}, {len(design.tracks)} | {deviation} | {cells} |", flush=True)
    if "test" in wanted:
        print(
            "\n| triplets | track effects | in common | McNemar rejects, % | robust rejects, % |\n|---|---|---|---|---|"
        )
        for name, design in designs.items():
            for deviation, shared, level in PAIRS:
                exact, robust = rejections(design, deviation, shared, level, simulations)
                print(f"| {name} | {deviation} | {shared} | {100 * exact:.1f} | {100 * robust:.1f} |", flush=True)
    if "weights" in wanted:
        print("\n| track appeal | listeners' weights | method | by triplet covers, % | robust covers, % |")
        print("|---|---|---|---|---|")
        for effects in EFFECTS:
            for name, shares in weight_coverage(design_of(mixes), effects, simulations).items():
                cells = " | ".join(f"{100 * s.mean():.1f} ({100 * s.min():.1f} to {100 * s.max():.1f})" for s in shares)
                print(f"| {effects[0]} | {effects[1]} | {name} | {cells} |", flush=True)
    if "size" in wanted:
        print(
            "\n| tracks | triplets | no track effects: covers, %; width, points | effects of 1 logit: covers, %; width |"
        )
        print("|---|---|---|---|")
        for tracks in (12, 20, 30, 60, 130):
            for triplets in (80, 130, 330):
                cells = [f"{100 * c:.1f}; {100 * w:.0f}" for c, w in interval_width(tracks, triplets, simulations)]
                print(f"| {tracks} | {triplets} | {cells[0]} | {cells[1]} |", flush=True)


if __name__ == "__main__":
    main()
