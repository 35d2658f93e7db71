"""The API of a listening test, and its rules."""

from __future__ import annotations

import io
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import soundfile
from starlette.testclient import TestClient

from soundalike.errors import InputError, LibraryError
from soundalike.listening.answer_store import AnswerStore
from soundalike.listening.design import read_design, write_design
from soundalike.listening.schedule import practice_trials, trials
from soundalike.web.listening_test.listening_app import create_listening_app
from soundalike.web.security.proxy import Proxy

GIVEN = {"answer": "A+", "heard": {"x": 2.5, "a": 1.5, "b": 1.25}, "switches": 3, "seconds": 9.5}


class Caller:
    """A listener's requests."""

    def __init__(self, client: TestClient, token: str) -> None:
        self._client = client
        self._headers = {"x-listener": token}

    def get(self, path: str, status: int = 200) -> Any:
        return self._checked(self._client.get(f"/api/{path}", headers=self._headers), status)

    def post(self, path: str, body: Any = None, status: int = 200) -> Any:
        return self._checked(self._client.post(f"/api/{path}", headers=self._headers, json=body), status)

    def audio(self, trial: str, side: str) -> bytes:
        response = self._client.get(f"/api/trials/{trial}/{side}", headers=self._headers)
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "audio/flac"
        return response.content

    @staticmethod
    def _checked(response: Any, status: int) -> Any:
        assert response.status_code == status, response.text
        return response.json() if response.content else None


@pytest.fixture
def caller(client: TestClient, store: AnswerStore) -> Caller:
    """The requests of listener L01."""
    return Caller(client, store.invite()[0].token)


def test_a_listener_goes_from_consent_to_the_first_trial(caller: Caller, store: AnswerStore, folder: Path) -> None:
    session = caller.get("session")
    assert (session["listener"], session["consented"], session["headphones"], session["practised"]) == (
        "L01",
        False,
        None,
        False,
    )
    assert session["texts"]["sections"]["consent"]["heading"] == "Welcome"
    caller.post("session/consent", status=204)
    caller.post("session/headphones", {"correct": 5, "rounds": 6}, status=204)
    caller.post("session/practice", status=204)
    session = caller.get("session")
    assert (session["consented"], session["headphones"], session["practised"]) == (True, [5, 6], True)
    schedule = trials(read_design(folder), 0)
    assert session["progress"]["total"] == len(schedule)
    assert session["progress"]["trial"] == {
        "id": schedule[0].id,
        "question": "overall",
        "pass_number": 0,
        "number": 1,
        "count": len(schedule) // 2,
    }
    assert session["progress"]["ahead"]["id"] == schedule[1].id


def test_what_is_sent_does_not_tell_which_trials_are_checks(caller: Caller, folder: Path) -> None:
    text = str(caller.get("session")["progress"])
    assert "catch" not in text
    assert "repeat" not in text
    assert "swapped" not in text
    assert all(excerpt.clip not in text for excerpt in read_design(folder).excerpts)


def test_every_trial_is_answered_once_and_in_order(caller: Caller, store: AnswerStore, folder: Path) -> None:
    schedule = trials(read_design(folder), 0)
    for number, trial in enumerate(schedule):
        progress = caller.get("progress")
        assert (progress["answered"], progress["trial"]["id"]) == (number, trial.id)
        answer = caller.post(f"trials/{trial.id}/answer", {**GIVEN, "answer": "A-" if number % 3 else "cant_tell"})
        assert answer["stored"] is True
        assert [record.trial for record in store.records()] == [one.id for one in schedule[: number + 1]]
    assert answer["progress"] == {"answered": len(schedule), "total": len(schedule), "trial": None, "ahead": None}


def test_answers_are_stored_about_a_and_b_of_the_trial(caller: Caller, store: AnswerStore, folder: Path) -> None:
    schedule = trials(read_design(folder), 0)
    for trial in schedule:
        caller.post(f"trials/{trial.id}/answer", GIVEN)
    assert {trial.swapped for trial in schedule} == {True, False}
    assert any(trial.catch for trial in schedule)
    for trial, record in zip(schedule, store.records(), strict=True):
        assert record.answer == ("B+" if trial.swapped else "A+")
        assert (record.listened_a, record.listened_b) == ((1.25, 1.5) if trial.swapped else (1.5, 1.25))
        assert (record.listened_x, record.switches, record.seconds) == (2.5, 3, 9.5)
        assert (record.triplet, record.question) == (trial.triplet, trial.question)
        assert (record.swapped, record.catch, record.repeat_of) == (trial.swapped, trial.catch, trial.repeat_of)


