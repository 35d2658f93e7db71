from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
import uvicorn
from starlette.datastructures import URL
from starlette.responses import RedirectResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from soundalike.errors import InputError
from soundalike.web.app import create_app
from soundalike.web.security.base_path import BasePath, check_base_path
from soundalike.web.security.proxy import Proxy
from soundalike.web.server import server_config
from tests.web.conftest import Running
from tests.web.stripping_proxy import PublishingProxy

TOKEN = "a-secret-token-of-24-char"
BASES = ("/sound", "/media/sound.alike", "/api", "/map")
"""`sound` and `map` are folders of the page too, `api` is where the API begins."""

STATIC = Path(str(resources.files("soundalike") / "web" / "static"))


@pytest.mark.parametrize(
    ("given", "path"), [("/sound/", "/sound"), (" /a/b-c_d.e~1 ", "/a/b-c_d.e~1"), ("/", ""), ("", "")]
)
def test_a_base_path_has_no_slash_at_its_end(given: str, path: str) -> None:
    assert check_base_path(given) == path


@pytest.mark.parametrize(
    "given", ["sound", "//evil.example", "/a//b", "/../a", "/a b", "/a?b", "/a#b", "/a%20b", "/a\\b"]
)
def test_what_is_no_path_is_refused(given: str) -> None:
    with pytest.raises(InputError, match="must begin with a slash"):
        check_base_path(given)


@pytest.fixture(params=[(base, strips) for base in BASES for strips in (True, False)], ids=str)
def published(request: pytest.FixtureRequest, library: Path) -> Iterator[tuple[TestClient, str]]:
    """A client that is signed in through a proxy, and the base path."""
    base, strips = request.param
    app = create_app(library, host="0.0.0.0", token=TOKEN, proxy=Proxy.of(["music.example"], base))
    proxied = PublishingProxy(app, base, strips=strips)
    with TestClient(proxied, base_url="https://music.example", follow_redirects=False) as client:
        yield client, base


def signed_in(published: tuple[TestClient, str]) -> tuple[TestClient, str]:
    client, base = published
    assert client.get(f"{base}/?token={TOKEN}").status_code in (302, 303, 307)
    return client, base


def test_the_token_leads_to_the_page_and_its_cookie_stays_under_the_base_path(
    published: tuple[TestClient, str],
) -> None:
    client, base = published
    assert client.get(f"{base}/").status_code == 401
    opened = client.get(f"{base}/?token={TOKEN}&q=1")
    assert opened.headers["location"] == f"{base}/?q=1"
    attributes = [part.strip().lower() for part in opened.headers["set-cookie"].split(";")]
    assert f"path={base}" in attributes
    assert "secure" in attributes
    assert "httponly" in attributes
    assert client.get(f"{base}/").status_code == 200


def test_the_address_without_a_slash_leads_to_the_page(published: tuple[TestClient, str]) -> None:
    client, base = signed_in(published)
    answer = client.get(base)
    if answer.status_code != 200:  # a proxy that strips the path may send the page itself
        assert answer.headers["location"] == f"{base}/"


def test_redirects_stay_under_the_base_path_and_at_the_host_that_the_browser_knows() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        url = URL(scope=scope)
        await RedirectResponse(url.replace(path=url.path + "/"))(scope, receive, send)

    for path in ("/sound/folder", "/folder"):
        based = BasePath(app, "/sound", lambda _: False)
        client = TestClient(based, base_url="http://127.0.0.1:8765", follow_redirects=False)
        assert client.get(f"{path}?a=1&b").headers["location"] == "/sound/folder/?a=1&b"


