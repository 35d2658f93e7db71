"""Damaged uploads: each gets a readable problem or is decoded as far as possible, and the server continues."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from soundalike.analysis.recipe import Recipe
from soundalike.config import Runtime
from soundalike.web.app import create_app
from soundalike.web.services import media_workers
from soundalike.web.services.media_tasks import ExtractStem, make_worker
from tests.web import damaged

MOST = 60
SECONDS = 25.0
"""How long this test sends on; `benchmarks/stress_damaged_uploads.py` sends any number."""


@pytest.fixture(scope="module")
def web(library: Path) -> Iterator[TestClient]:
    with TestClient(create_app(library), base_url="http://127.0.0.1") as client:
        yield client


@pytest.mark.long
def test_damaged_files_get_a_readable_problem(web: TestClient) -> None:
    until = time.monotonic() + SECONDS
    folder = web.app.state.server.uploads.folder.name  # type: ignore[attr-defined]
    outcomes: dict[str, set[int]] = {}
    for kind, name, data in damaged.uploads(MOST, seed=7):
        answer = web.post("/api/uploads", params={"name": name}, content=data)
        assert answer.status_code in (200, 413, 415, 422), (name, answer.text)
        assert folder not in answer.text
        assert "passwd" not in answer.text
        if answer.status_code != 200:
            assert name.split(".")[0] in answer.json()["detail"]
        else:
            found = web.post("/api/search", json={"upload": answer.json()["id"], "n": 3})
            assert found.status_code in (200, 415, 422), (name, found.text)
            assert folder not in found.text
        outcomes.setdefault(kind, set()).add(answer.status_code)
        if time.monotonic() > until and len(outcomes) == len(damaged.KINDS):
            break
    assert set(outcomes) == {kind.__name__ for kind in damaged.KINDS}
    for kind in ("foreign", "random_bytes", "one_byte", "not_finite", "long_silence"):
        assert 200 not in outcomes[kind], kind
    assert web.get("/api/library/state").status_code == 200
    kept = web.app.state.server.uploads  # type: ignore[attr-defined]
    assert len(list(kept.folder.iterdir())) == kept.count > 0


def test_a_header_with_a_false_length_is_harmless(web: TestClient) -> None:
    data = next(data for kind, _, data in damaged.uploads(12, seed=1) if kind == "claims_hours")
    answer = web.post("/api/uploads", params={"name": "hours.wav"}, content=data)
    assert answer.status_code == 200, answer.text
    assert answer.json()["duration"] == pytest.approx(1.0, abs=0.01)
    stem = web.get(f"/api/uploads/{answer.json()['id']}/stems/drums", params={"start": 0.2, "end": 0.7})
    assert stem.status_code == 200, stem.text


def test_a_file_that_is_too_long_is_refused(web: TestClient) -> None:
    data = next(data for kind, _, data in damaged.uploads(12, seed=1) if kind == "long_silence")
    answer = web.post("/api/uploads", params={"name": "endless.flac"}, content=data)
    assert answer.status_code == 415
    assert answer.json()["detail"] == "endless.flac is longer than 3 hours; use an excerpt, or add it to the library"


def make_worker_that_hangs(recipe: Recipe, runtime: Runtime, max_bytes: int | None) -> Callable[[Any], Any]:
    """The setup of a worker that never finishes a stem that starts at 1 s."""
    work = make_worker(recipe, runtime, max_bytes)

    def run(task: Any) -> Any:
        if isinstance(task, ExtractStem) and task.start == 1:
            time.sleep(1_000)
        return work(task)

    return run


@pytest.mark.long
def test_a_file_on_which_the_decoder_hangs_affects_no_other(
    library: Path, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_workers, "make_worker", make_worker_that_hangs)
    with TestClient(create_app(library), base_url="http://127.0.0.1") as client:
        upload = client.post("/api/uploads", params={"name": "a.flac"}, content=song.read_bytes()).json()["id"]
        stem = f"/api/uploads/{upload}/stems/drums"
        with monkeypatch.context() as patch:
            patch.setattr(media_workers, "TASK_SECONDS", 0.5)
            patch.setattr(media_workers, "BYTES_PER_SECOND", 10**12)
            answer = client.get(stem, params={"start": 1})
        assert answer.status_code == 415
        assert "a.flac: the process that reads it did not end within 0.5 s" in answer.json()["detail"]
        assert client.get(stem).status_code == 200
