"""A Ray cluster as this program uses it: reached, of one version throughout, quiet."""

from __future__ import annotations

import itertools
import logging
import os
import platform
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import soundalike
from soundalike.analysis.recipe import Recipe, is_heavy
from soundalike.config import Runtime, require_extra
from soundalike.errors import InputError, LibraryError
from soundalike.jobs.worker_pool import Maker
from soundalike.library.indexing.analysis_tasks import analyser, finisher, preparer
from soundalike.library.indexing.scan import content_digest
from soundalike.library.indexing.sidecar_files import Companions
from soundalike.library.storage.location import Location

if TYPE_CHECKING:
    from soundalike.jobs.ray.ray_pool import RayTeam

CONNECT_SECONDS = 5.0
PROBE_SECONDS = 120.0
"""How long a node may take to say what it runs: its first process has to come up."""

READERS = 4
"""Files that a node reads for their digests at a time."""

_TRIES = 3
_STORE_BYTES = 1 << 30


@dataclass(frozen=True)
class Node:
    """A machine of the cluster: Ray's id of it, its name, and what it has to give."""

    id: str
    name: str
    cpus: int
    gpus: int


@contextmanager
def connected(address: str) -> Iterator[Machines]:
    """The cluster at `address`: `local` (started on this machine, ended at the end of the block), `auto` (the one that runs
    on this machine) or HOST:PORT.

    Raises InputError without the extra `cluster` or for an address of another form, LibraryError where there is no
    cluster or its nodes run something else.
    """
    require_extra("cluster", "indexing on Ray")
    if not (address in ("local", "auto") or re.fullmatch(r"[^/:\s]+:\d{1,5}|\[[0-9a-fA-F:]+\]:\d{1,5}", address)):
        raise InputError(
            f"{address!r} is no address of a Ray cluster; give local, auto or HOST:PORT, on a machine that belongs to it "
            "(`ray start --address=HOST:PORT` makes one belong)"
        )
    # Ray reports home and warns of its own future unless told otherwise.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    if ":" in address:
        _reach(address)
    import ray

    if ray.is_initialized():
        raise InputError("this process is connected to a Ray cluster already; end that connection first")
    _join(address)
    try:
        machines = Machines()
        machines.check()
        yield machines
    finally:
        ray.shutdown()


