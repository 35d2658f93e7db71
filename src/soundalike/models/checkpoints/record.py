"""What was verified of a file, kept in a small JSON beside it.

It serves two ends: a file of some gigabytes is not hashed again while its size and time of change stay the same, and
what a file without a published digest held when it was first seen is enforced from then on.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Record:
    """sha256: hex digest of the whole file; size: bytes; mtime_ns: time of last change, as `os.stat` gives it."""

    sha256: str
    size: int
    mtime_ns: int


def record_path(path: Path) -> Path:
    """Where the record of the file `path` lies."""
    return path.with_name(path.name + ".verified.json")


def recorded(path: Path) -> Record | None:
    """What is recorded of the file `path`; None where nothing is, or nothing that can be read."""
    try:
        values = json.loads(record_path(path).read_text(encoding="utf-8"))
        record = Record(str(values["sha256"]), int(values["size"]), int(values["mtime_ns"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return record if re.fullmatch(r"[0-9a-f]{64}", record.sha256) else None


def remember(path: Path, sha256: str, stat: os.stat_result) -> None:
    """Record that the file `path` had the digest `sha256` when it was as `stat` says.

    Where the folder cannot be written nothing is recorded: the file is then hashed whenever a process first needs it.
    """
    text = json.dumps(asdict(Record(sha256, stat.st_size, stat.st_mtime_ns)), indent=2) + "\n"
    with (
        suppress(OSError),
        tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=".record-", delete=False) as file,
    ):
        try:
            file.write(text)
            file.close()
            os.replace(file.name, record_path(path))
        except OSError:
            Path(file.name).unlink(missing_ok=True)


def digest_of(path: Path, stat: os.stat_result) -> str:
    """SHA-256 of the file `path`, in hex: as recorded if that was for a file of this size and time of change, else
    computed (some seconds a gigabyte). Raises OSError where it cannot be read."""
    known = recorded(path)
    if known is not None and (known.size, known.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
        return known.sha256
    return _hashed(path, stat.st_size, stat.st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _hashed(path: Path, size: int, mtime_ns: int) -> str:
    """SHA-256 of the file. Size and time stand for its content: what has changed since is hashed anew."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
