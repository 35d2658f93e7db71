"""Stems of items and uploads."""

from __future__ import annotations

from pathlib import Path

from starlette.testclient import TestClient

from tests.web.own_library import first


def test_the_stem_of_an_item_equals_that_of_its_uploaded_file(web: TestClient) -> None:
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
        assert "is not inside it" in answer.json()["detail"]
    assert web.get(f"/api/items/{song['id']}/stems/kazoo").status_code == 422
