"""A library that changes while it is served, and one that several servers serve."""

from __future__ import annotations

import os
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from soundalike.config import Runtime
from soundalike.errors import InputError
from soundalike.library.maintenance.roots import relocate, remove
from soundalike.models.encoders import ENCODERS, Encoder
from soundalike.web.app import create_app
from tests.web.own_library import add_sound, first


def test_new_files_are_served_without_a_restart(own: Path, web: TestClient, tmp_path: Path) -> None:
    before = web.get("/api/library").json()
    assert web.get("/api/library/state").json() == {"state": before["state"], "items": 32}
    reference = first(web, "one-shot")["id"]
    asked = {"item": reference, "filters": {"kinds": ["one-shot"]}, "n": 100}
    assert len(web.post("/api/search", json=asked).json()["hits"]) == 19
    name = 'it\'s "new" 100% [a]* \u266b.wav'
    add_sound(own, tmp_path / "more", name, 1)
    now = web.get("/api/library/state").json()
    assert now["state"] != before["state"]
    assert now["items"] == 33
    hits = web.post("/api/search", json=asked).json()["hits"]
    assert len(hits) == 20
    (new,) = [hit["item"] for hit in hits if hit["item"]["name"] == name]
    assert web.get(f"/api/items/{new['id']}").json() == new
    assert web.get(f"/api/items/{new['id']}/audio").status_code == 200
    assert web.get("/api/peaks", params={"item": new["id"]}).json()["peaks"][new["id"]] is not None
    for part in ("it's", '"new"', "100%", name):
        found = web.get("/api/items", params={"text": part}).json()["items"]
        assert [item["id"] for item in found] == [new["id"]]
        filtered = web.post("/api/search", json={**asked, "filters": {"path": part}}).json()
        if not set("*?[") & set(part):
            assert [hit["item"]["id"] for hit in filtered["hits"]] == [new["id"]]
    remove(own, [tmp_path / "more" / name])
    assert web.get("/api/library/state").json()["items"] == 32
    assert web.get(f"/api/items/{new['id']}").status_code == 404


def test_a_folder_that_moved_is_followed(own: Path, web: TestClient, tmp_path: Path) -> None:
    add_sound(own, tmp_path / "more", "a.wav", 1)
    web.get("/api/library/state")
    new = web.get("/api/items", params={"text": "a.wav"}).json()["items"][0]
    (tmp_path / "more").rename(tmp_path / "moved")
    assert web.get(f"/api/items/{new['id']}/audio").status_code == 415
    relocate(own, str(tmp_path / "more"), tmp_path / "moved")
    assert web.get("/api/library/state").json()["items"] == 33
    assert web.get(f"/api/items/{new['id']}/audio").status_code == 200
    assert web.get(f"/api/items/{new['id']}").json()["path"] == str(tmp_path / "moved" / "a.wav")


@pytest.mark.long
def test_requests_in_progress_keep_their_snapshot(own: Path, web: TestClient, tmp_path: Path) -> None:
    reference = first(web, "one-shot")["id"]
    asked = {"item": reference, "filters": {"kinds": ["one-shot"]}, "n": 100}
    counts: list[int] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            answer = web.post("/api/search", json=asked)
            counts.append(len(answer.json()["hits"]) if answer.status_code == 200 else -answer.status_code)
            web.get("/api/library/state")
            stop.wait(0.2)

    several = [threading.Thread(target=ask) for _ in "123"]
    for thread in several:
        thread.start()
    try:
        for seed in range(3):
            add_sound(own, tmp_path / "more", f"{seed}.wav", seed)
    finally:
        stop.set()
        for thread in several:
            thread.join(60)
    assert set(counts) <= {19, 20, 21, 22}
    web.get("/api/library/state")
    assert len(web.post("/api/search", json=asked).json()["hits"]) == 22


def test_two_servers_share_favourites(own: Path, web: TestClient) -> None:
    loop, shot = first(web, "loop"), first(web, "one-shot")
    with TestClient(create_app(own), base_url="http://127.0.0.1") as other:
        assert web.put(f"/api/favourites/{loop['id']}").status_code == 204
        assert other.put(f"/api/favourites/{shot['id']}").status_code == 204
        assert [item["id"] for item in web.get("/api/favourites").json()["items"]] == [loop["id"], shot["id"]]
        assert web.get("/api/library").json()["favourites"] == other.get("/api/library").json()["favourites"] == 2
    assert web.get(f"/api/items/{loop['id']}").json()["favourite"] is True
    found = web.get("/api/items", params={"favourite": True}).json()
    assert {item["id"] for item in found["items"]} == {loop["id"], shot["id"]}
    asked = {"item": shot["id"], "filters": {"kinds": ["loop"], "favourite": True}}
    hits = web.post("/api/search", json=asked).json()["hits"]
    assert [(hit["item"]["id"], hit["item"]["favourite"]) for hit in hits] == [(loop["id"], True)]
    assert web.delete(f"/api/favourites/{loop['id']}").status_code == 204
    assert web.get("/api/favourites").json()["items"][0]["id"] == shot["id"]
    assert web.put("/api/favourites/nobody").status_code == 404


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root can write anywhere")
def test_a_read_only_library_is_served(own: Path) -> None:
    for place in (own, own / "generation-1"):
        place.chmod(0o500)
    with TestClient(create_app(own), base_url="http://127.0.0.1") as client:
        item = first(client, "loop")["id"]
        assert client.post("/api/search", json={"item": item}).status_code == 200
        answer = client.put(f"/api/favourites/{item}")
        assert answer.status_code == 409
        assert "the right to write" in answer.json()["detail"]


def test_a_library_that_cannot_store_favourites_is_served(own: Path, web: TestClient) -> None:
    shutil.rmtree(own / "listening", ignore_errors=True)  # other tests may have marked favourites in the original
    (own / "listening").write_text("in the way")
    item = first(web, "loop")["id"]
    answer = web.put(f"/api/favourites/{item}")
    assert answer.status_code == 409
    assert "cannot be written" in answer.json()["detail"]
    assert str(own) not in answer.text
    assert web.post("/api/search", json={"item": item}).status_code == 200


def test_workers_start_with_the_server_if_models_are_preloaded(library: Path) -> None:
    for preload in (False, True):
        with TestClient(create_app(library, preload=preload), base_url="http://127.0.0.1") as client:
            workers = client.app.state.server.library.workers  # type: ignore[attr-defined]
            assert len(workers.pids()) == (3 if preload else 0)
            assert client.get("/api/library").status_code == 200


@pytest.mark.parametrize(("text", "loaded"), [(False, 0), (True, 1)])
def test_a_library_is_described_without_loading_an_encoder_that_has_no_text(
    library: Path, monkeypatch: pytest.MonkeyPatch, text: bool, loaded: int
) -> None:
    """The page asks for the description before anything else. Only whether a text encoder is available here needs it."""
    loads = []

    def load(runtime: Runtime) -> Encoder:
        loads.append(runtime)
        raise InputError("weights are missing")

    monkeypatch.setitem(ENCODERS, "builtin", replace(ENCODERS["builtin"], load=load, text=text))
    with TestClient(create_app(library), base_url="http://127.0.0.1") as client:
        assert client.get("/api/library").json()["text"] is False
    assert len(loads) == loaded
