"""Paths and contents of items that are a part of a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from soundalike.library.storage.item_parts import (
    address_of,
    digest_of_file,
    path_of_file,
    place_of_file,
    seconds_of,
    track_digest,
    track_path,
)


@pytest.mark.parametrize("kind", ["", ":loop"])
@pytest.mark.parametrize(("start", "end"), [(0.0, 25.0), (25 + 37 / 75, 6050 + 74 / 75), (50.0, None)])
def test_a_track_is_found_again(start: float, end: float | None, kind: str) -> None:
    path, content = track_path("disc 1/a#1.flac", 2), track_digest("abc", start, end) + kind
    assert path == "disc 1/a#1.flac#02"
    assert digest_of_file(content) == "abc"
    assert path_of_file(path, content) == "disc 1/a#1.flac"
    assert place_of_file(Path("/m") / path, content) == Path("/m/disc 1/a#1.flac")
    found = seconds_of(content)
    assert found is not None
    assert found == (pytest.approx(start, abs=1e-6), None if end is None else pytest.approx(end, abs=1e-6))
    assert str(address_of(Path("/m") / path, content)).startswith("/m/disc 1/a#1.flac#t=")


@pytest.mark.parametrize("content", ["abc", "abc:song"])
def test_a_whole_file_is_itself(content: str) -> None:
    place = Path("/m/a.flac#02")
    assert seconds_of(content) is None
    assert digest_of_file(content) == "abc"
    assert path_of_file("a.flac#02", content) == "a.flac#02"
    assert place_of_file(place, content) == address_of(place, content) == place
