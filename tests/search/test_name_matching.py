"""Comparing names and paths as users write them."""

from __future__ import annotations

import pytest

from soundalike.search.name_matching import fold, path_matcher


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Björk", "Bjo\u0308rk"),
        ("BJÖRK", "bjo\u0308rk"),
        ("straße", "STRASSE"),
        ("Strasse", "STRAẞE"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("가", "\u1100\u1161"),
        ("ガ", "カ\u3099"),
        ("Å", "\u212b"),
        ("ệ", "e\u0302\u0323"),
        ("ılık", "ILIK"),
        ("ılık", "ilik"),
        ("İstanbul", "istanbul"),
        ("İSTANBUL", "I\u0307stanbul"),
    ],
)
def test_spellings_of_the_same_name_are_equal(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), [("Björk", "Bjork"), ("a", "b"), ("é", "e"), ("ï", "i"), ("ı", "l")])
def test_different_names_differ(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("[Pack]", "Samples/[Pack] Snares/one.wav"),
        ("[pack] snares", "Samples/[Pack] Snares/one.wav"),
        ("[Pack] Snares/*.wav", "Samples/[Pack] Snares/one.wav"),
        ("*/[Pack]*", "Samples/[Pack] Snares/one.wav"),
        ("what?.wav", "Samples/what?.wav"),
        ("what?.wav", "Samples/whats.wav"),
        ("what?", "Samples/what?.wav"),
        ("a*b", "Samples/a*b.wav"),
        ("loop[1", "Samples/loop[1].wav"),
        ("[!]", "Samples/[!] hit.wav"),
        ("[!] hit.*", "Samples/[!] hit.wav"),
        ("[]", "Samples/[]/x.wav"),
        ("loop_[0-9].wav", "Samples/loop_3.wav"),
        ("LOOP_[!a].WAV", "Samples/loop_b.wav"),
        ("*.wav", "Samples/new\nline.wav"),
        ("Björk/*", "Music/Bjo\u0308rk/x.wav"),
        ("Bjo\u0308rk", "Music/BJÖRK/x.wav"),
        ("STRASSE", "Music/Straße.wav"),
        ("*straße*", "Music/STRASSE.wav"),
        ("", "anything"),
    ],
)
def test_a_pattern_matches_literally_or_by_its_wildcards(pattern: str, path: str) -> None:
    assert path_matcher([pattern])(fold(path))
    assert path_matcher(["no such name", pattern])(fold(path))


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("[Pack]", "Samples/Pack Snares/one.wav"),
        ("[Pack] Snares/*.flac", "Samples/[Pack] Snares/one.wav"),
        ("what?", "Samples/whats.wav"),
        ("one", "Samples/two.wav"),
        ("nares/*.wav", "Samples/Snares/one.wav"),
        ("Bjork", "Music/Björk.wav"),
    ],
)
def test_other_paths_do_not_match(pattern: str, path: str) -> None:
    assert not path_matcher([pattern])(fold(path))


def test_no_pattern_matches_nothing() -> None:
    assert not path_matcher([])("a")
