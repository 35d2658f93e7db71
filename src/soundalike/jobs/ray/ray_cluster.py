"""A connection to a Ray cluster whose nodes all run the same version of this program."""

from __future__ import annotations

import logging
import os
import platform
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from soundalike.config import require_extra
from soundalike.errors import InputError, LibraryError
from soundalike.jobs.ray.ray_actors import on

CONNECT_SECONDS = 5.0
PROBE_SECONDS = 120.0
"""How long a node may take to report its versions: its first process has to start."""

_STORE_BYTES = 1 << 30


@dataclass(frozen=True)
class Node:
    """A machine of the cluster: its id in Ray, its name, and its free resources."""

    id: str
    name: str
    cpus: int
    gpus: int


@contextmanager
def connected(address: str) -> Iterator[Machines]:
    """The cluster at `address`: `local` (started on this machine, stopped at the end of the block), `auto` (the one that
    runs on this machine) or HOST:PORT.

    Raises InputError without the extra `cluster` or for an address of another form, LibraryError if there is no cluster or
    its nodes run other versions.
    """
    require_extra("cluster", "indexing on Ray")
    if not (address in ("local", "auto") or re.fullmatch(r"[^/:\s]+:\d{1,5}|\[[0-9a-fA-F:]+\]:\d{1,5}", address)):
        raise InputError(
            f"{address!r} is not the address of a Ray cluster; give local, auto or HOST:PORT, on a machine that belongs to it "
            "(`ray start --address=HOST:PORT` adds one)"
        )
    # By default Ray sends usage statistics and warns about its own future.
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
    """Raise LibraryError if nothing listens at HOST:PORT: Ray itself would try for a long time."""
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
        message = str(error)
        if "ersion mismatch" in message:
            there = re.findall(r"(Ray|Python): ([\w.+]+)", message)
            versions = ", ".join(f"{name} {version}" for name, version in there[:2]) or "other versions"
            raise LibraryError(
                f"the cluster at {address} runs {versions}, this process Ray {ray.__version__} and Python "
                f"{platform.python_version()}; all machines need the same"
            ) from None
        raise LibraryError(
            f"no Ray cluster could be joined at {address} ({message.splitlines()[0][:200] if message else 'no reason given'}); "
            "start one with `ray start --head`, or use --ray local; a cluster with a token needs RAY_AUTH_MODE=token and "
            "~/.ray/auth_token here too, one without needs RAY_AUTH_MODE=disabled"
        ) from None


class Machines:
    """The nodes of the cluster that this process is connected to."""

    def nodes(self) -> list[Node]:
        """The nodes that are alive and have processors, ordered by id."""
        import ray

        found = []
        for entry in ray.nodes():
            resources = entry["Resources"]
            if entry["Alive"] and resources.get("CPU", 0) >= 1:
                name = f"{entry['NodeManagerHostname']} ({entry['NodeManagerAddress']})"
                found.append(Node(entry["NodeID"], name, int(resources["CPU"]), int(resources.get("GPU", 0))))
        return sorted(found, key=lambda node: node.id)

    def check(self) -> None:
        """Raise LibraryError if there is no node, or one runs another version of this program or none."""
        import ray

        nodes = self.nodes()
        if not nodes:
            raise LibraryError("no node of the cluster has a processor; start one with `ray start --address=...`")
        own = _versions()
        asked = {_probe(node).remote(): node for node in nodes}
        for answer, node in asked.items():
            try:
                there = ray.get(answer, timeout=PROBE_SECONDS)
            except ray.exceptions.GetTimeoutError:
                raise LibraryError(
                    f"the node {node.name} did not report its versions within {PROBE_SECONDS:.0f} s; check it with `ray status`"
                ) from None
            except ray.exceptions.RayError as error:
                if "ModuleNotFoundError" in str(error) or "No module named" in str(error):
                    raise LibraryError(
                        f"the node {node.name} has no soundalike {own['soundalike']}; install it there: pip install "
                        "'soundalike[cluster]'"
                    ) from None
                continue  # it has just left the cluster
            differing = [
                f"{name} {there.get(name)}, not {value}" for name, value in own.items() if there.get(name) != value
            ]
            if differing:
                raise LibraryError(f"the node {node.name} runs {'; '.join(differing)}; all machines need the same")

    def describe(self) -> str:
        """The cluster in one line."""
        nodes = self.nodes()
        gpus = sum(node.gpus for node in nodes)
        counts = [f"{len(nodes)} node{'s' * (len(nodes) != 1)}", f"{sum(node.cpus for node in nodes)} CPUs"]
        return "Ray: " + ", ".join(counts + ([f"{gpus} GPUs"] if gpus else []))


def _versions() -> dict[str, str]:
    # By name: this layer must not depend on the package's root, which names every layer above.
    return {name: import_module(name).__version__ for name in ("soundalike", "numpy")}


def _probe(node: Node) -> Any:
    return on(node.id, _versions, cpus=0)
