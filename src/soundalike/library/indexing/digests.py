"""Digests of many files, computed a little ahead of their use."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from soundalike.library.indexing.execution_backends import ExecutionBackend, without_place
from soundalike.library.indexing.scanned_file import ScannedFile
from soundalike.library.indexing.sidecar_files import SidecarFiles
from soundalike.library.storage.location import Location, ObjectRefusedError


def digests_ahead(
    files: Iterable[ScannedFile],
    roots: Mapping[str, Location],
    backend: ExecutionBackend,
    sidecars: SidecarFiles | None,
    stop: threading.Event,
) -> Iterator[tuple[ScannedFile, str | OSError | ObjectRefusedError]]:
    """Digests of files, or why they cannot be read, in order, computed by threads; the file of several tracks is read once.

    roots: name -> folder; stop: ends the iteration when it is set. Digests that have not begun when it ends, for whatever
    reason, are not computed. Raises what does not concern a single file (LibraryError where a store cannot be reached).
    """
    ahead: deque[tuple[ScannedFile, Future[str]]] = deque()
    last: tuple[Location, Future[str]] | None = None
    remaining, threads = iter(files), backend.readers
    with ThreadPoolExecutor(threads, "digest") as executor:
        try:
            while not stop.is_set():
                while len(ahead) < 2 * threads and (found := next(remaining, None)) is not None:
                    file = roots[found.root] / found.file
                    if last is None or last[0] != file:
                        last = (file, executor.submit(backend.digest, file, sidecars))
                    ahead.append((found, last[1]))
                if not ahead:
                    break
                found, future = ahead.popleft()
                try:
                    digest: str | OSError | ObjectRefusedError = found.digest(future.result())
                except (OSError, ObjectRefusedError) as error:
                    digest = error
                yield found, digest
        finally:
            executor.shutdown(wait=True, cancel_futures=True)


def explain_unreadable(error: OSError | ObjectRefusedError, file: Location) -> str:
    """Why a file has no digest, for the list of skipped files."""
    if isinstance(error, ObjectRefusedError):
        return without_place(error, file, str(file))
    return f"cannot be read: {error.strerror or error}"
