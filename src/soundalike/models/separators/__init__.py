"""Separators: a mixture in, one stem per part out. The protocol, and the table of those that exist.

To add one, write a module with a class that implements `Separator`, and add a row to `SEPARATORS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.waveform import Waveform
from soundalike.config import PRECISIONS, Precision, Runtime, require_extra
from soundalike.errors import InputError
from soundalike.parts import STEMS

Samples = NDArray[np.float32]


@runtime_checkable
class Separator(Protocol):
    """Separates mixtures into stems. Attributes are constants of the loaded model.

    name: its key in `SEPARATORS`; version: changes whenever its output does; parts: its stems, in the order of
    `soundalike.parts.PARTS`, without `mix`; sample_rate, channels: of its input (Hz; 1 or 2); context: seconds of music
    on either side of a region that it needs to separate the region well; segment_seconds: the longest input, which bounds
    its memory.
    """

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def parts(self) -> tuple[str, ...]: ...
    @property
    def sample_rate(self) -> int: ...
    @property
    def channels(self) -> int: ...
    @property
    def context(self) -> float: ...
    @property
    def segment_seconds(self) -> float: ...

    def separate(self, mixture: Samples) -> dict[str, Samples]:
        """Stems of `mixture` (channels, samples), each of the same shape, keyed by part."""
        ...


@runtime_checkable
class StemFiles(Protocol):
    """Takes the place of a separator if the true stems exist as files. Attributes as in `Separator`."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def parts(self) -> tuple[str, ...]: ...

    def files(self, mixture: Path) -> dict[str, tuple[Path, ...]]:
        """The stem files of the mixture at this path by part, without absent parts.

        Raises AudioError if there are none, or if one cannot be assigned to a part.
        """
        ...

    def read(
        self, mixture: Path, start: float, seconds: float, parts: Sequence[str], *, among: Sequence[str]
    ) -> dict[str, Waveform]:
        """The stems of `parts` (without `mix`) from `start` on, mono, at the sample rate of their files; without absent ones.

        among: all parts in use; stems of other parts count as `residuals`. Raises AudioError as `files` does, and for
        files that cannot be decoded.
        """
        ...


@dataclass(frozen=True)
class SeparatorRow:
    """The facts about a separator before it is loaded; fields as in `soundalike.models.encoders.EncoderRow`.

    earlier_parts: the stems of earlier versions that had others; gates: by part, the level (dB relative to the mixture) below
    which a stem is more often something else than the part, where that is above the gate of the recipe; attacks: by part, the
    rise (dB, `soundalike.analysis.attacks.strongest_attack`) that its clearest onset has at least; not of earlier versions.
    """

    load: Callable[[Runtime], Separator | StemFiles]
    summary: str
    parts: tuple[str, ...]
    licence: str
    checkpoint: str | None = None
    extra: str | None = None
    precisions: tuple[Precision, ...] = ("exact",)
    earlier: Mapping[str, Callable[[Runtime], Separator]] = field(default_factory=dict)
    earlier_parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    gates: Mapping[str, float] = field(default_factory=dict)
    attacks: Mapping[str, float] = field(default_factory=dict)

    def parts_of(self, version: str) -> tuple[str, ...]:
        """The stems of a version."""
        return self.earlier_parts.get(version, self.parts)


def _builtin(runtime: Runtime) -> Separator:
    from soundalike.models.separators.builtin.builtin_separator import BuiltinSeparator

    return BuiltinSeparator()


def _builtin_signal(runtime: Runtime) -> Separator:
    from soundalike.models.separators.builtin.signal_separator import SignalSeparator

    return SignalSeparator()


def _demucs(name: str) -> Callable[[Runtime], Separator]:
    def load(runtime: Runtime) -> Separator:
        from soundalike.models.checkpoints import local_checkpoint
        from soundalike.models.separators.demucs.demucs_separator import DemucsSeparator

        return DemucsSeparator.load(local_checkpoint(name), runtime)

    return load


def _stems(runtime: Runtime) -> StemFiles:
    from soundalike.models.separators.stems.true_stems import StemsSeparator

    return StemsSeparator()


SEPARATORS: dict[str, SeparatorRow] = {
    "builtin": SeparatorRow(
        _builtin,
        "masks from harmonic, percussive and low-frequency cues and small networks; no download, no torch",
        ("bass", "drums", "vocals", "residuals"),
        "Apache-2.0",
        earlier={"1": _builtin_signal},
        earlier_parts={"1": ("bass", "drums", "residuals")},
        gates={"vocals": -20.0},
        attacks={"drums": 7.0},
    ),
    "htdemucs": SeparatorRow(
        _demucs("htdemucs"),
        "Hybrid Transformer Demucs, four stems, as in the paper",
        ("bass", "drums", "vocals", "residuals"),
        "MIT (see terms)",
        checkpoint="htdemucs",
        extra="neural",
        precisions=PRECISIONS,
    ),
    "htdemucs_6s": SeparatorRow(
        _demucs("htdemucs_6s"),
        "Hybrid Transformer Demucs, six stems, as in the paper",
        ("bass", "drums", "guitar", "piano", "vocals", "residuals"),
        "MIT (see terms)",
        checkpoint="htdemucs_6s",
        extra="neural",
        precisions=PRECISIONS,
    ),
    "stems": SeparatorRow(
        _stems,
        "true stems from files beside the mixture (layouts of Slakh, MUSDB and others)",
        STEMS,
        "that of your files",
    ),
}


def gates_of(separator: str) -> Mapping[str, float]:
    """The `gates` of the separator with this name; none if it is not in the table."""
    row = SEPARATORS.get(separator)
    return {} if row is None else row.gates


def attacks_of(separator: str, version: str) -> Mapping[str, float]:
    """The `attacks` of a version of the separator with this name; none if it is not in the table."""
    row = SEPARATORS.get(separator)
    return {} if row is None or version in row.earlier else row.attacks


def load_separator(name: str, runtime: Runtime | None = None, version: str | None = None) -> Separator | StemFiles:
    """The separator called `name`, in an earlier version if `version` is one of the row's, else in the current one.

    Raises InputError if there is none of that name or its extra is not installed, CheckpointError if its weights are
    missing or damaged.
    """
    if name not in SEPARATORS:
        raise InputError(f"unknown separator {name!r}; choose one of {', '.join(SEPARATORS)} (see `soundalike models`)")
    row = SEPARATORS[name]
    require_extra(row.extra, f"the separator {name}")
    load = row.load if version is None else row.earlier.get(version, row.load)
    return load(runtime or Runtime())
