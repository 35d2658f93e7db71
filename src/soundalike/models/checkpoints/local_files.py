"""The files of a checkpoint on this machine, verified against the table."""

from __future__ import annotations

import hashlib
import stat as modes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from soundalike.config import checkpoint_folder
from soundalike.errors import CheckpointError
from soundalike.models.checkpoints.record import digest_of, read_record, record_path, write_record
from soundalike.models.checkpoints.table import Checkpoint, CheckpointFile, checkpoint, format_size


@dataclass(frozen=True)
class LocalCheckpoint:
    """A verified checkpoint: its name, the path of each file by its name in the table (even if it is the alternative), and
    `digest`, 16 hex digits that identify the contents of all files."""

    name: str
    paths: Mapping[str, Path]
    digest: str


@dataclass(frozen=True)
class FileStatus:
    """The status of one file of a checkpoint.

    state: `here` (verified), `missing` or `damaged` (exists, but differs from the table or cannot be read); message: what
    is wrong, or how much of a missing file has been downloaded; sha256: hex digest if the file is here.
    """

    file: CheckpointFile
    path: Path
    state: Literal["here", "missing", "damaged"]
    message: str = ""
    sha256: str = ""


def local_checkpoint(name: str) -> LocalCheckpoint:
    """The checkpoint called `name`, verified.

    Raises CheckpointError if a file is missing or differs from the table, InputError if there is no such checkpoint.
    """
    return verify(checkpoint(name), checkpoint_folder(name))


def verify(row: Checkpoint, folder: Path) -> LocalCheckpoint:
    """The checkpoint `row` in `folder`, verified. Raises CheckpointError if a file is missing or differs."""
    statuses = [file_status(file, folder) for file in row.files]
    for status in statuses:
        if status.state == "damaged":
            raise CheckpointError(f"{status.message}; get it again with `soundalike models fetch {row.name}`")
    if missing := [status for status in statuses if status.state == "missing"]:
        raise CheckpointError(_missing_message(row, missing))
    combined = hashlib.blake2b(digest_size=8)
    for status in sorted(statuses, key=lambda status: status.file.name):
        combined.update(f"{status.file.name}\0{status.sha256}\n".encode())
    paths = {file.name: status.path for file, status in zip(row.files, statuses, strict=True)}
    return LocalCheckpoint(row.name, paths, combined.hexdigest())


def file_status(file: CheckpointFile, folder: Path) -> FileStatus:
    """Whether `file`, or else its alternative, is in `folder` and intact.

    Hashes it unless it is unchanged since it was last verified.
    """
    status = _status(file, folder)
    if status.state == "missing" and file.alternative is not None:
        alternative = _status(file.alternative, folder)
        return status if alternative.state == "missing" else alternative
    return status


def _status(file: CheckpointFile, folder: Path) -> FileStatus:
    path = folder / file.name
    try:
        stat = path.stat()
        if not modes.S_ISREG(stat.st_mode):
            kind = "a folder" if modes.S_ISDIR(stat.st_mode) else "not a regular file"
            return FileStatus(file, path, "damaged", f"{path} is {kind} where a file is expected; move it away")
        if problem := _size_problem(file, stat.st_size):
            return FileStatus(file, path, "damaged", f"{path} {problem}")
        sha256 = digest_of(path, stat)
    except (FileNotFoundError, NotADirectoryError):
        return FileStatus(file, path, "missing", _downloaded_so_far(path, file.size))
    except OSError as error:
        return FileStatus(file, path, "damaged", f"{path} cannot be read ({error.strerror or error})")
    if problem := digest_problem(file, path, sha256):
        return FileStatus(file, path, "damaged", f"{path} {problem}")
    record = read_record(path)
    if record is None or (record.size, record.mtime_ns, record.sha256) != (stat.st_size, stat.st_mtime_ns, sha256):
        write_record(path, sha256, stat)
    return FileStatus(file, path, "here", sha256=sha256)


def part_path(path: Path) -> Path:
    """The path that the file `path` has while it is being downloaded."""
    return path.with_name(path.name + ".part")


def digest_problem(file: CheckpointFile, path: Path, sha256: str) -> str | None:
    """What is wrong with a file for `path` that has the digest `sha256`; None if nothing is."""
    if file.sha256 is not None and not sha256.startswith(file.sha256):
        return f"is not {file.name}: its SHA-256 begins with {sha256[:12]}, expected {file.sha256[:12]}"
    record = None if file.pinned else read_record(path)
    if record is not None and record.sha256 != sha256:
        return (
            f"is not the file that was first seen here: its SHA-256 begins with {sha256[:12]}, but "
            f"{record_path(path)} records {record.sha256[:12]} (delete that record if the change is intended)"
        )
    return None


def _missing_message(row: Checkpoint, missing: list[FileStatus]) -> str:
    """One line: what is missing of `row`, how to get it, and where to put it by hand."""
    begun = ", continues where it stopped" if any(status.message for status in missing) else ""
    sizes = [status.file.size for status in missing]
    size = format_size(sum(size for size in sizes if size is not None)) if None not in sizes else "size unknown"
    by_hand = ", ".join(f"{status.file.url} to {status.path}" for status in missing)
    return (
        f"the weights of {row.name} are missing: get them with `soundalike models fetch {row.name}` ({size}{begun}), or "
        f"download them by hand: {by_hand}"
    )


def _size_problem(file: CheckpointFile, size: int) -> str | None:
    if size == 0:
        return "is empty"
    if file.size is not None and size != file.size:
        return f"is {'truncated' if size < file.size else 'too long'}: it has {size:,} bytes, expected {file.size:,}"
    return None


def _downloaded_so_far(path: Path, size: int | None) -> str:
    """How much of a missing file has been downloaded, empty if nothing has."""
    try:
        begun = part_path(path).stat().st_size
    except OSError:
        return ""
    return f"{begun / size:.0%} downloaded" if size else f"{format_size(begun)} downloaded"
