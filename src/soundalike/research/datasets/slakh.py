"""Slakh2100: multitrack music rendered from MIDI, mixtures with their true stems (Manilow et al., WASPAA 2019).

Conventions
- A track's name is that of its folder, `Track01913`; in it lie `mix.flac` (or .wav), `metadata.yaml` and `stems/S00.flac` ...
- The folders of tracks lie in `train`, `validation`, `test` and, in the redux version, `omitted`; or in one folder, as in
  BabySlakh.
- Parts are those of `SLAKH_PARTS`: four instrument classes, and all others as residuals. Nothing sings in Slakh.
- A clip is a stretch of a track, counted in samples at a rate that it states.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from soundalike.audio import decode
from soundalike.audio.waveform import Waveform
from soundalike.errors import AudioError, InputError
from soundalike.models.separators.stems.stem_files import METADATA, STEMS_FOLDER, assign, layout_of
from soundalike.models.separators.stems.true_stems import StemsSeparator

SLAKH_PARTS = ("bass", "drums", "guitar", "piano", "residuals")
"""The parts that Slakh's stems give, in the order of `PARTS`."""

SLAKH_HINT = (
    "Slakh2100 (CC BY 4.0) is at https://zenodo.org/records/4599666; give the unpacked folder, with train, validation and "
    "test in it"
)

SPLITS = ("train", "validation", "test", "omitted")
MIXTURES = ("mix.flac", "mix.wav")

_TRACK = re.compile(r"Track\d{5}")


@dataclass(frozen=True)
class ClipCut:
    """The samples [start, end) of a track, at `sample_rate` (Hz)."""

    track: str
    start: int
    end: int
    sample_rate: int

    @property
    def start_seconds(self) -> float:
        """Where the clip begins, s."""
        return self.start / self.sample_rate

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return (self.end - self.start) / self.sample_rate

    def __str__(self) -> str:
        return f"{self.track} from {self.start_seconds:.2f} to {self.start_seconds + self.seconds:.2f} s"


class Slakh:
    """The tracks under a folder. Nothing is read until it is asked for; folders are listed once."""

    def __init__(self, root: Path) -> None:
        """root: the dataset's folder, or one that holds folders of tracks."""
        self.root = root
        self._stems = StemsSeparator()

    @cached_property
    def _folders(self) -> dict[str, Path]:
        if not self.root.is_dir():
            raise InputError(f"{self.root} is no folder; {SLAKH_HINT}")
        found: dict[str, Path] = {}
        for place in (self.root, *(self.root / split for split in SPLITS)):
            if not place.is_dir():
                continue
            for name in sorted(os.listdir(place)):
                if not _TRACK.fullmatch(name) or not (place / name).is_dir():
                    continue
                if name in found:
                    raise InputError(f"{name} is in {found[name].parent} and in {place}; leave one of them")
                found[name] = place / name
        if not found:
            raise InputError(
                f"{self.root} holds no tracks (Track00001 ...), nor do {', '.join(SPLITS)} in it; {SLAKH_HINT}"
            )
        return dict(sorted(found.items()))

    @property
    def tracks(self) -> tuple[str, ...]:
        """The names of the tracks that are there, sorted. Raises InputError where there is none, or one is there twice."""
        return tuple(self._folders)

    def mixture(self, track: str) -> Path:
        """The mixture's file: FLAC, else WAV. Raises AudioError where it is not there, InputError as `tracks` does."""
        folder = self._folders.get(track)
        if folder is None:
            raise AudioError(f"{track} is not under {self.root}; {SLAKH_HINT}")
        for name in MIXTURES:
            if (folder / name).is_file():
                return folder / name
        raise AudioError(f"{folder} holds no {' or '.join(MIXTURES)}; unpack the track again; {SLAKH_HINT}")

    def missing(self, tracks: Iterable[str]) -> dict[str, str]:
        """Those of `tracks` that cannot be used, with the reason: no mixture, no metadata, or stems that are missing.

        Looks at folders and metadata alone, so a damaged file passes. Raises InputError as `tracks` does.
        """
        found = {}
        for track in dict.fromkeys(tracks):
            try:
                assign(self._with_stems(track))
            except AudioError as error:
                found[track] = str(error)
        return found

    def problems(self, clips: Iterable[ClipCut]) -> dict[str, str]:
        """The tracks of `clips` that cannot be used, with the reason: those `missing`, and those whose mixture ends before
        the last of their clips, as far as its header tells. What is damaged further in shows when it is decoded.
        """
        last: dict[str, ClipCut] = {}
        for clip in clips:
            last[clip.track] = max(clip, last.get(clip.track, clip), key=lambda c: c.end / c.sample_rate)
        found = self.missing(last)
        for track, clip in last.items():
            try:
                if track not in found:
                    _check_end(self.mixture(track), clip)
            except AudioError as error:
                found[track] = str(error)
        return found

    def cut_mixture(self, clip: ClipCut) -> Waveform:
        """The clip of the mixture, at its file's rate and channels: exactly the samples [start, end) where that is the
        clip's rate, else as many seconds.

        Raises AudioError where the track is missing, cannot be decoded, or ends before the clip does.
        """
        path = self.mixture(clip.track)
        _check_end(path, clip)
        found = decode.read(path, clip.start_seconds, clip.seconds)
        if found.samples.shape[1] < round(clip.seconds * found.sample_rate):
            raise AudioError(
                f"{path}: only {found.duration:.2f} s can be decoded of the clip {clip}; fetch the file again"
            )
        return found

    def cut_stem(self, clip: ClipCut, part: str) -> Waveform | None:
        """The same stretch of a true stem, one of `SLAKH_PARTS`: mono, the sum of the part's files; None where the track has
        none of that part.

        Raises InputError for another part, AudioError where the track is incomplete (`missing`), cannot be decoded, or ends
        before the clip does.
        """
        if part not in SLAKH_PARTS:
            raise InputError(f"Slakh has no stem {part!r}; its parts are {', '.join(SLAKH_PARTS)}")
        mixture = self._with_stems(clip.track)
        _check_end(mixture, clip)
        found = self._stems.read(mixture, clip.start_seconds, clip.seconds, (part,), among=SLAKH_PARTS)
        return found.get(part)

    def _with_stems(self, track: str) -> Path:
        """The mixture, once there are metadata and a folder of stems beside it. Raises AudioError."""
        mixture = self.mixture(track)
        folder = mixture.parent
        if not (folder / METADATA).is_file():
            raise AudioError(f"{folder} holds no {METADATA}, which says what each stem is; unpack the track again")
        layout = layout_of(mixture)
        if layout is None or layout.metadata is None:
            raise AudioError(f"{folder / STEMS_FOLDER} holds no stems; unpack the track again")
        return mixture


def _check_end(mixture: Path, clip: ClipCut) -> None:
    """Raises AudioError where the file ends before the clip does, by its header."""
    info = decode.probe(mixture)
    end = round(clip.start_seconds * info.sample_rate) + round(clip.seconds * info.sample_rate)
    if info.frames < end:
        raise AudioError(f"{mixture}: lasts {info.duration:.2f} s, but a clip is {clip}; fetch the file again")
