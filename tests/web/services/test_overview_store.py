from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from soundalike.audio import decode
from soundalike.audio.waveform_overview import overview_to_int8, waveform_overview
from soundalike.library.storage.store import Library
from soundalike.web.app import create_app
from soundalike.web.services import media
from soundalike.web.services.overview_store import FILE_NAME, OverviewStore

MADE = (2.5, np.arange(-120, 0, dtype=np.int8), np.arange(120, dtype=np.int8))


@pytest.fixture
def old(library: Path, tmp_path: Path) -> Path:
    """A library of the time before there were peaks."""
    place = tmp_path / "old"
    shutil.copytree(library, place)
    shutil.rmtree(place / "generation-1" / "peaks.lance")
    return place


@pytest.fixture
def web(old: Path) -> Iterator[TestClient]:
    with TestClient(create_app(old), base_url="http://127.0.0.1") as client:
        yield client


def ids(client: TestClient, kind: str) -> list[str]:
    return [item["id"] for item in client.get("/api/items", params={"kind": kind}).json()["items"]]


def test_overviews_computed_at_indexing_are_those_of_the_files(library: Path) -> None:
    with TestClient(create_app(library), base_url="http://127.0.0.1") as client:
        for item in client.get("/api/items", params={"kind": "loop"}).json()["items"]:
            answer = client.get("/api/peaks", params={"item": item["id"]})
            assert "max-age" in answer.headers["cache-control"]
            found = answer.json()["peaks"][item["id"]]
            low, high = overview_to_int8(waveform_overview(decode.read(item["path"]).samples))
            assert found == {"duration": item["duration"], "low": low.tolist(), "high": high.tolist()}


def test_missing_overviews_are_computed_once_and_stored(
    old: Path, web: TestClient, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "OVERVIEW_SECONDS", 600.0)
    wanted = ids(web, "one-shot")[:5]
    with TestClient(create_app(library), base_url="http://127.0.0.1") as client:
        expected = client.get("/api/peaks", params={"item": wanted}).json()
    assert web.get("/api/peaks", params={"item": wanted}).json() == expected
    assert (old / "generation-1" / FILE_NAME).is_file()
    kept = OverviewStore().get(
        Library.open(old), [web.app.state.server.library.snapshot.item(one)["content"] for one in wanted]
    )  # type: ignore[attr-defined]
    assert len(kept) == 5


def test_an_overview_that_takes_too_long_comes_with_the_next_request(
    web: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "OVERVIEW_SECONDS", 0.0)
    (one, *_) = ids(web, "loop")
    answer = web.get("/api/peaks", params={"item": one})
    assert answer.json() == {"peaks": {one: None}}
    assert "cache-control" not in answer.headers
    monkeypatch.setattr(media, "OVERVIEW_SECONDS", 60.0)
    assert web.get("/api/peaks", params={"item": one}).json()["peaks"][one] is not None


def test_invalid_requests_for_overviews_are_refused(web: TestClient) -> None:
    assert web.get("/api/peaks").status_code == 422
    assert web.get("/api/peaks", params={"item": "nobody"}).status_code == 404
    assert web.get("/api/peaks", params={"item": ["x"] * 101}).status_code == 422


@pytest.mark.parametrize("damage", [b"", b"no database", None])
def test_a_damaged_overview_file_is_ignored(old: Path, damage: bytes | None) -> None:
    library = Library.open(old)
    place = library.derived_path(FILE_NAME)
    place.mkdir() if damage is None else place.write_bytes(damage)
    outlines = OverviewStore()
    assert outlines.get(library, ["c"]) == {}
    outlines.put(library, "c", MADE)
    duration, low, high = outlines.get(library, ["c"])["c"]
    assert (duration, low.tolist(), high.tolist()) == (MADE[0], MADE[1].tolist(), MADE[2].tolist())


def test_two_servers_share_one_file(old: Path) -> None:
    one, other = OverviewStore(), OverviewStore()
    library = Library.open(old)
    one.put(library, "c'\"%", MADE)
    other.put(library, "d", MADE)
    assert set(OverviewStore().get(library, ["c'\"%", "d", "e"])) == {"c'\"%", "d"}
