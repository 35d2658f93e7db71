from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from starlette.testclient import TestClient

from soundalike.analysis.preparation import prepare
from soundalike.library import Library
from soundalike.library.maintenance.parquet import export_parquet, import_parquet
from soundalike.search.filters import Filters, make_filters
from soundalike.search.finder import Finder
from soundalike.web.app import create_app
from soundalike.web.services.uploads import Uploads


@pytest.fixture(scope="module")
def web(library: Path) -> Iterator[TestClient]:
    with TestClient(
        create_app(library, uploads=Uploads(max_bytes=8 << 20)), base_url="http://127.0.0.1:8765"
    ) as client:
        yield client


@pytest.fixture(scope="module")
def song(music: Path) -> Path:
    return sorted((music / "songs").iterdir())[0]


@pytest.fixture(scope="module")
def dropped(web: TestClient, song: Path) -> dict[str, object]:
    answer = web.post("/api/uploads", params={"name": song.name}, content=song.read_bytes())
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def problem(answer: object, status: int, words: str) -> None:
    assert answer.status_code == status, answer.text  # type: ignore[attr-defined]
    assert answer.headers["content-type"] == "application/problem+json"  # type: ignore[attr-defined]
    values = answer.json()  # type: ignore[attr-defined]
    assert values["status"] == status
    assert words in values["detail"]
    assert "\n" not in values["detail"]
    assert "/tmp" not in values["detail"]


def test_the_library_is_described(web: TestClient, library: Path) -> None:
    found = web.get("/api/library").json()
    assert found["parts"] == ["bass", "drums", "vocals", "residuals", "mix"]
    assert found["counts"] == {"song": 4, "loop": 8, "one-shot": 20}
    assert set(found["spread"]) == set(found["parts"])
    assert found["text"] is False
    assert found["name"] == library.name


def test_kind_and_tempo_of_an_upload_are_those_of_indexing(web: TestClient) -> None:
    tempi = []
    for kind in ("song", "loop", "one-shot"):
        for item in web.get("/api/items", params={"kind": kind, "limit": 3}).json()["items"]:
            path = Path(item["path"])
            for name in (path.name, f"x{path.suffix}"):  # with and without what the name says
                found = web.post("/api/uploads", params={"name": name}, content=path.read_bytes()).json()
                assert found["kind"] == kind
                if name == path.name:
                    tempi.append((found["tempo"], item["tempo"]))
    ours, theirs = zip(*tempi, strict=True)
    assert ours == theirs
    assert any(ours)


def test_an_estimated_tempo_is_that_of_indexing(web: TestClient, music: Path) -> None:
    path = sorted((music / "songs").iterdir())[0]
    tempo = prepare(path).tempo.value
    assert tempo is not None
    answer = web.post("/api/uploads", params={"name": f"x{path.suffix}"}, content=path.read_bytes())
    assert answer.json()["tempo"] == tempo


def test_an_upload_gives_the_hits_of_the_command_line(
    web: TestClient, library: Path, song: Path, dropped: dict[str, object]
) -> None:
    weights = {"drums": 1.0, "bass": 0.3}
    found = web.post("/api/search", json={"upload": dropped["id"], "weights": weights, "n": 10}).json()
    expected = Finder.open(library).similar(song, weights=weights, n=10)
    assert [hit["item"]["path"] for hit in found["hits"]] == [hit.path for hit in expected.hits]
    for hit, other in zip(found["hits"], expected.hits, strict=True):
        assert hit["score"] == pytest.approx(other.score, abs=1e-3)  # the item's own vectors are stored as float16
        assert hit["contributions"] == pytest.approx(other.contributions, abs=1e-3)
        assert sum(hit["contributions"].values()) == pytest.approx(hit["score"])
    assert found["same"] == 1
    assert found["weighting"] == expected.weighting


def test_a_few_windows_give_a_first_result(web: TestClient, dropped: dict[str, object]) -> None:
    few = web.post("/api/search", json={"upload": dropped["id"], "weights": {"mix": 1}, "few": 2}).json()
    whole = web.post("/api/search", json={"upload": dropped["id"], "weights": {"mix": 1}}).json()
    assert len(few["windows"]) == 2 < len(whole["windows"])
    assert {tuple(window) for window in few["windows"]} < {tuple(window) for window in whole["windows"]}
    assert len(few["hits"]) == len(whole["hits"])


