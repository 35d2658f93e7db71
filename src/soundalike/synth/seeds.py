"""Random numbers that depend on names alone.

Everything that varies in the generator draws from a generator keyed by the names of what it varies (`"kit",
"maple", "snare"`), so that adding a song, a kit or a voice changes nothing else.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np


def generator(*keys: str | int) -> np.random.Generator:
    """A random generator that is a function of `keys`, the same on every machine and in every process."""
    digest = blake2b("\x1f".join(str(key) for key in keys).encode(), digest_size=16).digest()
    return np.random.default_rng(np.random.SeedSequence(np.frombuffer(digest, dtype="<u4").tolist()))


def split_variant(name: str) -> tuple[str, int | None]:
    """`maple~3` -> ("maple", 3); ("maple", None) if the name is not that of a variant."""
    base, tilde, number = name.partition("~")
    return (base, int(number)) if tilde and number.isdecimal() else (name, None)
