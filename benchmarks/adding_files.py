"""What it costs to add a file to a library that is small, large, very large: it should not matter.

    PYTHONPATH=. python benchmarks/adding.py LIBRARY [LIBRARY ...] --files 200

Each LIBRARY was written by benchmarks/large_library.py (it is changed). Made-up files, whose analyses are made up, are indexed
into it by what `soundalike index` runs: once with nothing new, which is what a run costs at all, then with new files.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path

from soundalike.library.indexing import library_update
from soundalike.library.storage.store import Library
from tests.made_up_library import Inline
from tests.made_up_rows import made_up_analyser


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("libraries", nargs="+", type=Path)
    parser.add_argument("--files", type=int, default=200)
    arguments = parser.parse_args()
    library_update.analyser = made_up_analyser  # type: ignore[assignment]
    library_update.Workers = Inline  # type: ignore[assignment,misc]
    print(
        "| rows before | a run with nothing new (s) | with new files (s) | files | ms a file | of it, sketches (rows) |"
    )
    print("|---|---|---|---|---|---|")
    for place in arguments.libraries:
        rows = Library.open(place).windows(["start"]).num_rows
        music = Path(tempfile.mkdtemp(prefix="adding-"))
        try:
            (music / "first.wav").write_text(f"song 10 {time.time_ns() % 10**9}")
            library_update.index(place, [music], jobs=1)
            idle = timed(place, music)[0]
            for number in range(arguments.files):
                (music / f"{number}.wav").write_text(f"song 10 {time.time_ns() % 10**9}{number}")
            seconds, sketched = timed(place, music)
        finally:
            shutil.rmtree(music)
        each = 1e3 * (seconds - idle) / arguments.files
        print(f"| {rows:,} | {idle:.2f} | {seconds:.2f} | {arguments.files} | {each:.1f} | {sketched:,} |", flush=True)


def timed(place: Path, music: Path) -> tuple[float, int]:
    """Seconds of an indexing run of the folder, and how many rows it sketched."""
    began = time.perf_counter()
    report = library_update.index(place, [music], jobs=1)
    return time.perf_counter() - began, report.sketched


if __name__ == "__main__":
    main()
