"""A library that changes while it is served, and one that several serve."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from starlette.testclient import TestClient

from soundalike.library.indexing.library_update import index
from soundalike.library.maintenance.roots import relocate, remove
from soundalike.web.app import create_app
from soundalike.web.services import server_state


@pytest.fixture
def own(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(server_state, "LOOK_AGAIN", 0.0)
    return Path(shutil.copytree(library, tmp_path / "own"))


@pytest.fixture
def web(own: Path) -> Iterator[TestClient]:
    with TestClient(create_app(own), base_url="http://127.0.0.1") as client:
        yield client


def add_sound(own: Path, folder: Path, name: str, seed: int) -> None:
    folder.mkdir(exist_ok=True)
    noise = np.random.default_rng(seed).normal(size=22_050) * np.exp(-np.arange(22_050) / 4_000) * 0.3
    soundfile.write(folder / name, noise.clip(-1, 1), 22_050)
    index(own, [folder], jobs=1)


def first(client: TestClient, kind: str) -> dict[str, Any]:
    return dict(client.get("/api/items", params={"kind": kind}).json()["items"][0])


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
    assert web.get(f"/api/items/{new['id']}").status_code == 422


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


def test_requests_under_way_keep_their_state(own: Path, web: TestClient, tmp_path: Path) -> None:
    reference = first(web, "one-shot")["id"]
    asked = {"item": reference, "filters": {"kinds": ["one-shot"]}, "n": 100}
    counts: list[int] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            answer = web.post("/api/search", json=asked)
            counts.append(len(answer.json()["hits"]) if answer.status_code == 200 else -answer.status_code)
            web.get("/api/library/state")

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


def test_two_servers_see_each_other_s_favourites(own: Path, web: TestClient) -> None:
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
    assert web.put("/api/favourites/nobody").status_code == 422


def test_identical_files_are_folded_into_one_hit(own: Path, web: TestClient, tmp_path: Path) -> None:
    reference = first(web, "one-shot")["id"]
    for name in ("a.wav", "b.wav"):
        add_sound(own, tmp_path / "more", name, 1)
    web.get("/api/library/state")
    asked = {"item": reference, "filters": {"kinds": ["one-shot"]}, "n": 100}
    hits = web.post("/api/search", json=asked).json()["hits"]
    (folded,) = [hit for hit in hits if hit["copies"]]
    assert {folded["item"]["path"], *folded["copy_paths"]} == {str(tmp_path / "more" / n) for n in ("a.wav", "b.wav")}


def test_a_transcoded_copy_is_folded_into_the_better_hit(own: Path, web: TestClient, tmp_path: Path) -> None:
    for kind in ("song", "loop"):
        reference, twice, *others = web.get("/api/items", params={"kind": kind}).json()["items"]
        samples, rate = soundfile.read(twice["path"])
        (tmp_path / "more").mkdir(exist_ok=True)
        copy = tmp_path / "more" / f"a {kind}.mp3"
        soundfile.write(copy, samples, rate, format="MP3")
        index(own, [tmp_path / "more"], jobs=1)
        web.get("/api/library/state")
        asked = {"item": reference["id"], "filters": {"kinds": [kind]}, "n": 100, "candidates": 100}
        found = web.post("/api/search", json=asked).json()
        (folded,) = [hit for hit in found["hits"] if hit["copies"]]
        assert {folded["item"]["path"], *folded["copy_paths"]} == {twice["path"], str(copy)}
        shown = {hit["item"]["path"] for hit in found["hits"]}
        assert shown == {item["path"] for item in others} | {folded["item"]["path"]}  # nothing else is hidden
        sent = found["candidates"]
        assert {sent["items"][row[0]]["path"] for row in sent["rows"]} <= shown


def test_a_profile_is_a_name_and_no_path(own: Path, web: TestClient, tmp_path: Path) -> None:
    reference = first(web, "song")["id"]
    secret = tmp_path / "secret.json"
    secret.write_text('{"secret": 1}')
    for name in (str(secret), "../../secret.json", "/etc/passwd"):
        answer = web.post("/api/search", json={"item": reference, "profile": name})
        assert answer.status_code == 422
        assert "no profile" in answer.json()["detail"]
        assert "secret is" not in answer.text
    assert web.get("/api/profiles").json() == {"profiles": [], "unusable": {}}


def test_profiles_of_one_s_own_lie_in_the_library(own: Path, web: TestClient) -> None:
    folder = own / "listening" / "profiles"
    folder.mkdir(parents=True)
    (folder / "broken.json").write_text("{")
    (folder / "mine.json").write_text(
        '{"name": "mine", "encoder": "builtin", "separator": "builtin", "weights": {"drums": 2, "mix": 1}, "method": "ridge", '
        '"source": "own", "data": "own", "clip_seconds": 5.0}'
    )
    found = web.get("/api/profiles").json()
    assert [profile["name"] for profile in found["profiles"]] == ["mine"]
    assert "cannot be read" in found["unusable"]["broken.json"]
    assert str(own) not in found["unusable"]["broken.json"]
    assert web.get("/api/library").json()["profiles"] == ["mine"]
    answer = web.post("/api/search", json={"item": first(web, "song")["id"], "profile": "mine"}).json()
    assert answer["effective"] == {"drums": 2, "mix": 1}


def test_an_item_s_stem_is_that_of_its_file(web: TestClient) -> None:
    song = first(web, "song")
    upload = web.post("/api/uploads", params={"name": "x.flac"}, content=Path(song["path"]).read_bytes()).json()["id"]
    seconds = {"start": 2, "end": 5}
    one = web.get(f"/api/items/{song['id']}/stems/drums", params=seconds)
    other = web.get(f"/api/uploads/{upload}/stems/drums", params=seconds)
    assert one.status_code == 200
    assert one.content == other.content
    for wrong in ({"start": 500}, {"start": 5, "end": 2}):
        answer = web.get(f"/api/items/{song['id']}/stems/drums", params=wrong)
        assert answer.status_code == 422
        assert "is no part of it" in answer.json()["detail"]
    assert web.get(f"/api/items/{song['id']}/stems/kazoo").status_code == 422


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="whoever may do all can write anywhere")
def test_a_library_that_may_only_be_read_is_served(own: Path) -> None:
    for place in (own, own / "generation-1"):
        place.chmod(0o500)
    with TestClient(create_app(own), base_url="http://127.0.0.1") as client:
        item = first(client, "loop")["id"]
        assert client.post("/api/search", json={"item": item}).status_code == 200
        answer = client.put(f"/api/favourites/{item}")
        assert answer.status_code == 409
        assert "the right to write" in answer.json()["detail"]


def test_a_library_whose_folder_refuses_favourites_is_served(own: Path, web: TestClient) -> None:
    shutil.rmtree(
        own / "listening", ignore_errors=True
    )  # other tests may have marked favourites of what it is a copy of
    (own / "listening").write_text("in the way")
    item = first(web, "loop")["id"]
    answer = web.put(f"/api/favourites/{item}")
    assert answer.status_code == 409
    assert "cannot be written" in answer.json()["detail"]
    assert str(own) not in answer.text
    assert web.post("/api/search", json={"item": item}).status_code == 200


def test_workers_start_with_the_server_where_they_are_told_to(library: Path) -> None:
    for ready in (False, True):
        with TestClient(create_app(library, preload=ready), base_url="http://127.0.0.1") as client:
            desk = client.app.state.services.session._desk  # type: ignore[attr-defined]
            lanes = [*desk._queries._free.queue, *desk._looks._free.queue]
            assert [len(one.pids()) for one in lanes] == [int(ready)] * 3
            assert client.get("/api/library").status_code == 200
