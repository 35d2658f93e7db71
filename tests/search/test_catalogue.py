"""Items column by column: filters admit all at once what `Filters.admits` admits one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soundalike.library.storage.schema import ITEMS_SCHEMA, row_table
from soundalike.search.catalogue import Catalogue
from soundalike.search.filters import Filters, make_filters
from soundalike.search.name_matching import fold

NEEDED: dict[str, Any] = {
    "size": 1, "mtime_ns": 1, "kind_source": "estimate", "status": "present", "sample_rate": 44100, "channels": 2,
    "loudness": -14.0, "tempo_source": None, "tempo_confidence": None, "key_source": None, "key_confidence": None,
    "basis": "{}", "windows": 1, "indexed_at": "",
}  # fmt: skip

names = st.text(st.sampled_from("aB'\"*?[]%_/éE\u0301ßSs ."), max_size=6)
item = st.fixed_dictionaries(
    {
        "root": st.sampled_from(["Music", "Samples", ""]),
        "path": names,
        "content": st.sampled_from(["aa", "aa:song", "aab", "b", "b:loop", "é"]),
        "kind": st.sampled_from(["song", "loop", "one-shot"]),
        "duration": st.sampled_from([0.5, 4.0, 200.0]),
        "tempo": st.none() | st.sampled_from([60.0, 90.0, 120.0, 174.0]),
        "key": st.none() | st.sampled_from(["A minor", "C major", "F#"]),
        "artist": st.none() | names,
        "title": st.none() | names,
        "album": st.none() | st.sampled_from(["Paper", "PAPER", "Stone"]),
    }
)
filters = st.builds(
    Filters,
    kinds=st.lists(st.sampled_from(["song", "loop"]), max_size=2, unique=True).map(tuple),
    durations=st.sampled_from([(None, None), (1.0, None), (None, 4.0), (0.5, 4.0)]),
    tempo=st.none() | st.sampled_from([(58.0, 62.0), (85.0, 95.0), (119.0, 121.0)]),
    key=st.none() | st.sampled_from(["A minor", "G major"]),
    paths=st.lists(names, max_size=2).map(tuple),
    not_artists=st.lists(names, max_size=1).map(tuple),
    not_albums=st.sampled_from([(), ("paper",)]),
)


def catalogue_of(items: list[dict[str, Any]]) -> tuple[Catalogue, list[dict[str, Any]]]:
    """A catalogue, and its items ordered by id, which differs from the order of the table."""
    rows = [{**NEEDED, **one, "id": f"{(7 * number) % 101:03}"} for number, one in enumerate(items)]
    table = pa.concat_tables([row_table([row], ITEMS_SCHEMA) for row in rows] or [ITEMS_SCHEMA.empty_table()])
    return Catalogue(table), sorted(rows, key=lambda row: str(row["id"]))


@settings(max_examples=200, deadline=None)
@given(items=st.lists(item, max_size=12), asked=filters)
def test_filters_admit_what_they_admit_one_by_one(items: list[dict[str, Any]], asked: Filters) -> None:
    catalogue, rows = catalogue_of(items)
    assert catalogue.admitted(asked).tolist() == [asked.admits(row) for row in rows]
    assert catalogue.admitted(asked) is catalogue.admitted(asked)


@settings(max_examples=100, deadline=None)
@given(items=st.lists(item, max_size=12), text=names)
def test_items_are_found_by_their_root_path_title_or_artist(items: list[dict[str, Any]], text: str) -> None:
    catalogue, rows = catalogue_of(items)
    wanted = [
        any(fold(text) in fold(name or "") for name in (f"{row['root']}/{row['path']}", row["title"], row["artist"]))
        for row in rows
    ]
    assert catalogue.containing(text).tolist() == wanted
    chosen = np.flatnonzero(wanted)
    places = [(rows[number]["root"], rows[number]["path"]) for number in catalogue.in_order_of_path(chosen)]
    assert places == sorted((rows[number]["root"], rows[number]["path"]) for number in chosen)


@settings(max_examples=100, deadline=None)
@given(items=st.lists(item, max_size=12))
def test_items_by_id_place_content_and_digest(items: list[dict[str, Any]]) -> None:
    catalogue, rows = catalogue_of(items)
    assert len(catalogue) == len(rows)
    assert catalogue.items(range(len(rows))) == rows
    for number, row in enumerate(rows):
        assert catalogue.with_id(row["id"]) == number
        at_path = catalogue.with_path(row["root"], row["path"])
        assert at_path is not None
        assert (rows[at_path]["root"], rows[at_path]["path"]) == (row["root"], row["path"])
    for content in ("aa", "aa:song", "a", "b", "é", "zz"):
        assert catalogue.with_content(content).tolist() == [
            n for n, row in enumerate(rows) if row["content"] == content
        ]
    for digest in ("aa", "b", "a", "zz"):
        wanted = [n for n, row in enumerate(rows) if row["content"].partition(":")[0] == digest]
        assert catalogue.with_digests(frozenset([digest])).tolist() == wanted
    assert (catalogue.with_id("none"), catalogue.with_path("Music", "no such file")) == (None, None)


@pytest.mark.parametrize("path", ["100%", "it's", 'say "so"', "a_b", "[x]", "back\\slash"])
def test_special_characters_of_query_languages_are_plain_characters(path: str) -> None:
    catalogue, _ = catalogue_of([])
    assert catalogue.admitted(make_filters(paths=(path,))).tolist() == []


def test_an_item_is_found_by_its_path_in_either_unicode_composition() -> None:
    decomposed = "Bjo\u0308rk/Jo\u0301ga.wav"
    base = {"content": "a", "kind": "song", "duration": 1.0, "tempo": None, "key": None}
    row = {**base, "root": "Music", "path": decomposed, "artist": "Björk", "title": "Straße", "album": None}
    catalogue, _ = catalogue_of([{**row, "path": "other.wav"}, row])
    wanted = catalogue.with_path("Music", decomposed)
    assert wanted is not None
    assert catalogue.with_path("Music", "Björk/Jóga.wav") == wanted
    assert catalogue.with_path("Elsewhere", "Björk/Jóga.wav") is None
    assert catalogue.containing("BJÖRK/jóga").tolist() == [number == wanted for number in range(2)]
    assert catalogue.containing("STRASSE").tolist() == [True, True]