def test_an_answer_that_is_sent_again_changes_nothing(caller: Caller, store: AnswerStore) -> None:
    trial = caller.get("progress")["trial"]["id"]
    first = caller.post(f"trials/{trial}/answer", GIVEN)
    again = caller.post(f"trials/{trial}/answer", {**GIVEN, "answer": "B+", "heard": {"x": 0, "a": 0, "b": 0}})
    assert (first["stored"], again["stored"]) == (True, False)
    assert again["progress"] == first["progress"]
    assert len(store.records()) == 1
    assert store.records()[0].listened_x == 2.5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"heard": {"x": 2, "a": 0.9, "b": 2}}, "listen to A and B for 1 s each"),
        ({"heard": {"x": 2, "a": 2, "b": 0}}, "listen to A and B for 1 s each"),
        ({"heard": {"x": 2, "a": 2, "b": -1}}, "heard.b"),
        ({"heard": {"x": 2, "a": 2}}, "heard.b"),
        ({"answer": "A"}, "answer"),
        ({"switches": -1}, "switches"),
        ({"seconds": 1e9}, "seconds"),
        ({"listener": "L02"}, "listener"),
    ],
)
def test_invalid_answers_are_refused(caller: Caller, store: AnswerStore, change: dict[str, Any], message: str) -> None:
    trial = caller.get("progress")["trial"]["id"]
    refusal = caller.post(f"trials/{trial}/answer", {**GIVEN, **change}, status=422)
    assert message in refusal["detail"]
    assert store.records() == []


def test_later_and_unknown_trials_cannot_be_answered(caller: Caller, store: AnswerStore) -> None:
    ahead = caller.get("progress")["ahead"]["id"]
    assert "is not due yet" in caller.post(f"trials/{ahead}/answer", GIVEN, status=422)["detail"]
    assert "no trial" in caller.post("trials/practice-0/answer", GIVEN, status=422)["detail"]
    assert "no trial" in caller.post("trials/0-overall-999/answer", GIVEN, status=422)["detail"]
    assert store.records() == []


def test_listeners_do_not_see_each_other(client: TestClient, store: AnswerStore) -> None:
    first, second = (Caller(client, one.token) for one in store.invite(2))
    trial = first.get("progress")["trial"]["id"]
    first.post(f"trials/{trial}/answer", GIVEN)
    assert second.get("progress")["answered"] == 0
    assert second.get("session")["listener"] == "L02"


@pytest.mark.parametrize("path", ["session", "progress", "trials/0-overall-000/x"])
@pytest.mark.parametrize("token", [None, "", "x" * 22, "' OR 1=1 --", "x" * 5_000])
def test_without_a_valid_link_there_is_nothing(
    client: TestClient, store: AnswerStore, path: str, token: str | None
) -> None:
    store.invite()
    response = client.get(f"/api/{path}", headers={} if token is None else {"x-listener": token})
    assert response.status_code in (401, 422)
    assert "problem+json" in response.headers["content-type"]


def test_a_deleted_listener_has_no_access(caller: Caller, store: AnswerStore) -> None:
    trial = caller.get("progress")["trial"]["id"]
    store.delete_listener("L01")
    assert "link is not valid" in caller.post(f"trials/{trial}/answer", GIVEN, status=401)["detail"]
    assert store.records() == []


def test_the_audio_is_that_of_the_trial(caller: Caller, folder: Path) -> None:
    design = read_design(folder)
    for trial in (*trials(design, 0), *practice_trials(design)):
        clips = {"x": trial.x_clip, "a": trial.left_clip, "b": trial.right_clip}
        for side, clip in clips.items():
            assert caller.audio(trial.id, side) == (folder / "clips" / clip).read_bytes()
    assert soundfile.info(io.BytesIO(caller.audio("practice-0", "x"))).duration == 0.5
    assert "no trial" in caller.get("trials/0-overall-999/x", status=422)["detail"]
    caller.get("trials/practice-0/c", status=422)


def test_practice_tells_the_side_that_is_x(caller: Caller) -> None:
    practice = caller.get("session")["practice"]
    assert len(practice) == 2
    for trial in practice:
        other = "b" if trial["same"] == "a" else "a"
        assert caller.audio(trial["id"], "x") == caller.audio(trial["id"], trial["same"])
        assert caller.audio(trial["id"], "x") != caller.audio(trial["id"], other)


