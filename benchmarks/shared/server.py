"""`soundalike serve` as a separate process, and requests to it."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 60
JSON = "application/json"


@contextmanager
def serve(library: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The process and port of `soundalike serve` on a library, once it answers."""
    command = [sys.executable, "-m", "soundalike", "serve", "-L", str(library), "--port", "0"]
    command += ["--no-browser", "--no-token"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        address = re.search(r":(\d+)/", line)
        if address is None:
            sys.exit(f"the server did not start: {line}{process.stderr.read()}")
        port = int(address[1])
        threading.Thread(target=process.stderr.read, daemon=True).start()
        _wait_for_answer(port)
        yield process, port
    finally:
        process.terminate()
        process.wait(20)


def _wait_for_answer(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            request(http.client.HTTPConnection("127.0.0.1", port), "GET", "/api/library/state")
        except OSError:
            time.sleep(0.1)
        else:
            return
    sys.exit(f"the server did not answer within {START_SECONDS} s")


def request(
    connection: http.client.HTTPConnection, method: str, path: str, body: object = None, *, gzip: bool = False
) -> tuple[int, bytes]:
    """Status and body of the response. A body that is not bytes is sent as JSON."""
    headers = {"Accept-Encoding": "gzip" if gzip else "identity"}
    data = body
    if body is not None and not isinstance(body, bytes):
        data, headers["Content-Type"] = json.dumps(body), JSON
    connection.request(method, path, data, headers)
    response = connection.getresponse()
    return response.status, response.read()
