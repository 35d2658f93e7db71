"""Clients that are slow or mean, at a real server."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from soundalike.web.security import guard, http_limits
from soundalike.web.services.uploads import Uploads
from tests.web.conftest import Running


@pytest.fixture
def address(library: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    monkeypatch.setattr(http_limits, "HEAD_SECONDS", 0.5)
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.5)
    with Running(library, uploads=Uploads(max_pause=0.5)) as running:
        yield running.socket.getsockname()


def answer_to(address: tuple[str, int], *pieces: bytes, pause: float = 0.0) -> bytes:
    """What comes back, until the server closes or nothing has come for 10 s."""
    with socket.create_connection(address, timeout=10) as client:
        for number, piece in enumerate(pieces):
            time.sleep(pause if number else 0)
            client.sendall(piece)
        found = b""
        while piece := client.recv(65_536):
            found += piece
            if b"\r\n\r\n" in found and b"}" in found:
                break
        return found


def head(address: tuple[str, int], line: str, *headers: str) -> bytes:
    return "\r\n".join([line, f"Host: 127.0.0.1:{address[1]}", *headers, "", ""]).encode()


def test_an_incomplete_head_ends_the_connection(address: tuple[str, int]) -> None:
    assert answer_to(address, b"") == b""
    assert answer_to(address, b"GET / HTTP/1.1\r\nHost: 127.0") == b""
    assert answer_to(address, b"GET / HTTP/1.1\r\n", b"A: b\r\n", pause=0.2) == b""


def test_a_head_that_is_too_long_is_refused(address: tuple[str, int]) -> None:
    long = head(address, "GET / HTTP/1.1", "X: " + "x" * guard.MAX_HEAD_BYTES)
    assert answer_to(address, long).startswith(b"HTTP/1.1 431")
    assert answer_to(address, long[:-4], b"x" * 100_000, pause=0.2).startswith(b"HTTP/1.1 400")
    assert answer_to(address, b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n").startswith(b"HTTP/1.1 400")


def test_an_incomplete_body_gets_a_problem(address: tuple[str, int]) -> None:
    asked = head(address, "POST /api/search HTTP/1.1", "Content-Type: application/json", "Content-Length: 100")
    found = answer_to(address, asked, b"{")
    assert found.startswith(b"HTTP/1.1 408")
    assert b"did not arrive within" in found


def test_a_stalled_upload_gets_a_problem(address: tuple[str, int]) -> None:
    asked = head(address, "POST /api/uploads?name=a.wav HTTP/1.1", "Content-Length: 100000")
    found = answer_to(address, asked, b"RIFF")
    assert found.startswith(b"HTTP/1.1 422")
    assert b"stalled for" in found


def test_an_endless_body_is_cut_off(address: tuple[str, int]) -> None:
    asked = head(address, "POST /api/search HTTP/1.1", "Content-Type: application/json", "Transfer-Encoding: chunked")
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    found = answer_to(address, asked, *[chunk] * 6)
    assert found.startswith(b"HTTP/1.1 413")


def test_idle_connections_do_not_block_others(address: tuple[str, int]) -> None:
    idle = [socket.create_connection(address) for _ in range(100)]
    try:
        found = answer_to(address, head(address, "GET /api/library/state HTTP/1.1"))
        assert found.startswith(b"HTTP/1.1 200")
        assert json.loads(found.rpartition(b"\r\n\r\n")[2])["items"] == 32
    finally:
        for client in idle:
            client.close()


def test_simultaneous_requests_are_limited() -> None:
    entered = asyncio.Event()
    leave = asyncio.Event()

    async def slow(scope: object, receive: object, send: object) -> None:
        entered.set()
        await leave.wait()

    async def main() -> list[dict[str, object]]:
        watched = guard.Guard(slow, "127.0.0.1", None, max_requests=1)
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/",
            "query_string": b"",
            "headers": [(b"host", b"127.0.0.1")],
            "server": ("127.0.0.1", 80),
            "scheme": "http",
        }
        sent: list[dict[str, object]] = []

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, object]) -> None:
            sent.append(message)

        first = asyncio.create_task(watched(scope, receive, send))  # type: ignore[arg-type]
        await entered.wait()
        await watched(scope, receive, send)  # type: ignore[arg-type]
        leave.set()
        await first
        assert sent[0]["status"] == 503
        await watched(scope, receive, send)  # type: ignore[arg-type]
        return sent

    assert len(asyncio.run(main())) == 2


@pytest.mark.parametrize("path", ["/api/uploads?name=a.wav", "/api/search", "/"])
def test_a_client_that_leaves_in_the_middle_of_a_request_leaves_no_traceback(
    address: tuple[str, int], path: str, caplog: pytest.LogCaptureFixture
) -> None:
    asked = head(address, f"POST {path} HTTP/1.1", "Content-Type: application/json", "Content-Length: 100000")
    with socket.create_connection(address, timeout=10) as client:
        client.sendall(asked + b"RIFF")
        time.sleep(0.1)  # the request has begun
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    until = time.monotonic() + 1
    while time.monotonic() < until and not caplog.records:
        time.sleep(0.02)
    assert [
        record.getMessage() for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR
    ] == []
    assert answer_to(address, head(address, "GET /api/library/state HTTP/1.1")).startswith(b"HTTP/1.1 200")