def test_a_part_of_a_region_of_an_item_is_compared_with_loops(web: TestClient, library: Path, song: Path) -> None:
    items = web.get("/api/items", params={"kind": "song", "text": song.stem[-6:]}).json()
    asked = {
        "item": items["items"][0]["id"],
        "region": [4, 12],
        "part": "drums",
        "filters": {"kinds": ["loop"]},
        "n": 3,
    }
    found = web.post("/api/search", json=asked).json()
    expected = Finder.open(library).similar(
        song, region=(4, 12), part="drums", filters=make_filters(kinds=("loop",)), n=3
    )
    assert [hit["item"]["path"] for hit in found["hits"]] == [hit.path for hit in expected.hits]
    assert found["windows"][0] == [4.0, 9.0]


def test_items_are_filtered_as_hits_are(web: TestClient) -> None:
    everything = web.get("/api/items", params={"limit": 100}).json()["items"]
    key = next(item["key"] for item in everything if item["key"])
    asked: dict[str, tuple[dict[str, str | float], Filters]] = {
        "tempo": ({"tempo_from": 90, "tempo_to": 120}, make_filters(tempo=(90, 120))),
        "slow": ({"tempo_to": 60}, make_filters(tempo=(0, 60))),
        "key": ({"key": key}, make_filters(key=key)),
        "long": ({"seconds_from": 5.5}, make_filters(durations=(5.5, None))),
        "all": (
            {"kind": "loop", "seconds_from": 2, "seconds_to": 6, "tempo_from": 60},
            make_filters(kinds=("loop",), durations=(2, 6), tempo=(60, 1e9)),
        ),
    }
    for name, (params, filters) in asked.items():
        found = [item["id"] for item in web.get("/api/items", params={**params, "limit": 100}).json()["items"]]
        assert found == [item["id"] for item in everything if filters.admits({**item, "path": item["name"]})], name
        assert 0 < len(found) < len(everything), name
    problem(web.get("/api/items", params={"tempo_from": 120, "tempo_to": 90}), 422, "range 120-90 is empty")
    problem(web.get("/api/items", params={"key": "H flat"}), 422, "H flat")
    problem(web.get("/api/items", params={"tempo_from": "nan"}), 422, "tempo_from")


def test_ids_may_contain_slashes(library: Path, song: Path, tmp_path: Path) -> None:
    exported, named = tmp_path / "out.parquet", tmp_path / "named.parquet"
    export_parquet(Library.open(library), exported)
    table = pq.read_table(exported)
    table = table.filter(pa.compute.equal(table["path"], str(song)))
    name = "/my songs/a+b #1?.flac"
    ids = pa.array([name] * table.num_rows)
    pq.write_table(table.set_column(table.column_names.index("id"), "id", ids), named)
    import_parquet(tmp_path / "imported", named)
    with TestClient(create_app(tmp_path / "imported"), base_url="http://127.0.0.1") as client:
        (item,) = client.get("/api/items").json()["items"]
        assert item["id"] == name
        at = quote(name, safe="")
        assert client.get(f"/api/items/{at}").json() == item
        assert client.get(f"/api/items/{at}/audio").content == song.read_bytes()
        assert client.get(f"/api/items/{at}/peaks").json()["duration"] == pytest.approx(item["duration"], abs=0.1)
        assert client.get(f"/api/items/{at}/stems/drums", params={"end": 1}).content[:4] == b"RIFF"
        assert client.put(f"/api/favourites/{at}").status_code == 204
        assert [one["id"] for one in client.get("/api/favourites").json()["items"]] == [name]
        assert client.delete(f"/api/favourites/{at}").status_code == 204
        assert client.get("/api/library").json()["favourites"] == 0


def test_items_come_in_pages(web: TestClient) -> None:
    first = web.get("/api/items", params={"limit": 5}).json()
    second = web.get("/api/items", params={"limit": 5, "offset": 5}).json()
    assert first["total"] == second["total"] == 32
    names = [item["name"] for item in first["items"] + second["items"]]
    assert names == sorted(names)
    assert len(set(names)) == 10


