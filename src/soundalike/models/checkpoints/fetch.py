"""Getting a checkpoint's files: from where they are published, from a mirror, or from a folder. All or nothing a file.

A file appears under its name only when it is whole and verified; until then it has `.part` behind its name, and what has
arrived survives an interruption. A mirror is laid out as the folder of checkpoints is: `MIRROR/clap/tokenizer.json`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from filelock import FileLock, Timeout

from soundalike.errors import CheckpointError
from soundalike.models.checkpoints.download import Patience, check_space, download, forget, shown_url, writing
from soundalike.models.checkpoints.locate import PART, Finding, digest_problem, find
from soundalike.models.checkpoints.record import remember
from soundalike.models.checkpoints.table import Checkpoint, CheckpointFile, shown_size

FileProgress = Callable[[CheckpointFile, int, int | None], None]
"""Called with a file, the bytes of it that are here, and those of the whole, None where that is not known."""

_IMPORT = ".import"
_LOCK = ".fetch.lock"
_CHUNK = 1 << 20


def fetch(
    row: Checkpoint,
    folder: Path,
    *,
    mirror: str | None = None,
    progress: FileProgress | None = None,
    patience: Patience | None = None,
) -> list[CheckpointFile]:
    """Download the files of `row` that are not in `folder` yet, verified; which these were.

    mirror: the address of a server to take them from instead of where they are published. Raises CheckpointError, where
    something arrived already that is kept, and a later call goes on with it.
    """
    with _filling(folder):
        wanted = _wanted(row, folder)
        check_space(folder, sum(_still(finding) for finding in wanted))
        for finding in wanted:
            url = f"{mirror.rstrip('/')}/{row.name}/{quote(finding.file.name)}" if mirror else finding.file.url
            _download(finding, url, progress or _silent, patience)
    return [finding.file for finding in wanted]


def import_files(
    row: Checkpoint, folder: Path, source: Path, *, progress: FileProgress | None = None
) -> list[CheckpointFile]:
    """Copy the files of `row` that are not in `folder` yet from `source`, verified; which these were.

    source: a folder that holds them, itself or below the checkpoint's name, or one of them. Raises CheckpointError where
    one cannot be found there or is not what it should be; those before it are imported then.
    """
    if not source.exists():
        raise CheckpointError(f"{source} is not there; name a file or folder that holds the files of {row.name}")
    with _filling(folder):
        wanted = _wanted(row, folder)
        absent = []
        for finding in wanted:
            original = _original(finding, row, source)
            if original is None:
                absent.append(finding.file.name)
            else:
                _copy(finding, original, progress or _silent)
    if absent:
        raise CheckpointError(
            f"{source} does not hold {', '.join(absent)} of {row.name} (files must have these names: some are published "
            "under others, see docs/models.md)"
        )
    return [finding.file for finding in wanted]


@contextmanager
def _filling(folder: Path) -> Iterator[None]:
    """The folder made, and held against a second fetch into it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CheckpointError(
            f"the folder {folder} cannot be made ({error.strerror or error}); name another by SOUNDALIKE_CHECKPOINTS"
        ) from error
    lock = FileLock(folder / _LOCK, timeout=0, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        raise CheckpointError(
            f"another process is fetching into {folder} already; wait until it is done, or end it"
        ) from None
    except (OSError, NotImplementedError) as error:
        raise CheckpointError(
            f"the folder {folder} cannot be written ({error}); name another by SOUNDALIKE_CHECKPOINTS"
        ) from error
    try:
        yield
    finally:
        lock.release()


def _wanted(row: Checkpoint, folder: Path) -> list[Finding]:
    """Those of the files that are missing or damaged. Raises CheckpointError where no file can be put in place."""
    wanted = [finding for finding in (find(file, folder) for file in row.files) if finding.state != "here"]
    for finding in wanted:
        if finding.path.exists() and not finding.path.is_file():
            raise CheckpointError(finding.words)
    return wanted


def _still(finding: Finding) -> int:
    """Bytes that a download still has to write, 0 where that is not known."""
    part = finding.path.with_name(finding.path.name + PART)
    return max(0, (finding.file.size or 0) - (part.stat().st_size if part.is_file() else 0))


def _download(finding: Finding, url: str, progress: FileProgress, patience: Patience | None) -> None:
    file, path = finding.file, finding.path
    part = path.with_name(path.name + PART)
    resumed = part.exists()
    while True:
        download(
            url,
            part,
            size=file.size,
            digest_known=file.pinned,
            progress=lambda here, total: progress(file, here, total),
            patience=patience,
        )
        problem = _install(file, part, path)
        if problem is None:
            forget(part)
            return
        forget(part)
        if not resumed:
            raise CheckpointError(
                f"what {shown_url(url)} gave {problem}; it was removed. Try again, name another server (--mirror), or "
                "import the file from elsewhere (--from)"
            )
        resumed = False  # its first bytes may have been those of an older file


def _copy(finding: Finding, original: Path, progress: FileProgress) -> None:
    file, path = finding.file, finding.path
    copy = path.with_name(path.name + _IMPORT)
    try:
        size = original.stat().st_size
        if file.size is not None and size != file.size:
            raise CheckpointError(
                f"{original} is not imported: it has {size:,} bytes ({shown_size(size)}) where {file.size:,} are expected"
            )
        check_space(path.parent, size)
        with original.open("rb") as opened, writing(copy, kept=False), copy.open("wb") as target:
            here = 0
            while chunk := _read(opened, original):
                target.write(chunk)
                here += len(chunk)
                progress(file, here, size)
        if problem := _install(file, copy, path):
            raise CheckpointError(f"{original} is not imported: it {problem}")
    except OSError as error:
        raise CheckpointError(f"{original} cannot be read ({error.strerror or error})") from error
    finally:
        copy.unlink(missing_ok=True)


def _read(opened: BinaryIO, original: Path) -> bytes:
    try:
        return opened.read(_CHUNK)
    except OSError as error:
        raise CheckpointError(f"{original} cannot be read ({error.strerror or error})") from error


def _original(finding: Finding, row: Checkpoint, source: Path) -> Path | None:
    """The file at `source` that can be imported as `finding`'s; None where there is none."""
    name = finding.file.name
    candidates = [source / name, source / row.name / name] if source.is_dir() else [source] * (source.name == name)
    for candidate in candidates:
        if candidate.is_file() and not (finding.path.exists() and candidate.samefile(finding.path)):
            return candidate
    return None


def _install(file: CheckpointFile, arrived: Path, path: Path) -> str | None:
    """Put the file `arrived` at `path` and record its digest; what is wrong with it instead where it may not."""
    with writing(arrived), arrived.open("r+b") as opened:
        sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
        os.fsync(opened.fileno())
    if problem := digest_problem(file, path, sha256):
        return problem
    if arrived.stat().st_size == 0:
        return "is empty"
    with writing(path):
        os.replace(arrived, path)
        remember(path, sha256, path.stat())
    return None


def _silent(file: CheckpointFile, here: int, total: int | None) -> None:
    """No progress asked for."""