def _reach(address: str) -> None:
    """Raise LibraryError where nothing listens at HOST:PORT: Ray itself would try for long."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise LibraryError(
            f"no Ray cluster answers at {address} ({error}); start one with `ray start --head --port={port}` there"
        ) from None


def _join(address: str) -> None:
    import ray

    more: dict[str, Any] = (
        {"include_dashboard": False, "object_store_memory": _STORE_BYTES} if address == "local" else {}
    )
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL, **more)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        words = str(error)
        if "ersion mismatch" in words:
            there = re.findall(r"(Ray|Python): ([\w.+]+)", words)
            said = ", ".join(f"{what} {version}" for what, version in there[:2]) or "other versions"
            raise LibraryError(
                f"the cluster at {address} runs {said}, this process Ray {ray.__version__} and Python "
                f"{platform.python_version()}; all machines need the same"
            ) from None
        raise LibraryError(
            f"no Ray cluster could be joined at {address} ({words.splitlines()[0][:200] if words else 'no reason given'}); "
            "start one with `ray start --head`, or use --ray local; one that asks for a token wants RAY_AUTH_MODE=token and "
            "~/.ray/auth_token here too, one that asks for none wants RAY_AUTH_MODE=disabled"
        ) from None


class Machines:
    """The nodes of the cluster that this process is connected to."""

    def __init__(self) -> None:
        self._digesters: dict[str, Any] = {}
        self._turn = itertools.count()
        self._lock = threading.Lock()

    def nodes(self) -> list[Node]:
        """Those that are alive and have processors to give, in the order of their ids."""
        import ray

        found = []
        for entry in ray.nodes():
            resources = entry["Resources"]
            if entry["Alive"] and resources.get("CPU", 0) >= 1:
                name = f"{entry['NodeManagerHostname']} ({entry['NodeManagerAddress']})"
                found.append(Node(entry["NodeID"], name, int(resources["CPU"]), int(resources.get("GPU", 0))))
        return sorted(found, key=lambda node: node.id)

    def check(self) -> None:
        """Raises LibraryError where there is no node, or one runs another version of this program or none."""
        import ray

        nodes = self.nodes()
        if not nodes:
            raise LibraryError(
                "no node of the cluster has a processor to give; start one with `ray start --address=...`"
            )
        own = _versions()
        asked = {_probe(node).remote(): node for node in nodes}
        for answer, node in asked.items():
            try:
                there = ray.get(answer, timeout=PROBE_SECONDS)
            except ray.exceptions.GetTimeoutError:
                raise LibraryError(
                    f"the node {node.name} did not say within {PROBE_SECONDS:.0f} s what it runs; see to it"
                ) from None
            except ray.exceptions.RayError as error:
                if "ModuleNotFoundError" in str(error) or "No module named" in str(error):
                    raise LibraryError(
                        f"the node {node.name} has no soundalike {own['soundalike']}; install it there: pip install "
                        "'soundalike[cluster]'"
                    ) from None
                continue  # it has gone meanwhile
            differing = [
                f"{name} {there.get(name)}, not {value}" for name, value in own.items() if there.get(name) != value
            ]
            if differing:
                raise LibraryError(f"the node {node.name} runs {'; '.join(differing)}; all machines need the same")

    def describe(self) -> str:
        """The cluster in words."""
        nodes = self.nodes()
        gpus = sum(node.gpus for node in nodes)
        words = [f"{len(nodes)} node{'s' * (len(nodes) != 1)}", f"{sum(node.cpus for node in nodes)} CPUs"]
        return "Ray: " + ", ".join(words + ([f"{gpus} GPUs"] if gpus else []))

    @property
    def readers(self) -> int:
        """See `library.indexing.library_update.Elsewhere`."""
        return READERS * max(1, len(self.nodes()))

    def digest(self, place: Location, companions: Companions | None) -> str:
        """See `library.indexing.library_update.Elsewhere`. What a node cannot read is read here, and so is
        what has companions."""
        import ray

        if companions is None:
            for _ in range(_TRIES):
                reader = self._digester()
                if reader is None:
                    break
                with suppress(ray.exceptions.RayError):
                    answer = ray.get(reader.digest.remote(place))
                    if answer is not None:
                        return str(answer)
                    break
        return content_digest(place, companions)

    def _digester(self) -> Any:
        """A reader of some node, each in turn."""
        from soundalike.jobs.ray.ray_actors import Digester, on

        with self._lock:
            nodes = self.nodes()
            if not nodes:
                return None
            node = nodes[next(self._turn) % len(nodes)]
            if node.id not in self._digesters:
                self._digesters[node.id] = on(node.id, Digester, cpus=0, max_concurrency=READERS).remote()
            return self._digesters[node.id]

    def hire(self, recipe: Recipe, runtime: Runtime, jobs: int | None) -> RayTeam:
        """See `library.indexing.library_update.Elsewhere`. Where models are heavy, files are decoded by
        processes of their own, which keep
        the others fed: one of those a GPU, or one a node that uses all its cores but one."""
        from soundalike.jobs.ray.ray_pool import RayTeam, Stage

        def with_models(make: Callable[..., Any]) -> Callable[[int], Maker]:
            return lambda threads: partial(make, recipe, replace(runtime, threads=threads))

        if not is_heavy(recipe):
            return RayTeam(self, [Stage(with_models(analyser), one_a_core)], most=jobs)
        stages = [
            Stage(lambda _: preparer, partial(decoders, runtime)),
            Stage(with_models(finisher), partial(models, runtime), heavy=True),
        ]
        return RayTeam(self, stages, most=jobs)


def one_a_core(node: Node) -> list[tuple[int, int]]:
    """(CPUs, GPUs) of each process of a node where models are light."""
    return [(1, 0)] * node.cpus


def decoders(runtime: Runtime, node: Node) -> list[tuple[int, int]]:
    """(CPUs, GPUs) of each process that decodes: one feeds a model on the node's other processors; where GPUs compute, all
    that they leave."""
    gpus = _gpus(runtime, node)
    return [(1, 0)] * max(1, node.cpus - gpus if gpus else 1)


def models(runtime: Runtime, node: Node) -> list[tuple[int, int]]:
    """(CPUs, GPUs) of each process that holds models."""
    gpus = _gpus(runtime, node)
    if gpus:
        return [(1 if node.cpus > gpus else 0, 1)] * gpus
    return [(node.cpus - 1, 0)]


def _gpus(runtime: Runtime, node: Node) -> int:
    return 0 if runtime.device == "cpu" else node.gpus


def _versions() -> dict[str, str]:
    import numpy

    return {"soundalike": soundalike.__version__, "numpy": numpy.__version__}


def _probe(node: Node) -> Any:
    from soundalike.jobs.ray.ray_actors import on

    return on(node.id, _versions, cpus=0)
