from __future__ import annotations

import pytest

from soundalike.audio.metadata.keys import Key, compatible, find_key, parse_key
from soundalike.errors import InputError


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Am", "A minor"),
        ("am", "A minor"),
        ("AM", "A major"),
        ("A minor", "A minor"),
        ("A-moll", "A minor"),
        ("F#min", "F# minor"),
        ("f sharp minor", "F# minor"),
        ("Gb minor", "F# minor"),
        ("G♭", "F#"),
        ("Bb major", "Bb major"),
        ("A#maj", "Bb major"),
        ("E flat", "Eb"),
        ("b", "B"),
        ("bb", "Bb"),
        ("bbm", "Bb minor"),
        ("Cb", "B"),
        ("B#", "C"),
        ("C#maj", "Db major"),
        ("Dbm", "C# minor"),
        ("8A", "A minor"),
        ("8b", "C major"),
        ("08A", "A minor"),
        ("12A", "C# minor"),
        ("1B", "B major"),
        ("1m", "A minor"),
        ("1d", "C major"),
        ("6d", "B major"),
        ("7m", "Eb minor"),
        (" C ", "C"),
    ],
)
def test_all_notations_are_parsed(text: str, written: str) -> None:
    assert str(parse_key(text)) == written


def test_the_whole_camelot_wheel() -> None:
    minors = ["G#", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#"]
    majors = ["B", "F#", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E"]
    for number in range(1, 13):
        assert str(parse_key(f"{number}A")) == f"{minors[number - 1]} minor"
        assert str(parse_key(f"{number}B")) == f"{majors[number - 1]} major"


def test_written_keys_are_parsed_back() -> None:
    for root in range(12):
        for mode in ("major", "minor", None):
            key = Key(root, mode)  # type: ignore[arg-type]
            assert parse_key(str(key)) == key


@pytest.mark.parametrize("text", ["", "H", "13A", "0A", "Amaze", "o", "A minor thing", "C major 7", "120"])
def test_other_texts_are_not_keys(text: str) -> None:
    assert find_key(text) is None
    with pytest.raises(InputError, match="is not a key; write it like"):
        parse_key(text)


def test_neighbours_on_the_wheel_are_compatible() -> None:
    fits = {"A minor", "C major", "E minor", "D minor"}
    for root in range(12):
        for mode in ("major", "minor"):
            other = str(Key(root, mode))  # type: ignore[arg-type]
            assert compatible("A minor", other) == (other in fits)
            assert compatible(other, "8A") == (other in fits)


def test_an_unknown_mode_is_compatible_if_either_mode_is() -> None:
    assert compatible("A", "A minor")
    assert compatible("A", "F# minor")  # as A major
    assert compatible("A", "C major")  # as A minor
    assert not compatible("A", "Bb")
    assert compatible("A", "A")
