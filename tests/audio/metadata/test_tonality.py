from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from soundalike.audio.decode import read
from soundalike.audio.metadata.keys import Key
from soundalike.audio.metadata.tonality import FEATURES, KEYS, WEIGHTS, estimate_key, key_features

RATE = 22_050


def cadences(root: int, minor: bool, seconds: float = 12.0, cents: float = 0.0) -> NDArray[np.float32]:
    """I IV V I and VI, each chord of five harmonics a note, with a bass."""
    random = np.random.default_rng(9)
    degrees = [(0, 3), (5, 3), (7, 4), (0, 3), (8, 4), (5, 3), (7, 4), (0, 3)]
    if not minor:
        degrees = [(0, 4), (5, 4), (7, 4), (0, 4), (9, 3), (5, 4), (7, 4), (0, 4)]
    time = np.arange(RATE) / RATE
    shape = np.exp(-1.5 * time) * np.minimum(1, time / 0.01)
    chords = []
    for degree, third in degrees:
        base = 48 + (root + degree) % 12
        frequencies = [
            440 * 2 ** ((note - 69 + cents / 100) / 12) for note in (base - 12, base, base + third, base + 7)
        ]
        waves = [
            0.6**h * np.sin(2 * np.pi * h * f * time + random.uniform(0, 6)) for f in frequencies for h in range(1, 6)
        ]
        chords.append(np.sum(waves, axis=0) * shape)
    whole = np.concatenate(chords)
    return np.resize(whole, round(seconds * RATE)).astype(np.float32)


@pytest.mark.parametrize("minor", [False, True])
@pytest.mark.parametrize("root", [0, 1, 3, 6, 8, 9])
def test_key_of_cadences(root: int, minor: bool) -> None:
    found = estimate_key(cadences(root, minor), RATE)
    assert found.value == str(Key(root, "minor" if minor else "major"))
    assert 0.5 < found.confidence <= 1.0


@pytest.mark.parametrize("cents", [-40.0, 30.0])
def test_a_detuned_recording_keeps_its_key(cents: float) -> None:
    assert estimate_key(cadences(2, minor=True, cents=cents), RATE).value == "D minor"


def test_drums_do_not_hide_the_key() -> None:
    random = np.random.default_rng(0)
    sound = cadences(7, minor=False)
    time = np.arange(sound.size) / RATE
    noise = random.standard_normal(sound.size) * np.exp(-20 * (time % 0.25))
    assert estimate_key(sound + noise.astype(np.float32), RATE).value == "G major"


def test_sounds_without_pitch_have_no_key() -> None:
    noise = np.random.default_rng(1).standard_normal(10 * RATE).astype(np.float32)
    for sound in (np.zeros(5 * RATE, dtype=np.float32), noise, cadences(0, minor=False, seconds=0.5), noise[:0]):
        found = estimate_key(sound, RATE)
        assert (found.value, found.confidence) == (None, 0.0)


def test_the_key_of_a_known_piece(test_data: Path) -> None:
    sound = read(test_data / "songs" / "US Army Strings - Hungarian Dance No 5.ogg")
    assert estimate_key(sound.mono(), sound.sample_rate).value == "G minor"


def test_features_of_a_chord_over_a_bass() -> None:
    """A C major chord over its fifth: the chord speaks for C major, the bass for G."""
    time = np.arange(4 * RATE) / RATE
    pitches = (43, 60, 64, 67)
    sound = sum(0.2 * np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * time) for pitch in pitches)
    found = key_features(np.asarray(sound, dtype=np.float32), RATE)
    assert found is not None
    assert found.shape == (len(KEYS), len(FEATURES)) == (24, len(WEIGHTS))
    values = dict(zip(FEATURES, found.T, strict=True))
    assert str(KEYS[int(np.argmax(values["tonic chord"]))]) == "C major"
    assert values["tonic chord"].sum() == pytest.approx(1.0)
    first = values["tonic chord first"]
    assert str(KEYS[int(np.argmax(first))]) == "C major"
    assert 0 <= first.min() < first.max() <= 1.0
    assert np.flatnonzero(values["root in the bass"] == 1.0).tolist() == [7, 19]
    assert values["minor"].tolist() == [0.0] * 12 + [1.0] * 12
    assert str(KEYS[int(np.argmax(values["profile"]))]) in ("C major", "G major")


TRIADS = {
    "A": (45, 57, 60, 64),
    "C": (48, 55, 60, 64),
    "D": (50, 57, 62, 65),
    "F": (41, 57, 60, 65),
    "G": (43, 55, 59, 62),
}
"""MIDI notes of A minor, C major, D minor, F major and G major over their roots."""


def played(progression: str) -> NDArray[np.float32]:
    """A second for each chord of `TRIADS`, and for each `.` of silence."""
    time = np.arange(RATE) / RATE
    chords = [
        sum((0.2 * np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * time) for pitch in TRIADS[name]), 0 * time)
        if name in TRIADS
        else 0 * time
        for name in progression
    ]
    return np.concatenate(chords).astype(np.float32)


def test_the_chord_that_lasts_decides_between_relatives() -> None:
    """A minor, F, C and G belong to A minor and to C major alike."""
    assert estimate_key(played("AAAAFCGAAAFCGAAA"), RATE).value == "A minor"
    assert estimate_key(played("CCCCFAGCCCFAGCCC"), RATE).value == "C major"


@pytest.mark.parametrize("silence", ["", "..."])
def test_the_first_chord_decides_between_fifths(silence: str) -> None:
    """Two chords that last equally long are tonic and subdominant of one key, or dominant and tonic of another."""
    assert estimate_key(played(silence + 4 * "AADD"), RATE).value == "A minor"
    assert estimate_key(played(silence + 4 * "DDAA"), RATE).value == "D minor"


def test_the_first_chord_is_that_of_the_recording_not_of_its_middle() -> None:
    """The middle 90 s of 94 begin with the other chord."""
    for progression, key in (("AADD", "A minor"), ("DDAA", "D minor")):
        sound = played((24 * progression)[:94])
        assert estimate_key(sound, RATE).value == key


def test_an_opening_without_sound_speaks_for_no_key() -> None:
    found = key_features(played(12 * "." + 4 * "AADD"), RATE)
    assert found is not None
    assert found[:, FEATURES.index("tonic chord first")].tolist() == [0.0] * 24
