from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.manifold import trustworthiness
from starlette.testclient import TestClient

from soundalike.library.storage.store import Library
from soundalike.web.app import create_app
from soundalike.web.services import maps
from soundalike.web.services.map_worker import means


def ready(client: TestClient, part: str, kind: str) -> dict[str, Any]:
    until = time.monotonic() + 120
    last = 0.0
    while time.monotonic() < until:
        answer = client.get("/api/map", params={"part": part, "kind": kind})
        assert answer.status_code == 200, answer.text
        found = answer.json()
        if found["state"] != "making":
            return dict(found)
        assert last <= found["progress"] <= 1
        last = found["progress"]
        time.sleep(0.05)
    raise AssertionError("it was never ready")


def test_a_map_shows_every_item_near_similar_ones(web: TestClient, own: Path) -> None:
    found = ready(web, "drums", "one-shot")  # by their mix: they are embedded whole
    items = {item["id"]: item for item in web.get("/api/items", params={"kind": "one-shot"}).json()["items"]}
    assert set(found["ids"]) == set(items)
    assert found["total"] == len(items) == 20
    assert set(found["kind"]) == {"one-shot"}
    for name, tempo, folder, file in zip(*(found[n] for n in ("ids", "tempo", "folder", "names")), strict=True):
        assert (items[name]["tempo"], f"{items[name]['root']}/{items[name]['folder']}") == (tempo, folder)
        assert items[name]["name"].endswith(file)
    snapshot = web.app.state.server.library.snapshot  # type: ignore[attr-defined]
    contents, vectors = means(Library.open(own), "mix", "one-shot")
    where = {snapshot.item(n)["content"]: (x, y) for n, x, y in zip(found["ids"], found["x"], found["y"], strict=True)}
    points = np.array([where[content] for content in contents])
    assert trustworthiness(vectors, points, n_neighbors=4) > 0.65  # chance: 0.5


@pytest.mark.long
def test_all_kinds_on_one_map(web: TestClient, own: Path) -> None:
    first = web.get("/api/map").json()
    assert first["state"] in ("making", "ready")
    found = ready(web, "mix", "all")
    assert web.get("/api/map").json() == found  # the default
    items = {item["id"]: item["kind"] for item in web.get("/api/items", params={"limit": 100}).json()["items"]}
    assert dict(zip(found["ids"], found["kind"], strict=True)) == items
    assert found["total"] == len(items) == 32
    assert [path.name for path in (own / "generation-1").glob("map-*.npz")] == ["map-all-mix.npz"]
    library = Library.open(own)
    contents, vectors = means(library, "mix", "all")
    assert list(contents) == sorted(contents)
    for kind in ("song", "loop", "one-shot"):
        some, theirs = means(library, "mix", kind)
        np.testing.assert_array_equal(vectors[[contents.index(content) for content in some]], theirs)
    where = {name: (x, y) for name, x, y in zip(found["ids"], found["x"], found["y"], strict=True)}
    snapshot = web.app.state.server.library.snapshot  # type: ignore[attr-defined]
    of_content = {snapshot.item(name)["content"]: place for name, place in where.items()}
    points = np.array([of_content[content] for content in contents])
    assert trustworthiness(vectors, points, n_neighbors=4) > 0.65
    assert set(web.get("/api/map", params={"part": "drums"}).json()["kind"]) <= {"song"}


@pytest.mark.long
def test_a_map_is_stored_for_other_servers(web: TestClient, own: Path) -> None:
    first = ready(web, "mix", "loop")
    (stored,) = (own / "generation-1").glob("map-*.npz")
    asked = {"part": "mix", "kind": "loop"}
    with TestClient(create_app(own), base_url="http://127.0.0.1") as other:
        assert other.get("/api/map", params=asked).json() == first  # at once
    stored.write_bytes(stored.read_bytes()[:100])
    with TestClient(create_app(own), base_url="http://127.0.0.1") as other:
        assert other.get("/api/map", params=asked).json()["state"] == "making"
        assert ready(other, "mix", "loop")["ids"] == first["ids"]


def test_maps_of_few_items_and_of_none(web: TestClient) -> None:
    songs = ready(web, "drums", "song")
    assert len(songs["ids"]) == 4
    assert all(0 <= value <= 1 for value in songs["x"] + songs["y"])
    answer = web.get("/api/map", params={"part": "kazoo", "kind": "song"})
    assert answer.status_code == 422
    assert "no part 'kazoo'" in answer.json()["detail"]
    assert web.get("/api/map", params={"part": "mix", "kind": "noise"}).status_code == 422


def test_means_are_those_of_the_windows(own: Path) -> None:
    library = Library.open(own)
    contents, vectors = means(library, "drums", "song")
    rows = library.windows(["content", "drums"])
    stored = library.as_vectors(rows["drums"]).astype(np.float64)
    of = np.array(rows["content"].to_pylist())
    for content, vector in zip(contents, vectors, strict=True):
        expected = stored[of == content].sum(axis=0)
        np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), atol=1e-4)


def test_the_worker_process_imports_no_server() -> None:
    """It starts for each map: the server's modules would double its time to start."""
    code = "import sys, soundalike.web.services.map_worker; print(*sys.modules)"
    imported = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert "soundalike.library.storage.store" in imported
    assert {"fastapi", "pydantic", "starlette", "soundalike.web.schemas"}.isdisjoint(imported)


def die() -> Callable[[Any], Any]:
    """The setup of a worker that does not survive its task."""
    return lambda _: os.kill(os.getpid(), signal.SIGSEGV)


@pytest.mark.long
def test_a_crash_of_the_worker_is_reported(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maps, "make_map_worker", die)
    until = time.monotonic() + 60
    with TestClient(create_app(own), base_url="http://127.0.0.1") as web:
        while (answer := web.get("/api/map", params={"part": "mix", "kind": "loop"})).status_code == 200:
            assert time.monotonic() < until
            time.sleep(0.02)
    assert answer.status_code == 409
    assert "the process that computes it crashed (SIGSEGV)" in answer.json()["detail"]
