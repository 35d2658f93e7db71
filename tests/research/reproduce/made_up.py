"""Made-up triplets and vectors, and a way to run a command."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from click.testing import CliRunner, Result

from soundalike.cli import cli
from soundalike.preferences.triplets import GRADES, Ballot, Triplet, Votes
from soundalike.research.clips.clip_embedding import PartVectors


def triplet(
    number: int, votes: Votes, *, part: str = "mix", kind: str = "XAB", same: str = "a", tracks: int = 1_000
) -> Triplet:
    """Triplet number `number`, with clips of its own, from `tracks` tracks used in turn."""
    x, a, b = (f"T{(3 * number + offset) % tracks}" for offset in range(3))
    if kind == "XYC":
        a, b = (x, b) if same == "a" else (a, x)
    names = [f"{part}/{role}{number}.wav" for role in "xab"]
    grades = [grade for grade, count in zip(GRADES, votes, strict=True) for _ in range(count)]
    ballots = (Ballot({"total": grade}, listener=f"listener{n}") for n, grade in enumerate(grades))
    return Triplet(names[0], names[1], names[2], part, (x, a, b), {}).with_ballots(ballots)


def unit_vectors(parts: Sequence[str], rng: np.random.Generator, dimension: int = 16) -> PartVectors:
    """Random directions, all parts at -20 dB."""
    vectors = rng.standard_normal((len(parts), dimension))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return PartVectors(tuple(parts), vectors.astype(np.float32), np.full(len(parts), -20.0))


def run_command(*arguments: object) -> Result:
    """Run `soundalike` with these arguments."""
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])
