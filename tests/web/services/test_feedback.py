"""Answers through the API, and all the way to weights."""

from __future__ import annotations

import io
import shutil
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest
import soundfile
from click.testing import CliRunner
from starlette.testclient import TestClient

from soundalike.cli import cli
from soundalike.web.app import create_app


def items(client: TestClient, kind: str) -> list[dict[str, Any]]:
    return list(client.get("/api/items", params={"kind": kind, "limit": 100}).json()["items"])


def hit(item: dict[str, Any], start: float = 0.0, end: float = 10.0) -> dict[str, Any]:
    return {"item": item["id"], "start": start, "end": end}


def kept(answer: Any) -> str:
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_answers_are_counted_and_withdrawn(own: Path, web: TestClient) -> None:
    song, *others = items(web, "song")
    asked = {"reference": {"item": song["id"], "region": [2, 8]}, "weights": {"drums": 1}, "hit": hit(others[0])}
    kept(web.post("/api/answers", json={**asked, "alike": True}))
    name = kept(web.post("/api/answers", json={**asked, "hit": hit(others[1]), "alike": False}))
    assert web.get("/api/answers").json() == {"count": 2, "triplets": 1, "alike": 2}
    assert web.get("/api/library").json()["answers"] == 2
    with TestClient(create_app(own), base_url="http://127.0.0.1") as other:
        assert other.delete(f"/api/answers/{name}").status_code == 204
    assert web.get("/api/answers").json() == {"count": 1, "triplets": 0, "alike": 1}
    assert web.delete(f"/api/answers/{name}").status_code == 404
    assert web.get("/api/answers/export").status_code == 422


def test_an_answer_stores_what_was_heard_with_its_seconds(own: Path, web: TestClient) -> None:
    song, other, *_ = items(web, "song")
    loop = items(web, "loop")[0]
    content = Path(song["path"]).read_bytes()
    upload = web.post("/api/uploads", params={"name": "mine.flac"}, content=content).json()["id"]
    body = {
        "reference": {"upload": upload},
        "a": hit(other, 5, 10),
        "b": hit(loop, 0, 1e6),
        "closer": "a",
        "sure": True,
    }
    kept(web.post("/api/answers", json=body))
    heard = next(iter(web.app.state.server.feedback.answers()))  # type: ignore[attr-defined]
    assert heard.reference.path == "mine.flac"
    assert heard.reference.item is None
    assert heard.reference.content == web.app.state.server.library.snapshot.item(song["id"])["content"]  # type: ignore[attr-defined]
    assert heard.reference.end - heard.reference.start == pytest.approx(5)  # one window of this library
    assert (heard.a.start, heard.a.end) == (5, 10)
    assert heard.b.end == pytest.approx(loop["duration"], abs=1e-3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hit": {"item": "nobody", "start": 0, "end": 1}}, "no item 'nobody'"),
        ({"hit": {"item": "ITEM", "start": 5000, "end": 5001}}, "is not inside it"),
        ({"hit": {"item": "ITEM", "start": 3, "end": 2}}, "is not inside it"),
        ({"weights": {"kazoo": 1}}, "kazoo"),
        ({"alike": "perhaps"}, "alike"),
        ({"reference": {}}, "give one of upload and item"),
        ({"reference": {"item": "ITEM", "upload": "x"}}, "give one of upload and item"),
        ({"reference": {"upload": "0" * 32}}, "no such upload"),
        ({"reference": {"item": "ITEM", "region": [5, 2]}}, "ends before it begins"),
        ({"reference": {"item": "ITEM", "region": [5000, 5010]}}, "is not inside"),
        ({"more": 1}, "more"),
    ],
)
def test_invalid_answers_are_refused(own: Path, web: TestClient, change: dict[str, Any], words: str) -> None:
    song, other, *_ = items(web, "song")

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: filled(inner) for name, inner in value.items()}
        return other["id"] if value == "ITEM" else value

    body = {"reference": {"item": song["id"]}, "weights": None, "hit": hit(other), "alike": True, **filled(change)}
    answer = web.post("/api/answers", json=body)
    assert answer.status_code == (404 if words.startswith("no ") else 422), answer.text
    assert words in answer.json()["detail"]
    assert not (own / "listening" / "answers.sqlite").exists()


