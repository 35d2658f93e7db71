from __future__ import annotations

import os
from pathlib import Path

import pytest

from soundalike.errors import LibraryError
from soundalike.listening.favourites import Favourites

ITEM = {"id": "a1", "root": "music", "path": 'it\'s a "loop" 100%.wav', "content": "c1"}
OTHER = {"id": "b2", "root": "music", "path": "b.wav", "content": "c2"}


def test_marks_outlive_the_server_and_are_seen_by_another(tmp_path: Path) -> None:
    one, other = Favourites(tmp_path), Favourites(tmp_path)
    assert list(other.ids()) == []
    one.mark(ITEM)
    one.mark(OTHER)
    one.mark(ITEM)
    assert list(other.ids()) == ["a1", "b2"]
    other.unmark("a1")
    other.unmark("nobody")
    assert list(one.ids()) == ["b2"]
    assert Favourites(tmp_path).ids()["b2"]["path"] == "b.wav"


def test_a_library_without_favourites_is_not_written_to(tmp_path: Path) -> None:
    Favourites(tmp_path).unmark("a1")
    assert list(tmp_path.iterdir()) == []


def test_where_one_may_only_read_it_is_said(tmp_path: Path) -> None:
    favourites = Favourites(tmp_path / "gone")
    with pytest.raises(LibraryError, match="favourites and answers of gone cannot be written"):
        favourites.mark(ITEM)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="whoever may do all can write anywhere")
def test_a_folder_without_the_right_to_write(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(LibraryError, match="cannot be written"):
        Favourites(tmp_path).mark(ITEM)


@pytest.mark.parametrize("text", ["", "[]", '{"format": 2, "favourites": {}}', '{"format": 1, "favourites": 3}'])
def test_a_damaged_file_is_named_and_left_alone(tmp_path: Path, text: str) -> None:
    place = tmp_path / "listening" / "favourites.json"
    place.parent.mkdir()
    place.write_text(text)
    favourites = Favourites(tmp_path)
    with pytest.raises(LibraryError, match=r"favourites\.json in the folder listening"):
        favourites.ids()
    with pytest.raises(LibraryError, match="restore it"):
        favourites.mark(ITEM)
    assert place.read_text() == text
