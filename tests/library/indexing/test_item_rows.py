from __future__ import annotations

from dataclasses import replace

import pytest

from soundalike.audio.metadata.estimate import Estimate
from soundalike.audio.metadata.loop_chunks import LoopChunk
from soundalike.audio.metadata.tags import Tags
from soundalike.library.indexing.item_rows import item_row, placed
from soundalike.library.indexing.scanned_file import ScannedFile
from soundalike.library.storage.schema import ITEMS_SCHEMA, row_table
from tests.made_up_rows import analysis

PLAIN = ScannedFile("music", "sub/noise.wav", 5, 6)


def test_a_row_has_every_column() -> None:
    row = item_row("id1", PLAIN, "c:loop", analysis("loop", seed=3), by_user=True)
    assert row_table([row], ITEMS_SCHEMA).to_pylist() == [row]
    assert (row["kind_source"], row["status"], row["windows"], row["artist"]) == ("user", "present", 1, "artist 3")
    assert (row["tempo"], row["tempo_source"], row["tempo_confidence"]) == (103.0, "estimate", 0.5)
    assert (row["key"], row["key_source"]) == ("A minor", "estimate")


def test_facts_in_a_new_name_are_read_without_decoding() -> None:
    row = item_row("id1", PLAIN, "c", analysis("loop"), by_user=False)
    named = placed(row, "id2", ScannedFile("music", "beat_95bpm_Gmin.wav", 5, 7))
    assert (named["tempo"], named["tempo_source"]) == (95.0, "name")
    assert (named["key"], named["key_source"]) == ("G minor", "name")
    assert (named["id"], named["path"], named["mtime_ns"]) == ("id2", "beat_95bpm_Gmin.wav", 7)
    again = placed(named, "id1", PLAIN)
    assert {**again, "indexed_at": row["indexed_at"]} == row  # and back: nothing of the estimate was lost


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (Tags(tempo=140.0), (140.0, "tag")),
        (Tags(loop=LoopChunk("acid", tempo=80.0, beats=8)), (80.0, "loop chunk")),
        (Tags(), (100.0, "estimate")),
    ],
)
def test_facts_of_tags_survive_a_move(tags: Tags, expected: tuple[float, str]) -> None:
    row = item_row("id1", PLAIN, "c", replace(analysis("loop"), tags=tags), by_user=False)
    moved = placed(row, "id1", ScannedFile("other", "elsewhere.wav", 5, 6))
    assert (moved["tempo"], moved["tempo_source"]) == expected


def test_unknown_facts_are_none() -> None:
    nothing = replace(analysis("one-shot"), tempo=Estimate(None, 0.0), key=Estimate(None, 0.0), loudness=None)
    row = item_row("id1", PLAIN, "c", nothing, by_user=False)
    assert [row[name] for name in ("tempo", "tempo_source", "tempo_confidence", "key", "loudness")] == [None] * 5
