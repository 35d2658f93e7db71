"""`soundalike similar`: references, groups of onsets, texts."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from soundalike.search.finder import Finder
from tests.cli.command_line import run


def test_hits_as_json(library: Path, song: Path) -> None:
    outcome = run("similar", song, "--weights", "drums=1,bass=.3", "-n", "2", "--format", "json", library=library)
    assert outcome.code == 0, outcome.stderr
    result = json.loads(outcome.stdout)
    assert len(result["hits"]) == 2
    for hit in result["hits"]:
        assert hit["score"] == pytest.approx(sum(hit["contributions"].values()), abs=1e-5)
        assert Path(hit["path"]).is_file()
    assert result["weights"] == {"drums": 1.0, "bass": 0.3}
    assert "weights set by hand" in outcome.stderr


def test_the_seconds_of_a_reference_are_stated_once(library: Path, song: Path) -> None:
    region = run("similar", song, "--region", "2-4", "--part", "drums", "-n", "1", library=library)
    assert region.code == 0, region.stderr
    assert f"reference: {song.name} 2.00-4.00 s\n" in region.stderr
    whole = run("similar", song, "--part", "drums", "-n", "1", library=library)
    assert re.search(rf"reference: .*{re.escape(song.name)} \(\d+ windows\)\n", whole.stderr)


def test_a_whole_song_among_one_shots_is_answered_with_what_to_do_instead(library: Path, song: Path) -> None:
    hint = "a whole song is compared with single sounds"
    assert hint in run("similar", song, "--kind", "one-shot", library=library).stderr
    assert hint not in run("similar", song, library=library).stderr
    assert hint not in run("similar", song, "--kind", "one-shot", "--region", "4-5", library=library).stderr


def test_hits_as_csv_m3u8_and_table_name_the_same_files(library: Path, song: Path) -> None:
    output = {
        form: run("similar", song, "-n", "3", "--format", form, library=library).stdout
        for form in ("csv", "m3u8", "table")
    }
    paths = [row["path"] for row in csv.DictReader(io.StringIO(output["csv"]))]
    assert len(paths) == 3
    lines = output["m3u8"].splitlines()
    assert lines[0] == "#EXTM3U"
    assert lines[2::2] == paths
    assert [line for line in lines[1::2] if not line.startswith("#EXTINF:")] == []
    assert all(Path(path).name in output["table"] for path in paths)


def test_hits_whose_files_are_out_of_reach_are_named(library: Path, song: Path, tmp_path: Path) -> None:
    assert "not there now" not in run("similar", song, "-n", "3", library=library).stderr
    copy = shutil.copytree(library, tmp_path / "library")
    manifest = json.loads((copy / "library.json").read_text(encoding="utf-8"))
    (root,) = manifest["roots"]
    (copy / "library.json").write_text(
        json.dumps({**manifest, "roots": {root: str(tmp_path / "gone")}}), encoding="utf-8"
    )
    outcome = run("similar", song, "-n", "3", "--format", "csv", library=copy)
    assert outcome.code == 0, outcome.stderr
    first = next(csv.DictReader(io.StringIO(outcome.stdout)))["path"]
    assert f"not there now: {first} and 2 more; connect the drive" in outcome.stderr


def test_part_of_a_name_is_answered_with_the_items_that_have_it(library: Path, song: Path) -> None:
    outcome = run("similar", song.stem[1:].upper(), library=library)
    assert outcome.code == 2
    assert f"; its items with this name: music/songs/{song.name}\n" in outcome.stderr
    many = run("similar", "kick", library=library)
    assert many.stderr.count("music/one-shots/") == 3
    assert " more\n" in many.stderr
    assert "with this name" not in run("similar", "no such name", library=library).stderr


def test_without_hits_each_condition_is_counted_by_itself(library: Path, song: Path) -> None:
    finder = Finder.open(library)
    songs = [item for item in finder.items if item["kind"] == "song"]
    short = sum(item["duration"] <= 30 for item in songs)
    conditions = ("--path", "no such folder", "--duration", "-30")
    outcome = run("similar", song, *conditions, library=library)
    assert outcome.code == 0, outcome.stderr
    counts = f"of the songs in the library ({len(songs)}), {short} match --duration, 0 match --path\n"
    assert f"no hits: {counts}" in outcome.stderr
    assert len(songs) > 1


def test_a_single_length_means_within_a_tenth_of_it(library: Path, song: Path) -> None:
    item = next(item for item in Finder.open(library).items if item["kind"] == "loop")
    for share, found in ((1.08, True), (0.92, True), (1.2, False)):
        shown = run(
            *(
                "similar",
                song,
                "--kind",
                "loop",
                "--duration",
                f"{item['duration'] * share:.3f}",
                "--path",
                item["path"],
            ),
            *("--format", "json"),
            library=library,
        )
        assert bool(json.loads(shown.stdout)["hits"]) is found


def test_groups_of_onsets_are_one_document_in_every_format(library: Path, song: Path) -> None:
    arguments = ("similar", song, "--hits", "--region", "0:00-0:04", "-n", "2", "--format")
    rows = list(csv.DictReader(io.StringIO(run(*arguments, "csv", library=library).stdout)))
    groups = json.loads(run(*arguments, "json", library=library).stdout)["groups"]
    playlist = run(*arguments, "m3u8", library=library).stdout
    paths = [hit["path"] for group in groups for hit in group["hits"]]
    assert len(paths) == 2 * len(groups) > 0
    assert [row["path"] for row in rows] == paths
    assert {row["group"] for row in rows} == {str(number) for number in range(1, len(groups) + 1)}
    assert playlist.count("#EXTM3U") == 1
    assert [line for line in playlist.splitlines() if not line.startswith("#")] == paths


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--hits", "--weights", "drums=1"], "--weights"),
        (["--hits", "--not", "SONG"], "--not"),
        (["--hits", "--kind", "song"], "one-shots or loops"),
    ],
)
def test_options_that_exclude_hits_are_refused(library: Path, song: Path, arguments: list[str], word: str) -> None:
    outcome = run("similar", song, *(song if value == "SONG" else value for value in arguments), library=library)
    assert outcome.code == 2
    assert word in outcome.stderr


@pytest.fixture(scope="module")
def text_library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A library of one-shots whose encoder supports text."""
    from soundalike.library.indexing.execution_backends import LocalBackend
    from soundalike.library.indexing.library_update import index
    from soundalike.models.encoders import ENCODERS
    from tests.search.word_encoder import NAME, ROW, word_analyser, write_sounds

    folder = tmp_path_factory.mktemp("texts")
    write_sounds(folder / "sounds")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ENCODERS, NAME, ROW)
        index(folder / "library", [folder / "sounds"], encoder=NAME, jobs=1, backend=LocalBackend(word_analyser))
        yield folder / "library"


