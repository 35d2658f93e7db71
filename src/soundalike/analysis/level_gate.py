"""The level gate: a part far below its mixture is absent, because the cosine of near-silence is noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.float64]

SILENCE_DB = -70.0
"""A mixture below this level (RMS, dB of full scale) is silent: it has no vector at all."""

SILENCE = 10.0 ** (SILENCE_DB / 20)
"""The same as an amplitude: what does not reach it is silent."""


def above_gate(levels: Levels, mixture: Levels | float, gate_db: Levels | float) -> NDArray[np.bool_]:
    """Whether each level is at most -`gate_db` below that of its mixture, and not that of digital silence.

    levels, mixture: RMS in dB of full scale (`soundalike.audio.level.rms_level`), of shapes that broadcast, as is gate_db:
    negative, such as -40.
    """
    above: NDArray[np.bool_] = np.isfinite(levels) & (levels >= mixture + gate_db)
    return above
