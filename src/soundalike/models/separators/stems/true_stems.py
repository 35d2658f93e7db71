"""True stems from files beside the mixture, or in a stem file (`stem_files` finds them), in place of a separator.

Stems are mono, the mean of their channels, at the sample rate of their files. Those of one part are summed, at the
highest of their rates. A stem that ends before the mixture is continued with silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np

from soundalike.audio import decode
from soundalike.audio.waveform import Samples, Waveform, resample
from soundalike.errors import AudioError
from soundalike.models.separators.stems.stem_container import is_stem_container
from soundalike.models.separators.stems.stem_files import ListFolder, assign, is_stem, layout_of, list_folder
from soundalike.parts import STEMS

RESIDUALS = "residuals"

SLACK = 0.1
"""Seconds by which the headers of lossy files may overstate the duration."""


class StemsSeparator:
    """Reads true stems. Implements `StemFiles`, and the protocol of `library.indexing.sidecar_files`."""

    name = "stems"
    version = "1"
    parts = STEMS

    def __init__(self, listing_of: ListFolder = list_folder) -> None:
        """listing_of: lists a folder."""
        self._listing_of = listing_of

    def files(self, mixture: Path) -> dict[str, tuple[Path, ...]]:
        """The stem files of the mixture at this path by part, without absent parts.

        Raises AudioError if there are none, if one is missing or exists twice, or if one cannot be assigned to a part.
        """
        return assign(mixture, self._listing_of)

    def read(
        self, mixture: Path, start: float, seconds: float, parts: Sequence[str], *, among: Sequence[str] | None = None
    ) -> dict[str, Waveform]:
        """The stems of `parts` (without `mix`) from `start` on for `seconds`, mono; without absent ones.

        among: all parts in use (None: just `parts`). Stems of other parts count as `residuals`: so Slakh's "4 stems" are
        drums, bass, and residuals that include guitar and piano. Raises AudioError as `files` does, and for files that
        cannot be decoded.
        """
        known = {*parts, *(among or ())}
        sources: dict[str, list[Path]] = {}
        for part, files in self.files(mixture).items():
            sources.setdefault(part if part in known else RESIDUALS, []).extend(files)
        return {part: _sum(sources[part], start, seconds) for part in parts if part in sources}

    def sidecars(self, path: Path) -> tuple[Path, ...]:
        """The files beside a mixture that its stems depend on, sorted by name; none if it has no stems."""
        layout = layout_of(path, self._listing_of)
        return () if layout is None else layout.files

    def belongs(self, path: Path) -> bool:
        """Whether a file is a stem of a mixture."""
        return is_stem(path, self._listing_of)

    def has_inside(self, path: Path) -> bool:
        """Whether a file is a stem file by its name: the same bytes under another name have no stems."""
        return is_stem_container(path.name)

    def snapshot(self) -> Self:
        """A copy that lists each folder only once, for checking many files."""
        return type(self)(cache(self._listing_of))


def _sum(files: Iterable[Path], start: float, seconds: float) -> Waveform:
    """The sum of the files in mono, from `start` on for `seconds`."""
    pieces = [_mono(file, start, seconds) for file in files]
    rate = max(piece.sample_rate for piece in pieces)
    total: Samples = np.zeros((1, round(seconds * rate)), dtype=np.float32)
    for piece in pieces:
        samples = resample(piece.samples, piece.sample_rate, rate)[:, : total.shape[1]]
        total[:, : samples.shape[1]] += samples
    return Waveform(total, rate)


def _mono(file: Path, start: float, seconds: float) -> Waveform:
    """The part of a file from `start` on for `seconds`, which may be empty, in mono. Raises AudioError if it is shorter
    than its header says, because silence in its place would be compared as if it were music."""
    info = decode.probe(file)
    if round(start * info.sample_rate) >= info.frames:
        return Waveform(np.zeros((1, 0), dtype=np.float32), info.sample_rate)
    native = decode.read(file, start, seconds)
    decoded, promised = native.samples.shape[1], info.frames - round(start * info.sample_rate)
    if decoded < min(round(seconds * info.sample_rate), promised) - round(SLACK * info.sample_rate):
        raise AudioError(
            f"{file}: only {native.duration:.2f} s can be decoded from {start:.2f} s on; the file is truncated, get it again"
        )
    return Waveform(native.mono()[np.newaxis], native.sample_rate)
