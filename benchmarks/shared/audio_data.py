"""The folder of real audio that some benchmarks read."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from soundalike.audio.suffixes import AUDIO_SUFFIXES


def audio_folder(name: str = "") -> Path:
    """Folder `name` (songs, samples, multitracks) of the real audio, or the folder that holds all of them.

    Exits with a message if SOUNDALIKE_TEST_DATA is not set or has no such folder.
    """
    root = os.environ.get("SOUNDALIKE_TEST_DATA")
    if not root:
        sys.exit("SOUNDALIKE_TEST_DATA is not set; set it to a folder that contains songs/, samples/ and multitracks/")
    path = Path(root) / name
    if not path.is_dir():
        sys.exit(f"{path} does not exist; SOUNDALIKE_TEST_DATA={root} must contain a folder {name}/")
    return path


def audio_files(folder: Path) -> list[Path]:
    """All audio files at any depth of a folder, sorted by path."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES)
