"""Parsing of times and ranges, formatting, options under new names."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from soundalike.cli.common import (
    ListOption,
    RenamedOption,
    clock,
    counted,
    library_path,
    parse_range,
    parse_region,
    parse_seconds,
    shown_path,
)
from soundalike.errors import InputError


@pytest.mark.parametrize(
    ("text", "seconds"), [("62", 62), ("62.5", 62.5), ("1:02.5", 62.5), ("1:01:02", 3662), ("0:.5", 0.5)]
)
def test_times_are_parsed(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["1:75", "1:60", "0:61:00", "1:1:60.5"])
def test_more_than_a_minute_after_a_colon_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"is not a time: what follows a colon is below 60"):
        parse_seconds(text)


def test_regions_and_ranges_are_parsed() -> None:
    assert parse_region("1:02-1:12") == (62, 72)
    assert parse_region("1:02-") == (62, None)
    assert parse_range("90-120", "BPM") == (90, 120)
    assert parse_range("90-", "BPM") == (90, None)
    assert parse_range("-120", "BPM") == (None, 120)
    low, high = parse_range("100", "BPM")
    assert low == pytest.approx(96)
    assert high == pytest.approx(104)


@pytest.mark.parametrize("text", ["", "abc", "1:2:3:4", "-", "1-2-3", "nan", "1e3"])
def test_an_invalid_region_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"is not a (region|time); write"):
        parse_region(text)


@pytest.mark.parametrize("text", ["", "abc", "1:2:3:4", "-", "1-2-3", "nan"])
def test_an_invalid_range_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is not a range of BPM; write"):
        parse_range(text, "BPM")


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00.0"), (62.54, "1:02.5"), (119.96, "2:00.0"), (3662, "61:02.0")])
def test_seconds_are_shown_as_minutes_and_seconds(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_nouns_are_counted() -> None:
    assert [counted(1, "loop"), counted(2, "loop")] == ["1 loop", "2 loops"]
    assert counted(0, "copy", "copies") == "0 copies"


def test_paths_are_shown_relative_to_the_current_folder_on_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert shown_path(str(tmp_path / "music" / "a.wav")) == str(Path("music") / "a.wav")
    assert shown_path("/elsewhere/a.wav") == "/elsewhere/a.wav"
    assert shown_path("/elsewhere/a\nb.wav") == r"/elsewhere/a\nb.wav"


def test_the_library_is_that_of_the_option_then_of_the_environment_then_of_the_user(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOUNDALIKE_LIBRARY", "/from/environment")
    assert library_path("/from/option") == Path("/from/option")
    assert library_path(None) == Path("/from/environment")
    assert library_path("~/mine") == Path.home() / "mine"
    monkeypatch.delenv("SOUNDALIKE_LIBRARY")
    default = library_path(None)
    assert isinstance(default, Path)
    assert default.parts[-2:] == ("soundalike", "library")


def test_a_renamed_option_accepts_its_old_name_and_shows_the_new_one() -> None:
    @click.command()
    @click.option("--new", "--old", "value", cls=RenamedOption, old_names=("--old",), type=int)
    def command(value: int | None) -> None:
        click.echo(value)

    runner = CliRunner()
    assert runner.invoke(command, ["--new", "3"]).output == "3\n"
    assert runner.invoke(command, ["--old", "3"]).output == "3\n"
    shown = runner.invoke(command, ["--help"]).output
    assert "--new" in shown
    assert "--old" not in shown


def test_a_list_that_is_given_several_times_is_one_list() -> None:
    @click.command()
    @click.option("--weights", "-w", cls=ListOption)
    def command(weights: str | None) -> None:
        click.echo(repr(weights))

    def printed(*arguments: str) -> str:
        return CliRunner().invoke(command, arguments).output.strip()

    assert printed() == "None"
    assert printed("-w", "drums=1,bass=2") == "'drums=1,bass=2'"
    assert printed("-w", "drums=1", "--weights=bass=2") == "'drums=1,bass=2'"
