from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from click.testing import CliRunner
from fastapi import FastAPI
from starlette.testclient import TestClient

from soundalike.cli import cli
from soundalike.errors import InputError
from soundalike.web.app import create_app
from soundalike.web.security.hosts import is_loopback
from soundalike.web.security.proxy import Proxy


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


PAGE = {"Accept": "text/html,*/*;q=0.8", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
"""What a browser sends when it opens a page."""

TOKEN = "a-secret-token-of-24-char"


def test_a_token_on_loopback_keeps_out_other_users_of_the_machine(library: Path) -> None:
    asked = client(library, "http://127.0.0.1:8765", token=TOKEN)
    refused = asked.get("/api/library")
    assert (refused.status_code, refused.headers["content-type"]) == (401, "application/problem+json")
    assert "`Authorization: Bearer TOKEN`" in refused.json()["detail"]
    assert asked.get("/app.js").status_code == 401
    assert asked.get("/api/library", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_the_cookie_is_named_after_the_port(library: Path) -> None:
    for port in (8765, 9000):
        opened = client(library, f"http://127.0.0.1:{port}", token=TOKEN).get(f"/?token={TOKEN}")
        cookie = opened.headers["set-cookie"]
        assert cookie.startswith(f"soundalike-token-{port}=")
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
    other = client(library, "http://127.0.0.1:8765", token=TOKEN)
    other.cookies.set("soundalike-token-9000", TOKEN)
    assert other.get("/api/library").status_code == 401


def test_a_person_without_the_token_gets_a_form_for_it(library: Path) -> None:
    asked = client(library, "http://127.0.0.1:8765", token=TOKEN)
    form = asked.get("/", headers=PAGE)
    assert (form.status_code, form.headers["content-type"]) == (401, "text/html; charset=utf-8")
    assert '<form method="post">' in form.text
    assert '<form method="post" action="/">' in asked.get("/api/docs", headers=PAGE).text
    assert "form-action 'self'" in form.headers["content-security-policy"]
    assert form.headers["referrer-policy"] == "same-origin"
    assert "is not valid" not in form.text
    assert "is not valid" in asked.get("/?token=an-older-token", headers=PAGE).text

    def send(token: str, **headers: str) -> Any:
        own = {"Origin": "http://127.0.0.1:8765", "Sec-Fetch-Site": "same-origin"}
        return asked.post("/", data={"token": token}, headers=PAGE | own | headers)

    wrong = send("something else")
    assert wrong.status_code == 401
    assert "is not valid" in wrong.text
    assert "set-cookie" not in wrong.headers
    assert send(TOKEN, Origin="http://evil.example").status_code == 403
    assert send("x" * 300_000).status_code == 413
    right = send(f" {TOKEN} ")
    assert (right.status_code, right.headers["location"]) == (303, "/")
    assert asked.get("/", headers=PAGE).status_code == 200


def test_the_form_lies_under_the_base_path(library: Path) -> None:
    app = create_app(library, token=TOKEN, proxy=Proxy.of(["music.example"], "/sound"))
    asked = TestClient(app, base_url="http://music.example", follow_redirects=False)
    assert '<form method="post">' in asked.get("/sound/", headers=PAGE).text
    assert '<form method="post" action="/sound/">' in asked.get("/sound/api/docs", headers=PAGE).text
    for path in ("/sound/", "/"):  # as the browser sends it, and as a proxy that strips the path passes it on
        right = asked.post(path, data={"token": TOKEN}, headers=PAGE)
        assert right.headers["location"] == "/sound/"


def test_a_ticket_is_accepted_once(library: Path) -> None:
    asked = client(library, "http://127.0.0.1:8765", token=TOKEN, ticket="a-ticket-of-some-length")
    assert asked.get("/api/library", headers={"Authorization": "Bearer a-ticket-of-some-length"}).status_code == 401
    opened = asked.get("/?token=a-ticket-of-some-length")
    assert f"={TOKEN};" in opened.headers["set-cookie"]
    asked.cookies.clear()
    assert asked.get("/?token=a-ticket-of-some-length").status_code == 401
    assert asked.get(f"/?token={TOKEN}").status_code == 303  # the printed address stays valid


def test_a_link_on_another_page_opens_the_page_and_nothing_else(library: Path) -> None:
    asked = client(library, "http://127.0.0.1:8765")
    foreign = PAGE | {"Sec-Fetch-Site": "cross-site"}
    assert asked.get("/", headers=foreign).status_code == 200
    assert asked.get("/index.html", headers=foreign).status_code == 200
    refused = asked.get("/api/library", headers=foreign)
    assert (refused.status_code, refused.headers["content-type"]) == (403, "text/html; charset=utf-8")
    assert '<a href="/">Open the search page</a>' in refused.text
    for headers in (
        foreign | {"Sec-Fetch-Dest": "iframe"},
        foreign | {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        foreign | {"Origin": "http://evil.example"},
    ):
        assert asked.get("/", headers=headers).status_code == 403
    assert asked.post("/", headers=foreign).status_code == 403
    assert asked.get("/app.js", headers=foreign).status_code == 403


def test_every_response_has_the_security_headers(library: Path) -> None:
    asked = client(library, "http://localhost:8765")
    for path in ("/", "/api/library", "/nothing", "/api/items/none/audio"):
        headers = asked.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "script-src 'self' 'wasm-unsafe-eval';" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(("host", "loopback"), [("127.0.0.9", True), ("::1", True), ("0.0.0.0", False), ("a.b", False)])
def test_loopback_addresses_are_recognised(host: str, loopback: bool) -> None:
    assert is_loopback(host) == loopback


def test_a_missing_library_is_reported(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["serve", "-L", str(tmp_path / "none"), "--no-browser"])
    assert "no library at" in str(done.exception)
