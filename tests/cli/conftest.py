"""Fixtures of the command line's tests."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def song(music: Path) -> Path:
    """The first generated song."""
    return sorted((music / "songs").iterdir())[0]
