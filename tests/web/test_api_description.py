from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from soundalike.web.api_description import description_page
from soundalike.web.app import create_app


@pytest.fixture(scope="module")
def web(library: Path) -> Iterator[TestClient]:
    with TestClient(create_app(library), base_url="http://127.0.0.1") as client:
        yield client


class Reader(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.ids |= {value for name, value in attributes if name == "id" and value}
        self.links |= {value for name, value in attributes if name in ("href", "src") and value}


def test_the_page_describes_every_route_and_object(web: TestClient) -> None:
    answer = web.get("/api/docs")
    assert answer.headers["content-type"].startswith("text/html")
    described = web.get("/api/openapi.json").json()
    for path, methods in described["paths"].items():
        assert f"<code>{path}</code>" in answer.text
        for values in methods.values():
            assert values["description"]
    read = Reader(answer.text)
    assert set(described["components"]["schemas"]) <= read.ids
    assert {link[1:] for link in read.links if link.startswith("#")} <= read.ids


def test_the_page_has_no_scripts_and_no_external_resources(web: TestClient) -> None:
    read = Reader(web.get("/api/docs").text)
    assert not {"script", "link", "img", "iframe"} & set(read.tags)
    assert all(link.startswith("#") or link == "openapi.json" for link in read.links)


def test_the_description_is_escaped() -> None:
    odd = {
        "info": {"version": "<b>1</b>"},
        "paths": {"/<i>": {"get": {"description": "<script>", "responses": {"200": {"description": ""}}}}},
    }
    assert not re.search(r"<(b|i|script)>", description_page(odd))


def test_errors_are_described_as_problems(web: TestClient) -> None:
    described = web.get("/api/openapi.json").json()
    for methods in described["paths"].values():
        for values in methods.values():
            assert "422" not in values["responses"]
            assert "application/problem+json" in values["responses"]["default"]["content"]
