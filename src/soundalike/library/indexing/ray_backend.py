"""An indexing run on a Ray cluster: which processes each node gets, and what they do.

    with connected("auto") as machines:
        index("s3://bucket/library", ["s3://bucket/audio"], backend=RayBackend(machines))

The files must lie at the same path on every node, or on object storage.
"""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundalike.analysis.recipe import Recipe, is_heavy
from soundalike.audio.file_part import part_of_address
from soundalike.config import Runtime
from soundalike.errors import LibraryError
from soundalike.jobs.worker_pool import WorkerLostError
from soundalike.jobs.worker_process import Setup
from soundalike.library.indexing.analysis_tasks import load_analyser, load_finisher, load_preparer
from soundalike.library.indexing.content_digest import content_digest
from soundalike.library.indexing.execution_backends import FileNotVisibleError
from soundalike.library.indexing.sidecar_files import SidecarFiles
from soundalike.library.storage.location import Location, Remote, as_location

if TYPE_CHECKING:
    from soundalike.jobs.ray import Machines
    from soundalike.jobs.ray.ray_cluster import Node
    from soundalike.jobs.ray.ray_pool import RayPool

READERS_PER_NODE = 4
"""Files that a node reads for their digests at a time."""

_DIGEST_TRIES = 3


class FileReader:
    """Reads files on a node for their digests."""

    def digest(self, place: Location) -> str | None:
        """The digest of a file; None where this node cannot read it."""
        try:
            return content_digest(place)
        except (OSError, LibraryError):
            return None


class RayBackend:
    """`ExecutionBackend` on the nodes of a Ray cluster."""

    def __init__(self, machines: Machines) -> None:
        self._machines = machines
        self._file_readers: dict[str, Any] = {}
        self._turn = itertools.count()
        self._lock = threading.Lock()

    @property
    def readers(self) -> int:
        """See `ExecutionBackend`."""
        return READERS_PER_NODE * max(1, len(self._machines.nodes()))

    def digest(self, place: Location, sidecars: SidecarFiles | None) -> str:
        """See `ExecutionBackend`. A file that a node cannot read is read here, and so are files with sidecars."""
        from soundalike.jobs.ray.ray_actors import call

        if sidecars is None:
            for _ in range(_DIGEST_TRIES):
                reader = self._next_file_reader()
                if reader is None:
                    break
                with suppress(WorkerLostError):
                    answer = call(reader.digest, place)
                    if answer is not None:
                        return str(answer)
                    break
        return content_digest(place, sidecars)

    def _next_file_reader(self) -> Any:
        """The file reader of the next node in turn; None where no node is left."""
        from soundalike.jobs.ray.ray_actors import on

        with self._lock:
            nodes = self._machines.nodes()
            if not nodes:
                return None
            node = nodes[next(self._turn) % len(nodes)]
            if node.id not in self._file_readers:
                actor = on(node.id, FileReader, cpus=0, max_concurrency=READERS_PER_NODE)
                self._file_readers[node.id] = actor.remote()
            return self._file_readers[node.id]

    def start_pool(self, recipe: Recipe, runtime: Runtime, jobs: int | None, useful: int) -> RayPool:
        """See `ExecutionBackend`. Neural models get processes of their own, fed by others that decode: one per GPU, or one
        per node that uses all its cores but one."""
        from soundalike.jobs.ray.ray_pool import RayPool, Stage

        def with_models(load: Callable[..., Any]) -> Callable[[int], Setup]:
            return lambda threads: partial(load, recipe, replace(runtime, threads=threads))

        most = min(useful, jobs or useful)
        if not is_heavy(recipe):
            analysis = with_models(load_analyser)
            return RayPool(
                self._machines,
                [Stage(lambda threads: checking_files(analysis(threads)), one_per_core)],
                max_actors=most,
            )
        stages = [
            Stage(lambda _: checking_files(load_preparer), partial(decoding_processes, runtime)),
            Stage(with_models(load_finisher), partial(model_processes, runtime), heavy=True),
        ]
        return RayPool(self._machines, stages, max_actors=most)


def checking_files(setup: Setup) -> Setup:
    """`setup`, for tasks whose files must be visible on the node: they raise FileNotVisibleError where one is not."""
    return partial(_load_checked, setup)


def _load_checked(setup: Setup) -> Callable[[Any], Any]:
    do_task = setup()

    def checked(task: Any) -> Any:
        place = as_location(task[0])
        if not isinstance(place, Remote) and not part_of_address(Path(place)).file.exists():
            raise FileNotVisibleError(
                f"{socket.gethostname()} does not see {place}: the files must lie at the same path on every node (a shared "
                "file system), or on object storage"
            )
        return do_task(task)

    return checked


def one_per_core(node: Node) -> list[tuple[int, int]]:
    """(CPUs, GPUs) of each process of a node where models are light."""
    return [(1, 0)] * node.cpus


def decoding_processes(runtime: Runtime, node: Node) -> list[tuple[int, int]]:
    """(CPUs, GPUs) of each process that decodes: one feeds a model that runs on the node's other cores; where GPUs
    compute, all cores that they leave."""
    gpus = _gpus(runtime, node)
    return [(1, 0)] * max(1, node.cpus - gpus if gpus else 1)


def model_processes(runtime: Runtime, node: Node) -> list[tuple[int, int]]:
    """(CPUs, GPUs) of each process that holds models."""
    gpus = _gpus(runtime, node)
    if gpus:
        return [(1 if node.cpus > gpus else 0, 1)] * gpus
    return [(node.cpus - 1, 0)]


def _gpus(runtime: Runtime, node: Node) -> int:
    return 0 if runtime.device == "cpu" else node.gpus
