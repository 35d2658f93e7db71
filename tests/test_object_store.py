"""The S3 server that other tests rely on: its conditional puts are checked with an independent client."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.object_store import ObjectStore

pytestmark = pytest.mark.cluster


def _put(client: Any, bucket: str, body: bytes, **conditions: str) -> str:
    """The new tag, or the HTTP status of the refusal."""
    from botocore.exceptions import ClientError

    try:
        return str(client.put_object(Bucket=bucket, Key="key", Body=body, **conditions)["ETag"])
    except ClientError as error:
        return str(error.response["ResponseMetadata"]["HTTPStatusCode"])


def test_puts_are_conditional(object_store: ObjectStore, bucket: str) -> None:
    client = object_store.client()
    first = _put(client, bucket, b"1", IfNoneMatch="*")
    assert first.startswith('"')
    assert _put(client, bucket, b"2", IfNoneMatch="*") == "412"
    second = _put(client, bucket, b"2", IfMatch=first)
    assert second not in (first, "412")
    assert _put(client, bucket, b"3", IfMatch=first) == "412"
    assert client.get_object(Bucket=bucket, Key="key")["Body"].read() == b"2"


@pytest.mark.parametrize("first", [True, False])
def test_of_concurrent_puts_exactly_one_succeeds(object_store: ObjectStore, bucket: str, first: bool) -> None:
    client = object_store.client()
    condition = {"IfNoneMatch": "*"} if first else {"IfMatch": _put(client, bucket, b"before")}
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda n=n: answers.append(_put(client, bucket, str(n).encode(), **condition)))
        for n in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers)[1:].count("412") + (sorted(answers)[0] == "412") == 11
