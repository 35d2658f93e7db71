from __future__ import annotations

import re
import socket
import webbrowser
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from click.testing import CliRunner
from starlette.testclient import TestClient

from soundalike.cli import cli
from soundalike.errors import InputError, LibraryError
from soundalike.web.security.hosts import is_loopback
from soundalike.web.server import reachable_names


class Served:
    """What `soundalike serve` printed, opened and served, without serving it."""

    def __init__(self, library: Path | None, monkeypatch: pytest.MonkeyPatch, *options: str) -> None:
        self.opened: list[str] = []
        self.apps: list[Any] = []

        def run(server: uvicorn.Server, sockets: list[socket.socket]) -> None:
            self.apps.append(server.config.app)
            sockets[0].close()

        monkeypatch.delenv("SOUNDALIKE_TOKEN", raising=False)
        monkeypatch.setattr(uvicorn.Server, "run", run)
        monkeypatch.setattr(webbrowser, "open", self.opened.append)
        place = [] if library is None else ["-L", str(library)]
        done = CliRunner().invoke(cli, ["serve", *place, "--port", "0", *options], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        self.lines = done.output.splitlines()
        self.printed = re.findall(r"http://\S+", done.output)

    def client(self) -> TestClient:
        return TestClient(self.apps[0], base_url=self.printed[0].partition("?")[0], follow_redirects=False)


def test_the_first_start_makes_an_empty_library_and_a_named_one_must_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soundalike.config.data_folder", lambda _: tmp_path / "data")
    monkeypatch.delenv("SOUNDALIKE_LIBRARY", raising=False)
    for lines in (2, 1):  # the second start finds it
        served = Served(None, monkeypatch, "--no-token")
        assert len(served.lines) == lines
        with served.client() as client:
            assert sum(client.get("/api/library").json()["counts"].values()) == 0
    with pytest.raises(LibraryError, match="no library at"):
        Served(tmp_path / "other", monkeypatch)
    monkeypatch.setenv("SOUNDALIKE_LIBRARY", str(tmp_path / "drive" / "library"))  # perhaps not plugged in
    with pytest.raises(LibraryError, match="no library at"):
        Served(None, monkeypatch)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_on_loopback_a_token_is_printed_and_the_browser_gets_one_that_is_valid_once(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = Served(library, monkeypatch)
    (printed,) = served.printed
    (opened,) = served.opened
    token, ticket = printed.partition("?token=")[2], opened.partition("?token=")[2]
    assert len(token) >= 32
    assert len(ticket) >= 32
    assert token != ticket
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=.*", printed)
    client = served.client()
    assert client.get("/api/library").status_code == 401
    assert client.get(f"/?token={ticket}").status_code == 303
    assert client.get("/api/library").status_code == 200  # by the cookie
    assert served.client().get(f"/?token={ticket}").status_code == 401
    assert served.client().get(f"/?token={token}").status_code == 303


def test_the_token_can_be_switched_off_on_loopback_only(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = Served(library, monkeypatch, "--no-token")
    assert served.opened == served.printed
    assert "token" not in served.lines[0]
    assert served.client().get("/api/library").status_code == 200
    with pytest.raises(InputError, match=r"other machines can reach 0\.0\.0\.0: give a token"):
        Served(library, monkeypatch, "--no-token", "--host", "0.0.0.0")
    with pytest.raises(InputError, match=r"other machines can reach music\.example"):
        Served(library, monkeypatch, "--no-token", "--allow-host", "music.example")


def test_the_addresses_for_other_machines_are_printed(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostbyname_ex", lambda name: (name, [], ["127.0.1.1", "10.1.2.3", "192.168.1.7"]))
    served = Served(library, monkeypatch, "--host", "0.0.0.0")
    here, *elsewhere = served.printed
    port, token = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\?token=(.*)", here).groups()  # type: ignore[union-attr]
    assert {f"http://10.1.2.3:{port}/?token={token}", f"http://192.168.1.7:{port}/?token={token}"} <= set(elsewhere)
    assert not any("127.0.1.1" in address for address in elsewhere)
    assert served.opened[0].startswith(here.partition("?")[0])
    for address in elsewhere:
        own = TestClient(served.apps[0], base_url=address.partition("/?")[0], follow_redirects=False)
        assert own.get(f"/?token={token}").status_code == 303


def test_an_address_of_ones_own_is_printed_as_it_is() -> None:
    assert reachable_names("192.168.1.7") == ["192.168.1.7"]
    assert reachable_names("::1") == ["[::1]"]
    assert reachable_names("localhost") == ["localhost"]
    assert reachable_names("::")[0] == "[::1]"
    assert not any(is_loopback(name) for name in reachable_names("0.0.0.0")[1:])