def test_everything_that_the_page_refers_to_is_found_under_the_base_path(published: tuple[TestClient, str]) -> None:
    client, base = signed_in(published)
    seen: set[str] = set()
    waiting = [f"https://music.example{base}/"]
    while waiting:
        address = waiting.pop()
        if address in seen:
            continue
        seen.add(address)
        answer = client.get(address)
        assert answer.status_code == 200 or "make no triplet yet" in answer.text, address
        waiting += [urljoin(address, found) for found in references(urlsplit(address).path, answer.text)]
    assert all(urlsplit(address).path.startswith(f"{base}/") for address in seen)
    names = {urlsplit(address).path.removeprefix(base) for address in seen}
    assert {
        "/",
        "/app.js",
        "/style.css",
        "/sound/player.js",
        "/map/view.js",
        "/hits/list.js",
        "/vendor/wavesurfer.js",
    } <= names
    assert {"/api/answers/export"} <= names


def references(path: str, text: str) -> list[str]:
    """What a page or module refers to in its own text."""
    if path.endswith(".js") and "/vendor/" not in path:
        return re.findall(r'\b(?:from|import)\s*\(?\s*"(\.[^"]+)"', text) + re.findall(r'addModule\("([^"]+)"', text)
    if path.endswith("/"):
        return [found for found in re.findall(r'(?:href|src)="([^"#]+)"', text) if not found.startswith("data:")]
    return []


def test_the_api_works_under_the_base_path(published: tuple[TestClient, str]) -> None:
    client, base = signed_in(published)
    described = client.get(f"{base}/api/openapi.json").json()
    assert described["servers"] == [{"url": base}]
    assert 'href="openapi.json"' in client.get(f"{base}/api/docs").text
    (item,) = client.get(f"{base}/api/items?limit=1").json()["items"]
    found = client.post(f"{base}/api/search", json={"item": item["id"]})
    assert found.status_code == 200
    assert found.json()["hits"]
    assert client.get(f"{base}/api/items/{item['id']}/audio").status_code == 200
    large = b"x" * (257 << 10)  # more than a request may have that is not an upload
    assert client.post(f"{base}/api/uploads?name=text.txt", content=large).status_code == 422
    assert client.post(f"{base}/api/search", content=large).status_code == 413


def test_paths_outside_the_base_path_and_traversal_find_nothing(library: Path) -> None:
    app = create_app(library, proxy=Proxy.of(base_path="/sound"))
    client = TestClient(app, base_url="http://127.0.0.1:8765", follow_redirects=False)
    for path in (
        "/soundtrack",
        "/sound/sound/",
        "/sound/../pyproject.toml",
        "/sound/%2e%2e/%2e%2e/app.py",
        "/x/sound/",
    ):
        assert client.get(path).status_code == 404, path
    for path in ("/sound//evil.example/", "/sound/%5Cevil.example"):
        assert not client.get(path).headers.get("location", "/").startswith(("//", "/\\", "http"))


def test_health_checks_reach_the_server_without_the_base_path(library: Path) -> None:
    app = create_app(library, proxy=Proxy.of(base_path="/sound"))
    client = TestClient(app, base_url="http://127.0.0.1:8765")
    assert client.get("/api/library/state").status_code == 200
    assert client.get("/sound/api/library/state").status_code == 200


def test_no_file_of_the_page_has_the_name_of_a_file_in_one_of_its_folders() -> None:
    # Under a base path with the name of such a folder, they could not be distinguished.
    top = {path.name for path in STATIC.iterdir() if path.is_file()}
    inside = {path.relative_to(STATIC).parts[1] for path in STATIC.rglob("*/*") if path.is_file()}
    assert inside
    assert not top & inside


@pytest.mark.browser
@pytest.mark.parametrize("strips", [True, False])
def test_the_page_searches_under_the_base_path_in_a_browser(library: Path, browser: Any, strips: bool) -> None:
    app = create_app(library, proxy=Proxy.of(base_path="/sound"))
    running = Running(library)
    running.server = uvicorn.Server(server_config(PublishingProxy(app, "/sound", strips=strips), log_level="critical"))  # type: ignore[arg-type]
    context = browser.new_context()
    with running:
        page = context.new_page()
        failed: list[str] = []
        page.on("response", lambda response: response.status >= 400 and failed.append(response.url))
        page.set_default_timeout(60_000)
        page.goto(running.address + "sound/")
        page.wait_for_selector("#weight-drums")
        page.wait_for_selector(".hit")
        context.close()
    assert failed == []
