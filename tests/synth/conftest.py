"""A song and a small library on disk, made once for all tests of the generator."""

from __future__ import annotations

from pathlib import Path

import pytest

from soundalike.synth.music_library import MusicOptions, write_library
from soundalike.synth.songs import Song, render_song
from soundalike.synth.specs import SongSpec, song_specs
from soundalike.synth.truth import Truth


@pytest.fixture(scope="session")
def specs() -> tuple[SongSpec, ...]:
    return song_specs(seed=1, count=16, length=12.0)


@pytest.fixture(scope="session")
def songs(specs: tuple[SongSpec, ...]) -> tuple[Song, ...]:
    """One song of each style."""
    return tuple(render_song(spec) for spec in specs[:8])


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    folder = tmp_path_factory.mktemp("generated")
    return folder, write_library(folder, MusicOptions(seed=3, songs=3, loops=10, one_shots=76, length=10.0, stems=True))
