from __future__ import annotations

from typing import Any

import pytest

import soundalike
from soundalike.errors import InputError, LibraryError
from soundalike.jobs.ray.ray_cluster import connected

cluster = pytest.mark.cluster


def _join(address: str) -> None:
    with connected(address):
        pass


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("soundalike.config.find_spec", lambda name: None if name == "ray" else object())
    with pytest.raises(InputError, match=r"indexing on Ray needs ray.*soundalike\[cluster\]"):
        _join("auto")


@cluster
@pytest.mark.parametrize("address", ["", "ray://head:10001", "head", "s3://bucket", "head:123456"])
def test_other_addresses_are_refused(address: str) -> None:
    pytest.importorskip("ray", reason="needs the extra: cluster")
    with pytest.raises(InputError, match="not the address of a Ray cluster; give local, auto or HOST:PORT"):
        _join(address)


@cluster
def test_an_address_without_a_cluster_is_refused() -> None:
    pytest.importorskip("ray", reason="needs the extra: cluster")
    with pytest.raises(LibraryError, match=r"no Ray cluster answers at 127.0.0.1:1 .*ray start --head --port=1"):
        _join("127.0.0.1:1")


@cluster
def test_nodes_must_run_what_the_driver_runs(nodes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    here = soundalike.__version__
    monkeypatch.setattr(soundalike, "__version__", "9.9")
    with pytest.raises(
        LibraryError, match=rf"^the node .* runs soundalike {here}, not 9.9; all machines need the same$"
    ):
        _join(nodes.address)


@cluster
def test_a_process_has_one_connection(nodes: Any) -> None:
    with connected(nodes.address) as machines:
        assert machines.describe() == "Ray: 2 nodes, 2 CPUs"
        with pytest.raises(InputError, match="connected to a Ray cluster already"):
            _join(nodes.address)