def test_a_text_search_shows_where_the_scores_lie(text_library: Path) -> None:
    outcome = run("similar", "--text", "deep", "--format", "json", library=text_library)
    assert outcome.code == 0, outcome.stderr
    result = json.loads(outcome.stdout)
    assert result["query"] == {
        "label": '"deep"',
        "texts": ["deep"],
        "windows": [],
        "silent": [],
        "same": [],
        "versions": [],
    }
    assert result["scales"]["one-shot"]["items"] == 12
    mean, deviation = result["scales"]["one-shot"]["mean"], result["scales"]["one-shot"]["deviation"]
    assert len(result["hits"]) == 10
    for hit in result["hits"]:
        assert hit["deviations"] == pytest.approx((hit["score"] - mean) / deviation)
        assert hit["score"] == pytest.approx(hit["cosines"]["mix"])
    assert [hit["above"] for hit in result["hits"][:3]] == pytest.approx([11 / 12, 10 / 12, 9 / 12])
    assert 'text: "deep"' in outcome.stderr
    assert "mix=1 (a text: only mix)" in outcome.stderr
    assert f"scale: 12 one-shots, mean score {mean:+.3f}, sd {deviation:.3f}" in outcome.stderr


def test_table_and_csv_show_where_the_score_of_a_text_lies(text_library: Path) -> None:
    def output(*arguments: str) -> str:
        return run("similar", "--text", "deep", *arguments, library=text_library).stdout

    hit = json.loads(output("-n", "1", "--format", "json"))["hits"][0]
    table = output("-n", "1")
    assert f"{hit['score']:.3f}" in table
    assert f"{hit['deviations']:+.1f} sd, above 91.6 %" in table  # 11 of 12, rounded down
    row = next(csv.DictReader(io.StringIO(output("-n", "1", "--format", "csv"))))
    assert (float(row["deviations"]), float(row["above"])) == (hit["deviations"], hit["above"])
    assert "#EXTINF" in output("--format", "m3u8")


