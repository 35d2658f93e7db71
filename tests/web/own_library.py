"""A copy of the test library that a test may change while it is served."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from starlette.testclient import TestClient

from soundalike.library.indexing.library_update import index


def add_sound(own: Path, folder: Path, name: str, seed: int) -> None:
    """Write a short sound to `folder` and index it."""
    folder.mkdir(exist_ok=True)
    noise = np.random.default_rng(seed).normal(size=22_050) * np.exp(-np.arange(22_050) / 4_000) * 0.3
    soundfile.write(folder / name, noise.clip(-1, 1), 22_050)
    index(own, [folder], jobs=1)


def first(client: TestClient, kind: str) -> dict[str, Any]:
    """The first item of a kind."""
    return dict(client.get("/api/items", params={"kind": kind}).json()["items"][0])
