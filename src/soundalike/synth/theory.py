"""Keys, scales and chords, as far as the generator needs them. Pitch classes count semitones from C."""

from __future__ import annotations

from dataclasses import dataclass

from soundalike.audio.metadata import keys
from soundalike.errors import InputError

PITCH_CLASSES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}


@dataclass(frozen=True)
class Key:
    """A tonic (pitch class 0..11) and a mode, `major` or `minor`."""

    tonic: int
    mode: str

    def __post_init__(self) -> None:
        if self.mode not in SCALES:
            raise InputError(f"unknown mode {self.mode!r}; the modes are {', '.join(SCALES)}")

    @property
    def name(self) -> str:
        """`A minor`, `Ab major`: spelt as everywhere in soundalike."""
        return str(keys.Key(self.tonic, "minor" if self.mode == "minor" else "major"))

    @property
    def short(self) -> str:
        """`Am`, `Abmaj`: as in file names."""
        return self.name.removesuffix(f" {self.mode}") + ("m" if self.mode == "minor" else "maj")

    @property
    def pitch_classes(self) -> tuple[int, ...]:
        """The seven pitch classes of the scale, from the tonic up."""
        return tuple((self.tonic + step) % 12 for step in SCALES[self.mode])


def chord(key: Key, degree: int, size: int = 3) -> tuple[int, ...]:
    """Pitch classes of the chord on scale `degree` (1..7), stacked in thirds within the scale: `size` 3 a
    triad, 4 a seventh.
    """
    scale = key.pitch_classes
    return tuple(scale[(degree - 1 + 2 * third) % 7] for third in range(size))


def at_or_above(pitch_class: int, low: int) -> int:
    """The lowest MIDI note of `pitch_class` that is not under `low`."""
    return low + (pitch_class - low) % 12


def voicing(pitch_classes: tuple[int, ...], low: int) -> tuple[int, ...]:
    """A close voicing from the MIDI note `low` up, sorted: smooth from chord to chord, as every note stays in
    one octave.
    """
    return tuple(sorted(at_or_above(pitch_class, low) for pitch_class in pitch_classes))


def strummed(pitch_classes: tuple[int, ...], low: int) -> tuple[int, ...]:
    """A guitarist's voicing: root, fifth, octave, third, fifth, from `low` up."""
    root = at_or_above(pitch_classes[0], low)
    fifth = at_or_above(pitch_classes[2], root)
    third = at_or_above(pitch_classes[1], root + 12)
    return (root, fifth, root + 12, third, at_or_above(pitch_classes[2], third))


def power(pitch_classes: tuple[int, ...], low: int) -> tuple[int, ...]:
    """Root, fifth and octave."""
    root = at_or_above(pitch_classes[0], low)
    return (root, at_or_above(pitch_classes[2], root), root + 12)
