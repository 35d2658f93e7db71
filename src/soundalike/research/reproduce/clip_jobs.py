"""Embeds the clips that the tables need, one job a way of taking them apart, and tells what could not be used."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from soundalike.config import Precision, Runtime
from soundalike.errors import AudioError
from soundalike.models.encoders import Encoder
from soundalike.models.separators import load_separator
from soundalike.preferences.triplets import Triplet
from soundalike.research.clips.clip_embedding import Clip, ClipEmbedder, PartVectors
from soundalike.research.clips.vector_cache import VectorCache
from soundalike.research.datasets.slakh import SLAKH_PARTS
from soundalike.research.reproduce.conditions import Stems, stems_named

Vectors = dict[str, dict[str, PartVectors]]
"""By encoder and clip."""

SAMPLED = 3
"""Clips a job that are timed first, to estimate the rest."""


@dataclass(frozen=True)
class Job:
    """Clips to be taken apart in one way.

    stems: which; parts: those to embed; clips: their names. What is embedded of a job of one true stem is that stem alone.
    """

    stems: Stems
    parts: tuple[str, ...]
    clips: tuple[str, ...]

    @property
    def title(self) -> str:
        """What progress calls it."""
        return self.stems.title if "mix" in self.parts else f"{self.parts[0]} alone"


def jobs_for(part_triplets: Sequence[Triplet], mix_triplets: Sequence[Triplet], stems: Sequence[Stems]) -> list[Job]:
    """One job a part whose clips are compared by themselves (Table 1), one a way of taking the mix clips apart."""
    alone = stems_named("true-6")
    jobs = [
        Job(alone, (part,), _clips([triplet for triplet in part_triplets if triplet.part == part]))
        for part in SLAKH_PARTS
    ]
    jobs += [Job(one, one.parts, _clips(mix_triplets)) for one in stems]
    return [job for job in jobs if job.clips]


def _clips(triplets: Sequence[Triplet]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for t in triplets for name in (t.reference, t.a, t.b)))


@dataclass(frozen=True)
class Progress:
    """Where embedding stands: the job's title, clips done of all in it, and what is estimated (s) for all that follows."""

    title: str
    done: int
    total: int
    left: float | None


class Embedding:
    """Runs jobs: each separator is loaded once, and all encoders share what it gives."""

    def __init__(
        self,
        encoders: Mapping[str, Encoder],
        cache: VectorCache,
        find: Callable[[str], Clip],
        *,
        runtime: Runtime | None = None,
    ) -> None:
        """find: a clip by its name; raises AudioError where it cannot be had."""
        self._encoders = encoders
        self._cache = cache
        self._find = find
        self._runtime = runtime or Runtime()
        self.problems: dict[str, str] = {}
        """By clip, why it could not be used."""

    def estimate(self, jobs: Sequence[Job]) -> float:
        """Seconds that `jobs` will take, from the median of some clips of each. What they gave is kept, so nothing is
        done twice."""
        total = 0.0
        for job in jobs:
            embedder = self._embedder(job)
            chosen = np.unique(np.linspace(0, len(job.clips) - 1, SAMPLED + 1).round().astype(int))
            taken = []
            for index in chosen:
                start = time.perf_counter()
                self._embed(embedder, job.clips[index])
                taken.append(time.perf_counter() - start)
            total += float(np.median(taken[1:] or taken)) * (len(job.clips) - len(chosen))  # the first warms up
        return total

    def run(self, job: Job, report: Callable[[Progress], None] = lambda _: None) -> Vectors:
        """Vectors by encoder and clip; clips that cannot be used are left out and stand in `problems`."""
        embedder = self._embedder(job)
        found: Vectors = {name: {} for name in self._encoders}
        began = time.perf_counter()
        for done, name in enumerate(job.clips, start=1):
            by_encoder = self._embed(embedder, name)
            for encoder, vectors in (by_encoder or {}).items():
                found[encoder][name] = vectors
            left = (time.perf_counter() - began) / done * (len(job.clips) - done)
            report(Progress(job.title, done, len(job.clips), left))
        return found

    def _embedder(self, job: Job) -> ClipEmbedder:
        precision: Precision = self._runtime.precision
        separator = load_separator(job.stems.separator, self._runtime)
        among = tuple(part for part in job.stems.parts if part != "mix")
        return ClipEmbedder(self._encoders, separator, job.parts, self._cache, among=among, precision=precision)

    def _embed(self, embedder: ClipEmbedder, name: str) -> dict[str, PartVectors] | None:
        try:
            return embedder.embed(self._find(name))
        except AudioError as error:
            self.problems[name] = str(error)
            return None
