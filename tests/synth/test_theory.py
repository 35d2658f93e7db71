import pytest

from soundalike.errors import InputError
from soundalike.synth.theory import Key, at_or_above, chord, power, strummed, voicing

A_MINOR, C_MAJOR = Key(9, "minor"), Key(0, "major")


def test_keys_and_their_scales() -> None:
    assert (A_MINOR.name, A_MINOR.short) == ("A minor", "Am")
    assert (Key(8, "major").name, Key(8, "major").short) == ("Ab major", "Abmaj")
    assert (Key(8, "minor").name, Key(8, "minor").short) == ("G# minor", "G#m")
    assert set(A_MINOR.pitch_classes) == set(C_MAJOR.pitch_classes) == {0, 2, 4, 5, 7, 9, 11}
    with pytest.raises(InputError, match=r"'dorian'.*major"):
        Key(0, "dorian")


def test_chords_of_the_scale() -> None:
    assert chord(A_MINOR, 1) == (9, 0, 4)
    assert chord(C_MAJOR, 5, 4) == (7, 11, 2, 5)
    assert chord(A_MINOR, 6) == (5, 9, 0)


def test_voicings_keep_the_chord_and_their_register() -> None:
    tones = chord(A_MINOR, 4)
    for notes in (voicing(tones, 48), strummed(tones, 48)):
        assert {note % 12 for note in notes} == set(tones)
        assert list(notes) == sorted(notes)
        assert min(notes) >= 48
    assert max(voicing(tones, 48)) < 60
    assert {note % 12 for note in power(tones, 40)} == {tones[0], tones[2]}
    assert at_or_above(9, 45) == 45
    assert at_or_above(8, 45) == 56
