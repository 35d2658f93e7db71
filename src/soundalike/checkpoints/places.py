"""Where downloaded weights and what is derived from them are kept."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from soundalike.errors import CheckpointError


def cache_folder() -> Path:
    """The folder for what can be made again: `SOUNDALIKE_CACHE`, or the system's place for caches."""
    named = os.environ.get("SOUNDALIKE_CACHE")
    return Path(named).expanduser() if named else Path(platformdirs.user_cache_dir("soundalike", appauthor=False))


def checkpoints_folder() -> Path:
    """The folder that checkpoints are fetched into: `SOUNDALIKE_CHECKPOINTS`, or one beside the user's data."""
    named = os.environ.get("SOUNDALIKE_CHECKPOINTS")
    if named:
        return Path(named).expanduser()
    return Path(platformdirs.user_data_dir("soundalike", appauthor=False)) / "checkpoints"


def folder_variable(name: str) -> str:
    """The environment variable that names the folder of the checkpoint `name`: `SOUNDALIKE_CHECKPOINT_CLAP_MUSIC`."""
    return "SOUNDALIKE_CHECKPOINT_" + name.upper().replace("-", "_")


def checkpoint_folder(name: str) -> Path:
    """The folder with the files of the checkpoint `name`: the one that its own variable names, or `name` below
    `checkpoints_folder()`. Raises CheckpointError where the variable names a file."""
    named = os.environ.get(folder_variable(name))
    if named and Path(named).expanduser().is_file():
        raise CheckpointError(
            f"{folder_variable(name)}={named} is a file; it names a folder. Unset it and import the file: `soundalike models "
            f"fetch {name} --from {named}`"
        )
    return Path(named).expanduser() if named else checkpoints_folder() / name