def test_audio_is_sent_by_ranges(web: TestClient, song: Path) -> None:
    item = web.get("/api/items", params={"kind": "song"}).json()["items"][0]
    whole = web.get(f"/api/items/{item['id']}/audio")
    assert whole.headers["content-type"] == "audio/flac"
    assert whole.headers["accept-ranges"] == "bytes"
    some = web.get(f"/api/items/{item['id']}/audio", headers={"Range": "bytes=100-199"})
    assert some.status_code == 206
    assert some.content == whole.content[100:200]
    assert web.get(f"/api/items/{item['id']}/audio", headers={"Range": "bytes=999999999-"}).status_code == 416


def test_peaks_and_stems(web: TestClient, dropped: dict[str, object]) -> None:
    item = web.get("/api/items", params={"kind": "loop"}).json()["items"][0]
    peaks = web.get(f"/api/items/{item['id']}/peaks").json()
    assert peaks["duration"] == pytest.approx(item["duration"], abs=0.01)
    assert len(peaks["peaks"]) == 1_200
    assert all(-1.01 <= low <= high <= 1.01 for low, high in peaks["peaks"])
    stem = web.get(f"/api/uploads/{dropped['id']}/stems/drums", params={"start": 2, "end": 5})
    samples, rate = soundfile.read(io.BytesIO(stem.content))
    assert len(samples) / rate == pytest.approx(3, abs=0.01)
    assert np.abs(samples).max() > 0.01


def test_formats_that_browsers_do_not_play_come_as_wav(library: Path, tmp_path: Path) -> None:
    from soundalike.library.indexing.library_update import index

    sound = np.random.default_rng(1).standard_normal(22_050).astype(np.float32) * 0.1
    (tmp_path / "music").mkdir()
    soundfile.write(tmp_path / "music" / "noise.aiff", sound, 22_050)
    index(tmp_path / "library", [tmp_path / "music"], jobs=1)
    with TestClient(create_app(tmp_path / "library"), base_url="http://localhost") as client:
        (item,) = client.get("/api/items").json()["items"]
        answer = client.get(f"/api/items/{item['id']}/audio")
        assert answer.headers["content-type"] == "audio/wav"
        np.testing.assert_allclose(soundfile.read(io.BytesIO(answer.content))[0], sound, atol=1e-4)
        (tmp_path / "music" / "noise.aiff").unlink()
        problem(client.get(f"/api/items/{item['id']}/audio"), 415, "is missing")


def test_candidates_rank_as_the_server_does(web: TestClient, dropped: dict[str, object]) -> None:
    asked = {"upload": dropped["id"], "weights": {"drums": 1.0}, "raw": True, "n": 4, "candidates": 2_000}
    found = web.post("/api/search", json=asked).json()
    sent = found["candidates"]
    for weights in ({"drums": 1.0}, {"bass": 1.0}, {"mix": 0.5, "residuals": 1.0}, {"drums": -1.0}):
        by_item: dict[int, float] = {}
        for item, _, _, cosines in sent["rows"]:
            products = [weights.get(part, 0.0) * c for part, c in zip(sent["parts"], cosines, strict=True)]
            if any(products):  # it has one of the parts
                by_item[item] = max(by_item.get(item, -9.0), sum(products))
        order = sorted(by_item, key=lambda item: -by_item[item])
        exact = web.post("/api/search", json={**asked, "weights": weights, "candidates": 0}).json()["hits"]
        assert [sent["items"][item]["id"] for item in order][:1] == [exact[0]["item"]["id"]]


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        ({}, 422, "give one of upload, item and text"),
        ({"upload": "0" * 32}, 404, "no such upload"),
        ({"item": "nonsense"}, 404, "has no item 'nonsense'"),
        ({"text": "dry snare"}, 422, "the encoder builtin has no text"),
        ({"item": "ITEM", "weights": {"guitar": 1}}, 422, "no part 'guitar' here"),
        ({"item": "ITEM", "weights": {"drums": 0}}, 422, "all weights are zero"),
        ({"item": "ITEM", "weights": {"drums": 1}, "part": "drums"}, 422, "exclude each other"),
        ({"item": "ITEM", "weights": {"drums": "loud"}}, 422, "weights.drums: Input should be a valid number"),
        ({"item": "ITEM", "profile": "clap-4"}, 422, "was learnt with clap"),
        ({"item": "ITEM", "region": [500, 600]}, 422, "is not inside"),
        ({"item": "ITEM", "n": 0}, 422, "n: Input should be greater"),
        ({"item": "ITEM", "more": 1}, 422, "more: Extra inputs are not permitted"),
        ({"item": "ITEM", "filters": {"kinds": ["noise"]}}, 422, "filters.kinds.0"),
        ({"item": "ITEM", "filters": {"key": "H sharp"}}, 422, "H sharp"),
    ],
)
def test_invalid_searches_get_a_readable_problem(
    web: TestClient, asked: dict[str, object], status: int, words: str
) -> None:
    item = web.get("/api/items", params={"kind": "song"}).json()["items"][0]["id"]
    problem(web.post("/api/search", json={k: item if v == "ITEM" else v for k, v in asked.items()}), status, words)


