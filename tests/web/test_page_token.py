"""The token and links from other pages, in a browser: only it decides which headers and cookies are sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.web.conftest import Running

TOKEN = "a-secret-token-of-24-char"


@pytest.fixture(scope="module")
def guarded(library: Path) -> Iterator[str]:
    """The address of a server of `library` that requires a token."""
    with Running(library, token=TOKEN, ticket="a-ticket-that-is-valid-once") as running:
        yield running.address


@pytest.fixture
def tab(browser: Any) -> Iterator[Any]:
    """An empty tab of a browser without cookies."""
    context = browser.new_context()
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def other_site() -> Iterator[Any]:
    """A web page on another site; call it with an address to have a link to it, and get the page's own address."""
    link: list[str] = []

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(f'<a id="link" href="{link[0]}">look at this</a><img src="{link[0]}app.js">'.encode())

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()

        def linking(address: str) -> str:
            link[:] = [address]
            return f"http://localhost:{server.server_port}/"  # another site than 127.0.0.1

        yield linking
        server.shutdown()


def test_without_the_token_a_form_asks_for_it(guarded: str, tab: Any) -> None:
    assert tab.goto(f"{guarded}#%7B%22k%22%3A%22loop%22%7D").status == 401
    tab.fill("#token", "not the token at all")
    tab.click("button")
    assert "This token is not valid here" in tab.text_content("[role=alert]")
    tab.fill("#token", TOKEN)
    tab.press("#token", "Enter")
    tab.wait_for_selector("#weight-drums")
    assert tab.url.partition("#")[0] == guarded
    tab.wait_for_selector("#kind input[value=loop]:checked", state="attached")  # the state in the address was kept
    (cookie,) = tab.context.cookies()
    assert cookie["name"] == f"soundalike-token-{guarded.rsplit(':', 1)[1].strip('/')}"
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"


def test_the_address_that_is_opened_works_once_and_leaves_no_token_in_the_address(guarded: str, tab: Any) -> None:
    tab.goto(f"{guarded}?token=a-ticket-that-is-valid-once#x")
    tab.wait_for_selector("#weight-drums")
    assert "token" not in tab.url
    tab.context.clear_cookies()
    assert tab.goto(f"{guarded}?token=a-ticket-that-is-valid-once").status == 401


def test_a_link_on_another_page_opens_the_page_in_its_state(guarded: str, tab: Any, other_site: Any) -> None:
    tab.goto(f"{guarded}?token={TOKEN}")
    tab.wait_for_selector("#weight-drums")
    tab.goto(other_site(f"{guarded}#%7B%22k%22%3A%22loop%22%7D"))
    tab.click("#link")
    tab.wait_for_selector("#weight-drums")
    tab.wait_for_selector("#kind input[value=loop]:checked", state="attached")


def test_a_link_to_the_api_on_another_page_gets_a_page_that_leads_on(guarded: str, tab: Any, other_site: Any) -> None:
    tab.goto(f"{guarded}?token={TOKEN}")
    tab.goto(other_site(f"{guarded}api/library"))
    tab.click("#link")
    assert "a request from another page was refused" in tab.text_content("h1").lower()
    tab.click("a")
    tab.wait_for_selector("#weight-drums")
