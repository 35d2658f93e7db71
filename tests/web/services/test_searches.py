"""Near-identical copies and versions among hits and candidates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from starlette.testclient import TestClient

from soundalike.library.indexing.library_update import index
from tests.web.own_library import add_sound, first


def test_identical_files_are_one_hit(own: Path, web: TestClient, tmp_path: Path) -> None:
    reference = first(web, "one-shot")["id"]
    for name in ("a.wav", "b.wav"):
        add_sound(own, tmp_path / "more", name, 1)
    web.get("/api/library/state")
    asked = {"item": reference, "filters": {"kinds": ["one-shot"]}, "n": 100}
    hits = web.post("/api/search", json=asked).json()["hits"]
    (folded,) = [hit for hit in hits if hit["copies"]]
    assert {folded["item"]["path"], *folded["copy_paths"]} == {str(tmp_path / "more" / n) for n in ("a.wav", "b.wav")}


@pytest.mark.parametrize("kind", ["loop", pytest.param("song", marks=pytest.mark.long)])
def test_a_transcoded_copy_is_listed_under_the_better_hit(
    own: Path, web: TestClient, tmp_path: Path, kind: str
) -> None:
    reference, twice, *others = web.get("/api/items", params={"kind": kind}).json()["items"]
    samples, rate = soundfile.read(twice["path"])
    (tmp_path / "more").mkdir(exist_ok=True)
    copy = tmp_path / "more" / f"a {kind}.mp3"
    soundfile.write(copy, samples, rate, format="MP3")
    index(own, [tmp_path / "more"], jobs=1)
    web.get("/api/library/state")
    asked = {"item": reference["id"], "filters": {"kinds": [kind]}, "n": 100, "candidates": 100}
    found = web.post("/api/search", json=asked).json()
    (folded,) = [hit for hit in found["hits"] if hit["copies"]]
    assert {folded["item"]["path"], *folded["copy_paths"]} == {twice["path"], str(copy)}
    shown = {hit["item"]["path"] for hit in found["hits"]}
    assert shown == {item["path"] for item in others} | {folded["item"]["path"]}  # nothing else is hidden
    sent = found["candidates"]
    assert {sent["items"][row[0]]["path"] for row in sent["rows"]} <= shown


@pytest.mark.long
def test_a_cut_version_is_listed_under_the_better_hit(own: Path, web: TestClient, tmp_path: Path) -> None:
    reference, twice, *others = web.get("/api/items", params={"kind": "song"}).json()["items"]
    samples, rate = soundfile.read(twice["path"])
    (tmp_path / "more").mkdir()
    cut = tmp_path / "more" / "cut.wav"
    samples[-4 * rate :] = np.random.default_rng(0).uniform(-0.3, 0.3, samples[-4 * rate :].shape)
    soundfile.write(cut, samples[2 * rate :], rate)
    index(own, [tmp_path / "more"], jobs=1, kind="song")
    web.get("/api/library/state")
    asked = {"item": reference["id"], "filters": {"kinds": ["song"]}, "n": 100, "candidates": 100}
    found = web.post("/api/search", json=asked).json()
    (folded,) = [hit for hit in found["hits"] if hit["versions"]]
    listed = {folded["item"]["path"], *(version["path"] for version in folded["versions"])}
    assert listed == {twice["path"], str(cut)}
    assert len(found["hits"]) == 1 + len(others)
    sent = {item["path"] for item in found["candidates"]["items"]}
    assert sent == {hit["item"]["path"] for hit in found["hits"]}
    shown = web.post("/api/search", json={**asked, "versions": "show"}).json()
    assert len(shown["hits"]) == 2 + len(others)
    strict = web.post("/api/search", json={**asked, "version_share": 1.0}).json()
    assert len(strict["hits"]) == 2 + len(others)  # the last window of the shorter one is another
    of_itself = web.post("/api/search", json={**asked, "item": twice["id"]}).json()
    assert [version["path"] for version in of_itself["versions"]] == [str(cut)]
