from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import soundalike
from soundalike.config import Runtime
from soundalike.errors import InputError, LibraryError
from soundalike.jobs.ray.ray_cluster import Node, connected, decoders, models, one_a_core
from soundalike.library.indexing.scan import content_digest
from soundalike.library.maintenance.audit import audit
from soundalike.library.storage.store import Library
from tests.library.compare import rows_of

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
    with pytest.raises(InputError, match="no address of a Ray cluster; give local, auto or HOST:PORT"):
        _join(address)


@cluster
def test_where_no_cluster_is_it_is_said() -> None:
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
def test_digests_of_nodes_are_those_of_here(nodes: Any, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(range(256)) * 9000)
    with connected(nodes.address) as machines:
        assert machines.digest(tmp_path / "a", None) == content_digest(tmp_path / "a")
        with pytest.raises(FileNotFoundError):
            machines.digest(tmp_path / "none", None)
        assert machines.describe() == "Ray: 2 nodes, 2 CPUs"
        with pytest.raises(InputError, match="connected to a Ray cluster already"):
            _join(nodes.address)


@pytest.mark.parametrize(
    ("cpus", "gpus", "device", "decode", "model"),
    [
        (8, 0, "auto", [(1, 0)], [(7, 0)]),
        (1, 0, "auto", [(1, 0)], [(0, 0)]),
        (16, 2, "auto", [(1, 0)] * 14, [(1, 1)] * 2),
        (2, 2, "cuda", [(1, 0)], [(0, 1)] * 2),
        (16, 2, "cpu", [(1, 0)], [(15, 0)]),
    ],
)
def test_what_a_node_gets(
    cpus: int, gpus: int, device: str, decode: list[tuple[int, int]], model: list[tuple[int, int]]
) -> None:
    node = Node("id", "name", cpus, gpus)
    assert decoders(Runtime(device), node) == decode
    assert models(Runtime(device), node) == model
    assert one_a_core(node) == [(1, 0)] * cpus


@cluster
def test_the_command_makes_the_same_library_and_says_no_more_than_it_has_to(nodes: Any, tmp_path: Path) -> None:
    from soundalike.library.indexing.library_update import index
    from soundalike.synth.music_library import write_library

    music, place = tmp_path / "music", tmp_path / "library"
    write_library(music, seed=6, songs=1, loops=1, one_shots=4, length=12.0)
    index(tmp_path / "here", [music], window=5.0)
    environment = {**os.environ, "SOUNDALIKE_DEBUG": "1"}
    command = [sys.executable, "-m", "soundalike", "index", str(music), "-L", str(place), "--window", "5", "--quiet"]
    done = subprocess.run(
        [*command, "--ray", nodes.address], capture_output=True, text=True, timeout=300, env=environment, check=True
    )
    assert done.stdout == ""
    said = done.stderr.splitlines()
    assert said[0] == "Ray: 2 nodes, 2 CPUs"
    assert said[1].startswith("found 6 = indexed 6")
    assert said[2:] == [f"library: {place}"]
    assert audit(Library.open(place)).problems == ()
    assert rows_of(Library.open(place)) == rows_of(Library.open(tmp_path / "here"))
