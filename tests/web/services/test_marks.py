"""Collections through the API."""

from __future__ import annotations

from starlette.testclient import TestClient

from tests.web.own_library import first


def test_a_collection_is_made_listed_searched_and_ended(web: TestClient) -> None:
    loop, shot = first(web, "loop"), first(web, "one-shot")
    added = web.post("/api/collections/my kit", json={"add": [loop["id"], shot["id"]]})
    assert added.json() == {"name": "my kit", "count": 2}
    assert web.get("/api/library").json()["collections"] == {"my kit": 2}
    listed = web.get("/api/items", params={"collection": "my kit"}).json()
    assert {item["id"] for item in listed["items"]} == {loop["id"], shot["id"]}
    asked = {"item": shot["id"], "filters": {"kinds": ["loop"], "collection": "my kit"}}
    assert [hit["item"]["id"] for hit in web.post("/api/search", json=asked).json()["hits"]] == [loop["id"]]
    both = web.get("/api/items", params={"collection": "my kit", "favourite": True}).json()
    assert both["total"] == 0
    web.put(f"/api/favourites/{shot['id']}")
    both = web.get("/api/items", params={"collection": "my kit", "favourite": True}).json()
    assert [item["id"] for item in both["items"]] == [shot["id"]]
    ended = web.post("/api/collections/my kit", json={"remove": [loop["id"], shot["id"]]})
    assert ended.json()["count"] == 0
    gone = web.get("/api/items", params={"collection": "my kit"})
    assert gone.status_code == 404
    assert "there is no collection 'my kit'" in gone.json()["detail"]


def test_unknown_items_and_unusable_names_are_refused(web: TestClient) -> None:
    assert web.post("/api/collections/kit", json={"add": ["nobody"]}).status_code == 404
    refused = web.post("/api/collections/%07", json={"add": [first(web, "loop")["id"]]})
    assert refused.status_code == 422
    assert "1 to 80 printable characters" in refused.json()["detail"]
    assert web.get("/api/library").json()["collections"] == {}
