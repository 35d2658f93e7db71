"""Libraries made on Ray are those that one process makes, whatever is lost on the way."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from soundalike.analysis.recipe import Recipe
from soundalike.config import Runtime
from soundalike.errors import LibraryError
from soundalike.jobs.ray.ray_cluster import Machines, Node, connected
from soundalike.jobs.ray.ray_pool import RayPool, Stage
from soundalike.library.indexing.content_digest import content_digest
from soundalike.library.indexing.index_report import IndexReport, Progress
from soundalike.library.indexing.library_update import index
from soundalike.library.indexing.ray_backend import (
    RayBackend,
    checking_files,
    decoding_processes,
    model_processes,
    one_per_core,
)
from soundalike.library.indexing.sidecar_files import SidecarFiles
from soundalike.library.maintenance.audit import audit
from soundalike.library.storage.location import Location, Remote
from soundalike.library.storage.store import Library
from tests.library.compare import rows_of
from tests.made_up_library import InlineBackend
from tests.made_up_rows import RECIPE, made_up_analyser

cluster = pytest.mark.cluster


class MadeUpBackend:
    """The cluster with made-up models."""

    def __init__(self, machines: Machines) -> None:
        self._machines, self._backend = machines, RayBackend(machines)
        self.pool: RayPool | None = None

    @property
    def readers(self) -> int:
        return self._backend.readers

    def digest(self, place: Location, sidecars: SidecarFiles | None) -> str:
        return self._backend.digest(place, sidecars)

    def start_pool(self, recipe: Recipe, runtime: Runtime, jobs: int | None, useful: int) -> RayPool:
        setup = checking_files(partial(made_up_analyser, recipe, runtime))
        self.pool = RayPool(self._machines, [Stage(lambda _: setup, one_per_core)], max_actors=jobs)
        return self.pool


@pytest.fixture
def machines(nodes: Any) -> Iterator[Machines]:
    with connected(nodes.address) as found:
        yield found


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    folder.mkdir()
    for number in range(24):
        (folder / f"n{number:02d}.wav").write_text(f"slow 0.02 song 2 {number}")
        (folder / f"hit{number:02d}.wav").write_text(f"one-shot {number}")
    (folder / "copy.wav").write_text("slow 0.02 song 2 3")
    (folder / "broken.wav").write_text("broken")
    (folder / "bug.wav").write_text("bug")
    return folder


def made_here(tmp_path: Path, music: Path) -> Library:
    """The library that one process makes."""
    index(tmp_path / "here", [music], recipe=RECIPE, backend=InlineBackend())
    return Library.open(tmp_path / "here")


def made_on_ray(
    tmp_path: Path, music: Path, backend: MadeUpBackend, on_progress: Callable[[Progress], None] | None = None
) -> tuple[Library, IndexReport]:
    report = index(tmp_path / "there", [music], recipe=RECIPE, backend=backend, on_progress=on_progress)
    library = Library.open(tmp_path / "there")
    assert audit(library).problems == ()
    return library, report


@cluster
def test_the_library_is_that_of_one_process(tmp_path: Path, music: Path, machines: Machines) -> None:
    there, report = made_on_ray(tmp_path, music, MadeUpBackend(machines))
    assert (report.found, report.indexed, len(report.skipped)) == (51, 49, 2)
    assert rows_of(there) == rows_of(made_here(tmp_path, music))
    again = index(tmp_path / "there", backend=MadeUpBackend(machines))
    assert (again.indexed, again.unchanged, len(again.skipped)) == (0, 49, 2)


@cluster
def test_a_node_killed_in_mid_run_changes_nothing(tmp_path: Path, music: Path, machines: Machines, nodes: Any) -> None:
    third = nodes.add_node(num_cpus=2, object_store_memory=100 << 20)
    working: set[str] = set()
    backend = MadeUpBackend(machines)
    killed = threading.Event()

    def kill_node(now: Progress) -> None:
        assert backend.pool is not None
        working.update(node for node, _ in backend.pool.ready_actors())
        if third.node_id in working and now.done >= 10 and not killed.is_set():
            killed.set()
            nodes.remove_node(third, allow_graceful=False)

    for number in range(40):  # enough for the third node to come up and take part
        (music / f"more{number}.wav").write_text(f"slow 0.15 song 2 {number + 100}")
    there, report = made_on_ray(tmp_path, music, backend, kill_node)
    assert killed.is_set()
    assert len(report.skipped) == 2
    assert rows_of(there) == rows_of(made_here(tmp_path, music))


@cluster
def test_a_file_that_kills_its_worker_is_skipped_alone(tmp_path: Path, machines: Machines) -> None:
    folder = tmp_path / "music"
    folder.mkdir()
    for number in range(8):
        (folder / f"n{number}.wav").write_text(f"song 2 {number}")
    (folder / "m.wav").write_text("crash")
    _, report = made_on_ray(tmp_path, folder, MadeUpBackend(machines))
    assert report.indexed == 8
    ((path, reason),) = report.skipped
    assert path.endswith("m.wav")
    assert reason.startswith("crashed 2 workers")
    again = index(tmp_path / "there", backend=MadeUpBackend(machines))
    assert (again.unchanged, again.skipped) == (8, report.skipped)  # remembered, not tried again


@cluster
def test_work_in_flight_is_bounded(tmp_path: Path, music: Path, machines: Machines) -> None:
    most = 0
    backend = MadeUpBackend(machines)

    def watch(now: Progress) -> None:
        nonlocal most
        assert backend.pool is not None
        most = max(most, backend.pool.pending)

    made_on_ray(tmp_path, music, backend, watch)
    assert 0 < most <= 4  # two for each of two actors


def refuse_all(recipe: Recipe, runtime: Runtime) -> Callable[[Any], Any]:
    """An analyser on a node that sees no file."""
    return lambda task: pytest.fail(f"{task} was analysed")


@cluster
def test_a_file_that_nodes_do_not_see_ends_the_run(tmp_path: Path, music: Path, machines: Machines) -> None:
    class Blind(MadeUpBackend):
        def start_pool(self, recipe: Recipe, runtime: Runtime, jobs: int | None, useful: int) -> RayPool:
            setup = checking_files(partial(refuse_all, recipe, runtime))
            return RayPool(machines, [Stage(lambda _: moved_away(setup), one_per_core)])

    with pytest.raises(LibraryError, match=r"does not see .*wav: the files must lie at the same path"):
        made_on_ray(tmp_path, music, Blind(machines))


def moved_away(setup: Any) -> Any:
    """A setup whose tasks look for their files at another place."""
    return partial(_load_moved_away, setup)


def _load_moved_away(setup: Any) -> Callable[[Any], Any]:
    do_task = setup()
    return lambda task: do_task((f"/nowhere{task[0]}", task[1]))


@cluster
def test_audio_and_library_on_object_storage(bucket: str, nodes: Any) -> None:
    files = Remote(bucket, "music")
    for number in range(6):
        (files / f"n{number}.wav").overwrite(f"song 2 {number}")
    (files / "broken.wav").overwrite("broken")
    place = Remote(bucket, "library")
    with connected(nodes.address) as machines:
        report = index(place, [files], recipe=RECIPE, backend=MadeUpBackend(machines))
    assert (report.indexed, len(report.skipped)) == (6, 1)
    assert audit(Library.open(place)).problems == ()


@cluster
def test_digests_of_nodes_are_those_of_this_process(machines: Machines, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(range(256)) * 9000)
    backend = RayBackend(machines)
    assert backend.readers == 8
    assert backend.digest(tmp_path / "a", None) == content_digest(tmp_path / "a")
    with pytest.raises(FileNotFoundError):
        backend.digest(tmp_path / "none", None)


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
def test_which_processes_a_node_gets(
    cpus: int, gpus: int, device: str, decode: list[tuple[int, int]], model: list[tuple[int, int]]
) -> None:
    node = Node("id", "name", cpus, gpus)
    assert decoding_processes(Runtime(device), node) == decode
    assert model_processes(Runtime(device), node) == model
    assert one_per_core(node) == [(1, 0)] * cpus


@cluster
def test_the_command_makes_the_same_library_and_prints_only_what_it_must(nodes: Any, tmp_path: Path) -> None:
    from soundalike.synth.music_library import MusicOptions, write_library

    music, place = tmp_path / "music", tmp_path / "library"
    write_library(music, MusicOptions(seed=6, songs=1, loops=1, one_shots=4, length=12.0))
    index(tmp_path / "here", [music], window=5.0)
    environment = {**os.environ, "SOUNDALIKE_DEBUG": "1"}
    command = [sys.executable, "-m", "soundalike", "index", str(music), "-L", str(place), "--window", "5", "--quiet"]
    done = subprocess.run(
        [*command, "--ray", nodes.address], capture_output=True, text=True, timeout=300, env=environment, check=True
    )
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines[0] == "Ray: 2 nodes, 2 CPUs"
    assert lines[1].startswith("found 6 = indexed 6")
    assert lines[2:] == [f"library: {place}"]
    assert audit(Library.open(place)).problems == ()
    assert rows_of(Library.open(place)) == rows_of(Library.open(tmp_path / "here"))
