"""The digest of a verified file, stored in a small JSON file beside it.

It has two purposes: a file of some gigabytes is not hashed again while its size and modification time are unchanged, and
a file without a published digest must keep the digest that it had when it was first seen.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from soundalike.config import replace_file


@dataclass(frozen=True)
class Record:
    """sha256: hex digest of the whole file; size: bytes; mtime_ns: modification time as `os.stat` gives it."""

    sha256: str
    size: int
    mtime_ns: int


def record_path(path: Path) -> Path:
    """The path of the record of the file `path`."""
    return path.with_name(path.name + ".verified.json")


def read_record(path: Path) -> Record | None:
    """The record of the file `path`; None if there is none or it is damaged."""
    try:
        values = json.loads(record_path(path).read_text(encoding="utf-8"))
        record = Record(str(values["sha256"]), int(values["size"]), int(values["mtime_ns"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return record if re.fullmatch(r"[0-9a-f]{64}", record.sha256) else None


def write_record(path: Path, sha256: str, stat: os.stat_result) -> None:
    """Record that the file `path` had the digest `sha256` when its status was `stat`.

    Does nothing if the folder is not writable: the file is then hashed once by each process that needs it.
    """
    text = json.dumps(asdict(Record(sha256, stat.st_size, stat.st_mtime_ns)), indent=2) + "\n"
    with suppress(OSError):
        replace_file(record_path(path), text)


def digest_of(path: Path, stat: os.stat_result) -> str:
    """SHA-256 of the file `path` as a hex string.

    Taken from the record if size and modification time match, otherwise computed (some seconds per gigabyte). Raises
    OSError if the file cannot be read.
    """
    record = read_record(path)
    if record is not None and (record.size, record.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
        return record.sha256
    return _hash(path, stat.st_size, stat.st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _hash(path: Path, size: int, mtime_ns: int) -> str:
    """SHA-256 of the file. Size and modification time are part of the cache's key: a changed file is hashed again."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