def test_two_texts_and_a_negative_one(text_library: Path) -> None:
    arguments = ("--text", "deep", "--text", "low", "--not-text", "deep", "--format", "json")
    outcome = run("similar", *arguments, library=text_library)
    assert outcome.code == 0, outcome.stderr
    result = json.loads(outcome.stdout)
    assert result["query"]["label"] == '"deep" + "low"'
    assert Path(result["hits"][0]["path"]).stem.startswith("low")
    assert set(result["hits"][0]["contributions"]) == {"mix", "not mix"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name a FILE or give --text"),
        (["--text", " "], "empty text"),
        (["--text", "low", "--region", "1-2"], "no seconds"),
        (["--text", "low", "--hits"], "--text does not go with --hits"),
        (["SONG", "--hits", "--same-class", "prefer"], "--same-class does not go with --hits"),
        (["SONG", "--hits", "--versions", "fold"], "--versions does not go with --hits"),
        (["SONG", "--hits", "--version-share", ".5"], "--version-share does not go with --hits"),
        (["SONG", "--hits", "--include-self"], "--include-self does not go with --hits"),
        (["SONG", "--hits", "-w", "drums=1"], "--weights does not go with --hits"),
        ([""], "the name of the reference is empty"),
        (["SONG", "--weights", ""], "the list is empty; write PART=N,..., or leave the option out"),
        (["SONG", "-w", " , "], "the list is empty"),
        (["SONG", "--text", "low"], "search twice"),
        (["SONG", "--not-text", "low"], "--not-text goes with --text"),
        (["--text", "low", "--not", "SONG"], "drown"),
    ],
)
def test_invalid_searches_are_refused(text_library: Path, song: Path, arguments: list[str], message: str) -> None:
    outcome = run("similar", *(song if value == "SONG" else value for value in arguments), library=text_library)
    assert outcome.code == 2
    assert message in outcome.stderr
    assert not outcome.stdout


def test_a_library_without_text_support_names_encoders_that_have_it(library: Path) -> None:
    outcome = run("similar", "--text", "dry funk snare", library=library)
    assert outcome.code == 2
    assert "--encoder clap" in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1


def test_the_share_of_the_library_that_was_searched_is_reported(
    library: Path, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = run("similar", song, "--format", "json", library=library)
    assert json.loads(complete.stdout)["share"] == 1.0
    assert "only" not in complete.stderr
    search = Finder.similar
    monkeypatch.setattr(Finder, "similar", lambda self, request: replace(search(self, request), share=0.75))
    partial = run("similar", song, "--format", "json", library=library)
    assert json.loads(partial.stdout)["share"] == 0.75
    assert "only 75.0 % of them could be searched" in partial.stderr


@pytest.mark.cluster
def test_a_search_in_shards_prints_what_one_in_this_process_does(library: Path, song: Path, nodes: Any) -> None:
    for arguments in (("--weights", "drums=1,bass=-.4"), ("--part", "drums", "--kind", "loop"), ("--hits",)):
        alone = run("similar", song, *arguments, "--format", "json", library=library)
        together = run("similar", song, *arguments, "--format", "json", "--ray", nodes.address, library=library)
        assert together.code == 0, together.stderr
        assert "Ray: 2 nodes" in together.stderr
        assert together.stdout == alone.stdout
        assert json.loads(alone.stdout)


@pytest.mark.cluster
def test_an_invalid_cluster_address_is_named(library: Path, song: Path) -> None:
    pytest.importorskip("ray", reason="needs the extra: cluster")
    outcome = run("similar", song, "--ray", "nowhere", library=library)
    assert outcome.code == 2
    assert "'nowhere'" in outcome.stderr


@pytest.mark.parametrize("arguments", [["--relative-to", "."], ["--bom"], ["--bom", "--format", "csv"]])
def test_options_of_playlists_go_with_playlists_only(library: Path, song: Path, arguments: list[str]) -> None:
    outcome = run("similar", song, *arguments, library=library)
    assert outcome.code == 2
    assert "goes with --format m3u8" in outcome.stderr


def test_a_playlist_is_written_relative_to_a_folder(library: Path, song: Path, music: Path) -> None:
    outcome = run("similar", song, "--format", "m3u8", "--relative-to", music, "--bom", library=library)
    assert outcome.code == 0, outcome.stderr
    lines = [line for line in outcome.stdout.splitlines() if "#EXT" not in line]
    assert lines
    assert all((music / line).is_file() for line in lines)
    assert outcome.stdout.startswith("\ufeff#EXTM3U\n")
