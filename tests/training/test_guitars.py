"""Recorded guitars in pieces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from training.guitars import RATE, SECONDS, pieces


def test_guitars_are_cut_into_pieces_and_those_without_a_guitar_are_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "usr/share/games/fretsonfire/data/songs/sectoid/A song"
    folder.mkdir(parents=True)
    tone = 0.3 * np.sin(2 * np.pi * 200 * np.arange(SECONDS * RATE) / RATE)
    soundfile.write(folder / "guitar.ogg", np.concatenate([tone, np.zeros_like(tone), tone, tone[: 5 * RATE]]), RATE)
    found = dict(pieces(tmp_path))
    assert list(found) == ["A song 0", "A song 2"]
    assert {len(piece) for piece in found.values()} == {SECONDS * RATE}
