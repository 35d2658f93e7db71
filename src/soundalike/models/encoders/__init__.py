"""Encoders: waveforms in, unit vectors out. The protocol, and the table of those that exist.

To add one, write a module with a class that implements `Encoder`, and add a row to `ENCODERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from soundalike.config import PRECISIONS, Precision, Runtime, require_extra
from soundalike.errors import InputError

Samples = NDArray[np.float32]
Embeddings = NDArray[np.float32]


@runtime_checkable
class Encoder(Protocol):
    """Turns mono waveforms into unit vectors. Attributes are constants of the loaded model.

    name: its key in `ENCODERS`; version: changes whenever its output does; sample_rate: of its input, in Hz; dimension: of
    its vectors; clip_seconds: the length that it was trained on, None if it takes any length.
    """

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def sample_rate(self) -> int: ...
    @property
    def dimension(self) -> int: ...
    @property
    def clip_seconds(self) -> float | None: ...

    def embed(self, waveforms: Sequence[Samples]) -> Embeddings:
        """Embeddings (N, D), float32, rows of unit norm, of N mono waveforms (samples,) of any lengths.

        The row of a waveform whose samples are all zero is zero.
        """
        ...


@runtime_checkable
class TextEncoder(Protocol):
    """An encoder that also embeds texts."""

    def embed_text(self, texts: Sequence[str]) -> Embeddings:
        """Embeddings (N, D) of N texts, rows of unit norm."""
        ...


@dataclass(frozen=True)
class EncoderRow:
    """The facts about an encoder before it is loaded.

    checkpoint: its key in `soundalike.models.checkpoints.CHECKPOINTS`, None if it needs no download; extra: the optional
    dependencies that it needs (`pip install soundalike[extra]`); precisions: those that it supports.
    """

    load: Callable[[Runtime], Encoder]
    summary: str
    licence: str
    checkpoint: str | None = None
    extra: str | None = None
    precisions: tuple[Precision, ...] = ("exact",)


def _builtin(runtime: Runtime) -> Encoder:
    from soundalike.models.encoders.builtin.builtin_encoder import BuiltinEncoder

    return BuiltinEncoder()


def _clap(name: str) -> Callable[[Runtime], Encoder]:
    def load(runtime: Runtime) -> Encoder:
        from soundalike.models.checkpoints import local_checkpoint
        from soundalike.models.encoders.clap.clap_encoder import ClapEncoder

        return ClapEncoder.load(local_checkpoint(name), runtime)

    return load


def _muq_mulan(runtime: Runtime) -> Encoder:
    from soundalike.models.checkpoints import local_checkpoint
    from soundalike.models.encoders.muq_mulan.muq_mulan_encoder import MuqMulanEncoder

    return MuqMulanEncoder.load(local_checkpoint("muq-mulan"), runtime)


ENCODERS: dict[str, EncoderRow] = {
    "builtin": EncoderRow(
        _builtin,
        "timbre and its evolution, rhythm and harmony by signal processing; no download, no torch",
        "Apache-2.0",
    ),
    "clap": EncoderRow(
        _clap("clap"),
        "LAION-CLAP 630k-audioset-best, as in the paper; audio and text",
        "CC0-1.0",
        checkpoint="clap",
        extra="neural",
        precisions=PRECISIONS,
    ),
    "clap-music": EncoderRow(
        _clap("clap-music"),
        "LAION-CLAP music_audioset_epoch_15_esc_90.14, recommended by its authors for music; audio and text",
        "CC0-1.0",
        checkpoint="clap-music",
        extra="neural",
        precisions=PRECISIONS,
    ),
    "muq-mulan": EncoderRow(
        _muq_mulan,
        "MuQ-MuLan-large, the best in the paper; audio and text",
        "CC-BY-NC-4.0",
        checkpoint="muq-mulan",
        extra="neural",
        precisions=PRECISIONS,
    ),
}


def load_encoder(name: str, runtime: Runtime | None = None) -> Encoder:
    """The encoder called `name`.

    Raises InputError if there is none of that name or its extra is not installed, CheckpointError if its weights are
    missing or damaged.
    """
    if name not in ENCODERS:
        raise InputError(f"unknown encoder {name!r}; choose one of {', '.join(ENCODERS)} (see `soundalike models`)")
    row = ENCODERS[name]
    require_extra(row.extra, f"the encoder {name}")
    return row.load(runtime or Runtime())
