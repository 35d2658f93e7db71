from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from soundalike.errors import InputError
from soundalike.web.app import create_app
from soundalike.web.security.hosts import allowed_names, host_name, is_address_of, is_loopback
from soundalike.web.security.proxy import Proxy

TOKEN = "a-secret-token-of-24-char"


@pytest.mark.parametrize(("host", "loopback"), [("127.0.0.9", True), ("::1", True), ("0.0.0.0", False), ("a.b", False)])
def test_loopback_addresses_are_recognised(host: str, loopback: bool) -> None:
    assert is_loopback(host) == loopback


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("music.example", "music.example"),
        ("Music.Example:8443", "music.example"),
        ("music.example.", "music.example"),
        ("[2001:DB8::1]:80", "2001:db8::1"),
        ("[", ""),
        ("", ""),
    ],
)
def test_the_name_in_a_host_header(header: str, name: str) -> None:
    assert host_name(header) == name


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("Music.Example", "music.example"),
        ("mybox.local.", "mybox.local"),
        ("mybox", "mybox"),
        ("müsik.example", "xn--msik-0ra.example"),
        ("192.168.1.7", "192.168.1.7"),
        ("[2001:db8:0::1]", "2001:db8::1"),
    ],
)
def test_allowed_names_are_written_as_browsers_send_them(given: str, name: str) -> None:
    assert allowed_names([given]) == {name}


@pytest.mark.parametrize(
    "given", ["", "https://music.example", "music.example:8443", "*.example", "a b", "a/b", "-a.b"]
)
def test_what_is_no_name_is_refused(given: str) -> None:
    with pytest.raises(InputError, match="is not the name of a host"):
        allowed_names([given])


def test_a_server_on_all_addresses_is_called_by_any_address_but_by_no_name() -> None:
    assert is_address_of("192.168.1.7", "0.0.0.0")
    assert is_address_of("192.168.1.7", "192.168.1.7")
    assert not is_address_of("192.168.1.8", "192.168.1.7")
    assert not is_address_of("music.example", "0.0.0.0")


def client(library: Path, host: str = "0.0.0.0") -> TestClient:
    proxy = Proxy.of(["music.example", "MyBox.local"])
    app = create_app(library, host=host, token=TOKEN, proxy=proxy)
    return TestClient(app, base_url="https://music.example", headers={"Authorization": f"Bearer {TOKEN}"})


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])
@pytest.mark.parametrize("name", ["music.example", "music.example:8443", "MYBOX.LOCAL:8765", "127.0.0.1:8765"])
def test_allowed_names_are_answered(library: Path, host: str, name: str) -> None:
    assert client(library, host).get("/api/library/state", headers={"Host": name}).status_code == 200


@pytest.mark.parametrize(
    "name", ["evil.example", "music.example.evil.example", "xmusic.example", "sub.music.example", "example", ""]
)
def test_other_names_are_still_refused(library: Path, name: str) -> None:
    answer = client(library).get("/api/library/state", headers={"Host": name})
    assert answer.status_code == 421
    assert "--allow-host" in answer.json()["detail"]


def test_another_page_cannot_use_an_allowed_name(library: Path) -> None:
    asked = client(library)
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "https://music.example:444"},
        {"Origin": "https://mybox.local"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        assert asked.post("/api/search", json={}, headers=headers).status_code == 403
    own = {"Origin": "https://music.example", "Sec-Fetch-Site": "same-origin"}
    assert asked.post("/api/search", json={}, headers=own).status_code == 422


def test_behind_a_proxy_a_token_is_required_even_on_loopback(library: Path) -> None:
    with pytest.raises(InputError, match=r"other machines can reach music\.example: give a token"):
        create_app(library, proxy=Proxy.of(["music.example"]))


def test_behind_a_proxy_no_file_is_shown_in_the_file_manager_of_the_server(library: Path) -> None:
    assert client(library, "127.0.0.1").get("/api/library").json()["reveal"] is False
