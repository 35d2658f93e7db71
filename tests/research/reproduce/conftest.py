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


@pytest.fixture(scope="session")
def miniature(tmp_path_factory: pytest.TempPathFactory) -> Miniature:
    """To be read only."""
    folder = tmp_path_factory.mktemp("miniature")
    tracks = write_slakh(folder / "slakh", seed=3, tracks=6, length=22.0)
    write_inst_sim_abx(folder / "abx", tracks, mixes=36, parts=3)
    return Miniature(folder / "slakh", folder / "abx", tracks)
