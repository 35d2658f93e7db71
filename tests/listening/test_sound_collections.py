from __future__ import annotations

from pathlib import Path

import pytest

from soundalike.errors import InputError, LibraryError, NotFoundError
from soundalike.listening import sound_collections
from soundalike.listening.sound_collections import SoundCollections

ITEM = {"id": "a1", "root": "music", "path": "a.wav", "content": "c1"}
OTHER = {"id": "b2", "root": "music", "path": "b.wav", "content": "c2"}


def test_collections_outlive_the_server_and_keep_their_order(tmp_path: Path) -> None:
    one, other = SoundCollections(tmp_path), SoundCollections(tmp_path)
    assert dict(other.all()) == {}
    assert one.change("drums of  the\nalbum", [OTHER]) == 1
    assert one.change("drums of the album", [ITEM, OTHER]) == 2
    assert other.change("bass", [ITEM]) == 1
    assert list(other.all()) == ["drums of the album", "bass"]
    assert list(SoundCollections(tmp_path).ids("drums of the album")) == ["b2", "a1"]
    assert other.all()["bass"]["a1"]["path"] == "a.wav"


def test_a_collection_without_items_ends(tmp_path: Path) -> None:
    collections = SoundCollections(tmp_path)
    collections.change("kit", [ITEM, OTHER])
    assert collections.change("kit", remove={"b2", "nobody"}) == 1
    assert collections.change("kit", remove={"a1"}) == 0
    assert collections.change("another", remove={"a1"}) == 0
    with pytest.raises(NotFoundError, match="no collection 'kit'; collections: none yet"):
        collections.ids("kit")


@pytest.mark.parametrize("name", ["", " \n", "x" * 81, "bell\a"])
def test_invalid_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="1 to 80 printable characters"):
        SoundCollections(tmp_path).change(name, [ITEM])


def test_their_number_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound_collections, "MAX_COLLECTIONS", 1)
    monkeypatch.setattr(sound_collections, "MAX_COUNT", 1)
    collections = SoundCollections(tmp_path)
    collections.change("one", [ITEM])
    for name, item in (("two", ITEM), ("one", OTHER)):
        with pytest.raises(LibraryError, match="there may be 1 collections of 1 sounds each"):
            collections.change(name, [item])
    assert list(collections.ids("one")) == ["a1"]


@pytest.mark.parametrize("text", ["", '{"format": 1, "collections": {"kit": 3}}'])
def test_a_damaged_file_is_named_and_left_alone(tmp_path: Path, text: str) -> None:
    place = tmp_path / "listening" / "collections.json"
    place.parent.mkdir()
    place.write_text(text)
    with pytest.raises(LibraryError, match=r"collections\.json in the folder listening"):
        SoundCollections(tmp_path).change("kit", [ITEM])
    assert place.read_text() == text
