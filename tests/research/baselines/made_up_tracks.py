"""Facts of made-up tracks, and small tracks in Slakh's layout."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from soundalike.parts import MIX
from soundalike.research.baselines.track_scan import TrackFacts
from tests.models.separators.slakh import write_slakh

RATE = 44_100
CLASSES = {"bass": "Bass", "drums": "Drums", "guitar": "Guitar", "piano": "Piano", "residuals": "Organ"}


def facts(
    track: str, tempo: float | None, parts: Mapping[str, tuple[float, float]], seconds: float = 12.0
) -> TrackFacts:
    """A track whose parts play at the same level from one time to another (s)."""
    steps = round(seconds / 0.5)
    powers = {MIX: np.full(steps, 0.02)}
    for part, (start, end) in parts.items():
        powers[part] = np.where((np.arange(steps) * 0.5 >= start) & (np.arange(steps) * 0.5 < end), 0.01, 0.0)
    return TrackFacts(track, seconds, tempo, powers)


def write_tracks(root: Path, count: int, split: str = "train", seconds: float = 4.5, first: int = 1) -> None:
    """Tracks of drums and bass: clicks every half second in noise of one colour, and a tone with overtones."""
    for number in range(first, first + count):
        rng = np.random.default_rng(number)
        time = np.arange(round(seconds * RATE)) / RATE
        click = np.exp(-40 * (time % 0.5)) * rng.standard_normal(len(time))
        drums = 0.1 * np.convolve(click, np.ones(1 + 8 * (number % 3)), "same") / (1 + 4 * (number % 3))
        hertz = 60 * 2 ** (rng.integers(12) / 12)
        bass = 0.1 * sum(np.sin(2 * np.pi * hertz * k * time) / k ** (1 + number % 2) for k in range(1, 6))
        stems = {"S00": ("Drums", drums.astype(np.float32)), "S01": ("Bass", np.asarray(bass, np.float32))}
        write_slakh(root / split / f"Track{number:05d}", stems, sample_rate=RATE)
