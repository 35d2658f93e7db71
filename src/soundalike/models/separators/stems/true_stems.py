"""In place of a separator: the true stems, from files beside the mixture (`stem_files` says where).

Stems are mono, the mean of their channels, at their files' own rate. Those of one part are summed; where their rates
differ, at the highest of them. A stem that ends before the mixture goes on in silence.
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
from soundalike.models.separators.stems.stem_files import Look, assign, is_stem, layout_of, look
from soundalike.parts import STEMS

RESIDUALS = "residuals"

SLACK = 0.1
"""Seconds by which headers of lossy files may promise too much."""


class StemsSeparator:
    """True stems; fulfils `StemFiles`, and `library.indexing.sidecar_files.Companions`: a mixture's stems belong to it."""

    name = "stems"
    version = "1"
    parts = STEMS

    def __init__(self, look: Look = look) -> None:
        """`look`: how folders are listed."""
        self._look = look

    def files(self, mixture: Path) -> dict[str, tuple[Path, ...]]:
        """The files of each part that belong to the mixture at this path, absent parts left out.

        Raises AudioError where there are none, where one is missing or there twice, and where one cannot be assigned to
        a part.
        """
        return assign(mixture, self._look)

    def read(
        self, mixture: Path, start: float, seconds: float, parts: Sequence[str], *, among: Sequence[str] | None = None
    ) -> dict[str, Waveform]:
        """The stems of `parts` (without `mix`) from `start` on for `seconds`, mono; absent ones left out.

        among: all parts that there are to be (None: just `parts`). A stem of any other part belongs to `residuals`. So
        Slakh's "4 stems" are drums, bass, residuals with guitar and piano in them. Raises AudioError as `files` does and
        for files that cannot be decoded.
        """
        known = {*parts, *(among or ())}
        sources: dict[str, list[Path]] = {}
        for part, files in self.files(mixture).items():
            sources.setdefault(part if part in known else RESIDUALS, []).extend(files)
        return {part: _sum(sources[part], start, seconds) for part in parts if part in sources}

    def companions(self, path: Path) -> tuple[Path, ...]:
        """The files beside a mixture that its stems depend on, by name; none where it has no stems."""
        layout = layout_of(path, self._look)
        return () if layout is None else layout.files

    def belongs(self, path: Path) -> bool:
        """Whether a file is a stem of a mixture."""
        return is_stem(path, self._look)

    def snapshot(self) -> Self:
        """The same with each folder listed once, for as long as one looks at many files."""
        return type(self)(cache(self._look))


def _sum(files: Iterable[Path], start: float, seconds: float) -> Waveform:
    """The sum of the files' mono, from `start` on for `seconds`."""
    pieces = [_mono(file, start, seconds) for file in files]
    rate = max(piece.sample_rate for piece in pieces)
    total: Samples = np.zeros((1, round(seconds * rate)), dtype=np.float32)
    for piece in pieces:
        samples = resample(piece.samples, piece.sample_rate, rate)[:, : total.shape[1]]
        total[:, : samples.shape[1]] += samples
    return Waveform(total, rate)


def _mono(file: Path, start: float, seconds: float) -> Waveform:
    """What a file holds of the stretch, which may be nothing. Raises AudioError where it holds less than its header says:
    silence in its place would be compared as if it were music."""
    info = decode.probe(file)
    if round(start * info.sample_rate) >= info.frames:
        return Waveform(np.zeros((1, 0), dtype=np.float32), info.sample_rate)
    native = decode.read(file, start, seconds)
    held, promised = native.samples.shape[1], info.frames - round(start * info.sample_rate)
    if held < min(round(seconds * info.sample_rate), promised) - round(SLACK * info.sample_rate):
        raise AudioError(
            f"{file}: only {native.duration:.2f} s can be decoded from {start:.2f} s on; it is cut short, get the file again"
        )
    return Waveform(native.mono()[np.newaxis], native.sample_rate)
