"""Do the statistics of listening tests hold? Simulated listeners with planted weights.

    PYTHONPATH=. python -m benchmarks.listening_simulation [--simulations 200] [--part active|tastes|calibration]

1. *Active*: how many answers the active design needs until the 95 % interval of (drums - bass) is narrow enough, against random
   triplets, and how often the intervals contain the planted difference: after a fixed number of answers, and where a test stops
   because its goal is reached. With and without effects of triplets that the features do not explain.
2. *Tastes*: how well new answers of each listener are predicted by one set of weights for all (pooled), by weights fitted to each
   listener alone (separate), and by the hierarchical model, when tastes are the same and when they differ.
3. *Calibration*: how often intervals of the group's and of the listeners' own weights contain the planted ones.

Songs have random vectors: the parts of an excerpt share half of their direction, so that their cosines correlate as in music.
Prints Markdown. Deterministic.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from soundalike.preferences.active_design import Belief, Contrast, choose_triplets
from soundalike.preferences.hierarchical import (
    TRIPLET_EFFECTS,
    HierarchicalFit,
    fit_hierarchical,
    grade_probabilities,
    normal_intervals,
)
from soundalike.preferences.ordinal_observations import Observations
from soundalike.preferences.triplet_data import Float64, Int64

PARTS = ("bass", "drums", "residuals", "mix")
CONTRAST = Contrast(PARTS.index("drums"), PARTS.index("bass"))
SONGS, PER_SONG, DIMENSION, SHARED = 60, 2, 64, 0.5
LOG_ODDS = 1.5
"""Standard deviation of w.f over random triplets: how sure listeners are."""
STRENGTH, SIDE_BIAS = 1.0, 0.1

BATCH, FIRST, LAST = 12, 20, 200
CANDIDATES, RANDOM_SHARE, CAP = 1_500, 0.25, 3
GOAL = 1.5
"""Width of the interval in mean weights at which an active test stops (`ActiveGoal.width`)."""
CHECKED = (56, 104, 200)
EFFECTS = (0.0, 0.7)

LISTENERS, TRIPLETS, ANSWERS_EACH, NEW_TRIPLETS = 8, 60, 40, 300
TASTES = (0.0, 0.5, 1.0)


@dataclass(frozen=True)
class World:
    """Excerpts with cosines (K, E, E) of all pairs, their songs (E,), and the listeners' weights (K,)."""

    cosines: Float64
    songs: Int64
    weights: Float64

    def draw(self, count: int, rng: np.random.Generator) -> Int64:
        """(count, 3) random XAB triplets of three songs."""
        drawn = rng.integers(len(self.songs), size=(4 * count, 3))
        items = self.songs[drawn]
        different = (items[:, 0] != items[:, 1]) & (items[:, 0] != items[:, 2]) & (items[:, 1] != items[:, 2])
        return np.asarray(drawn[different][:count])

    def features(self, triplets: Int64) -> Float64:
        """(N, K) differences of cosines."""
        x, a, b = triplets.T
        return np.asarray((self.cosines[:, x, a] - self.cosines[:, x, b]).T)


def make_world(rng: np.random.Generator) -> World:
    """Random songs, and weights that are positive and of different size."""
    count = SONGS * PER_SONG

    def directions(*shape: int) -> Float64:
        vectors = rng.standard_normal((*shape, DIMENSION))
        return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))

    vectors = np.sqrt(SHARED) * directions(count)[:, np.newaxis] + np.sqrt(1 - SHARED) * directions(count, len(PARTS))
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    by_part = vectors.transpose(1, 0, 2)
    world = World(
        by_part @ by_part.transpose(0, 2, 1), np.repeat(np.arange(SONGS), PER_SONG), rng.uniform(0, 2, len(PARTS))
    )
    scores = world.features(world.draw(2_000, rng)) @ world.weights
    return World(world.cosines, world.songs, world.weights * LOG_ODDS / float(scores.std()))


def answers(z: Float64, rng: np.random.Generator) -> Int64:
    """(V,) grades drawn for z (V,)."""
    cumulative = grade_probabilities(z, STRENGTH).cumsum(axis=1)
    grades = (rng.random(len(z))[:, np.newaxis] > cumulative).sum(axis=1)
    return np.asarray(np.minimum(grades, 3), dtype=np.int64)


@dataclass(frozen=True)
class Course:
    """One test of one listener: after each batch the number of answers, the relative width, and whether the interval covers."""

    counts: Int64
    widths: Float64
    covered: Float64


