from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from soundalike.synth.miniature_inst_sim_abx import write_inst_sim_abx
from soundalike.synth.miniature_slakh import MiniTrack, write_slakh


@dataclass(frozen=True)
class Miniature:
    """A miniature Slakh2100 and what listeners answered about it."""

    slakh: Path
    answers: Path
    tracks: tuple[MiniTrack, ...]


def _written(folder: Path, tracks: int, mixes: int, parts: int) -> Miniature:
    written = write_slakh(folder / "slakh", seed=3, tracks=tracks, length=16.0)
    write_inst_sim_abx(folder / "abx", written, mixes=mixes, parts=parts)
    return Miniature(folder / "slakh", folder / "abx", written)


@pytest.fixture(scope="session")
def miniature(tmp_path_factory: pytest.TempPathFactory) -> Miniature:
    """To be read only."""
    return _written(tmp_path_factory.mktemp("miniature"), tracks=6, mixes=36, parts=3)


@pytest.fixture(scope="session")
def small_miniature(tmp_path_factory: pytest.TempPathFactory) -> Miniature:
    """For networks, which take longer for a clip; to be read only."""
    return _written(tmp_path_factory.mktemp("small-miniature"), tracks=4, mixes=16, parts=1)
