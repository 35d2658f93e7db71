"""Embedding of the clips that the tables need: one job for each source of stems; unusable clips are collected."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from soundalike.config import Precision, Runtime
from soundalike.errors import AudioError
from soundalike.models.encoders import Encoder, PartEncoder
from soundalike.models.separators import load_separator
from soundalike.parts import MIX
from soundalike.preferences.triplets import Triplet
from soundalike.research.clips.clip_embedding import Clip, ClipEmbedder, PartVectors
from soundalike.research.clips.vector_cache import VectorCache
from soundalike.research.datasets.slakh import SLAKH_PARTS
from soundalike.research.reproduce.conditions import Stems, get_stems, stems_from_mix

Vectors = dict[str, dict[str, PartVectors]]
"""By encoder and clip."""

SAMPLED = 3
"""Number of clips of each job that are timed to estimate the rest, after one that warms up."""


@dataclass(frozen=True)
class ClipJob:
    """Clips to embed with one source of stems.

    parts: the parts to embed; clips: names; encoder: the one that it is for, None for all that do not hear mixtures. A job of
    a single true stem embeds that stem by itself.
    """

    stems: Stems
    parts: tuple[str, ...]
    clips: tuple[str, ...]
    encoder: str | None = None

    @property
    def title(self) -> str:
        """Label of the job's progress."""
        if self.encoder is not None:
            return f"{self.encoder}, {'all parts' if MIX in self.parts else self.parts[0]}"
        return self.stems.title if MIX in self.parts else f"{self.parts[0]} alone"


def jobs_for(
    part_triplets: Sequence[Triplet], mix_triplets: Sequence[Triplet], stems: Sequence[Stems]
) -> list[ClipJob]:
    """One job for each part whose clips are compared by themselves (Table 1), one for each source of stems of the mixes."""
    true_stems = get_stems("true-6")
    jobs = [
        ClipJob(true_stems, (part,), _clips([triplet for triplet in part_triplets if triplet.part == part]))
        for part in SLAKH_PARTS
    ]
    jobs += [ClipJob(source, source.parts, _clips(mix_triplets)) for source in stems]
    return [job for job in jobs if job.clips]


def jobs_from_mix(
    name: str, encoder: PartEncoder, part_triplets: Sequence[Triplet], mix_triplets: Sequence[Triplet]
) -> list[ClipJob]:
    """The same jobs for an encoder that hears the mixtures of the clips, without separation."""
    source = stems_from_mix(encoder)
    jobs = [
        ClipJob(source, (part,), _clips([triplet for triplet in part_triplets if triplet.part == part]), name)
        for part in encoder.parts
        if part != MIX
    ]
    jobs.append(ClipJob(source, source.parts, _clips(mix_triplets), name))
    return [job for job in jobs if job.clips]


def _clips(triplets: Sequence[Triplet]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for t in triplets for name in (t.reference, t.a, t.b)))


@dataclass(frozen=True)
class Progress:
    """Progress of a job: clips (or `unit`) done and in total, and the estimated seconds left."""

    title: str
    done: int
    total: int
    left: float | None
    unit: str = "clips"


@dataclass(frozen=True)
class Callbacks:
    """How a computation reports back: messages, and progress of the embedding."""

    on_status: Callable[[str], None] = lambda _: None
    on_progress: Callable[[Progress], None] = lambda _: None


@dataclass
class ClipJobRunner:
    """Runs jobs: each separator is loaded once, and all encoders share its stems.

    locate: returns a clip by name; raises AudioError if it is unavailable. problems: clip -> why it could not be used.
    """

    encoders: Mapping[str, Encoder]
    cache: VectorCache
    locate: Callable[[str], Clip]
    runtime: Runtime = field(default_factory=Runtime)
    problems: dict[str, str] = field(default_factory=dict)

    def estimate(self, jobs: Sequence[ClipJob]) -> float:
        """Estimate the seconds that `jobs` will take from the median of some clips of each; their vectors are cached."""
        total = 0.0
        for job in jobs:
            embedder = self._embedder(job)
            sampled = np.unique(np.linspace(0, len(job.clips) - 1, SAMPLED + 1).round().astype(int))
            durations = []
            for index in sampled:
                start = time.perf_counter()
                self._embed(embedder, job.clips[index])
                durations.append(time.perf_counter() - start)
            # The first clip warms up.
            total += float(np.median(durations[1:] or durations)) * (len(job.clips) - len(sampled))
        return total

    def run(self, job: ClipJob, on_progress: Callable[[Progress], None] = lambda _: None) -> Vectors:
        """Embed the clips of a job; unusable clips are left out and listed in `problems`."""
        embedder = self._embedder(job)
        vectors: Vectors = {name: {} for name in embedder.encoders}
        start = time.perf_counter()
        for done, name in enumerate(job.clips, start=1):
            for encoder, of_clip in self._embed(embedder, name).items():
                vectors[encoder][name] = of_clip
            left = (time.perf_counter() - start) / done * (len(job.clips) - done)
            on_progress(Progress(job.title, done, len(job.clips), left))
        return vectors

    def _embedder(self, job: ClipJob) -> ClipEmbedder:
        precision: Precision = self.runtime.precision
        if job.encoder is not None:
            return ClipEmbedder(
                {job.encoder: self.encoders[job.encoder]}, None, job.parts, self.cache, precision=precision
            )
        encoders = {name: one for name, one in self.encoders.items() if not isinstance(one, PartEncoder)}
        separator = load_separator(job.stems.separator, self.runtime)
        among = tuple(part for part in job.stems.parts if part != MIX)
        return ClipEmbedder(encoders, separator, job.parts, self.cache, among=among, precision=precision)

    def _embed(self, embedder: ClipEmbedder, name: str) -> Mapping[str, PartVectors]:
        """Vectors by encoder; empty for a clip that cannot be used."""
        try:
            return embedder.embed(self.locate(name))
        except AudioError as error:
            self.problems[name] = str(error)
            return {}
