from __future__ import annotations

import numpy as np

from soundalike.audio.excerpt_selection import middle_excerpt, spread_excerpts


def test_the_middle_of_a_long_recording_and_all_of_a_short_one() -> None:
    samples = np.arange(20, dtype=np.float32).reshape(2, 10)
    assert middle_excerpt(samples, 2, 2.0).tolist() == [[3, 4, 5, 6], [13, 14, 15, 16]]
    assert middle_excerpt(samples, 2, 5.0) is samples


def test_spread_excerpts_reach_both_ends() -> None:
    samples = np.arange(100, dtype=np.float32)
    pieces = spread_excerpts(samples, 1, 20.0, 5.0)
    assert [piece[0] for piece in pieces] == [0, 31, 63, 95]
    assert all(piece.size == 5 for piece in pieces)
    assert spread_excerpts(samples, 1, 100.0, 5.0)[0] is samples
