"""Stems of items and uploads."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from starlette.testclient import TestClient

from soundalike.library.indexing.library_update import index
from soundalike.web.app import create_app
from tests.web.own_library import first


@pytest.mark.long
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


@pytest.mark.long
def test_a_track_of_a_file_is_heard_drawn_and_compared_by_its_own_seconds(own: Path, tmp_path: Path) -> None:
    folder = tmp_path / "album"
    folder.mkdir()
    times = np.arange(22_050 * 4) / 22_050
    tones = [0.3 * np.sin(2 * np.pi * hertz * times) * np.exp(-3 * (times % 0.5)) for hertz in (200, 800)]
    soundfile.write(folder / "album.flac", np.concatenate(tones), 22_050)
    sheet = 'FILE "album.flac" WAVE\nTRACK 1 AUDIO\nINDEX 1 0:0:0\nTRACK 2 AUDIO\nTITLE "Two"\nINDEX 1 0:4:0'
    (folder / "album.cue").write_text(sheet)
    index(own, [folder], jobs=1)
    with TestClient(create_app(own), base_url="http://127.0.0.1") as web:
        (item,) = [one for one in web.get("/api/items", params={"text": "album.flac"}).json()["items"] if one["title"]]
        assert (item["title"], item["duration"], item["offset"]) == ("Two", 4.0, 4.0)
        assert item["file"] == str(folder / "album.flac")
        answer = web.get(f"/api/items/{item['id']}/audio")
        assert answer.headers["content-type"] == "audio/wav"
        heard, rate = soundfile.read(io.BytesIO(answer.content))
        assert rate == 22_050
        np.testing.assert_allclose(heard, tones[1], atol=1e-3)
        stem = web.get(f"/api/items/{item['id']}/stems/mix", params={"start": 1, "end": 2})
        assert soundfile.info(io.BytesIO(stem.content)).duration == 1.0
        assert web.get(f"/api/items/{item['id']}/peaks").json()["duration"] == 4.0
        search = {"item": item["id"], "region": [1.0, 2.0], "filters": {"kinds": [item["kind"]]}}
        assert web.post("/api/search", json=search).status_code == 200
        (folder / "album.flac").unlink()
        assert "is missing" in web.get(f"/api/items/{item['id']}/audio").json()["detail"]
