"""Encoders: waveforms in, unit vectors out. The protocol, and the table of those that exist.

To add one: write a module beside this file with a class that fulfils `Encoder`, add a row to `ENCODERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from soundalike.errors import InputError

Samples = NDArray[np.float32]
Embeddings = NDArray[np.float32]


@runtime_checkable
class Encoder(Protocol):
    """Turns mono waveforms into unit vectors. Attributes are constants of the loaded model.

    name: its key in `ENCODERS`; version: changes whenever its output does; sample_rate: Hz it must be fed; dimension:
    D of its vectors; clip_seconds: the length it was made for, None where any length will do.
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
        """Embeddings (N, D), float32, rows of unit norm, of N mono waveforms (samples,), lengths may differ.

        A waveform without a single non-zero sample has no direction: its row is zero.
        """
        ...


@runtime_checkable
class TextEncoder(Protocol):
    """An encoder whose space also holds texts."""

    def embed_text(self, texts: Sequence[str]) -> Embeddings:
        """Embeddings (N, D) of N texts, rows of unit norm."""
        ...


@dataclass(frozen=True)
class EncoderRow:
    """What is known of an encoder before it is loaded."""

    load: Callable[[], Encoder]
    summary: str
    licence: str
    requires: str


def _builtin() -> Encoder:
    from soundalike.encoders.builtin import BuiltinEncoder

    return BuiltinEncoder()


ENCODERS: dict[str, EncoderRow] = {
    "builtin": EncoderRow(
        _builtin,
        "timbre and its course, rhythm, harmony by signal processing; no download, no torch",
        "Apache-2.0",
        "nothing more",
    ),
}


def load_encoder(name: str) -> Encoder:
    """The encoder called `name`. Raises InputError where there is none of that name."""
    if name not in ENCODERS:
        raise InputError(f"unknown encoder {name!r}; there are {', '.join(ENCODERS)} (see `soundalike models`)")
    return ENCODERS[name].load()