def run_test(seed: int, design: str, effect: float) -> Course:
    """One simulated test. design: `random`, or `active` with a share of random triplets."""
    rng = np.random.default_rng((seed, 1))
    world = make_world(np.random.default_rng((seed, 0)))
    low_true = float(CONTRAST.coefficients(len(PARTS)) @ world.weights)
    triplets = np.empty((0, 3), dtype=np.int64)
    grades, sides = np.empty(0, dtype=np.int64), np.empty(0)
    effects = (0.0,) if not effect else TRIPLET_EFFECTS
    counts, widths, covered = [], [], []
    fit: HierarchicalFit | None = None
    while len(triplets) < LAST:
        count = FIRST if fit is None else BATCH
        new = world.draw(count, rng)
        if fit is not None and design == "active":
            by_chance = round(RANDOM_SHARE * count)
            candidates = world.draw(CANDIDATES, rng)
            picked = choose_triplets(
                Belief(fit.weights, fit.covariance, fit.strength),
                world.features(candidates),
                count - by_chance,
                contrast=CONTRAST,
                groups=[frozenset(map(str, world.songs[one].tolist())) for one in candidates],
                cap=CAP,
            )
            new = np.concatenate([new[:by_chance], candidates[picked]])
        side = rng.choice([-1.0, 1.0], len(new))
        z = world.features(new) @ world.weights + SIDE_BIAS * side + effect * rng.standard_normal(len(new))
        triplets, sides = np.concatenate([triplets, new]), np.concatenate([sides, side])
        grades = np.concatenate([grades, answers(z, rng)])
        everyone = np.zeros(len(grades), dtype=np.int64)
        observations = Observations(world.features(triplets), np.arange(len(grades)), everyone, grades, sides, 1)
        fit = fit_hierarchical(observations, (0.0,), effects)
        low, high = CONTRAST.interval(fit.weights, fit.covariance)
        counts.append(len(triplets))
        widths.append(CONTRAST.relative_width(fit.weights, fit.covariance))
        covered.append(float(low <= low_true <= high))
    return Course(np.array(counts), np.array(widths), np.array(covered))


def active_table(simulations: int) -> None:
    """Answers needed by both designs."""
    print(
        "| triplet effect | design | median width after "
        + " | ".join(map(str, CHECKED))
        + " | coverage after "
        + " | ".join(map(str, CHECKED))
        + f" | answers until {GOAL:g} (median) | reached | coverage there |"
    )
    print("|---" * (6 + 2 * len(CHECKED) - 1) + "|")
    for effect in EFFECTS:
        medians = {}
        for design in ("random", "active"):
            courses = [run_test(seed, design, effect) for seed in range(simulations)]
            counts = courses[0].counts
            places = [int(np.argmin(np.abs(counts - count))) for count in CHECKED]
            widths, covered = np.stack([one.widths for one in courses]), np.stack([one.covered for one in courses])
            medians[design] = np.median(widths, axis=0)
            reached = widths <= GOAL
            stop = np.where(reached.any(axis=1), reached.argmax(axis=1), -1)
            stopped = stop >= 0
            answers_at = np.where(stopped, counts[stop], np.inf)
            there = covered[np.flatnonzero(stopped), stop[stopped]]
            cells = [f"{effect:g}", design]
            cells += [f"{medians[design][place]:.2f}" for place in places]
            cells += [f"{covered[:, place].mean():.3f}" for place in places]
            middle = float(np.median(answers_at))
            cells += [f"{middle:.0f}" if np.isfinite(middle) else f"over {LAST}", f"{stopped.mean():.0%}"]
            cells += [f"{there.mean():.3f}" if len(there) else "-"]
            print("| " + " | ".join(cells) + " |", flush=True)
        factors = []
        for place, count in zip(places, CHECKED, strict=True):
            wanted = medians["random"][place]
            needed = float(np.interp(-wanted, -np.minimum.accumulate(medians["active"]), counts))
            factors.append(f"{count} random answers are matched by {needed:.0f} (factor {count / needed:.1f})")
        print(f"\nEffect {effect:g}: " + "; ".join(factors) + "\n")


@dataclass(frozen=True)
class Group:
    """Answers of listeners with planted weights (L, K), and the group's."""

    world: World
    own: Float64
    observations: Observations


