"""Both versions of the built-in encoder out of one analysis."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from soundalike.models.encoders.builtin.signal_encoder import SignalEncoder
from soundalike.similarity.cosine import unit

Version = Literal["1", "2"]
VERSIONS: tuple[Version, ...] = ("1", "2")


def as_version(vectors: NDArray[np.float32], version: Version) -> NDArray[np.float32]:
    """Vectors (..., D) of version 2 as they are, or those of version 1, which are their first numbers at unit length."""
    return vectors if version == "2" else np.asarray(unit(vectors[..., : SignalEncoder.dimension]), dtype=np.float32)
