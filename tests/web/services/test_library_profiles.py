"""Profiles of a served library."""

from __future__ import annotations

from pathlib import Path

from starlette.testclient import TestClient

from tests.web.own_library import first


def test_a_profile_is_requested_by_name_and_never_by_path(own: Path, web: TestClient, tmp_path: Path) -> None:
    reference = first(web, "song")["id"]
    secret = tmp_path / "secret.json"
    secret.write_text('{"secret": 1}')
    for name in (str(secret), "../../secret.json", "/etc/passwd"):
        answer = web.post("/api/search", json={"item": reference, "profile": name})
        assert answer.status_code == 422
        assert "no profile" in answer.json()["detail"]
        assert "secret is" not in answer.text
    assert web.get("/api/profiles").json() == {"profiles": [], "unusable": {}}


def test_profiles_in_the_library_s_folder_are_offered(own: Path, web: TestClient) -> None:
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
