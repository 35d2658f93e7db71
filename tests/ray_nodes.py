"""Ray clusters on this machine, each node with processes of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.object_store import ObjectStore

ROOT = str(Path(__file__).parents[1])


@pytest.fixture(scope="session")
def nodes(object_store: ObjectStore) -> Iterator[Any]:
    """A cluster of two nodes with one processor each (`ray.cluster_utils.Cluster`), which know the object store; more may
    be added and removed."""
    pytest.importorskip("ray", reason="needs the extra: cluster")
    from ray.cluster_utils import Cluster

    settings = {**object_store.environment(), "RAY_USAGE_STATS_ENABLED": "0"}
    # Nodes import what the tests define, and the program from where the tests import it.
    settings["PYTHONPATH"] = os.pathsep.join(filter(None, [ROOT, os.environ.get("PYTHONPATH")]))
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "object_store_memory": 100 << 20, "include_dashboard": False},
    )
    cluster.add_node(num_cpus=1, object_store_memory=100 << 20)
    try:
        yield cluster
    finally:
        cluster.shutdown()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
