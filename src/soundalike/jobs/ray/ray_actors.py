"""What runs on the nodes. Light: imports what it needs when it is started."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from soundalike.errors import LibraryError
from soundalike.jobs.failure import Failure
from soundalike.jobs.worker_pool import WorkerLostError
from soundalike.jobs.worker_process import THREAD_VARIABLES, Setup, resident_bytes


def on(node: str, what: Any, *, cpus: float, gpus: float = 0, threads: int | None = None, **options: Any) -> Any:
    """A class or function to run on the node with this id and no other; `.remote(...)` starts it. Nothing is retried."""
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
        settings["runtime_env"] = {"env_vars": dict.fromkeys(THREAD_VARIABLES, str(threads))}
    return ray.remote(**settings)(what)


def call(method: Any, *arguments: Any) -> Any:
    """Call a method of an actor and wait for its answer. Raises WorkerLostError if the actor is lost."""
    import ray

    try:
        return ray.get(method.remote(*arguments))
    except ray.exceptions.RayError as error:
        raise WorkerLostError(str(error)) from error


class Actor:
    """Does the tasks of one stage, one after the other."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._do_task: Callable[..., Any] | None = None

    def start(self) -> Failure | None:
        """Load what the tasks need; returns the failure, if it fails."""
        try:
            self._do_task = self._setup()
        except Exception as error:  # noqa: BLE001  the border between processes: the driver raises it again
            return Failure.of(error)
        return None

    def run_last_stage(self, task: Any, *intermediate: Any) -> tuple[Any, int]:
        """What the last stage returns for a task, or Failure; and the memory of this process in bytes."""
        return self._outcome(task, *intermediate), resident_bytes()

    def run_stage(self, task: Any) -> tuple[tuple[Failure | None, int], Any]:
        """What a stage before the last returns: its failure, if any, for the driver; its result, for the next stage."""
        outcome = self._outcome(task)
        failed = isinstance(outcome, Failure)
        return (outcome if failed else None, resident_bytes()), None if failed else outcome

    def _outcome(self, task: Any, *intermediate: Any) -> Any:
        try:
            if self._do_task is None:
                raise LibraryError("a worker was given a task before it was ready; this is a fault of soundalike")
            return self._do_task(task, *intermediate)
        except Exception as error:  # noqa: BLE001  the border between processes: the driver judges it
            return Failure.of(error)
