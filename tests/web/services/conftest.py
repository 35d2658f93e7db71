"""Fixtures of the services' tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from starlette.testclient import TestClient

from soundalike.web.app import create_app
from soundalike.web.services import served_library

RATE = 8_000


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    """Ten seconds of stereo noise."""
    samples = 0.1 * np.random.default_rng(1).standard_normal((10 * RATE, 2)).astype(np.float32)
    soundfile.write(tmp_path / "noise.flac", samples, RATE)
    return tmp_path / "noise.flac"


@pytest.fixture
def own(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the library that the test may change; the server sees changes at once."""
    monkeypatch.setattr(served_library, "REFRESH_SECONDS", 0.0)
    return Path(shutil.copytree(library, tmp_path / "own"))


@pytest.fixture
def web(own: Path) -> Iterator[TestClient]:
    """A client of a server of `own`."""
    with TestClient(create_app(own), base_url="http://127.0.0.1") as client:
        yield client
