"""The level gate."""

from __future__ import annotations

import numpy as np

from soundalike.analysis.level_gate import above_gate


def test_levels_are_compared_with_their_mixture() -> None:
    levels = np.array([-10.0, -50.0, -50.1, -np.inf])
    assert above_gate(levels, -10.0, -40.0).tolist() == [True, True, False, False]
    assert above_gate(levels, np.array([-10.0, -9.0, -20.0, -np.inf]), -40.0).tolist() == [True, False, True, False]
