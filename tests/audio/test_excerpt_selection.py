from __future__ import annotations

import numpy as np

from soundalike.audio.excerpt_selection import middle, spread


def test_middle_of_a_long_one_and_all_of_a_short_one() -> None:
    samples = np.arange(20, dtype=np.float32).reshape(2, 10)
    assert middle(samples, 2, 2.0).tolist() == [[3, 4, 5, 6], [13, 14, 15, 16]]
    assert middle(samples, 2, 5.0) is samples


def test_spread_reaches_both_ends() -> None:
    samples = np.arange(100, dtype=np.float32)
    pieces = spread(samples, 1, 20.0, 5.0)
    assert [piece[0] for piece in pieces] == [0, 31, 63, 95]
    assert all(piece.size == 5 for piece in pieces)
    assert spread(samples, 1, 100.0, 5.0)[0] is samples
