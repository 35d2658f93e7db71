"""A web server on this machine whose faults can be chosen, and checkpoints that fit what it serves."""

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


def content(size: int = 3 * MIB, seed: int = 0) -> bytes:
    """Bytes that compress badly and differ everywhere from those of another seed."""
    return random.Random(seed).randbytes(size)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass
class Site:
    """What the server gives, and what it was asked.

    files: contents by path; ranges: whether range requests are heeded; shift: by how many bytes a range is missed; tag:
    whether answers carry an ETag (a `weak` one vouches for nothing); cuts: after how many bytes of the body the
    connection is cut, one entry an answer; stall: after so many bytes nothing more comes until `released`; statuses:
    what is answered instead, one entry an answer; moved: where a path redirects to; announce: whether the length is
    said; kind: Content-Type; asked: path and headers of each request.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    tag: str = "strong"
    cuts: list[int] = field(default_factory=list)
    stall: int | None = None
    shift: int = 0
    statuses: list[int] = field(default_factory=list)
    moved: dict[str, str] = field(default_factory=dict)
    announce: bool = True
    kind: str = "application/octet-stream"
    asked: list[tuple[str, Message]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    @property
    def ranges_asked(self) -> list[str | None]:
        """The Range header of each request."""
        return [headers.get("Range") for _, headers in self.asked]


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        site = self.server.site
        site.asked.append((self.path, self.headers))
        if self.path in site.moved:
            self.send_response(302)
            self.send_header("Location", site.moved[self.path])
            self.end_headers()
        elif site.statuses:
            self.send_error(site.statuses.pop(0))
        elif self.path not in site.files:
            self.send_error(404)
        else:
            self._give(site, site.files[self.path])

    def _give(self, site: Site, data: bytes) -> None:
        tag = f'"{sha256(data)[:16]}"'
        start = 0
        asked = self.headers.get("Range")
        if asked and site.ranges and self.headers.get("If-Range") in (None, tag):
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        if start >= len(data) > 0:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(data)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Type", site.kind)
        if site.tag:
            self.send_header("ETag", tag if site.tag == "strong" else f"W/{tag}")
        if start:
            self.send_header("Content-Range", f"bytes {start + site.shift}-{len(data) - 1}/{len(data)}")
        if site.announce:
            self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        body = data[start:]
        if site.cuts:
            body = body[: site.cuts.pop(0)]
        if site.stall is not None:
            self.wfile.write(body[: site.stall])
            self.wfile.flush()
            site.released.wait(30)
            body = body[site.stall :]
        self.wfile.write(body)

    def handle(self) -> None:
        with suppress(OSError):  # the client has gone: that is what some tests are about
            super().handle()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing to say."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, site: Site) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.site = site


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    """`site` on a free port of this machine; `site.url` names it."""
    with _Server(site) as server:
        site.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield site
        finally:
            site.released.set()
            server.shutdown()
            thread.join()


def row_of(
    files: dict[str, bytes], url: str = "https://weights.invalid", *, pins: str = "full", terms: str | None = None
) -> Checkpoint:
    """A checkpoint `toy` whose files hold these bytes. pins: `full`, `prefix` (8 digits, no size) or `none`."""
    digests = {name: sha256(data) for name, data in files.items()}
    return Checkpoint(
        "toy",
        "made up",
        tuple(
            CheckpointFile(
                name,
                f"{url}/{name}",
                len(data) if pins == "full" else None,
                {"full": digests[name], "prefix": digests[name][:8], "none": None}[pins],
                "made up",
            )
            for name, data in files.items()
        ),
        "CC-BY-NC-4.0" if terms else "MIT",
        non_commercial=terms is not None,
        homepage=url,
        terms=terms,
    )