def make_group(
    seed: int,
    taste: float,
    effect: float,
    *,
    listeners: int = LISTENERS,
    triplets: int = TRIPLETS,
    answers_each: int = ANSWERS_EACH,
) -> Group:
    """Listeners who answer random triplets. taste: deviation of a weight, in log-odds for a typical triplet."""
    rng = np.random.default_rng((seed, 2))
    world = make_world(rng)
    features = world.features(world.draw(triplets, rng))
    own = world.weights + taste * rng.standard_normal((listeners, len(PARTS))) / np.sqrt(np.mean(features**2, axis=0))
    triplet = np.concatenate([rng.permutation(triplets)[:answers_each] for _ in range(listeners)])
    listener = np.repeat(np.arange(listeners), answers_each)
    side = rng.choice([-1.0, 1.0], len(triplet))
    z = np.einsum("vk,vk->v", features[triplet], own[listener]) + SIDE_BIAS * side
    z += effect * rng.standard_normal(triplets)[triplet]
    return Group(world, own, Observations(features, triplet, listener, answers(z, rng), side, listeners))


def separate(observations: Observations) -> Float64:
    """(L, K) weights fitted to each listener alone."""
    fits = []
    for listener in range(observations.listeners):
        mine = observations.take(observations.listener == listener)
        alone = Observations(mine.features, mine.triplet, np.zeros_like(mine.listener), mine.grade, mine.side, 1)
        fits.append(fit_hierarchical(alone).weights)
    return np.stack(fits)


def tastes_table(simulations: int) -> None:
    """Prediction of new answers."""
    print("| tastes differ by | model | right, % | log loss | weights: rms error / mean weight |")
    print("|---|---|---|---|---|")
    for taste in TASTES:
        results: dict[str, list[tuple[float, float, float]]] = {
            "pooled": [],
            "separate": [],
            "hierarchical": [],
            "planted": [],
        }
        differences = []
        for seed in range(simulations):
            group = make_group(seed, taste, 0.7)
            rng = np.random.default_rng((seed, 3))
            new = group.world.features(group.world.draw(NEW_TRIPLETS, rng))
            probability = expit(group.own @ new.T + 0.7 * rng.standard_normal(len(new)))
            pooled = fit_hierarchical(group.observations, (0.0,))
            models = {
                "pooled": np.repeat(pooled.weights[np.newaxis], LISTENERS, axis=0),
                "separate": separate(group.observations),
                "hierarchical": fit_hierarchical(group.observations).own,
                "planted": group.own,
            }
            for name, weights in models.items():
                z = weights @ new.T
                right = np.where(z > 0, probability, 1 - probability).mean()
                loss = (probability * np.logaddexp(0, -z) + (1 - probability) * np.logaddexp(0, z)).mean()
                error = np.sqrt(np.mean((weights - group.own) ** 2)) / np.abs(group.own).mean()
                results[name].append((100 * float(right), float(loss), float(error)))
            differences.append([results["hierarchical"][-1][1] - results[one][-1][1] for one in ("pooled", "separate")])
        for name, rows in results.items():
            right, loss, error = np.mean(rows, axis=0)
            print(f"| {taste:g} | {name} | {right:.2f} | {loss:.4f} | {error:.2f} |", flush=True)
        mean, deviation = np.mean(differences, axis=0), np.std(differences, axis=0) / np.sqrt(simulations)
        print(
            f"\nTastes {taste:g}: log loss of hierarchical less that of pooled {mean[0]:+.4f} ± {deviation[0]:.4f}, of separate "
            f"{mean[1]:+.4f} ± {deviation[1]:.4f} (standard errors)\n",
            flush=True,
        )


def calibration_table(simulations: int) -> None:
    """Coverage of 95 % intervals of the hierarchical model."""
    print("| tastes differ by | triplet effect | group's weights | own weights |")
    print("|---|---|---|---|")
    for taste in TASTES:
        for effect in EFFECTS:
            group_covered, own_covered = [], []
            for seed in range(simulations):
                group = make_group(seed, taste, effect)
                fit = fit_hierarchical(group.observations)
                low, high = fit.intervals().T
                group_covered.append(np.mean((low <= group.world.weights) & (group.world.weights <= high)))
                bounds = np.stack([normal_intervals(w, c) for w, c in zip(fit.own, fit.own_covariance, strict=True)])
                own_covered.append(np.mean((bounds[:, :, 0] <= group.own) & (group.own <= bounds[:, :, 1])))
            print(f"| {taste:g} | {effect:g} | {np.mean(group_covered):.3f} | {np.mean(own_covered):.3f} |", flush=True)


TABLES = {"active": active_table, "tastes": tastes_table, "calibration": calibration_table}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=200)
    parser.add_argument("--part", choices=sorted(TABLES), action="append")
    arguments = parser.parse_args()
    for name in arguments.part or TABLES:
        print(f"### {name}\n")
        TABLES[name](arguments.simulations)
        print()


if __name__ == "__main__":
    main()
