from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundalike.audio.metadata.keys import Key, compatible, find_key, find_key_in_tag, parse_key
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
        ("Fis-moll", "F# minor"),
        ("Fis Moll", "F# minor"),
        ("gis", "Ab"),
        ("Es-Dur", "Eb major"),
        ("As dur", "Ab major"),
        ("Des-Dur", "Db major"),
        ("Cis-moll", "C# minor"),
        ("Hm", "B minor"),
        ("H-Dur", "B major"),
        ("h-moll", "B minor"),
        ("B-Dur", "Bb major"),
        ("b-moll", "Bb minor"),
        ("Bm", "B minor"),
        ("La mineur", "A minor"),
        ("Fa# mineur", "F# minor"),
        ("Si bémol majeur", "Bb major"),
        ("Sol maggiore", "G major"),
        ("Re menor", "D minor"),
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


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("A#m +50", "Bb minor"),
        ("A#m+50", "Bb minor"),
        ("Am -12 cents", "A minor"),
        ("C (+0.32)", "C"),
        ("04B -50cents", "Ab major"),
        ("4B +50%", "Ab major"),
        ("4A - Energy 6", "F minor"),
        ("Camelot: 8A", "A minor"),
        ("OpenKey 1m", "A minor"),
        ("\uff11\uff21", "G# minor"),
        ("Am\0", "A minor"),
        ("4A-6", "F minor"),
        ("Energy 6 - 4A", "F minor"),
        ("4A/5B", "F minor"),
        ("4A, 5B", "F minor"),
        ("Am/C", "A minor"),
        ("Am or C", "A minor"),
        ("8A 128", "A minor"),
        ("128 - 8A", "A minor"),
        ("8A - 128 BPM", "A minor"),
        ("8 A", "A minor"),
        ("8A (Am)", "A minor"),
        ("Am (8A)", "A minor"),
        ("[8A]", "A minor"),
        ("1m 124", "A minor"),
        ("Key: Am", "A minor"),
        ("A:min", "A minor"),
        ("C#:maj", "Db major"),
        ("Fis-moll", "F# minor"),
        ("Fis-moll +20", "F# minor"),
        ("Hm", "B minor"),
        ("H", "B"),
        ("H moll", "B minor"),
        ("Amin7", "A minor"),
        ("Csus4", "C"),
        ("G7", "G"),
        ("Am7b5", "A minor"),
        ("Emadd9", "E minor"),
        ("8A→9A", "A minor"),
        ("8A->9A", "A minor"),
        ("6A+6B", "G minor"),
        ("6A + 6B", "G minor"),
        ("8A*", "A minor"),
        ("Am?", "A minor"),
        ('"Am"', "A minor"),
        ("≈ F♯m", "F# minor"),
        ("C#/Db minor", "C# minor"),
        ("Bb / A# maj", "Bb major"),
        ("C / Am", "C"),
        ("F# Minor (Harmonic)", "F# minor"),
        ("A minor pentatonic", "A minor"),
        ("Key of C", "C"),
        ("in D minor", "D minor"),
        ("Fes-Dur", "E major"),
        ("Dó menor", "C minor"),
        ("Fá sustenido maior", "F# major"),
        ("Sol sostenido menor", "G# minor"),
        ("E♮ minor", "E minor"),
        ("Am7", "A minor"),
        ("F#min9", "F# minor"),
        ("Cmaj7", "C major"),
        ("Bbmaj7 +10", "Bb major"),
        ("D dorian", "D minor"),
        ("A harmonic minor", "A minor"),
        ("F lydian", "F major"),
        ("La mineur 128", "A minor"),
        ("Bb major", "Bb major"),
        ("b", "B"),
        ('{"key": "1A", "source": "mixedinkey"}', "G# minor"),
        ('{"algorithm":94,"key":"A#m +50"}', "Bb minor"),
    ],
)
def test_keys_as_programs_write_them_in_tags(text: str, written: str) -> None:
    assert str(find_key_in_tag(text)) == written
    in_base64 = base64.b64encode(json.dumps({"algorithm": 94, "key": text, "source": "x"}).encode()).decode()
    if "{" not in text:
        assert str(find_key_in_tag(in_base64)) == written
        assert str(find_key_in_tag(in_base64.rstrip("="))) == written


NOT_KEYS = (
    "|o|All|Energy 6|128|A minor thing|Unknown|13A|0A|Amaze|Edam|Hit|Do|{|{}|[1]|e30=|bm8ga2V5IGhlcmU=|+50|()|Bass|Dance|Fade"
    '|Es ist|in|of|C major thing|harmonic|pentatonic|+|→|?|A blue note|Bdim|B𝄫|A\u0331|Gdance|{"key": 5}|{"key": "none"}'
)


@pytest.mark.parametrize("text", NOT_KEYS.split("|"))
def test_tags_that_are_not_keys(text: str) -> None:
    assert find_key_in_tag(text) is None


@given(st.text(max_size=30) | st.text("AaBbHm#+-/ 0148{}", max_size=12))
def test_any_text_in_a_tag_is_read_without_an_error(text: str) -> None:
    key = find_key_in_tag(text)
    assert key is None or 0 <= key.root < 12


@given(st.sampled_from("ABCDEFG"), st.sampled_from(["", "#", "b"]), st.sampled_from(["m", " minor", "maj", ""]))
def test_what_users_may_write_is_read_alike_in_tags(root: str, sign: str, mode: str) -> None:
    text = root + sign + mode
    assert find_key_in_tag(text) == find_key(text)
    assert find_key_in_tag(f"{text} +12") == find_key(text)


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
