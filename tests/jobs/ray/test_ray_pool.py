"""Libraries made on Ray are those that one process makes, whatever is lost on the way."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from soundalike.analysis.recipe import Recipe
from soundalike.config import Runtime
from soundalike.errors import CheckpointError, LibraryError
from soundalike.jobs.ray.ray_cluster import Machines, connected, one_a_core
from soundalike.jobs.ray.ray_pool import RayTeam, Stage
from soundalike.jobs.worker_pool import Failure, Lost
from soundalike.library.indexing.index_report import IndexReport, Progress
from soundalike.library.indexing.library_update import index
from soundalike.library.maintenance.audit import audit
from soundalike.library.storage.location import Remote
from soundalike.library.storage.store import Library
from tests.library.compare import rows_of
from tests.made_up_rows import RECIPE, made_up_analyser

pytestmark = pytest.mark.cluster

pytest.importorskip("ray", reason="needs the extra: cluster")


class MadeUp:
    """The cluster with made-up models; stages: how the work is cut."""

    def __init__(self, machines: Machines, stages: list[Stage] | None = None) -> None:
        self._machines, self._stages = machines, stages
        self.team: RayTeam | None = None

    @property
    def readers(self) -> int:
        return self._machines.readers

    def digest(self, place: Any, companions: Any) -> str:
        return self._machines.digest(place, companions)

    def hire(self, recipe: Recipe, runtime: Runtime, jobs: int | None) -> RayTeam:
        make = partial(made_up_analyser, recipe, runtime)
        self.team = RayTeam(self._machines, self._stages or [Stage(lambda _: make, one_a_core)], most=jobs)
        return self.team


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


def _here(tmp_path: Path, music: Path) -> Library:
    """The library that one process makes."""
    import soundalike.library.indexing.library_update as module

    before = module.analyser
    module.analyser = made_up_analyser
    try:
        index(tmp_path / "here", [music], recipe=RECIPE, jobs=1)
    finally:
        module.analyser = before
    return Library.open(tmp_path / "here")


def _on_ray(
    tmp_path: Path, music: Path, elsewhere: MadeUp, on_progress: Callable[[Progress], None] | None = None
) -> tuple[Library, IndexReport]:
    report = index(tmp_path / "there", [music], recipe=RECIPE, elsewhere=elsewhere, on_progress=on_progress)
    found = Library.open(tmp_path / "there")
    assert audit(found).problems == ()
    return found, report


def test_the_library_is_that_of_one_process(tmp_path: Path, music: Path, machines: Machines) -> None:
    there, report = _on_ray(tmp_path, music, MadeUp(machines))
    assert (report.found, report.indexed, len(report.skipped)) == (51, 49, 2)
    assert rows_of(there) == rows_of(_here(tmp_path, music))
    again = index(tmp_path / "there", elsewhere=MadeUp(machines))
    assert (again.indexed, again.unchanged, len(again.skipped)) == (0, 49, 2)


def test_a_node_killed_in_mid_run_changes_nothing(tmp_path: Path, music: Path, machines: Machines, nodes: Any) -> None:
    third = nodes.add_node(num_cpus=2, object_store_memory=100 << 20)
    working: set[str] = set()
    elsewhere = MadeUp(machines)
    killed = threading.Event()

    def kill_it(now: Progress) -> None:
        assert elsewhere.team is not None
        working.update(node for node, _ in elsewhere.team.places())
        if third.node_id in working and now.done >= 10 and not killed.is_set():
            killed.set()
            nodes.remove_node(third, allow_graceful=False)

    for number in range(40):  # enough for the third node to come up and take part
        (music / f"more{number}.wav").write_text(f"slow 0.15 song 2 {number + 100}")
    there, report = _on_ray(tmp_path, music, elsewhere, kill_it)
    assert killed.is_set()
    assert len(report.skipped) == 2
    assert rows_of(there) == rows_of(_here(tmp_path, music))


def test_a_file_that_kills_its_worker_is_skipped_alone(tmp_path: Path, machines: Machines) -> None:
    folder = tmp_path / "music"
    folder.mkdir()
    for number in range(8):
        (folder / f"n{number}.wav").write_text(f"song 2 {number}")
    (folder / "m.wav").write_text("crash")
    _, report = _on_ray(tmp_path, folder, MadeUp(machines))
    assert report.indexed == 8
    ((path, reason),) = report.skipped
    assert path.endswith("m.wav")
    assert reason.startswith("crashed 2 workers")
    again = index(tmp_path / "there", elsewhere=MadeUp(machines))
    assert (again.unchanged, again.skipped) == (8, report.skipped)  # remembered, not tried again


def test_one_that_hangs_is_ended(tmp_path: Path, machines: Machines) -> None:
    (tmp_path / "hang.wav").write_text("hang")
    (tmp_path / "ok.wav").write_text("song 2 1")
    with MadeUp(machines).hire(RECIPE, Runtime(), None) as team:
        team.submit("hang", (str(tmp_path / "hang.wav"), None), 1.0)
        team.submit("ok", (str(tmp_path / "ok.wav"), None), 60.0)
        outcomes = _all(team)
    assert outcomes["hang"] == Lost("did not end within 1 s")
    assert outcomes["ok"].kind == "song"


def _all(team: RayTeam, seconds: float = 90.0) -> dict[str, Any]:
    found: dict[str, Any] = {}
    deadline = time.monotonic() + seconds
    while team.pending:
        assert time.monotonic() < deadline
        found |= {done.key: done.outcome for done in team.wait(0.2)}
    return found


def test_a_worker_killed_once_costs_its_file_nothing(tmp_path: Path, machines: Machines) -> None:
    import ray

    for number in range(6):
        (tmp_path / f"{number}.wav").write_text(f"slow 0.5 song 2 {number}")
    with MadeUp(machines).hire(RECIPE, Runtime(), None) as team:
        for number in range(6):
            team.submit(str(number), (str(tmp_path / f"{number}.wav"), None), 60.0)
        while not team.places():
            team.wait(0.1)
        (_, victim), *_ = team.places()
        ray.kill(victim)
        outcomes = _all(team)
    assert sorted(outcomes) == [str(number) for number in range(6)]
    assert all(outcome.kind == "song" for outcome in outcomes.values())


def _doubler() -> Callable[[Any], Any]:
    return lambda task: {"of": task[0], "bytes": bytes(200_000)}


def _joiner() -> Callable[[Any, Any], Any]:
    def join(task: Any, prepared: Any) -> Any:
        time.sleep(0.1)
        return task[0], prepared["of"], len(prepared["bytes"]), os.getpid()

    return join


def _refuser() -> Callable[[Any], Any]:
    raise CheckpointError("the weights of clap are not here; fetch them: soundalike models fetch clap")


def test_stages_pass_on_what_they_made_and_wait_for_each_other(tmp_path: Path, machines: Machines) -> None:
    for number in range(20):
        (tmp_path / f"{number}.wav").write_text("x")
    stages = [Stage(lambda _: _doubler, _half), Stage(lambda _: _joiner, _half)]
    with RayTeam(machines, stages) as team:
        for number in range(20):
            team.submit(number, (str(tmp_path / f"{number}.wav"), None), 60.0)
        most = 0
        outcomes: dict[Any, Any] = {}
        deadline = time.monotonic() + 90
        while team.pending:
            assert time.monotonic() < deadline
            outcomes |= {done.key: done.outcome for done in team.wait(0.2)}
            most = max(most, len(team._queues[1]))
    assert most <= 4  # two for each of the second stage's actors
    for number, outcome in outcomes.items():
        assert outcome[:3] == (str(tmp_path / f"{number}.wav"),) * 2 + (200_000,)
    assert len({outcome[3] for outcome in outcomes.values()}) == 2


def _half(node: Any) -> list[tuple[int, int]]:
    return [(0, 0)]


def test_what_making_the_work_raises_is_raised(machines: Machines, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("x")
    with RayTeam(machines, [Stage(lambda _: _refuser, one_a_core)]) as team:
        team.submit("a", (str(tmp_path / "a.wav"), None), 10.0)
        with pytest.raises(CheckpointError, match="models fetch clap"):
            _all(team)


def test_work_in_flight_is_bounded(tmp_path: Path, music: Path, machines: Machines) -> None:
    most = 0
    elsewhere = MadeUp(machines)

    def watch(now: Progress) -> None:
        nonlocal most
        assert elsewhere.team is not None
        most = max(most, elsewhere.team.pending)

    _on_ray(tmp_path, music, elsewhere, watch)
    assert 0 < most <= 4  # two for each of two actors


def test_a_file_that_no_node_sees_ends_the_run(
    tmp_path: Path, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    with MadeUp(machines).hire(RECIPE, Runtime(), None) as team:
        team.submit("gone", (str(tmp_path / "gone.wav"), None), 10.0)
        outcome = _all(team)["gone"]
        assert isinstance(outcome, Failure)
        assert "is not there any more" in str(outcome.error)
        monkeypatch.setattr(Path, "exists", lambda _: True)  # this machine sees what the nodes do not
        team.submit("unseen", (str(tmp_path / "unseen.wav"), None), 10.0)
        with pytest.raises(LibraryError, match=r"does not see .*unseen.wav: the files must lie at the same path"):
            _all(team)


def test_audio_and_library_on_object_storage(tmp_path: Path, bucket: str, nodes: Any) -> None:
    files = Remote(bucket, "music")
    for number in range(6):
        (files / f"n{number}.wav").overwrite(f"song 2 {number}")
    (files / "broken.wav").overwrite("broken")
    place = Remote(bucket, "library")
    with connected(nodes.address) as machines:
        report = index(place, [files], recipe=RECIPE, elsewhere=MadeUp(machines))
    assert (report.indexed, len(report.skipped)) == (6, 1)
    assert audit(Library.open(place)).problems == ()
