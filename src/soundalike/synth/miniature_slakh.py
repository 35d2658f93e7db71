"""A miniature Slakh2100: generated songs in its layout, mono FLAC at 44.1 kHz with true stems and metadata.

    FOLDER/test/Track01876/mix.flac, metadata.yaml, stems/S00.flac ...

The mixture is the sum of the stems, up to the rounding of 16 bits. As in the real one, not every track has a guitar or a
piano, and there are no vocals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import yaml

from soundalike.errors import InputError
from soundalike.synth.audio_files import write_audio
from soundalike.synth.songs import render_song
from soundalike.synth.specs import SongSpec, song_specs

FIRST_TRACKS = {"train": 1, "validation": 1501, "test": 1876}
"""The first track of each part of Slakh2100."""

FIRST_TRACK = FIRST_TRACKS["test"]

CLASSES = {"bass": "Bass", "drums": "Drums", "guitar": "Guitar", "piano": "Piano"}
OTHER_CLASSES = ("Strings (continued)", "Synth Lead", "Organ")


@dataclass(frozen=True)
class MiniTrack:
    """A track that was written: its number in Slakh's count, what was played, and how long it lasts (s)."""

    number: int
    spec: SongSpec
    duration: float

    @property
    def name(self) -> str:
        """`Track01876`."""
        return f"Track{self.number:05d}"


def write_slakh(
    folder: Path,
    seed: int = 1,
    tracks: int = 12,
    length: float = 30.0,
    *,
    split: str = "test",
    variants: Sequence[int] = (),
) -> tuple[MiniTrack, ...]:
    """Write `tracks` tracks of about `length` seconds below `folder`; the same for the same numbers.

    split: train, validation or test; variants: numbers of the variants of kits and patches that play (none: the kits and
    patches themselves), so that the splits can have different ones. Raises InputError for a number out of range.
    """
    if split not in FIRST_TRACKS:
        raise InputError(f"there is no split {split!r}; choose from {', '.join(FIRST_TRACKS)}")
    return tuple(
        _write_track(folder / split, number, spec)
        for number, spec in enumerate(plan_tracks(seed, tracks, length, variants), FIRST_TRACKS[split])
    )


def plan_tracks(
    seed: int = 1, tracks: int = 12, length: float = 30.0, variants: Sequence[int] = ()
) -> tuple[SongSpec, ...]:
    """What `write_slakh` writes with the same arguments. Raises InputError for a number out of range."""
    if tracks < 1:
        raise InputError(f"{tracks} tracks requested; use 1 or more")
    used: Counter[str] = Counter()

    def variant(name: str) -> str:
        used[name] += 1
        return f"{name}~{variants[(used[name] - 1) % len(variants)]}"

    specs = song_specs(seed, tracks, length)
    if not variants:
        return specs
    return tuple(
        replace(spec, kit=variant(spec.kit), patches=tuple((part, variant(patch)) for part, patch in spec.patches))
        for spec in specs
    )


def _write_track(folder: Path, number: int, spec: SongSpec) -> MiniTrack:
    song = render_song(spec)
    track = MiniTrack(number, spec, song.duration)
    place = folder / track.name
    (place / "stems").mkdir(parents=True, exist_ok=True)
    metadata = {}
    mixture = np.zeros(song.mixture.shape[1], dtype=np.float32)
    for index, (part, stem) in enumerate(song.stems.items()):
        mono = stem.mean(axis=0)
        mixture += mono
        name = f"S{index:02d}"
        write_audio(place / "stems" / f"{name}.flac", mono)
        metadata[name] = {
            "audio_rendered": True,
            "inst_class": CLASSES.get(part, OTHER_CLASSES[number % len(OTHER_CLASSES)]),
            "integrated_loudness": -20.0,
            "is_drum": part == "drums",
            "midi_program_name": spec.kit if part == "drums" else spec.patch(part),
            "midi_saved": False,
            "plugin_name": "None",
            "program_num": 128 if part == "drums" else index,
        }
    write_audio(place / "mix.flac", mixture)
    values = {
        "UUID": f"{number:032x}",
        "audio_dir": "stems",
        "lmd_midi_dir": "",
        "midi_dir": "MIDI",
        "normalization_factor": -20.0,
        "normalized": False,
        "overall_gain": 1.0,
        "stems": metadata,
        "target_peak": -1.0,
    }
    (place / "metadata.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    return track