def test_clips_outside_the_folder_are_not_served(caller: Caller, folder: Path) -> None:
    (folder / "secret.flac").write_bytes((folder / "clips" / "mix" / "e0.flac").read_bytes())
    design = read_design(folder)
    outside = tuple(replace(one, clip="../secret.flac") for one in design.excerpts)
    write_design(folder, replace(design, excerpts=outside))
    assert "missing" in caller.get("trials/practice-0/x", status=409)["detail"]


def test_an_extended_design_is_noticed(caller: Caller, folder: Path) -> None:
    before = caller.get("progress")
    design = read_design(folder)
    more = tuple(replace(one, id=f"{one.id}-more", block=1) for one in design.triplets)
    write_design(folder, design.extended(more))
    after = caller.get("progress")
    assert after["total"] > before["total"]
    assert after["trial"] == before["trial"]


def test_instructions_are_read_again_when_they_change(caller: Caller, folder: Path) -> None:
    (folder / "instructions.md").write_text("# Klang {lang=de}\n", encoding="utf-8")
    texts = caller.get("session")["texts"]
    assert (texts["title"], texts["language"]) == ("Klang", "de")


def test_a_test_that_cannot_be_used_is_not_served(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="soundalike listen new"):
        create_listening_app(tmp_path / "none")
    (folder / "clips" / "mix" / "e1.flac").unlink()
    with pytest.raises(LibraryError, match=r"clip mix/e1\.flac .* is missing"):
        create_listening_app(folder)
    os.link(folder / "clips" / "mix" / "e0.flac", folder / "clips" / "mix" / "e1.flac")
    (folder / "instructions.md").write_text("## Hello", encoding="utf-8")
    with pytest.raises(InputError, match="needs its name in braces"):
        create_listening_app(folder)


def test_foreign_hosts_and_pages_are_refused(client: TestClient, store: AnswerStore) -> None:
    token = store.invite()[0].token
    get = lambda **headers: client.get("/api/session", headers={"x-listener": token, **headers}).status_code  # noqa: E731
    assert get() == 200
    assert get(host="evil.example") == 421
    assert get(origin="http://evil.example") == 403
    assert get(**{"sec-fetch-site": "cross-site"}) == 403
    assert client.post("/api/session/consent", headers={"x-listener": token, "origin": "null"}).status_code == 403


def test_a_link_in_a_mail_opens_the_page(client: TestClient) -> None:
    followed = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    response = client.get("/", headers={**followed, "accept": "text/html"})
    assert response.status_code == 200
    assert "script-src 'self'" in response.headers["content-security-policy"]
    assert response.headers["referrer-policy"] == "no-referrer"
    assert client.get("/dom.js").status_code == 200
    assert client.get("/app.js").status_code == 404
    assert client.get("/api/library").status_code == 404


def test_beyond_loopback_the_links_take_the_place_of_a_token(folder: Path, store: AnswerStore) -> None:
    token = store.invite()[0].token
    with TestClient(create_listening_app(folder, host="0.0.0.0"), base_url="http://192.168.1.7:8766") as client:
        assert client.get("/").status_code == 200
        assert client.get("/api/session").status_code == 401
        assert client.get("/api/session", headers={"x-listener": token}).status_code == 200
        assert client.get("/", headers={"host": "evil.example"}).status_code == 421


@pytest.mark.parametrize("stripped", [False, True])
def test_behind_a_proxy_the_page_has_its_name_and_path(folder: Path, store: AnswerStore, stripped: bool) -> None:
    token = store.invite()[0].token
    app = create_listening_app(folder, proxy=Proxy.of(["music.example"], "/listening_test"))
    with TestClient(app, base_url="https://music.example") as client:
        prefix = "" if stripped else "/listening_test"
        assert client.get(f"{prefix}/").status_code == 200
        assert client.get(f"{prefix}/listening_test/test_page.js").status_code == 200
        assert client.get(f"{prefix}/api/session", headers={"x-listener": token}).status_code == 200
        assert client.get(f"{prefix}/", headers={"host": "evil.example"}).status_code == 421


def test_large_requests_are_refused(caller: Caller) -> None:
    trial = caller.get("progress")["trial"]["id"]
    caller.post(f"trials/{trial}/answer", {**GIVEN, "more": "x" * 300_000}, status=413)