@pytest.mark.parametrize("path", ["' OR 1=1 --", "%", "*[", "\\", "a'b\"c", "../../etc"])
def test_filters_are_never_part_of_a_query_string(web: TestClient, path: str) -> None:
    item = web.get("/api/items", params={"kind": "song"}).json()["items"][0]["id"]
    answer = web.post("/api/search", json={"item": item, "filters": {"path": path}})
    assert answer.status_code == 200
    assert answer.json()["searched"] == 0


def test_bad_uploads_are_refused_and_the_server_continues(web: TestClient, song: Path) -> None:
    rng = np.random.default_rng(5)
    whole = song.read_bytes()
    for number in range(12):
        damaged = bytearray(whole[: int(rng.integers(1, len(whole)))])
        for _ in range(200):
            damaged[int(rng.integers(len(damaged)))] = int(rng.integers(256))
        answer = web.post("/api/uploads", params={"name": f"x{number}.flac"}, content=bytes(damaged))
        assert answer.status_code in (200, 415), answer.text
        assert "/tmp" not in answer.text
    problem(web.post("/api/uploads", params={"name": "x.flac"}, content=b""), 422, "is empty")
    problem(
        web.post("/api/uploads", params={"name": "x.exe"}, content=b"MZ"),
        422,
        "does not have the name of an audio file",
    )
    problem(web.post("/api/uploads", params={"name": "x.wav"}, content=b"no audio at all"), 415, "x.wav")
    problem(web.post("/api/uploads", params={"name": "x.wav"}, content=bytes(9 << 20)), 413, "more than 8 MB")
    assert web.get("/api/library").status_code == 200


def test_an_upload_s_name_is_only_displayed(web: TestClient, song: Path) -> None:
    name = "../../..\\evil\r\nname<script>.flac"
    answer = web.post("/api/uploads", params={"name": name}, content=song.read_bytes())
    assert answer.json()["name"] == "evil??name<script>.flac"


def test_only_the_newest_uploads_are_kept(library: Path, song: Path) -> None:
    uploads = Uploads(max_kept=2)
    with TestClient(create_app(library, uploads=uploads), base_url="http://localhost") as client:
        ids = [
            client.post("/api/uploads", params={"name": "a.flac"}, content=song.read_bytes()).json()["id"]
            for _ in "123"
        ]
        folder = uploads.folder
        assert len(list(folder.iterdir())) == 2
        problem(client.get(f"/api/uploads/{ids[0]}/audio"), 404, "upload the file again")
        assert client.get(f"/api/uploads/{ids[2]}/audio").status_code == 200
    assert not folder.exists()


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/..%2f..%2fetc/passwd",
        "/api/items/..%2f..%2fetc%2fpasswd/audio",
        "/vendor/../../app.py",
        "/%00",
    ],
)
def test_only_files_of_the_library_are_served(web: TestClient, path: str) -> None:
    answer = web.get(path)
    assert answer.status_code in (404, 422)
    assert "root:" not in answer.text
    assert "create_app" not in answer.text


def test_the_api_describes_itself(web: TestClient) -> None:
    described = web.get("/api/openapi.json").json()
    assert {"/api/library", "/api/items", "/api/uploads", "/api/search"} <= set(described["paths"])


