"""A server whose library is searched by shards on a cluster."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from soundalike.search.index.sharded import ShardedIndexes
from soundalike.web.app import create_app

pytestmark = pytest.mark.cluster


def client_of(library: Path, **options: Any) -> TestClient:
    return TestClient(create_app(library, **options), base_url="http://127.0.0.1:8765")


def shards_of(client: TestClient) -> ShardedIndexes:
    indexes = client.app.state.server.library.snapshot.finder.indexes  # type: ignore[attr-defined]
    assert isinstance(indexes, ShardedIndexes)
    return indexes


def without_cosines(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer, scores of hits included, but for the cosines of its candidates."""
    sent = answer["candidates"]
    return {**answer, "candidates": {**sent, "rows": [row[:3] for row in sent["rows"]]}}


def cosines_of(answer: dict[str, Any]) -> list[float]:
    """The cosines of its candidates. They are sums of float32 products, whose order depends on how many rows a process has, and
    are sent with five digits: where such a sum is close to half a digit, the last one may differ."""
    return [cosine for row in answer["candidates"]["rows"] for cosine in row[3]]


def test_shards_give_the_answers_of_one_process(library: Path, nodes: Any) -> None:
    from soundalike.jobs.ray import connected

    with (
        connected(nodes.address) as cluster,
        client_of(library) as alone,
        client_of(library, cluster=cluster) as together,
    ):
        described = together.get("/api/library").json()
        assert {table: search["by"] for table, search in described["search"].items()} == {
            "windows": "shards",
            "clips": "shards",
        }
        assert described["spread"] == alone.get("/api/library").json()["spread"]
        items = alone.get("/api/items", params={"kind": "song"}).json()["items"]
        assert items
        for item in items:
            for asked in ({"weights": {"drums": 1, "bass": -0.3}}, {"part": "drums", "filters": {"kinds": ["loop"]}}):
                body = {"item": item["id"], "n": 10, "candidates": 50, **asked}
                expected = alone.post("/api/search", json=body).json()
                assert expected["hits"]
                assert expected["share"] == 1.0
                found = together.post("/api/search", json=body).json()
                assert without_cosines(found) == without_cosines(expected)
                assert cosines_of(found) == pytest.approx(cosines_of(expected), abs=1.01e-5)


def test_the_share_is_reported_while_a_shard_is_down(library: Path, nodes: Any) -> None:
    import ray

    from soundalike.jobs.ray import connected

    with connected(nodes.address) as cluster, client_of(library, cluster=cluster) as client:
        item = client.get("/api/items", params={"kind": "one-shot"}).json()["items"][0]
        body = {"item": item["id"], "n": 100, "candidates": 100}
        complete = client.post("/api/search", json=body).json()
        assert complete["share"] == 1.0
        ray.kill(shards_of(client).pool.actors()[0])
        shares, deadline = [], time.monotonic() + 90
        while not shares or shares[-1] < 1.0:
            assert time.monotonic() < deadline
            answer = client.post("/api/search", json=body)
            assert answer.status_code == 200, answer.text
            partial = answer.json()
            shares.append(partial["share"])
            if partial["share"] < 1.0:
                # Not always fewer: the shard may return between the search of the hits and that of the candidates.
                ids = {candidate["id"] for candidate in partial["candidates"]["items"]}
                assert ids <= {candidate["id"] for candidate in complete["candidates"]["items"]}
            time.sleep(0.05)
        assert min(shares) < 1.0
        assert client.post("/api/search", json=body).json() == complete
