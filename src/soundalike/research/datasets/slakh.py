"""Slakh2100: multitrack music rendered from MIDI, with true stems (Manilow et al., WASPAA 2019).

Conventions
- A track is named after its folder, `Track01913`, which contains `mix.flac` (or .wav), `metadata.yaml` and `stems/S00.flac` ...
- The folders of tracks are in `train`, `validation`, `test` and, in the redux version, `omitted`; or in one folder, as in
  BabySlakh.
- Parts are `SLAKH_PARTS`: four instrument classes, and all others as residuals. Slakh has no vocals.
- A clip is a range of samples of a track, with the sample rate that they are counted at.
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
"""The parts of Slakh's stems, in the order of `PARTS`."""

SLAKH_HINT = (
    "Slakh2100 (CC BY 4.0) is at https://zenodo.org/records/4599666; use the unpacked folder, which contains train, "
    "validation and test"
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
        """Start of the clip, s."""
        return self.start / self.sample_rate

    @property
    def seconds(self) -> float:
        """Duration, s."""
        return (self.end - self.start) / self.sample_rate

    def __str__(self) -> str:
        return f"{self.track} from {self.start_seconds:.2f} to {self.start_seconds + self.seconds:.2f} s"


class Slakh:
    """The tracks under a folder, listed on first use."""

    def __init__(self, root: Path) -> None:
        """root: the dataset's folder, or a folder of track folders."""
        self.root = root
        self._stems = StemsSeparator()

    @cached_property
    def _folders(self) -> dict[str, Path]:
        if not self.root.is_dir():
            raise InputError(f"{self.root} is not a folder; {SLAKH_HINT}")
        folders: dict[str, Path] = {}
        for place in (self.root, *(self.root / split for split in SPLITS)):
            if not place.is_dir():
                continue
            for name in sorted(os.listdir(place)):
                if not _TRACK.fullmatch(name) or not (place / name).is_dir():
                    continue
                if name in folders:
                    raise InputError(f"{name} is in {folders[name].parent} and in {place}; remove one of them")
                folders[name] = place / name
        if not folders:
            raise InputError(
                f"{self.root} contains no tracks (Track00001 ...), directly or in {', '.join(SPLITS)}; {SLAKH_HINT}"
            )
        return dict(sorted(folders.items()))

    @property
    def tracks(self) -> tuple[str, ...]:
        """The names of the available tracks, sorted. Raises InputError if there is none, or a duplicate."""
        return tuple(self._folders)

    def mixture(self, track: str) -> Path:
        """The mixture's file: FLAC, else WAV. Raises AudioError if it is missing, InputError as `tracks`."""
        folder = self._folders.get(track)
        if folder is None:
            raise AudioError(f"{track} is not under {self.root}; {SLAKH_HINT}")
        for name in MIXTURES:
            if (folder / name).is_file():
                return folder / name
        raise AudioError(f"{folder} holds no {' or '.join(MIXTURES)}; unpack the track again; {SLAKH_HINT}")

    def missing(self, tracks: Iterable[str]) -> dict[str, str]:
        """Unusable tracks with the reason: a missing mixture, metadata or stem.

        Checks folders and metadata only, so damaged files pass. Raises InputError as `tracks`.
        """
        found = {}
        for track in dict.fromkeys(tracks):
            try:
                assign(self._with_stems(track))
            except AudioError as error:
                found[track] = str(error)
        return found

    def problems(self, clips: Iterable[ClipCut]) -> dict[str, str]:
        """Unusable tracks of `clips` with the reason: those `missing`, and those whose mixture ends before their last clip
        according to its header. Other damage is found on decoding.
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
        """The clip of the mixture, at the file's rate and channels: exactly the samples [start, end) if the rates agree, else
        as many seconds.

        Raises AudioError if the track is missing, cannot be decoded, or ends before the clip does.
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
        """The same range of a true stem, one of `SLAKH_PARTS`: mono, the sum of the part's files; None if the track lacks the
        part.

        Raises InputError for another part, AudioError if the track is incomplete (`missing`), cannot be decoded, or ends
        before the clip does.
        """
        if part not in SLAKH_PARTS:
            raise InputError(f"Slakh has no stem {part!r}; choose from {', '.join(SLAKH_PARTS)}")
        mixture = self._with_stems(clip.track)
        _check_end(mixture, clip)
        found = self._stems.read(mixture, clip.start_seconds, clip.seconds, (part,), among=SLAKH_PARTS)
        return found.get(part)

    def _with_stems(self, track: str) -> Path:
        """The mixture's file, if metadata and stems are beside it. Raises AudioError otherwise."""
        mixture = self.mixture(track)
        folder = mixture.parent
        if not (folder / METADATA).is_file():
            raise AudioError(f"{folder} holds no {METADATA}, which describes the stems; unpack the track again")
        layout = layout_of(mixture)
        if layout is None or layout.metadata is None:
            raise AudioError(f"{folder / STEMS_FOLDER} holds no stems; unpack the track again")
        return mixture


def _check_end(mixture: Path, clip: ClipCut) -> None:
    """Raise AudioError if the file ends before the clip does, according to its header."""
    info = decode.probe(mixture)
    end = round(clip.start_seconds * info.sample_rate) + round(clip.seconds * info.sample_rate)
    if info.frames < end:
        raise AudioError(f"{mixture}: lasts {info.duration:.2f} s, but a clip is {clip}; fetch the file again")
