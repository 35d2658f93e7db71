from __future__ import annotations

import json
from pathlib import Path

import pytest

from soundalike.errors import InputError
from soundalike.research.baselines.track_scan import scan_track, scan_tracks
from soundalike.research.datasets.slakh import Slakh
from tests.research.baselines.made_up_tracks import write_tracks


@pytest.fixture(scope="module")
def slakh(tmp_path_factory: pytest.TempPathFactory) -> Slakh:
    root = tmp_path_factory.mktemp("slakh")
    write_tracks(root, 2)
    return Slakh(root / "train")


def test_levels_of_parts_and_tempo(slakh: Slakh) -> None:
    facts = scan_track(slakh, "Track00001")
    assert facts.seconds == pytest.approx(4.5)
    assert set(facts.powers) == {"mix", "drums", "bass"}
    assert all(len(powers) == 9 for powers in facts.powers.values())
    assert facts.level("drums", 0.0, 2.0) < facts.level("mix", 0.0, 2.0) + 0.5
    assert facts.level("piano", 0.0, 2.0) == float("-inf")
    assert facts.tempo is not None
    assert any(facts.tempo * factor == pytest.approx(120, rel=0.02) for factor in (0.5, 1, 2))


def test_a_scan_resumes_and_measures_nothing_twice(
    slakh: Slakh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "tracks.jsonl"
    found, problems = scan_tracks(slakh, file)
    assert [facts.track for facts in found] == ["Track00001", "Track00002"]
    assert problems == {}
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:2], lines[2][:40]]))  # interrupted while the second track was written
    measured = []

    def counted(one: Slakh, track: str) -> object:
        measured.append(track)
        return scan_track(one, track)

    monkeypatch.setattr("soundalike.research.baselines.track_scan.scan_track", counted)
    again, _ = scan_tracks(slakh, file)
    assert measured == ["Track00002"]
    for before, after in zip(found, again, strict=True):
        assert before.level("drums", 0, 2) == after.level("drums", 0, 2)
        assert before.tempo == after.tempo
    scan_tracks(slakh, file)
    assert measured == ["Track00002"]


def test_the_file_of_another_dataset_is_not_used(slakh: Slakh, tmp_path: Path) -> None:
    file = tmp_path / "tracks.jsonl"
    other = {"track": "Track00001", "seconds": 1.0, "tempo": None, "powers": {}}
    file.write_text(json.dumps({"format": 1, "slakh": "/elsewhere"}) + "\n" + json.dumps(other) + "\n")
    assert scan_tracks(slakh, file)[0][0].seconds == pytest.approx(4.5)


def test_unusable_tracks_are_listed(tmp_path: Path) -> None:
    write_tracks(tmp_path, 2)
    (tmp_path / "train" / "Track00001" / "stems" / "S00.flac").unlink()
    found, problems = scan_tracks(Slakh(tmp_path / "train"), tmp_path / "tracks.jsonl")
    assert [facts.track for facts in found] == ["Track00002"]
    assert list(problems) == ["Track00001"]
    (tmp_path / "train" / "Track00002" / "metadata.yaml").unlink()
    with pytest.raises(InputError, match="no usable track"):
        scan_tracks(Slakh(tmp_path / "train"), tmp_path / "tracks.jsonl")
