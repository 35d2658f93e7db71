"""The API of onsets, excerpts, fine waveforms, matched seconds, answers in a search, and indexing from the page."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from starlette.testclient import TestClient

from soundalike.library.indexing.library_update import index
from soundalike.synth.truth import read_truth
from soundalike.web.app import create_app


@pytest.fixture(scope="module")
def web(library: Path) -> Iterator[TestClient]:
    with TestClient(create_app(library), base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture(scope="module")
def upload(web: TestClient, song: Path) -> str:
    return str(web.post("/api/uploads", params={"name": song.name}, content=song.read_bytes()).json()["id"])


@pytest.fixture(scope="module")
def onsets(web: TestClient, upload: str) -> dict[str, Any]:
    return dict(web.get(f"/api/uploads/{upload}/onsets").json())


def test_onsets_are_where_the_drums_were_struck(onsets: dict[str, Any], song: Path, music: Path) -> None:
    (truth,) = [one for one in read_truth(music).songs if one.file.endswith(song.name)]
    struck = np.array(sorted(time for times in truth.hits.values() for time in times))
    found = np.array([start for group in onsets["groups"] for start in group["starts"]])
    assert onsets["part"] == "drums"
    assert len(found) > 20
    near = np.abs(found[:, np.newaxis] - struck).min(axis=1) < 0.03
    assert near.mean() > 0.8  # the others are of instruments that leak into the stem
    sizes = [len(group["starts"]) for group in onsets["groups"]]
    assert sizes == sorted(sizes, reverse=True)
    assert all(item["kind"] == "one-shot" for item in onsets["groups"][0]["near"])


def test_a_group_of_onsets_is_searched_with(web: TestClient, upload: str, onsets: dict[str, Any]) -> None:
    asked = {"upload": upload, "onsets": {"part": "drums", "group": 0}, "filters": {"kinds": ["one-shot"]}, "n": 5}
    found = web.post("/api/search", json=asked).json()
    assert [hit["item"]["id"] for hit in found["hits"]] == [item["id"] for item in onsets["groups"][0]["near"][:5]]
    missing = web.post("/api/search", json=asked | {"onsets": {"part": "drums", "group": 400}})
    assert missing.status_code == 422
    assert "there is no group 400" in missing.json()["detail"]


def test_scores_are_placed_among_those_of_the_library(web: TestClient, upload: str) -> None:
    asked = {"upload": upload, "part": "drums", "filters": {"kinds": ["one-shot"]}, "n": 50}
    found = web.post("/api/search", json=asked).json()
    scores = np.array([hit["score"] for hit in found["hits"]])
    assert len(scores) == 20
    assert found["scale"]["one-shot"] == pytest.approx(np.percentile(scores, np.arange(101)), abs=1e-4)
    assert "song" not in found["scale"]


@pytest.mark.parametrize("filters", [{}, {"path": "of no file"}])
def test_a_reference_does_not_count_in_its_own_scale(web: TestClient, filters: dict[str, str]) -> None:
    """Neither where a filter leaves it out."""
    item = web.get("/api/items", params={"kind": "one-shot"}).json()["items"][0]
    asked = {"item": item["id"], "filters": {"kinds": ["one-shot"]}, "n": 50}
    scores = [hit["score"] for hit in web.post("/api/search", json=asked).json()["hits"]]
    assert len(scores) == 19
    asked["filters"] = {"kinds": ["one-shot"], **filters}
    scale = web.post("/api/search", json=asked).json()["scale"]["one-shot"]
    assert scale == pytest.approx(np.percentile(scores, np.arange(101)), abs=1e-4)


def test_a_near_identical_copy_does_not_count_in_the_scale_either(web: TestClient, music: Path, tmp_path: Path) -> None:
    sound = sorted((music / "one-shots").iterdir())[0]
    samples, rate = soundfile.read(sound)
    soundfile.write(tmp_path / "quieter.wav", samples * 0.7, rate)
    content = (tmp_path / "quieter.wav").read_bytes()
    copy = web.post("/api/uploads", params={"name": "quieter.wav"}, content=content).json()["id"]
    found = web.post("/api/search", json={"upload": copy, "filters": {"kinds": ["one-shot"]}, "n": 50}).json()
    assert (found["same"], len(found["hits"])) == (1, 19)
    assert found["scale"]["one-shot"][100] == pytest.approx(max(hit["score"] for hit in found["hits"]), abs=1e-4)


def test_usual_scores_are_those_of_the_library_whatever_the_reference(web: TestClient, upload: str) -> None:
    asked = {"upload": upload, "filters": {"kinds": ["one-shot"]}}
    found = [web.post("/api/search", json=asked | {"part": part}).json()["usual"] for part in ("drums", "bass")]
    assert found[0] == found[1]
    assert found[0]["one-shot"]["deviation"] > 0.05
    assert list(found[0]) == ["one-shot"]  # of which there are ten or more


def test_the_seconds_that_matched_are_the_best_window(web: TestClient, upload: str) -> None:
    search = {"upload": upload, "weights": {"drums": 1.0, "mix": 0.5}, "filters": {"kinds": ["song"]}}
    found = web.post("/api/search", json=search).json()
    hit = found["hits"][0]
    asked = {"search": search, "item": hit["item"]["id"], "start": hit["start"]}
    matched = web.post("/api/search/matched", json=asked).json()
    assert [matched["start"], matched["end"]] in found["windows"]
    assert matched["score"] >= hit["score"] - 1e-3  # a hit's score is the mean over the windows


def test_answers_move_a_search(web: TestClient, upload: str) -> None:
    asked = {"upload": upload, "part": "drums", "filters": {"kinds": ["one-shot"]}, "n": 20}
    ids = [hit["item"]["id"] for hit in web.post("/api/search", json=asked).json()["hits"]]
    last, first = ids[-1], ids[0]
    towards = [hit["item"]["id"] for hit in web.post("/api/search", json=asked | {"alike": [last]}).json()["hits"]]
    away = [hit["item"]["id"] for hit in web.post("/api/search", json=asked | {"unlike": [first]}).json()["hits"]]
    assert towards.index(last) < ids.index(last)
    assert away.index(first) > 0


def test_another_kind_may_be_stated(web: TestClient, upload: str) -> None:
    found = web.post("/api/search", json={"upload": upload, "kind": "loop", "part": "mix", "n": 5}).json()
    assert found["windows"][0][0] == 0
    assert len(found["windows"]) == 1  # it is compared whole


def test_an_excerpt_keeps_channels_and_length(web: TestClient, upload: str, song: Path) -> None:
    sent = web.get(f"/api/uploads/{upload}/excerpt", params={"start": 2, "end": 3.5})
    samples, rate = soundfile.read(io.BytesIO(sent.content), always_2d=True)
    info = soundfile.info(song)
    assert (rate, samples.shape[1]) == (info.samplerate, info.channels)
    assert len(samples) == pytest.approx(1.5 * rate, abs=2)
    whole, _ = soundfile.read(song, always_2d=True)
    assert samples == pytest.approx(whole[2 * rate : 2 * rate + len(samples)], abs=2e-4)
    assert web.get(f"/api/uploads/{upload}/excerpt", params={"start": 3, "end": 2}).status_code == 422


def test_a_fine_waveform_and_a_description(web: TestClient, upload: str, song: Path) -> None:
    fine = web.get(f"/api/uploads/{upload}/waveform", params={"points": 2_000}).json()
    assert len(fine["low"]) == len(fine["high"]) == 2_000
    assert min(fine["low"]) < -20
    described = web.get(f"/api/uploads/{upload}").json()
    assert (described["name"], described["kind"]) == (song.name, "song")
    assert described["tempo"] > 0
    assert web.get("/api/uploads/none").status_code in (404, 422)


def test_roots_are_found_by_name(web: TestClient) -> None:
    assert web.get("/api/items", params={"text": "music"}).json()["total"] == 32


@pytest.mark.long
def test_a_folder_is_indexed_from_the_page(tmp_path: Path, music: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "shots").mkdir()
    for path in sorted((music / "one-shots").iterdir())[:2]:
        (tmp_path / "shots" / path.name).write_bytes(path.read_bytes())
    index(tmp_path / "library", [tmp_path / "empty"])
    with TestClient(create_app(tmp_path / "library"), base_url="http://127.0.0.1") as client:
        assert client.get("/api/library").json()["indexing"] is True
        assert client.get("/api/indexing").json()["state"] == "idle"
        refused = client.post("/api/indexing", json={"folder": str(tmp_path / "nowhere")})
        assert "there is no folder" in refused.json()["detail"]
        suggested = client.get("/api/indexing/folders", params={"beginning": str(tmp_path / "sh")}).json()["folders"]
        assert suggested == [str(tmp_path / "shots")]
        assert client.post("/api/indexing", json={"folder": str(tmp_path / "shots")}).status_code == 202
        assert (
            client.post("/api/indexing", json={"folder": str(tmp_path / "shots")}).status_code == 422
        )  # one at a time
        end = time.monotonic() + 120
        while (state := client.get("/api/indexing").json())["state"] == "running":
            assert time.monotonic() < end
            time.sleep(0.1)
        assert (state["state"], state["added"]) == ("done", 2)


def test_only_this_machine_indexes_folders(library: Path) -> None:
    with TestClient(
        create_app(library, host="0.0.0.0", token="x" * 32),
        base_url="http://127.0.0.1",
        headers={"authorization": f"Bearer {'x' * 32}"},
    ) as client:
        assert client.get("/api/library").json()["indexing"] is False
        assert client.post("/api/indexing", json={}).status_code == 403