@pytest.mark.long
def test_answers_from_the_page_are_fitted_to_weights(web: TestClient, tmp_path: Path) -> None:
    songs, loops = items(web, "song"), items(web, "loop")
    content = Path(songs[0]["path"]).read_bytes()
    upload = web.post("/api/uploads", params={"name": "mine.flac"}, content=content).json()["id"]
    references: list[dict[str, Any]] = [{"upload": upload, "region": [2, 8]}]
    references += [{"item": song["id"], "region": [1 + n, 8 + n]} for n, song in enumerate(songs[1:])]
    for number, reference in enumerate(references):
        for step in range(6):
            near, far = songs[(number + 1 + step) % 4], loops[(2 * number + step) % 8]
            if reference.get("item") == near["id"]:
                near = songs[(number + 2) % 4]
            body = {
                "reference": reference,
                "a": hit(near, 5, 10),
                "b": hit(far),
                "closer": "aab"[step % 3],
                "sure": step % 3 < 2,
            }
            kept(web.post("/api/answers", json=body))
    web.app.state.server.uploads.close()  # type: ignore[attr-defined]  # as a restart does
    answer = web.get("/api/answers/export")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        archive.extractall(tmp_path / "test")
    assert list(web.app.state.server.uploads.folder.iterdir()) == []  # type: ignore[attr-defined]
    clips = list((tmp_path / "test" / "clips").iterdir())
    assert all(0.5 < soundfile.info(clip).duration <= 10.01 for clip in clips)
    out = tmp_path / "mine.json"
    done = CliRunner().invoke(
        cli,
        ["fit", str(tmp_path / "test" / "answers.csv"), "--audio", str(tmp_path / "test" / "clips"), "--out", str(out)],
        catch_exceptions=False,
    )
    assert done.exit_code == 0, done.output
    assert out.is_file()
    asked = CliRunner().invoke(
        cli,
        [
            "similar",
            songs[0]["path"],
            "-L",
            str(web.app.state.server.library.snapshot.library.path),
            "--profile",
            str(out),
        ],  # type: ignore[attr-defined]
    )
    assert asked.exit_code == 0, asked.output


@pytest.mark.long
def test_answers_without_their_clips_are_left_out_of_the_export(own: Path, web: TestClient) -> None:
    songs = items(web, "song")
    body = {"a": hit(songs[1]), "b": hit(songs[2]), "closer": "a", "sure": True}
    upload = web.post("/api/uploads", params={"name": "x.flac"}, content=Path(songs[3]["path"]).read_bytes()).json()[
        "id"
    ]
    kept(web.post("/api/answers", json={**body, "reference": {"upload": upload}}))
    kept(web.post("/api/answers", json={**body, "reference": {"item": songs[0]["id"]}}))
    shutil.rmtree(own / "listening" / "clips")
    with zipfile.ZipFile(io.BytesIO(web.get("/api/answers/export").content)) as archive:
        assert len(archive.read("answers.csv").splitlines()) == 2
        assert b"the clip of x.flac was deleted" in archive.read("README.txt")


def test_the_clip_of_an_upload_is_private_and_deleted_with_the_last_answer_about_it(own: Path, web: TestClient) -> None:
    song, first, second, *_ = items(web, "song")
    content = Path(song["path"]).read_bytes()
    upload = web.post("/api/uploads", params={"name": "mine.flac"}, content=content).json()["id"]
    body = {"reference": {"upload": upload, "region": [2, 8]}, "alike": True}
    answers = [kept(web.post("/api/answers", json={**body, "hit": hit(one)})) for one in (first, second)]
    clips = own / "listening" / "clips"
    (clip,) = clips.iterdir()
    assert stat.S_IMODE(clip.stat().st_mode) == 0o600
    assert stat.S_IMODE(clips.stat().st_mode) == 0o700
    assert soundfile.info(clip).duration == pytest.approx(6, abs=0.01)
    web.delete(f"/api/answers/{answers[0]}")
    assert list(clips.iterdir()) == [clip]  # the other answer is about it
    web.delete(f"/api/answers/{answers[1]}")
    assert list(clips.iterdir()) == []
    kept(web.post("/api/answers", json={**body, "hit": hit(first)}))
    assert list(clips.iterdir()) == [clip]


@pytest.mark.long
def test_withdrawing_an_answer_about_an_item_deletes_no_clip(own: Path, web: TestClient) -> None:
    song, other, *_ = items(web, "song")
    content = Path(song["path"]).read_bytes()
    upload = web.post("/api/uploads", params={"name": "mine.flac"}, content=content).json()["id"]
    region = [2, 8]
    kept(
        web.post(
            "/api/answers", json={"reference": {"upload": upload, "region": region}, "hit": hit(other), "alike": True}
        )
    )
    about_item = {"reference": {"item": song["id"], "region": region}, "hit": hit(other), "alike": True}
    web.delete(f"/api/answers/{kept(web.post('/api/answers', json=about_item))}")
    assert len(list((own / "listening" / "clips").iterdir())) == 1
