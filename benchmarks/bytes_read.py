"""Count the bytes that `soundalike index` reads from the files of a folder, in a first run and in an unchanged second one.

    python -m benchmarks.bytes_read ~/Music

Needs strace (Linux): it reports every read of every process of the run, with the path of the file. On a network share, a
file that is read twice may be transferred twice.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

CALLS = "read,pread64,readv,preadv,preadv2,copy_file_range,sendfile,splice"
_BEGIN = re.compile(r"(\d+) +\w+\(\d+<([^>]*)>.*?(?: = (-?\d+)|<unfinished \.\.\.>)")
_RESUMED = re.compile(r"(\d+) +<\.\.\. \w+ resumed>.* = (-?\d+)")


def bytes_read(trace: Iterable[str], folder: Path) -> int:
    """The bytes read from files under `folder`, from the lines of `strace -f -y`."""
    total = 0
    unfinished: dict[str, str] = {}
    for line in trace:
        if begun := _BEGIN.match(line):
            process, path, count = begun.groups()
            if count is None:
                unfinished[process] = path
                continue
        elif resumed := _RESUMED.match(line):
            process, count = resumed.groups()
            path = unfinished.pop(process, "")
        else:
            continue
        if path.startswith(f"{folder}/"):
            total += max(0, int(count))
    return total


def main() -> None:
    """Index a folder twice under strace and print what was read."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("music", type=Path)
    parser.add_argument("--jobs", type=int, default=2, help="worker processes (default %(default)s)")
    chosen = parser.parse_args()
    if shutil.which("strace") is None:
        sys.exit("strace is not installed")
    music = chosen.music.resolve()
    size = sum(path.stat().st_size for path in music.rglob("*") if path.is_file())
    print(f"{music}: {size / 1e6:.1f} MB")
    with tempfile.TemporaryDirectory(prefix="bytes-read-") as folder:
        command = [sys.executable, "-m", "soundalike", "index", str(music), "-L", f"{folder}/library"]
        for title in ("first run", "second run"):
            trace = Path(folder) / "trace"
            strace = ["strace", "-f", "-y", "-s", "0", "-e", f"trace={CALLS}", "-o", str(trace)]
            subprocess.run([*strace, *command, "--jobs", str(chosen.jobs)], check=True, capture_output=True)
            with trace.open(errors="replace") as lines:
                count = bytes_read(lines, music)
            print(f"{title}: {count / 1e6:.1f} MB read, {count / size:.3f} of the files' size")


if __name__ == "__main__":
    main()
