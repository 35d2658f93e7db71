from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from soundalike.analysis.recipe import make_recipe
from soundalike.config import Runtime
from soundalike.errors import AudioError, InputError
from soundalike.jobs.worker_pool import WorkerPool
from soundalike.web.services import media_workers
from soundalike.web.services.media_tasks import ExtractStem, MakeQuery, Summarise
from soundalike.web.services.media_workers import BoundedPool, BusyError, MediaWorkers


@pytest.fixture(scope="module")
def workers() -> Iterator[MediaWorkers]:
    made = MediaWorkers(make_recipe(), Runtime(threads=1))
    yield made
    made.close()


def test_a_file_that_takes_too_long_affects_no_other(
    workers: MediaWorkers, noise: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert workers.run(Summarise(noise, 10))["channels"] == 2
    monkeypatch.setattr(media_workers, "TASK_SECONDS", 0.0)
    monkeypatch.setattr(media_workers, "BYTES_PER_SECOND", 10**15)

    def run_repeatedly() -> None:
        for _ in range(50):  # a task that ends before its time is checked succeeds
            workers.run(ExtractStem(noise, "drums", 0.0, None))

    with pytest.raises(AudioError, match="did not end within"):
        run_repeatedly()
    monkeypatch.undo()
    assert workers.run(Summarise(noise, 10))["channels"] == 2


def test_a_missing_file_is_reported(workers: MediaWorkers, tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"gone\.wav cannot be read"):
        workers.run(Summarise(tmp_path / "gone.wav", 10))


def make_sleep() -> Callable[[Any], Any]:
    """The setup of a worker whose tasks are seconds to sleep."""
    return time.sleep


def test_a_bounded_number_of_tasks_wait_for_a_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_workers, "MAX_WAITING", 0)
    monkeypatch.setattr(media_workers, "WAIT", 0.5)
    refused: list[str] = []
    with WorkerPool(make_sleep, 1, tasks_per_worker=1) as pool:
        busy = pool.submit(1000, 1000.0)
        bounded = BoundedPool(pool)

        def run() -> None:
            with pytest.raises(BusyError) as error:
                bounded.run(0, 1.0)
            refused.append(str(error.value))

        first, second = threading.Thread(target=run), threading.Thread(target=run)
        first.start()
        second.start()
        first.join(20)
        second.join(20)
        assert sorted(message.split()[0] for message in refused) == ["the", "too"]
        run()  # there is room to wait again
        assert busy.running()


def test_preloaded_workers_run_before_the_first_task(noise: Path) -> None:
    made = MediaWorkers(make_recipe(), Runtime(threads=1))
    try:
        assert made.pids() == []
        made.preload()
        pids = made.pids()
        assert len(pids) == 3
        assert made.run(ExtractStem(noise, "drums", 0.0, 1.0))[:4] == b"RIFF"
        assert made.run(Summarise(noise, 10))["channels"] == 2
        assert made.pids() == pids
    finally:
        made.close()
    with pytest.raises(BusyError, match="the server is shutting down"):
        made.run(Summarise(noise, 10))


@pytest.mark.long
def test_missing_models_are_reported_when_they_are_needed(noise: Path) -> None:
    made = MediaWorkers(replace(make_recipe(), encoder="unknown-encoder"), Runtime(threads=1))
    try:
        made.preload()
        assert made.run(Summarise(noise, 10))["channels"] == 2
        with pytest.raises(InputError, match="unknown-encoder"):
            made.run(MakeQuery(noise, None))
    finally:
        made.close()
