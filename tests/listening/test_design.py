"""Reading and writing the design of a listening test."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from soundalike.errors import InputError, LibraryError
from soundalike.listening.design import (
    ActiveGoal,
    Design,
    DesignTriplet,
    Excerpt,
    folder_of_design,
    names_of_designs,
    read_design,
    write_design,
)


def small_design() -> Design:
    excerpts = tuple(
        Excerpt(f"e{n}", f"song{n}", f"/music/s {n}é.wav", "drums", 1.5, 10.0, f"drums/e{n}.flac", -3.25)
        for n in range(4)
    )
    triplets = (
        DesignTriplet("t1", "XAB", "drums", "e0", "e1", "e2"),
        DesignTriplet("t2", "XYC", "drums", "e3", "e1", "e0", "active", 1),
    )
    return Design(
        "mine",
        11,
        ("overall", "rhythm"),
        "stems",
        "builtin",
        "builtin",
        ("drums",),
        -23.0,
        excerpts,
        triplets,
        goal=ActiveGoal("drums", "bass", 0.4),
    )


def test_a_design_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_design(tmp_path, small_design())
    assert read_design(tmp_path) == replace(small_design(), name=tmp_path.name)  # a copy of a test is another test
    assert "é" in (tmp_path / "design.json").read_text(encoding="utf-8")


def test_blocks_are_counted() -> None:
    assert small_design().blocks == 2


def test_a_missing_design_names_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="soundalike listen new"):
        read_design(tmp_path / "none")


def change(*path: Any, to: Any) -> Callable[[Any], None]:
    def apply(values: Any) -> None:
        for key in path[:-1]:
            values = values[key]
        values[path[-1]] = to

    return apply


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (change("format", to=9), "format 9"),
        (change("questions", to=["overall", "taste"]), "unknown question 'taste'"),
        (change("questions", to=["overall", "overall"]), "each question once"),
        (change("presentation", to="loud"), "unknown presentation 'loud'"),
        (change("weighted_parts", to=["harp"]), "unknown part 'harp'"),
        (change("catch_share", to=0.9), "catch_share is 0.9"),
        (change("seed", to="x"), "seed is 'x'; it must be int"),
        (change("seed", to=True), "seed is True; it must be int"),
        (change("colour", to="red"), "unknown field 'colour'"),
        (change("triplets", to=[]), "no triplets"),
        (change("triplets", to="all"), "triplets must be a list"),
        (change("triplets", 0, "x", to="e9"), "triplet t1 names the excerpt 'e9'"),
        (change("triplets", 0, "a", to="e0"), "names an excerpt twice"),
        (change("triplets", 0, "kind", to="AXB"), "'AXB'"),
        (change("triplets", 1, "id", to="t1"), "same id 't1'"),
        (change("excerpts", 2, to="e2"), "excerpt 3 must be a JSON object"),
        (change("excerpts", 2, "start", to="late"), "excerpt 3: start is 'late'"),
        (change("triplets", 1, "block", to=1_000_000_000), "without a gap"),
        (change("triplets", 1, "block", to=-1), "without a gap"),
        (change("goal", "width", to=float("nan")), "width of the goal is nan"),
        (change("goal", "random_share", to=70), "share of random triplets is 70"),
        (change("goal", "aim", to=1), "goal has the unknown field 'aim'"),
    ],
)
def test_a_damaged_design_is_refused_with_its_place(
    tmp_path: Path, damage: Callable[[Any], None], message: str
) -> None:
    write_design(tmp_path, small_design())
    place = tmp_path / "design.json"
    values = json.loads(place.read_text(encoding="utf-8"))
    damage(values)
    place.write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(InputError, match=message) as error:
        read_design(tmp_path)
    assert str(place) in str(error.value)


def test_a_missing_field_is_named(tmp_path: Path) -> None:
    write_design(tmp_path, small_design())
    place = tmp_path / "design.json"
    values = json.loads(place.read_text(encoding="utf-8"))
    del values["excerpts"][1]["clip"]
    place.write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(InputError, match=r"excerpt 2: missing 1 required positional argument: 'clip'"):
        read_design(tmp_path)


def test_text_that_is_not_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "design.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read"):
        read_design(tmp_path)


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "x" * 65, "a b"])
def test_a_name_that_is_not_a_file_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="cannot be the name"):
        folder_of_design(tmp_path, name)


def test_the_tests_of_a_library_are_listed(tmp_path: Path) -> None:
    for name in ("b", "a"):
        folder_of_design(tmp_path, name).mkdir(parents=True)
        write_design(folder_of_design(tmp_path, name), small_design())
    assert names_of_designs(tmp_path) == ["a", "b"]
