"""Where files are decoded and analysed for the server: a worker process, which may die of one without ending the server."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundalike.errors import AudioError, SoundalikeError
from soundalike.library.workers import Failure, Lost, Workers

if TYPE_CHECKING:
    from soundalike.analysis import Analyser
    from soundalike.recipe import Recipe
    from soundalike.runtime import Runtime

SECONDS = 600.0
"""How long one task may take."""


@dataclass(frozen=True)
class Look:
    """Length (s), rate (Hz), channels, loudness (LUFS) and the peaks (n, 2) of a file: the lowest and highest value of n
    stretches."""

    path: Path
    peaks: int


@dataclass(frozen=True)
class MakeQuery:
    """The query of a file, or of a region of it, with all parts; few: of that many windows alone, those that represent the
    file best, so that the first answer is there soon."""

    path: Path
    region: tuple[float, float | None] | None
    few: int | None = None


@dataclass(frozen=True)
class Stem:
    """A stem, or the mix, of some seconds of a file, as a WAV file in memory."""

    path: Path
    part: str
    start: float
    end: float | None


@dataclass(frozen=True)
class AsWav:
    """A file as 16-bit WAV in memory, for browsers that cannot decode its format."""

    path: Path


class Desk:
    """One worker with the library's models, which load at its first query. Tasks wait for each other."""

    def __init__(self, recipe: Recipe, runtime: Runtime) -> None:
        self._workers = Workers(partial(_make, recipe, runtime), 1, threads=runtime.cores)
        self._lock = threading.Lock()
        self._keys = itertools.count()

    def ask(self, task: Look | MakeQuery | Stem | AsWav) -> Any:
        """What the task gives. Raises what it raised, AudioError where its file crashed the worker or took too long."""
        with self._lock:
            self._workers.submit(next(self._keys), task, SECONDS)
            while True:
                for done in self._workers.wait(1.0):
                    if isinstance(done.outcome, Failure):
                        raise done.outcome.error
                    if isinstance(done.outcome, Lost):
                        raise AudioError(
                            f"{task.path.name}: the process that reads it {done.outcome.reason}; the file is left out"
                        )
                    return done.outcome

    def close(self) -> None:
        """End the worker."""
        self._workers.end()


def _make(recipe: Recipe, runtime: Runtime) -> Callable[[Any], Any]:
    """Inside the worker: does tasks; models load when a query is first made."""
    from soundalike.analysis import Analyser

    analyser = Analyser(recipe, runtime)

    def work(task: Any) -> Any:
        if isinstance(task, Look):
            return _look(task)
        if isinstance(task, MakeQuery):
            from soundalike.library.query import query_from_file

            return query_from_file(_with_few(analyser, task.few), task.path, region=task.region)
        if isinstance(task, Stem):
            stems, rate = analyser.stems(task.path, task.start, task.end, parts=[task.part])
            return _wav(stems[task.part][None], rate)
        if isinstance(task, AsWav):
            from soundalike.audio import decode

            found = decode.read(task.path)
            return _wav(found.samples, found.sample_rate)
        raise SoundalikeError(f"no such task: {task!r}")

    return work


def _with_few(analyser: Analyser, few: int | None) -> Analyser:
    """The same models, which look at `few` windows of a song."""
    if few is None:
        return analyser
    from dataclasses import replace

    from soundalike.representatives import choice_version

    return analyser.with_recipe(replace(analyser.recipe, windows=few, windows_version=choice_version()))


def _look(task: Look) -> dict[str, Any]:
    import numpy as np

    from soundalike.audio import decode, facts

    found = decode.read(task.path)
    mono = found.mono()
    edges = np.linspace(0, len(mono), min(task.peaks, max(1, len(mono))) + 1).astype(int)[:-1]
    low, high = np.minimum.reduceat(mono, edges), np.maximum.reduceat(mono, edges)
    return {
        "duration": found.duration,
        "sample_rate": found.sample_rate,
        "channels": found.channels,
        "loudness": facts.estimate_loudness(found),
        "peaks": np.stack([low, high], axis=1).round(3).tolist(),
    }


def _wav(samples: Any, rate: int) -> bytes:
    import io

    import numpy as np
    import soundfile

    out = io.BytesIO()
    soundfile.write(out, np.clip(samples, -1, 1).T, rate, format="WAV", subtype="PCM_16")
    return out.getvalue()
