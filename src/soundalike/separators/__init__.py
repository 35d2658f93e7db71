"""Separators: a mixture in, one stem a part out. The protocol, and the table of those that exist.

To add one: write a module beside this file with a class that fulfils `Separator`, add a row to `SEPARATORS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from soundalike.errors import InputError

Samples = NDArray[np.float32]


@runtime_checkable
class Separator(Protocol):
    """Takes mixtures apart. Attributes are constants of the loaded model.

    name: its key in `SEPARATORS`; version: changes whenever its output does; parts: the stems it gives, in the order of
    `soundalike.parts.PARTS`, without `mix`; sample_rate: Hz it must be fed; channels: 1 or 2, what it wants to be fed;
    context: seconds of music either side of a region that it needs to separate the region well.
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

    def separate(self, mixture: Samples) -> dict[str, Samples]:
        """Stems of `mixture` (channels, samples), each of the same shape, keyed by part."""
        ...


@dataclass(frozen=True)
class SeparatorRow:
    """What is known of a separator before it is loaded."""

    load: Callable[[], Separator]
    summary: str
    parts: tuple[str, ...]
    licence: str
    requires: str


def _builtin() -> Separator:
    from soundalike.separators.builtin import BuiltinSeparator

    return BuiltinSeparator()


SEPARATORS: dict[str, SeparatorRow] = {
    "builtin": SeparatorRow(
        _builtin,
        "masks fitted on harmonic, percussive and low-band cues; no download, no torch",
        ("bass", "drums", "residuals"),
        "Apache-2.0",
        "nothing more",
    ),
}


def load_separator(name: str) -> Separator:
    """The separator called `name`. Raises InputError where there is none of that name."""
    if name not in SEPARATORS:
        raise InputError(f"unknown separator {name!r}; there are {', '.join(SEPARATORS)} (see `soundalike models`)")
    return SEPARATORS[name].load()
