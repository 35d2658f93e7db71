"""Classes of sounds by key and by name."""

from __future__ import annotations

import pytest

from soundalike.models.encoders.builtin.one_shot_classes import CLASSES
from training.classes import UNKNOWN, class_of_key, class_of_name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("EE_Kick_Hard_1", "kick"),
        ("bd_01", "kick"),
        ("drum_bass_hard", "kick"),
        ("PearlSideStick-Hard", "percussion"),
        ("jsnare_03", "snare"),
        ("sd_01", "snare"),
        ("HandClap", "clap"),
        ("hihat_opened02", "hat"),
        ("drum_cymbal_closed", "hat"),
        ("Hard_CHH_01", "hat"),
        ("Crash18-0", "cymbal"),
        ("floortom_02", "tom"),
        ("t1_01", "tom"),
        ("Djembe1 Slap", "percussion"),
    ],
)
def test_names_of_files_tell_the_class(name: str, expected: str) -> None:
    assert CLASSES[class_of_name(name)] == expected


def test_names_that_say_nothing_have_no_class() -> None:
    assert class_of_name("beats_01-10") == UNKNOWN


def test_keys_of_general_midi_have_their_class() -> None:
    assert [CLASSES[class_of_key(key)] for key in (36, 38, 39, 42, 45, 49, 56)] == list(CLASSES[:7])
    assert class_of_key(27) == UNKNOWN
