from __future__ import annotations

import socket
from pathlib import Path

import pytest
import uvicorn
from click.testing import CliRunner
from fastapi import FastAPI
from starlette.testclient import TestClient

from soundalike.cli import cli
from soundalike.errors import InputError
from soundalike.web.app import create_app
from soundalike.web.security.hosts import is_loopback


def client(library: Path, base: str, **options: str) -> TestClient:
    return TestClient(create_app(library, **options), base_url=base, follow_redirects=False)  # type: ignore[arg-type]


@pytest.mark.parametrize("base", ["http://127.0.0.1:8765", "http://localhost:1", "http://[::1]:8765"])
def test_requests_from_this_machine_are_allowed(library: Path, base: str) -> None:
    assert client(library, base).get("/api/library").status_code == 200


@pytest.mark.parametrize("base", ["http://evil.example:8765", "http://192.168.1.7", "http://localhost.evil.example"])
def test_a_foreign_name_for_this_server_is_refused(library: Path, base: str) -> None:
    answer = client(library, base).get("/api/library")
    assert answer.status_code == 421
    assert "is not the name of this server" in answer.json()["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:9"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_requests_from_other_pages_are_refused(library: Path, headers: dict[str, str]) -> None:
    answer = client(library, "http://localhost:8765").post("/api/search", json={}, headers=headers)
    assert answer.status_code == 403


def test_requests_from_the_own_page_are_allowed(library: Path) -> None:
    asked = client(library, "http://localhost:8765")
    answer = asked.post(
        "/api/search", json={}, headers={"Origin": "http://localhost:8765", "Sec-Fetch-Site": "same-origin"}
    )
    assert answer.status_code == 422


def test_beyond_loopback_a_token_is_required(library: Path) -> None:
    asked = client(library, "http://192.168.1.7:8765", host="0.0.0.0", token="a-secret-token-of-24-char")
    for answer in (
        asked.get("/api/library"),
        asked.get("/api/library", headers={"Authorization": "Bearer wrong"}),
        asked.get("/?token=wrong"),
        asked.post("/api/search?token=a-secret-token-of-24-char", json={}),
    ):
        assert answer.status_code == 401
        assert "a-secret" not in answer.text
    assert asked.get("/api/library", headers={"Authorization": "Bearer a-secret-token-of-24-char"}).status_code == 200
    opened = asked.get("/?token=a-secret-token-of-24-char&q=1")
    assert opened.headers["location"] == "/?q=1"
    assert "httponly" in opened.headers["set-cookie"].lower()
    assert asked.get("/api/library").status_code == 200  # by the cookie now
    assert asked.get("/api/library", headers={"Host": "evil.example"}).status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
@pytest.mark.parametrize("token", ["", " " * 20, "fifteen-letters"])
def test_a_token_that_is_too_short_is_refused_at_start(library: Path, host: str, token: str) -> None:
    with pytest.raises(InputError, match="use 16 or more, or leave out --token"):
        create_app(library, host=host, token=token)
    options = ["--host", host, "--port", "0", "--no-browser", "--token", token]
    done = CliRunner().invoke(cli, ["serve", "-L", str(library), *options])
    assert isinstance(done.exception, InputError)
    assert "use 16 or more" in str(done.exception)


def test_beyond_loopback_there_is_no_server_without_a_token(library: Path) -> None:
    with pytest.raises(InputError, match=r"other machines can reach 0\.0\.0\.0: give a token"):
        create_app(library, host="0.0.0.0")


@pytest.mark.parametrize("variable", [None, "", "a token & more of 27 letters"])
def test_the_printed_address_contains_a_token_that_is_accepted(
    library: Path, variable: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOUNDALIKE_TOKEN", raising=False)
    if variable is not None:
        monkeypatch.setenv("SOUNDALIKE_TOKEN", variable)
    apps: list[FastAPI] = []

    def run(server: uvicorn.Server, sockets: list[socket.socket]) -> None:
        apps.append(server.config.app)  # type: ignore[arg-type]
        sockets[0].close()

    monkeypatch.setattr(uvicorn.Server, "run", run)
    options = ["serve", "-L", str(library), "--host", "0.0.0.0", "--port", "0", "--no-browser"]
    done = CliRunner().invoke(cli, options, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    query = done.output.split("/?")[1].split("   ")[0]
    asked = TestClient(apps[0], base_url="http://192.168.1.7:8765", follow_redirects=False)
    assert asked.get("/api/library").status_code == 401
    assert asked.get(f"/?{query}").headers["location"] == "/"
    assert asked.get("/api/library").status_code == 200  # by the cookie


def test_every_response_has_the_security_headers(library: Path) -> None:
    asked = client(library, "http://localhost:8765")
    for path in ("/", "/api/library", "/nothing", "/api/items/none/audio"):
        headers = asked.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "script-src 'self';" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(("host", "loopback"), [("127.0.0.9", True), ("::1", True), ("0.0.0.0", False), ("a.b", False)])
def test_loopback_addresses_are_recognised(host: str, loopback: bool) -> None:
    assert is_loopback(host) == loopback


def test_a_missing_library_is_reported(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["serve", "-L", str(tmp_path / "none"), "--no-browser"])
    assert "no library at" in str(done.exception)
