"""Whatever a client sends, the server responds with a result or a problem, never with a fault, and reveals no path."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from soundalike.web.app import create_app

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
FIELDS = ["upload", "item", "text", "region", "weights", "profile", "part", "raw", "filters", "n", "candidates", "few"]
FORMS = [
    *(
        "/{}",
        "/vendor/{}",
        "/api/{}",
        "/api/items/{}",
        "/api/items/{}/audio",
        "/api/items/{}/peaks",
        "/api/items/{}/reveal",
    ),
    *("/api/items/{}/stems/drums", "/api/items/x/stems/{}", "/api/uploads/{}/audio", "/api/uploads/{}/stems/mix"),
    *(
        "/api/favourites/{}",
        "/api/answers/{}",
        "/api/peaks?item={}",
        "/api/map?part={}&kind=song",
        "/api/items?text={}",
    ),
    "/api/map?part=mix&kind={}",
]
QUIET = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def web(library: Path) -> Iterator[TestClient]:
    with TestClient(create_app(library), base_url="http://127.0.0.1:8765", raise_server_exceptions=False) as client:
        yield client


def sound(answer: Any) -> None:
    assert answer.status_code < 500, (answer.status_code, answer.text)
    if answer.status_code >= 400 and answer.text and answer.headers["content-type"] == "application/problem+json":
        assert "/tmp" not in answer.json()["detail"]
        assert "Traceback" not in answer.text


@QUIET
@given(asked=st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=8), JSON, max_size=5))
def test_any_search_gets_a_response(web: TestClient, asked: dict[str, Any]) -> None:
    sound(web.post("/api/search", content=json.dumps(asked), headers={"content-type": "application/json"}))


@QUIET
@given(data=st.data())
def test_nearly_valid_searches_get_a_response(web: TestClient, data: st.DataObject) -> None:
    item = web.get("/api/items", params={"kind": "song"}).json()["items"][0]["id"]
    parts = st.sampled_from(["bass", "drums", "residuals", "mix", "vocals", "", "MIX"])
    number = st.floats(-1e4, 1e4) | st.just(0)
    asked = {
        "item": item,
        "weights": data.draw(st.none() | st.dictionaries(parts, number, max_size=4)),
        "part": data.draw(st.none() | parts),
        "n": data.draw(st.integers(-2, 3_000)),
        "candidates": data.draw(st.integers(-2, 6_000)),
        "filters": {
            "kinds": data.draw(st.lists(st.sampled_from(["song", "loop", "one-shot", "noise"]), max_size=4)),
            "tempo": data.draw(st.none() | st.lists(st.none() | number, min_size=2, max_size=2)),
            "key": data.draw(st.none() | st.text(max_size=5)),
            "path": data.draw(st.none() | st.text(max_size=20)),
        },
    }
    sound(web.post("/api/search", json=asked))


@QUIET
@given(
    body=st.binary(max_size=200), kind=st.sampled_from(["application/json", "text/plain", "multipart/form-data", ""])
)
def test_any_body_gets_a_response(web: TestClient, body: bytes, kind: str) -> None:
    sound(web.post("/api/search", content=body, headers={"content-type": kind}))


@QUIET
@given(
    place=st.text(max_size=40).map(lambda text: text.encode("utf-8", "ignore").decode()),
    form=st.sampled_from(FORMS),
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE"]),
    range_=st.sampled_from(
        ["", "bytes=-1", "bytes=5-2", "bytes=a-b", "bytes=0-0,2-3", "lines=1-2", "bytes=" + "9" * 400]
    ),
)
def test_any_address_method_and_range_gets_a_response(
    web: TestClient, place: str, form: str, method: str, range_: str
) -> None:
    from urllib.parse import quote

    answer = web.request(method, form.format(quote(place, safe="./\\")), headers={"Range": range_} if range_ else {})
    sound(answer)
    assert "root:" not in answer.text


def test_endless_headers_get_a_response(web: TestClient) -> None:
    sound(web.get("/api/library", headers={"X-Long": "x" * 100_000, "Cookie": "y" * 50_000}))
