"""What counts where a region of a song is compared with clips: the separated stem and the mixture, and what the network heard.

Separation removes what lies over a sound, and some of the sound itself: of a bass more than of drums. An encoder that hears
through a mixture finds more with both, a note of a bass mostly with the mixture. And of such an encoder the network hears
single sounds through music, while the signal features know more about sounds on their own, and about how a phrase goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from soundalike.analysis.recipe import Recipe
from soundalike.models.encoders.builtin.builtin_encoder import heard_through_music
from soundalike.parts import MIX

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class RegionShares:
    """Shares in a score, 0..1. mixture: of the mixture beside the stem; network: of the network beside the signal features."""

    mixture: float
    network: float

    def combined(self, stem: Float64, mixture: Float64) -> Float64:
        """(D,) the direction that clips are compared with, from those of the stem and of the mixture."""
        return heard_through_music((1 - self.mixture) * stem + self.mixture * mixture, self.network)

    @classmethod
    def least(cls, several: Sequence[Self]) -> Self:
        """The least of each share."""
        return cls(min(one.mixture for one in several), min(one.network for one in several))


class SharesByLength(NamedTuple):
    """single: of a region of up to `LONGEST_SINGLE` seconds; longer: of others."""

    single: RegionShares
    longer: RegionShares


LONGEST_SINGLE = 1.5
"""Seconds; a longer region is meant for a loop or phrase, not for a single sound."""

REGION_SHARES: dict[tuple[str, str], dict[str, SharesByLength]] = {
    ("builtin", "2"): {
        "drums": SharesByLength(RegionShares(0.5, 0.7), RegionShares(0.25, 0.1)),
        "bass": SharesByLength(RegionShares(0.75, 0.7), RegionShares(0.5, 0.1)),
        **dict.fromkeys(
            ("guitar", "piano", "vocals", "residuals"), SharesByLength(RegionShares(0.75, 0.6), RegionShares(0.0, 0.1))
        ),
        MIX: SharesByLength(RegionShares(1.0, 0.6), RegionShares(1.0, 0.1)),
    }
}
"""By encoder and version, by part. The mixture helps to find the very sound, the stem to find sounds of its part: of a longer
region, in which everything else plays on, the mixture counts less (docs/benchmarks.md, "A sound inside a song", "Retrieval by
part"). With other encoders the stem counts alone, as it is."""


def region_shares(recipe: Recipe, seconds: float) -> dict[str, RegionShares]:
    """By part, the shares for a region of so many seconds; none for an encoder that was not measured."""
    by_part = REGION_SHARES.get((recipe.encoder, recipe.encoder_version), {})
    return {part: shares.single if seconds <= LONGEST_SINGLE else shares.longer for part, shares in by_part.items()}
