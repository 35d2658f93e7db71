"""The exceptions that soundalike raises on purpose.

Each message is written for the person at the keyboard: the offending value, what is allowed, the next step. Only the
command line turns them into exit codes (`exit_code`); library code raises and lets them pass.
"""

from __future__ import annotations


class SoundalikeError(Exception):
    """Base of all errors that soundalike raises on purpose. `str(error)` is one readable line."""

    exit_code = 1


class InputError(SoundalikeError):
    """An argument has a value that is not allowed (a part, a weight, a region, a kind, a path that is not there)."""

    exit_code = 2


class AudioError(SoundalikeError):
    """A file cannot be decoded, or holds nothing that can be compared (empty, silent, not audio)."""

    exit_code = 3


class LibraryError(SoundalikeError):
    """A library is missing, held by another writer, damaged, or made in another way than asked for."""

    exit_code = 4


class CheckpointError(SoundalikeError):
    """A model's weights are missing, cannot be fetched, are damaged, or are not those of that model."""

    exit_code = 5
