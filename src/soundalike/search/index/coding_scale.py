"""What vectors are multiplied by before they are coded in one bit a number (`rabitq`).

Codes keep the directions of whole vectors. Of a piece that is a small share of the vectors and most of a query, as the network of
the built-in encoder is where a region of a song is compared with clips (`search.region_shares`), they would keep next to nothing.
"""

from __future__ import annotations

import numpy as np

from soundalike.analysis.recipe import Recipe
from soundalike.models.encoders.builtin.builtin_encoder import piece_factors
from soundalike.search.index.table_rows import CLIPS, Float32, Table

NETWORK = 0.4
"""The network's share in clips as they are coded: between that of plain queries and that of regions, so that the codes serve
both (docs/benchmarks.md, "Large libraries")."""


def coding_scale(recipe: Recipe, table: Table) -> Float32 | None:
    """(D,) what vectors of a table are multiplied by, and queries divided by; None if nothing."""
    if table != CLIPS or (recipe.encoder, recipe.encoder_version) != ("builtin", "2"):
        return None
    return np.sqrt(piece_factors(NETWORK)).astype(np.float32)
