from __future__ import annotations

import mimetypes
import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn

import soundalike.web
from soundalike.web.app import create_app
from soundalike.web.server import server_config

STATIC = Path(soundalike.web.__file__).parent / "static"
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"))), None
)


class Running(threading.Thread):
    """A server in this process, on a port of its own."""

    def __init__(self, library: Path, **options: Any) -> None:
        super().__init__(daemon=True)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.server = uvicorn.Server(server_config(create_app(library, **options), log_level="critical"))

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.socket.getsockname()[1]}/"

    def run(self) -> None:
        self.server.run(sockets=[self.socket])

    def __enter__(self) -> Running:
        self.start()
        until = time.monotonic() + 60
        while not self.server.started and time.monotonic() < until:
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.join(60)
        assert not self.is_alive()


@pytest.fixture(scope="session")
def served(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of a copy of `library`, one for all tests: it starts worker processes, which load the models."""
    own = tmp_path_factory.mktemp("served") / "library"  # the server stores maps in it
    shutil.copytree(library, own)
    with Running(own) as running:
        yield running.address


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """A headless Chromium of the system."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed: the page is not tried in a browser")
    from playwright.sync_api import sync_playwright

    flags = [
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--autoplay-policy=no-user-gesture-required",
        "--use-fake-device-for-media-stream",  # a microphone that beeps
        "--use-fake-ui-for-media-stream",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        flags.append("--no-sandbox")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=flags)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any, served: str) -> Iterator[Any]:
    """The page of `served`, where no script fails."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, permissions=["clipboard-write", "clipboard-read"]
    )
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on(
        "console",
        lambda message: (
            message.type == "error" and "Failed to load resource" not in message.text and faults.append(message.text)
        ),
    )
    opened.set_default_timeout(60_000)
    opened.goto(served)
    opened.wait_for_selector("#weight-drums")
    opened.wait_for_selector(".hit")
    yield opened
    context.close()
    assert faults == []


@pytest.fixture(scope="session")
def modules(browser: Any) -> Iterator[Any]:
    """A blank page from which the page's modules can be imported (`import("/player.js")`), without a server."""
    opened = browser.new_page()
    opened.route("http://page.test/**", static_file)
    opened.goto("http://page.test/")
    yield opened
    opened.close()


def static_file(route: Any) -> None:
    """Answer a request with the page's file of that path; the address itself with an empty page."""
    path = STATIC / urlsplit(route.request.url).path.lstrip("/")
    if path.is_file():
        route.fulfill(path=path, content_type=mimetypes.guess_type(path.name)[0])
    else:
        route.fulfill(body="<!doctype html><title>modules</title>", content_type="text/html")


@pytest.fixture(scope="session")
def song(music: Path) -> Path:
    """A song of the library."""
    return sorted((music / "songs").iterdir())[0]
