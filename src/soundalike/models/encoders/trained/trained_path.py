"""Where the files of trained networks are on this machine."""

from __future__ import annotations

from pathlib import Path

from soundalike.config import checkpoint_folder


def trained_path(name: str) -> Path:
    """The file of the trained network called `name`, whether it exists or not."""
    return checkpoint_folder(name) / f"{name}.pt"
