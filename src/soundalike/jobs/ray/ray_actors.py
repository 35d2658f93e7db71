"""What runs on the nodes. Light: imports what it needs when it is made."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from soundalike.errors import LibraryError
from soundalike.jobs.worker_pool import THREADS, Failure, Maker, failure_of, resident_bytes
from soundalike.library.indexing.scan import content_digest
from soundalike.library.storage.location import Location, Remote, as_location


class UnseenError(LibraryError):
    """A node does not see a file."""


def on(node: str, what: Any, *, cpus: float, gpus: float = 0, threads: int | None = None, **options: Any) -> Any:
    """A class or function to be run on that node and no other; `.remote(...)` starts it. No retries: whoever asks judges."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    settings: dict[str, Any] = {
        "num_cpus": cpus,
        "num_gpus": gpus,
        "scheduling_strategy": NodeAffinitySchedulingStrategy(node, soft=False),
        **options,
    }
    if isinstance(what, type):
        settings |= {"max_restarts": 0, "max_task_retries": 0}
    else:
        settings |= {"max_retries": 0}
    if threads is not None:
        settings["runtime_env"] = {"env_vars": dict.fromkeys(THREADS, str(threads))}
    return ray.remote(**settings)(what)


class Digester:
    """Reads files for their digests."""

    def digest(self, place: Location) -> str | None:
        """The digest of a file; None where this node cannot read it."""
        try:
            return content_digest(place)
        except (OSError, LibraryError):
            return None


class Worker:
    """Does the tasks of one stage, one after the other."""

    def __init__(self, make: Maker) -> None:
        self._make = make
        self._work: Callable[..., Any] | None = None

    def start(self) -> Failure | None:
        """Load what the work needs; the failure, if it fails."""
        try:
            self._work = self._make()
        except Exception as error:  # noqa: BLE001  the border between processes: the driver raises it again
            return failure_of(error)
        return None

    def last(self, task: tuple[str, Any], *prepared: Any) -> tuple[Any, int]:
        """What the last stage gives for a task, or Failure; and the memory of this process in bytes."""
        return self._done(task, *prepared), resident_bytes()

    def first(self, task: tuple[str, Any]) -> tuple[tuple[Failure | None, int], Any]:
        """What a stage before the last gives: its failure, if any, for the driver; and what it made, for the next stage."""
        outcome = self._done(task)
        failed = isinstance(outcome, Failure)
        return (outcome if failed else None, resident_bytes()), None if failed else outcome

    def _done(self, task: tuple[str, Any], *prepared: Any) -> Any:
        try:
            place = as_location(task[0])
            if not prepared and not isinstance(place, Remote) and not Path(place).exists():
                raise UnseenError(
                    f"{socket.gethostname()} does not see {place}: the files must lie at the same path on every node (a shared "
                    "file system), or on object storage"
                )
            if self._work is None:
                raise LibraryError("a worker was given a task before it was ready; this is a fault of soundalike")
            return self._work(task, *prepared)
        except Exception as error:  # noqa: BLE001  the border between processes: the driver judges it
            return failure_of(error)

    def process(self) -> int:
        """This process's id."""
        return os.getpid()
