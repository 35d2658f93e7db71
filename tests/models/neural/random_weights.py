"""Random weights that are the same everywhere: each tensor has a generator that is seeded by its name.

NumPy only, so that the environments of the original implementation and of ours have the same values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]


def generator(name: str, salt: str = "") -> np.random.Generator:
    """The generator of the tensor called `name`."""
    digest = hashlib.blake2b(f"{salt}{name}".encode(), digest_size=16).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "little")))


def draw(name: str, shape: tuple[int, ...], *, gain: float = 1.0) -> Float32:
    """Random values for the tensor called `name`: weights N(0, gain^2 / fan_in), scales of norms about 1, small biases, and
    realistic running statistics of BatchNorm."""
    random = generator(name)
    last = name.rsplit(".", 1)[-1]
    if last == "running_var":
        return random.uniform(0.5, 2.0, shape).astype(np.float32)
    if last in ("bias", "running_mean") or (len(shape) == 1 and last != "weight"):
        return (0.1 * random.standard_normal(shape)).astype(np.float32)
    if len(shape) <= 1:  # the scale of a norm
        return (1 + 0.2 * random.standard_normal(shape)).astype(np.float32)
    fan_in = int(np.prod(shape[1:]))
    return (gain / np.sqrt(fan_in) * random.standard_normal(shape)).astype(np.float32)


def draw_all(shapes: Mapping[str, tuple[int, ...]], gain: float | Callable[[str], float] = 1.0) -> dict[str, Float32]:
    """`draw` for each name in `shapes`; `gain` may depend on the name."""
    return {
        name: draw(name, tuple(shape), gain=gain(name) if callable(gain) else gain) for name, shape in shapes.items()
    }
