"""A web server on this machine with the addresses of the Hugging Face Hub, whose faults can be chosen."""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from soundalike.models.checkpoints.table import Checkpoint, CheckpointFile

MIB = 1 << 20
REPOSITORY, REVISION = "tests/toy", "0" * 40


def content(size: int = 3 * MIB, seed: int = 0) -> bytes:
    """Bytes that do not compress and differ everywhere from those of another seed."""
    return random.Random(seed).randbytes(size)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass
class HubServer:
    """What the server has, and what it was asked for.

    files: contents by path; ranges: whether it answers range requests; cuts: after how many bytes of the body it closes
    the connection, one entry per answer; stall: after so many bytes it sends nothing more until `released`; statuses:
    status codes to answer instead, one entry per answer; moved: redirects by path; announce: whether it sends the length;
    requests: path and headers of each request.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    cuts: list[int] = field(default_factory=list)
    stall: int | None = None
    statuses: list[int] = field(default_factory=list)
    moved: dict[str, str] = field(default_factory=dict)
    announce: bool = True
    requests: list[tuple[str, Message]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def publish(self, files: dict[str, bytes]) -> None:
        """Put `files` where the Hub has those of `row_of`."""
        self.files |= {f"/{REPOSITORY}/resolve/{REVISION}/{name}": data for name, data in files.items()}

    @property
    def ranges_requested(self) -> list[str | None]:
        """The Range header of each request."""
        return [headers.get("Range") for _, headers in self.requests]


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        hub = self.server.hub
        hub.requests.append((self.path, self.headers))
        if self.path in hub.moved:
            self.send_response(302)
            self.send_header("Location", hub.moved[self.path])
            self.end_headers()
        elif hub.statuses:
            self.send_error(hub.statuses.pop(0))
        elif self.path not in hub.files:
            self.send_error(404)
        else:
            self._send(hub, hub.files[self.path])

    def _send(self, hub: HubServer, data: bytes) -> None:
        start = 0
        wanted = self.headers.get("Range")
        if wanted and hub.ranges:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        if start >= len(data) > 0:
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Type", "application/octet-stream")
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        if hub.announce:
            self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        body = data[start:]
        if hub.cuts:
            body = body[: hub.cuts.pop(0)]
        if hub.stall is not None:
            self.wfile.write(body[: hub.stall])
            self.wfile.flush()
            hub.released.wait(30)
            body = body[hub.stall :]
        self.wfile.write(body)

    def handle(self) -> None:
        with suppress(OSError):  # the client has closed the connection: some tests are about that
            super().handle()

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, hub: HubServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hub = hub


@contextmanager
def serving(hub: HubServer) -> Iterator[HubServer]:
    """Run `hub` on a free port of this machine; `hub.url` is its address."""
    with _Server(hub) as server:
        hub.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield hub
        finally:
            hub.released.set()
            server.shutdown()
            thread.join()


def row_of(files: dict[str, bytes], *, pins: str = "full", terms: str | None = None) -> Checkpoint:
    """A checkpoint `toy` whose files have these contents. pins: `full`, `prefix` (8 digits, no size) or `none`."""
    digests = {name: sha256(data) for name, data in files.items()}
    return Checkpoint(
        "toy",
        "a test",
        tuple(
            CheckpointFile(
                name,
                REPOSITORY,
                REVISION,
                len(data) if pins == "full" else None,
                {"full": digests[name], "prefix": digests[name][:8], "none": None}[pins],
                "a test",
            )
            for name, data in files.items()
        ),
        "CC-BY-NC-4.0" if terms else "MIT",
        non_commercial=terms is not None,
        homepage="https://weights.invalid",
        terms=terms,
    )
