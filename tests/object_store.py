"""An S3 server on this machine: moto's, one request at a time, so that its conditional puts have no races.

It records its requests and calls a hook before and after each, for tests that end a process at a given one.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Hook = Callable[["Request", bool], None]


@dataclass(frozen=True)
class Request:
    """A request: method, path with its query, and its conditions."""

    method: str
    path: str
    if_match: str | None
    if_none_match: str | None


@dataclass
class ObjectStore:
    """A running server. requests: those so far; hook: called with each request and whether it has been answered."""

    url: str
    requests: list[Request] = field(default_factory=list)
    hook: Hook | None = None

    def environment(self) -> dict[str, str]:
        """The environment variables that a client needs."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self) -> Any:
        """A client of boto3, independent of the program."""
        import boto3

        values = self.environment()
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=values["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=values["AWS_SECRET_ACCESS_KEY"],
            region_name=values["AWS_REGION"],
        )


@contextlib.contextmanager
def serving() -> Iterator[ObjectStore]:
    """A server on a free port of loopback, until the end of the block."""
    from moto.moto_server.werkzeug_app import create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    application = create_backend_app("s3")
    store = ObjectStore("")
    lock = threading.Lock()

    def one_at_a_time(environment: dict[str, Any], start: Any) -> list[bytes]:
        query = environment.get("QUERY_STRING")
        request = Request(
            environment["REQUEST_METHOD"],
            environment["PATH_INFO"] + (f"?{query}" if query else ""),
            environment.get("HTTP_IF_MATCH"),
            environment.get("HTTP_IF_NONE_MATCH"),
        )
        with lock:
            store.requests.append(request)
            if store.hook is not None:
                store.hook(request, False)
            answer = list(application(environment, start))
            if store.hook is not None:
                store.hook(request, True)
            return answer

    server = make_server("127.0.0.1", 0, one_at_a_time, threaded=True)
    store.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield store
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
