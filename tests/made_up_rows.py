"""Made-up files and analyses: fast and small.

A made-up audio file is text in a file called .wav: `song 3 seed`, `loop seed`, `one-shot seed`, or an order to the
worker (`crash`, `kill`, `hang`, `broken`, `bug`, `slow 0.2 one-shot 7`).
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from soundalike.analysis.analyser import Analysis
from soundalike.analysis.kinds import Kind
from soundalike.analysis.recipe import Recipe
from soundalike.audio.metadata.facts import Estimate
from soundalike.audio.metadata.tags import Tags
from soundalike.audio.waveform_overview import OVERVIEW_POINTS
from soundalike.config import Runtime
from soundalike.errors import AudioError
from soundalike.library.storage.location import as_location
from soundalike.library.storage.remote_cache import downloaded
from soundalike.parts import MIX

RECIPE = Recipe(
    encoder="made-up",
    encoder_version="1",
    separator="made-up",
    separator_version="1",
    parts=("bass", "drums", MIX),
    dimension=8,
)


def analysis(kind: Kind = "song", windows: int = 2, seed: int = 0, recipe: Recipe = RECIPE) -> Analysis:
    """An analysis with random unit vectors; the first part of the last window of a song is absent."""
    if kind != "song":
        windows = 1
    parts = recipe.parts if kind == "song" else (MIX,)
    rng = np.random.default_rng([seed, windows, int(recipe.encoder_version)])
    vectors = rng.normal(size=(windows, len(parts), recipe.dimension)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
    present = np.ones((windows, len(parts)), dtype=bool)
    if kind == "song":
        present[-1, 0] = False
        vectors[-1, 0] = 0
    starts = 10.0 * np.arange(windows)
    return Analysis(
        kind=kind,
        duration=10.0 * windows,
        sample_rate=44100,
        channels=2,
        loudness=-14.0,
        tags=Tags(artist=f"artist {seed}", title=None, album=None, tempo=None, key=None, loop=None),
        tempo=Estimate(100.0 + seed, 0.5),
        key=Estimate("A minor", 0.4),
        parts=tuple(parts),
        starts=starts,
        ends=starts + 10.0,
        vectors=vectors,
        present=present,
        peaks=peaks(seed),
    )


def peaks(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A waveform overview that depends on the seed."""
    high = np.full(OVERVIEW_POINTS, seed % 128, dtype=np.int8)
    return -high, high


def made_up_analyser(recipe: Recipe, runtime: Runtime) -> Callable[[tuple[str, Kind | None]], Analysis]:
    """Stands in for `analysis_tasks.load_analyser`. Logs its analyses in the file `ANALYSES`, if that is set."""

    def analyse(task: tuple[str, Kind | None]) -> Analysis:
        place, forced = as_location(task[0]), task[1]
        with downloaded(place) as path:
            order = path.read_text().split()
        if log := os.environ.get("ANALYSES"):
            with open(log, "a") as file:
                file.write(f"{place.name}\n")
        if order[0] == "slow":
            time.sleep(float(order[1]))
            order = order[2:]
        match order[0]:
            case "crash":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "hang":
                time.sleep(1000)
            case "broken":
                raise AudioError(f"{place}: not audio")
            case "bug":
                raise ZeroDivisionError("division by zero")
        if order[0] == "song":
            return analysis(forced or "song", int(order[1]), int(order[2]), recipe)
        kind: Any = order[0]
        return analysis(forced or kind, 1, int(order[1]), recipe)

    return analyse


def ready_made() -> Callable[[Any], Analysis]:
    """The setup of a worker whose tasks cost nothing: each returns the same analysis, 24 windows of 7 parts."""
    parts = ("bass", "drums", "guitar", "piano", "vocals", "residuals", MIX)
    made = analysis("song", 24, 1, replace(RECIPE, parts=parts, dimension=512))
    return lambda task: made
