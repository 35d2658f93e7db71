"""The generated tracks in three splits, and the answers of simulated listeners about them."""

from __future__ import annotations

from pathlib import Path

from soundalike.audio import decode
from soundalike.synth.miniature_inst_sim_abx import write_inst_sim_abx
from soundalike.synth.miniature_slakh import FIRST_TRACKS, MiniTrack, plan_tracks, write_slakh

SPLITS = {"train": (11, 96, (1, 2, 3, 4, 5)), "validation": (12, 16, (6, 7)), "test": (13, 60, (8, 9, 10, 11, 12, 13))}
"""Seed, tracks, and which variants of kits and patches play."""

LENGTH = 24.0

QUESTIONS = 400
"""XYC triplets about each part that simulated listeners answer, of the tracks of each split."""

XAB_QUESTIONS = {"train": 4000, "validation": 1500, "test": 1500}
"""XAB triplets about each part, by split."""


def render(folder: Path, *, answers: bool) -> None:
    """The tracks, and the answers of simulated listeners to tune to and held out if asked for; what exists is kept."""
    for split, (seed, count, variants) in SPLITS.items():
        tracks = folder / "slakh" / split
        if not (tracks / f"Track{FIRST_TRACKS[split] + count - 1:05d}" / "metadata.yaml").exists():
            write_slakh(folder / "slakh", seed, count, LENGTH, split=split, variants=variants)
        if answers and not (folder / f"answers-{split}" / "truth.json").exists():
            planned = [
                MiniTrack(number, spec, decode.probe(tracks / f"Track{number:05d}" / "mix.flac").duration)
                for number, spec in enumerate(plan_tracks(seed, count, LENGTH, variants), FIRST_TRACKS[split])
            ]
            questions = {"mixes": 60, "parts": QUESTIONS, "xab": XAB_QUESTIONS[split]}
            write_inst_sim_abx(folder / f"answers-{split}", planned, seed=seed, **questions)
