"""Vectors of the clips of Inst-Sim-ABX, cut from Slakh2100."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from soundalike.config import Runtime
from soundalike.errors import AudioError, InputError
from soundalike.models.encoders import Encoder, PartEncoder, load_encoder
from soundalike.preferences.triplets import Triplet
from soundalike.research.clips.clip_embedding import Clip
from soundalike.research.clips.vector_cache import VectorCache
from soundalike.research.datasets.inst_sim_abx import read_configurations
from soundalike.research.datasets.slakh import Slakh
from soundalike.research.reproduce.clip_jobs import Callbacks, ClipJob, ClipJobRunner, Vectors, jobs_for, jobs_from_mix
from soundalike.research.reproduce.conditions import Stems


@dataclass(frozen=True)
class Sources:
    """Where the clips come from and how they are embedded.

    answers: folder of Inst-Sim-ABX; slakh: folder of Slakh2100; cache: file of cached vectors.
    """

    answers: Path
    slakh: Path
    encoders: tuple[str, ...]
    stems: tuple[Stems, ...]
    cache: Path
    runtime: Runtime


@dataclass(frozen=True)
class EmbeddedClips:
    """The encoders, vectors by job, and problems: clip or track -> why it could not be used."""

    encoders: Mapping[str, Encoder]
    vectors: Mapping[ClipJob, Vectors]
    problems: Mapping[str, str]


def embed_clips(
    sources: Sources, part_triplets: Sequence[Triplet], mix_triplets: Sequence[Triplet], callbacks: Callbacks
) -> EmbeddedClips:
    """Embed the clips of single parts and of mixes.

    Raises InputError if no track is usable, CheckpointError if weights are missing; other problems are collected.
    """
    callbacks.on_status("loading " + ", ".join(sources.encoders))
    encoders = {name: load_encoder(name, sources.runtime) for name in sources.encoders}
    jobs: list[ClipJob] = []
    if not all(isinstance(encoder, PartEncoder) for encoder in encoders.values()):
        jobs += jobs_for(part_triplets, mix_triplets, sources.stems)
    for name, encoder in encoders.items():
        if isinstance(encoder, PartEncoder):
            jobs += jobs_from_mix(name, encoder, part_triplets, mix_triplets)
    locate, unusable = _clip_locator(sources, jobs)
    with VectorCache(sources.cache) as cache:
        runner = ClipJobRunner(encoders, cache, locate, sources.runtime)
        clips = sum(len(job.clips) for job in jobs)
        callbacks.on_status(
            f"{clips:,} clips in {len(jobs)} jobs; the {len(cache):,} vectors cached in {sources.cache} are reused"
        )
        callbacks.on_status(
            f"about {format_duration(runner.estimate(jobs))}, estimated from the first clips; an interrupted run resumes"
        )
        vectors = {job: runner.run(job, callbacks.on_progress) for job in jobs}
    problems = {**unusable, **{name: why for name, why in runner.problems.items() if why not in unusable.values()}}
    return EmbeddedClips(encoders, vectors, problems)


def _clip_locator(sources: Sources, jobs: Sequence[ClipJob]) -> tuple[Callable[[str], Clip], Mapping[str, str]]:
    """A function that returns a clip by name, and the unusable tracks with reasons."""
    cuts, slakh = read_configurations(sources.answers), Slakh(sources.slakh)
    needed = [cuts[name] for name in dict.fromkeys(name for job in jobs for name in job.clips) if name in cuts]
    unusable = slakh.problems(needed)
    if unusable and len(unusable) == len({cut.track for cut in needed}):
        raise InputError(f"{sources.slakh} has no usable track of these answers: {next(iter(unusable.values()))}")

    def locate(name: str) -> Clip:
        if name not in cuts:
            raise AudioError(f"{name} is missing from the configuration files beside the answers")
        cut = cuts[name]
        if cut.track in unusable:
            raise AudioError(unusable[cut.track])
        return Clip(slakh.mixture(cut.track), cut.start_seconds, cut.seconds)

    return locate, unusable


def format_duration(seconds: float) -> str:
    """A duration for messages: `45 s`, `12 min`, `2.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
