import json
from dataclasses import replace
from pathlib import Path

import pytest

from soundalike.errors import InputError
from soundalike.synth.truth import LoopTruth, OneShotTruth, SongTruth, Truth, read_truth, write_truth

SONG = SongTruth(
    "songs/a.flac",
    "A",
    "X",
    "Y",
    "rock",
    "rock-1",
    120,
    "A minor",
    "maple",
    {"bass": "sub"},
    9.5,
    {"kick": (0.0, 1.0)},
    {},
)
TRUTH = Truth(
    1,
    (
        SONG,
        replace(SONG, file="songs/b.flac", patches={"bass": "picked"}),
        replace(SONG, file="songs/c.flac", kit="garage"),
    ),
    (
        LoopTruth("loops/d.wav", "drums", "rock", "rock-1", 120, None, 2, "maple", None, "songs/a.flac"),
        LoopTruth("loops/e.wav", "bass", "rock", None, 120, "A minor", 2, None, "sub", "songs/a.flac"),
    ),
    (
        OneShotTruth("one-shots/k.wav", "maple", "kick"),
        OneShotTruth("one-shots/s.wav", "maple", "snare"),
        OneShotTruth("one-shots/n.wav", patch="sub", note=33),
    ),
)


def test_truth_survives_the_disk(tmp_path: Path) -> None:
    write_truth(tmp_path, TRUTH)
    assert read_truth(tmp_path) == TRUTH


def test_questions_have_answers_of_their_own() -> None:
    assert TRUTH.songs_like("songs/a.flac", "drums") == ("songs/b.flac",)
    assert TRUTH.songs_like("songs/a.flac", "bass") == ("songs/c.flac",)
    assert TRUTH.songs_like("songs/a.flac", "piano") == ()
    assert TRUTH.loops_like("songs/b.flac", "drums") == ("loops/d.wav",)
    assert TRUTH.loops_like("songs/b.flac", "bass") == ()
    assert TRUTH.one_shots_in("songs/b.flac") == ("one-shots/k.wav",)
    assert len(TRUTH.files) == 8


def test_errors_teach(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no truth\.json"):
        read_truth(tmp_path)
    (tmp_path / "truth.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(InputError, match="format 99"):
        read_truth(tmp_path)
    with pytest.raises(InputError, match=r"'songs/z\.flac'"):
        TRUTH.song("songs/z.flac")
