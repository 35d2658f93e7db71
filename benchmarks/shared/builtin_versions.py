"""Both versions of the built-in encoder out of one analysis, and of the built-in separator."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from soundalike.analysis.recipe import Recipe, make_recipe
from soundalike.models.encoders.builtin.signal_encoder import SignalEncoder
from soundalike.similarity.cosine import unit

Version = Literal["1", "2"]
VERSIONS: tuple[Version, ...] = ("1", "2")


def as_version(vectors: NDArray[np.float32], version: Version) -> NDArray[np.float32]:
    """Vectors (..., D) of version 2 as they are, or those of version 1, which are their first numbers at unit length."""
    return vectors if version == "2" else np.asarray(unit(vectors[..., : SignalEncoder.dimension]), dtype=np.float32)


def add_separator_option(parser: argparse.ArgumentParser) -> None:
    """Add `--separator`, the version that `recipe_with` takes."""
    parser.add_argument("--separator", choices=VERSIONS, default=VERSIONS[-1], help="version of the built-in separator")


def recipe_with(separator: Version) -> Recipe:
    """The recipe of the built-in models with a version of the separator."""
    return replace(make_recipe(), separator_version=separator)
