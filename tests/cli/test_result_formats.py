"""Output formats of search results."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from soundalike.cli import result_formats
from soundalike.cli.result_formats import PlaylistOptions, bar, playlist_path, print_result
from soundalike.search.finder import Finder


@pytest.mark.parametrize("width", [40, 60, 80, 100, 160])
def test_score_and_file_are_shown_at_every_terminal_width(
    library: Path, song: Path, width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    result = Finder.open(library).similar(song, n=2)
    assert len(result.hits) == 2
    monkeypatch.setattr(result_formats, "stdout_console", lambda: Console(width=width, highlight=False))
    print_result(result, "table")
    shown = "".join(capsys.readouterr().out.split())
    for hit in result.hits:
        assert f"{hit.score:.3f}" in shown
        # A long path may be folded, but its first characters stay together.
        assert "".join(Path(hit.path).stem.split())[:6] in shown


@pytest.mark.parametrize(
    ("value", "scale", "cells"),
    [
        (1.0, 1.0, "████████"),
        (0.5, 1.0, "████"),
        (-0.5, 1.0, "-████"),
        (3.0, 1.0, "████████"),
        (0.01, 8.0, ""),
        (1, 0, ""),
    ],
)
def test_bars(value: float, scale: float, cells: str) -> None:
    assert bar(value, scale) == cells


@pytest.mark.parametrize(
    ("path", "folder", "line"),
    [
        ("/music/a b/c.wav", None, "/music/a b/c.wav"),
        ("/music/a b/c.wav", "/music", "a b/c.wav"),
        ("/music/a b/c.wav", "/music/", "a b/c.wav"),
        ("/music/a b/c.wav", "/music/lists", "../a b/c.wav"),
        ("/music/a.wav", "/", "music/a.wav"),
        ("/music/#1 hit.wav", "/music", "./#1 hit.wav"),
        ("/music/ blank.wav", "/music", "./ blank.wav"),
        ("/music/Bj\u00f6rk\\x.wav", "/music", "Bj\u00f6rk\\x.wav"),
        ("s3://bucket/a.wav", "/music", "s3://bucket/a.wav"),
    ],
)
def test_paths_in_playlists(path: str, folder: str | None, line: str) -> None:
    assert playlist_path(path, folder) == line


def test_paths_in_playlists_are_relative_through_links_and_to_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    assert playlist_path(str(tmp_path / "real" / "a.wav"), str(tmp_path / "link")) == "a.wav"
    (tmp_path / "real" / "lists").mkdir()
    assert playlist_path(str(tmp_path / "real" / "a.wav"), str(tmp_path / "link" / "lists")) == "../a.wav"
    (tmp_path / "real" / "b.wav").symlink_to(tmp_path / "elsewhere.wav")
    assert playlist_path(str(tmp_path / "real" / "b.wav"), str(tmp_path / "real" / "lists")) == "../b.wav"
    monkeypatch.chdir(tmp_path / "real")
    assert playlist_path(str(tmp_path / "real" / "a.wav"), ".") == "a.wav"


def test_a_playlist_with_relative_paths_and_a_byte_order_mark(
    library: Path, song: Path, music: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = Finder.open(library).similar(song, n=3)
    print_result(result, "m3u8", playlist=PlaylistOptions(str(music), bom=True))
    first, *lines = capsys.readouterr().out.splitlines()
    assert first == "\ufeff#EXTM3U"
    paths = [line for line in lines if not line.startswith("#")]
    assert [str(music / path) for path in paths] == [hit.path for hit in result.hits]
    assert not any(path.startswith("/") for path in paths)


@pytest.mark.parametrize(
    ("artist", "title", "shown"), [("A", "Two", "A - Two"), (None, "Two", "Two"), ("A", None, "/m/three.ogg")]
)
def test_a_player_shows_a_title_or_the_name_of_the_file(
    library: Path, song: Path, artist: str | None, title: str | None, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    result = Finder.open(library).similar(song, n=1)
    hit = replace(result.hits[0], path="/m/three.ogg", duration=10.25, title=title, artist=artist)
    print_result(replace(result, hits=(hit,)), "m3u8")
    assert capsys.readouterr().out.splitlines()[1] == f"#EXTINF:10,{shown}"


@pytest.mark.parametrize(
    ("duration", "stated"), [(0.03, 1), (0.3, 1), (1.4, 1), (1.6, 2), (241.2, 241), (0.0, -1), (float("nan"), -1)]
)
def test_a_playlist_states_whole_seconds_and_never_none(
    library: Path, song: Path, duration: float, stated: int, capsys: pytest.CaptureFixture[str]
) -> None:
    result = Finder.open(library).similar(song, n=1)
    hit = replace(result.hits[0], duration=duration, title="Two", artist=None)
    print_result(replace(result, hits=(hit,)), "m3u8")
    assert capsys.readouterr().out.splitlines()[1] == f"#EXTINF:{stated},Two"


def test_a_track_of_a_file_is_played_by_its_seconds(
    library: Path, song: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = Finder.open(library).similar(song, n=1)
    (hit,) = result.hits
    track = replace(
        hit, path="/m/album.flac#02", file="/m/album.flac", offset=25.5, duration=10.25, title="Two", artist="A"
    )
    print_result(replace(result, hits=(track,)), "m3u8", playlist=PlaylistOptions("/m"))
    assert capsys.readouterr().out.splitlines() == [
        "#EXTM3U",
        "#EXTINF:10,A - Two",
        "#EXTVLCOPT:start-time=25.500",
        "#EXTVLCOPT:stop-time=35.750",
        "album.flac",
    ]
