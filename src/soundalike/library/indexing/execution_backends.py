"""Where an indexing run computes: worker processes on this machine, or machines elsewhere (`ray_backend`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

from soundalike.analysis.analyser import Analysis
from soundalike.analysis.recipe import Recipe, is_heavy
from soundalike.audio.metadata.estimate import Estimate
from soundalike.audio.metadata.loop_chunks import LoopChunk
from soundalike.audio.metadata.tags import Tags
from soundalike.config import Runtime, available_cores
from soundalike.errors import AudioError, LibraryError
from soundalike.jobs.worker_pool import TaskPool, WorkerLimits, WorkerLostError, WorkerPool, WorkerStartError
from soundalike.library.indexing.analysis_tasks import load_analyser
from soundalike.library.indexing.content_digest import content_digest
from soundalike.library.indexing.file_copies import CopyingPool, FileCopies
from soundalike.library.indexing.sidecar_files import SidecarFiles
from soundalike.library.storage.location import Location, ObjectRefusedError

HEAVY_FACTOR = 4
"""Workers with neural models may take so many times the memory, and the time to start."""

MAX_READERS = 4

ANALYSIS_TYPES = (Analysis, Tags, LoopChunk, Estimate)
"""What an analysis is made of."""


class FileNotVisibleError(LibraryError):
    """A machine that does the work does not see a file."""


def explain_failure(error: BaseException, file: Location, address: str) -> tuple[str, bool]:
    """Why a file, or the part of it at `address`, has no analysis, and whether the same bytes would fail again. Raises what
    concerns the library."""
    if isinstance(error, WorkerStartError):
        raise error.error or error
    if isinstance(error, WorkerLostError):
        return str(error), True
    if isinstance(error, FileNotVisibleError) and not file.exists():
        return "is not there any more", False
    if isinstance(error, ObjectRefusedError):
        return without_place(error, file, address), False
    if isinstance(error, LibraryError):
        raise error
    if isinstance(error, AudioError):
        return without_place(error, file, address), True
    return f"unexpected {type(error).__name__}: {error}", False


def without_place(error: BaseException, file: Location, address: str) -> str:
    """The message of an error, without the name of the file, or of the part of it at `address`, with which it begins."""
    return str(error).removeprefix(address).removeprefix(str(file)).lstrip(" :")


class ExecutionBackend(Protocol):
    """Where files are read for their digests and analysed. What is computed is committed by the process that indexes."""

    @property
    def readers(self) -> int:
        """How many files may be read for their digests at a time."""
        ...

    def digest(self, place: Location, sidecars: SidecarFiles | None) -> str:
        """The digest of a file, as `scan.content_digest` computes it. Called from several threads."""
        ...

    def start_pool(self, recipe: Recipe, runtime: Runtime, jobs: int | None, useful: int) -> TaskPool:
        """A pool whose tasks are `analysis_tasks.Task` and give an Analysis.

        jobs: how many workers the user allows at most; useful: more would cost more than they save.
        """
        ...


@dataclass(frozen=True)
class LocalBackend:
    """Worker processes on this machine. load: called in each, returns the function that does the tasks; copies: of the files
    that are read for their digests, which the workers read in place of the files."""

    load: Callable[[Recipe, Runtime], Callable[[Any], Any]] = load_analyser
    copies: FileCopies = field(default_factory=FileCopies)

    @property
    def readers(self) -> int:
        """See `ExecutionBackend`: one for each core, four at most."""
        return min(MAX_READERS, available_cores())

    def digest(self, place: Location, sidecars: SidecarFiles | None) -> str:
        """See `ExecutionBackend`."""
        # Files with sidecars are analysed at their own place, where the others are.
        return self.copies.digest(place) if sidecars is None else content_digest(place, sidecars)

    def start_pool(self, recipe: Recipe, runtime: Runtime, jobs: int | None, useful: int) -> TaskPool:
        """See `ExecutionBackend`. Without `jobs`: one process per core, or a single one for neural models, which use all
        cores."""
        heavy = is_heavy(recipe)
        processes = min(useful, jobs or (1 if heavy else available_cores()))
        threads = max(1, available_cores() // processes) if heavy else 1
        pool = WorkerPool(
            partial(self.load, recipe, replace(runtime, threads=threads)),
            processes,
            answers=ANALYSIS_TYPES,
            threads=threads,
            limits=WorkerLimits().times(HEAVY_FACTOR) if heavy else WorkerLimits(),
        )
        return CopyingPool(pool, self.copies)
