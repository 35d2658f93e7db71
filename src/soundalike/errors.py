"""The exceptions that soundalike raises on purpose.

Each message is written for the user: the invalid value, what is allowed, what to do next. Only the command line turns
them into exit codes (`exit_code`).
"""

from __future__ import annotations


class SoundalikeError(Exception):
    """Base class of all errors that soundalike raises on purpose. `str(error)` is one line."""

    exit_code = 1


class InputError(SoundalikeError):
    """An argument has an invalid value (a part, a weight, a region, a kind, a path that does not exist)."""

    exit_code = 2


class NotFoundError(InputError):
    """What an id or a name stands for does not exist, or no longer (an item, an upload, an answer)."""


class AudioError(SoundalikeError):
    """A file cannot be decoded, or contains nothing to compare (empty, silent, not audio)."""

    exit_code = 3


class LibraryError(SoundalikeError):
    """A library is missing, locked by another writer, damaged, or made with other models or options."""

    exit_code = 4


class CheckpointError(SoundalikeError):
    """The weights of a model are missing, cannot be downloaded, are damaged, or belong to another model."""

    exit_code = 5


def system_error_text(error: OSError) -> str:
    """What the system reports, and of which file, if it names one."""
    return f"{error.strerror or error}" + (f" ({error.filename})" if error.filename else "")
