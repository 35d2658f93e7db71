"""Where a checkpoint's files lie on this machine, verified."""

from __future__ import annotations

import hashlib
import stat as modes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from soundalike.config import checkpoint_folder
from soundalike.errors import CheckpointError
from soundalike.models.checkpoints.record import digest_of, record_path, recorded, remember
from soundalike.models.checkpoints.table import Checkpoint, CheckpointFile, checkpoint, shown_size

PART = ".part"
"""What the name of a file ends in while it is being fetched."""


@dataclass(frozen=True)
class Located:
    """A checkpoint that is here: its name, the path of each file by its name, and `digest`, 16 hex digits that name the
    contents of all of them."""

    name: str
    paths: Mapping[str, Path]
    digest: str


@dataclass(frozen=True)
class Finding:
    """What was found of one file of a checkpoint.

    state: `here` (verified), `missing` or `damaged` (there, but not what it should be, or not readable); words: what is
    wrong, empty where nothing is; sha256: hex digest where it is here.
    """

    file: CheckpointFile
    path: Path
    state: Literal["here", "missing", "damaged"]
    words: str = ""
    sha256: str = ""


def located(name: str) -> Located:
    """The checkpoint called `name`, its files verified.

    Raises CheckpointError where one is missing or differs, InputError where there is no such checkpoint.
    """
    return locate(checkpoint(name), checkpoint_folder(name))


def locate(row: Checkpoint, folder: Path) -> Located:
    """The checkpoint `row`, whose files lie in `folder`, verified. Raises CheckpointError where one is missing or
    differs."""
    findings = [find(file, folder) for file in row.files]
    for finding in findings:
        if finding.state == "damaged":
            raise CheckpointError(f"{finding.words}; to get it anew: `soundalike models fetch {row.name}`")
    if missing := [finding for finding in findings if finding.state == "missing"]:
        raise CheckpointError(missing_words(row, missing))
    combined = hashlib.blake2b(digest_size=8)
    for finding in sorted(findings, key=lambda finding: finding.file.name):
        combined.update(f"{finding.file.name}\0{finding.sha256}\n".encode())
    return Located(row.name, {finding.file.name: finding.path for finding in findings}, combined.hexdigest())


def find(file: CheckpointFile, folder: Path) -> Finding:
    """Whether `file` lies in `folder` and is what it should be; hashes it unless that was done since it last changed."""
    path = folder / file.name
    try:
        stat = path.stat()
        if not modes.S_ISREG(stat.st_mode):
            what = "a folder" if modes.S_ISDIR(stat.st_mode) else "no file"
            return Finding(file, path, "damaged", f"{path} is {what} where a file is expected; move it away")
        if problem := _size_problem(file, stat.st_size):
            return Finding(file, path, "damaged", f"{path} {problem}")
        sha256 = digest_of(path, stat)
    except (FileNotFoundError, NotADirectoryError):
        return Finding(file, path, "missing", _missing(path, file.size))
    except OSError as error:
        return Finding(file, path, "damaged", f"{path} cannot be read ({error.strerror or error})")
    if problem := digest_problem(file, path, sha256):
        return Finding(file, path, "damaged", f"{path} {problem}")
    known = recorded(path)
    if known is None or (known.size, known.mtime_ns) != (stat.st_size, stat.st_mtime_ns) or known.sha256 != sha256:
        remember(path, sha256, stat)
    return Finding(file, path, "here", sha256=sha256)


def digest_problem(file: CheckpointFile, path: Path, sha256: str) -> str | None:
    """What is wrong with a file that should lie at `path` and has this digest; None where nothing is."""
    if file.sha256 is not None and not sha256.startswith(file.sha256):
        return f"is not {file.name}: its SHA-256 begins {sha256[:12]} where {file.sha256[:12]} is expected"
    first = None if file.pinned else recorded(path)
    if first is not None and first.sha256 != sha256:
        return (
            f"is not what was first seen here: its SHA-256 begins {sha256[:12]} where {first.sha256[:12]} is recorded in "
            f"{record_path(path)} (delete that record if the change is meant)"
        )
    return None


def missing_words(row: Checkpoint, missing: list[Finding]) -> str:
    """One line on what is missing of `row`, how to get it, and where to put it by hand."""
    begun = " (begun: it goes on where it stopped)" if any(finding.words for finding in missing) else ""
    by_hand = ", ".join(f"{finding.file.url} to {finding.path}" for finding in missing)
    sizes = [finding.file.size for finding in missing]
    size = shown_size(sum(size for size in sizes if size is not None)) if None not in sizes else "size unknown"
    return (
        f"the weights of {row.name} are not here: get them by `soundalike models fetch {row.name}`, {size}{begun}, or by "
        f"hand: {by_hand}"
    )


def _size_problem(file: CheckpointFile, size: int) -> str | None:
    if size == 0:
        return "is empty"
    if file.size is not None and size != file.size:
        cut = "cut short" if size < file.size else "too long"
        return f"is {cut}: it has {size:,} bytes where {file.size:,} are expected"
    return None


def _missing(path: Path, size: int | None) -> str:
    """How much of a missing file was fetched already, empty where nothing was."""
    part = path.with_name(path.name + PART)
    try:
        begun = part.stat().st_size
    except OSError:
        return ""
    return f"{begun / size:.0%} fetched" if size else f"{shown_size(begun)} fetched"