def test_head_is_answered_like_get_without_the_body(web: TestClient) -> None:
    item = web.get("/api/items", params={"limit": 1}).json()["items"][0]
    for path in (
        "/",
        "/app.js",
        "/api/library",
        "/api/items?limit=3",
        f"/api/items/{item['id']}/audio",
        "/api/items/nobody",
    ):
        whole, head = web.get(path), web.head(path)
        assert (head.status_code, head.content) == (whole.status_code, b"")
        for name in ("content-type", "content-length", "accept-ranges", "cache-control"):
            assert head.headers.get(name) == whole.headers.get(name), (path, name)
    assert web.head("/api/search").status_code in (404, 405)


def test_the_files_of_the_page_are_asked_for_again_at_each_visit(web: TestClient) -> None:
    for path in ("/", "/app.js", "/style.css", "/vendor/wavesurfer.js"):
        answer = web.get(path)
        assert answer.headers["cache-control"] == "no-cache"
        again = web.get(path, headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_items_are_found_by_the_name_of_their_root(web: TestClient, music: Path) -> None:
    total = web.get("/api/items").json()["total"]
    assert web.get("/api/items", params={"text": music.name}).json()["total"] == total
    assert web.get("/api/items", params={"path": music.name}).json()["total"] == total
    assert web.get("/api/items", params={"path": f"{music.name}/loops/*"}).json()["total"] == 8
    assert web.get("/api/items", params={"path": "no such folder"}).json()["total"] == 0


def test_one_length_means_about_that_length(web: TestClient) -> None:
    item = web.get("/api/items", params={"kind": "loop"}).json()["items"][0]
    asked = round(item["duration"], 2) * 1.01
    found = web.get("/api/items", params={"seconds_from": asked, "seconds_to": asked}).json()["items"]
    assert item["id"] in {one["id"] for one in found}
    assert all(abs(one["duration"] / asked - 1) <= 0.04 for one in found)


def test_classes_of_one_shots(web: TestClient) -> None:
    shots = web.get("/api/items", params={"kind": "one-shot", "limit": 100}).json()["items"]
    assert {item["sound_class"] for item in shots} >= {"kick", "snare"}
    assert all(item["class_share"] is None or 0 < item["class_share"] <= 1 for item in shots)
    snares = [item["id"] for item in shots if item["sound_class"] == "snare"]
    listed = web.get("/api/items", params={"sound_class": "snare"}).json()["items"]
    assert [item["id"] for item in listed] == snares
    songs = web.get("/api/items", params={"kind": "song"}).json()["items"]
    assert {item["sound_class"] for item in songs} == {None}
    asked = {"item": snares[0], "facets": True, "filters": {"classes": ["kick"]}}
    found = web.post("/api/search", json=asked).json()
    assert {hit["item"]["sound_class"] for hit in found["hits"]} == {"kick"}
    assert (found["sound_class"], found["class_share"], found["class_preferred"]) == ("snare", None, True)
    assert sum(found["classes"].values()) == len(shots)  # whatever class is filtered for
    assert found["classes"]["kick"] == sum(item["sound_class"] == "kick" for item in shots)
    alike = web.post("/api/search", json={"item": snares[0], "same_class": "require"}).json()
    assert {hit["item"]["id"] for hit in alike["hits"]} == set(snares[1:])
    assert alike["classes"] is None
    problem(web.get("/api/items", params={"sound_class": "gong"}), 422, "unknown class 'gong'")


@pytest.mark.long
def test_the_class_of_an_upload_is_that_of_its_name_and_never_of_its_place_on_the_server(web: TestClient) -> None:
    item = web.get("/api/items", params={"sound_class": "kick"}).json()["items"][0]
    content = Path(item["path"]).read_bytes()
    for name, expected in (("Snare 3.wav", "snare"), ("take.wav", None)):
        upload = web.post("/api/uploads", params={"name": name}, content=content).json()["id"]
        found = web.post("/api/search", json={"upload": upload}).json()
        assert found["class_preferred"] == (expected is not None)
        if expected:
            assert (found["sound_class"], found["class_share"]) == (expected, None)
        else:
            assert found["sound_class"] is None or found["class_share"] is not None
