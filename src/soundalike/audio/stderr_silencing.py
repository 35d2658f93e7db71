"""Silences what C libraries write to stderr.

libsndfile decodes mp3 by libmpg123, which writes warnings about damaged frames to the C library's stderr; libsndfile
has no option to disable them. Python's `redirect_stderr` has no effect on it: only the file descriptor does.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

_STDERR = 2
_lock = threading.Lock()
_inside = 0
_saved: int | None = None


@contextlib.contextmanager
def silenced_stderr() -> Iterator[None]:
    """Context manager that points file descriptor 2 of this *process* at the null device.

    It nests, and several threads may be inside at once: the first to enter redirects, the last to leave restores.
    What other threads write to stderr in that time (some 0.1 s per song) is lost, so only formats whose decoders write
    to it are decoded inside; if decoding runs in worker processes, the parent's stderr is not affected. A process
    without a stderr (closed descriptor) is left as it is. Exceptions pass through.
    """
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _inside, _saved
    with _lock:
        _inside += 1
        if _inside > 1:
            return
        try:
            _saved = os.dup(_STDERR)
        except OSError:  # there is no stderr
            _saved = None
            return
        null = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(null, _STDERR)
        finally:
            os.close(null)


def _leave() -> None:
    global _inside, _saved
    with _lock:
        _inside -= 1
        if _inside == 0 and _saved is not None:
            os.dup2(_saved, _STDERR)
            os.close(_saved)
            _saved = None
