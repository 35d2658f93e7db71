"""What an encoder is: waveforms in, unit vectors out. `encoders` has the table of those that exist."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

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
class PartEncoder(Encoder, Protocol):
    """An encoder that hears a mixture and has a vector for each part in it, so that nothing needs to be separated.

    parts: those that it knows, `mix` among them; tuned_tracks: tracks whose answers of listeners it was tuned to, on which it
    must not be evaluated. Its vectors are compared by their Euclidean distance: `embed_parts` does not scale them.
    """

    @property
    def parts(self) -> tuple[str, ...]: ...
    @property
    def tuned_tracks(self) -> frozenset[str]: ...

    def embed_parts(self, mixtures: Sequence[Samples]) -> Embeddings:
        """Vectors (N, K, D) of `parts` in N mono mixtures (samples,); zero for silence."""
        ...


@runtime_checkable
class TextEncoder(Protocol):
    """An encoder that also embeds texts."""

    def embed_text(self, texts: Sequence[str]) -> Embeddings:
        """Embeddings (N, D) of N texts, rows of unit norm."""
        ...
