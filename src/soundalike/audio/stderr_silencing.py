"""Keeping C libraries off the terminal.

libsndfile decodes mp3 by libmpg123, which writes its warnings about damaged frames to the C library's stderr
and can not be told not to (a known, open fault of libsndfile). Python's `redirect_stderr` does not reach it: only
the file descriptor does.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

_STDERR = 2
_lock = threading.Lock()
_inside = 0
_kept: int | None = None


@contextlib.contextmanager
def silenced_stderr() -> Iterator[None]:
    """Points file descriptor 2 of this *process* at the null device while inside.

    Nests, and several threads may be inside at once: the first to enter switches, the last to leave restores.
    Words that another thread writes to stderr meanwhile (some 0.1 s a song) are lost, which is why only
    formats that chatter are decoded in here; where decoding runs in worker processes the parent's stderr is
    not concerned. A process without a stderr (closed descriptor) is left alone. Exceptions pass through.
    """
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _inside, _kept
    with _lock:
        _inside += 1
        if _inside > 1:
            return
        try:
            _kept = os.dup(_STDERR)
        except OSError:  # no stderr to keep quiet
            _kept = None
            return
        null = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(null, _STDERR)
        finally:
            os.close(null)


def _leave() -> None:
    global _inside, _kept
    with _lock:
        _inside -= 1
        if _inside == 0 and _kept is not None:
            os.dup2(_kept, _STDERR)
            os.close(_kept)
            _kept = None
