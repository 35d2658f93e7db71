"""Where the studies find real audio."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def folder(name: str) -> Path:
    """The folder `name` (songs, samples, multitracks) of the real audio; ends the program in words where there is
    none."""
    place = os.environ.get("SOUNDALIKE_TEST_DATA")
    if not place:
        sys.exit("SOUNDALIKE_TEST_DATA is not set: it names a folder with songs/, samples/ and multitracks/")
    path = Path(place) / name
    if not path.is_dir():
        sys.exit(f"{path} is not there; SOUNDALIKE_TEST_DATA={place} needs a folder {name}/")
    return path
