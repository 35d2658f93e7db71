"""What adding files costs in libraries of different sizes; it should not depend on the size.

    python -m benchmarks.adding_files LIBRARY [LIBRARY ...] --files 200

Each LIBRARY was written by `benchmarks.large_library` and is changed. Fake files, whose analysis is made up, are
indexed with the code that `soundalike index` runs: first without any new file, which gives the fixed cost of a run,
then with new ones.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.shared.markdown import print_table
from soundalike.library.storage.store import Library
from soundalike.search.after_indexing import index
from tests.made_up_library import InlineBackend

HEADER = ("rows before", "run without new files (s)", "with new files (s)", "files", "ms per file", "rows quantised")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("libraries", nargs="+", type=Path)
    parser.add_argument("--files", type=int, default=200)
    arguments = parser.parse_args()
    print_table(HEADER, (cost_of_adding(library, arguments.files) for library in arguments.libraries))


def cost_of_adding(place: Path, count: int) -> tuple[str, ...]:
    """One row of the table."""
    rows = Library.open(place).windows(["start"]).num_rows
    with tempfile.TemporaryDirectory(prefix="adding-files-") as folder:
        music = Path(folder)
        (music / "first.wav").write_text(f"song 10 {time.time_ns() % 10**9}")
        index(place, [music], backend=InlineBackend())
        idle, _ = timed_run(place, music)
        for number in range(count):
            (music / f"{number}.wav").write_text(f"song 10 {time.time_ns() % 10**9}{number}")
        seconds, quantised = timed_run(place, music)
    per_file = 1e3 * (seconds - idle) / count
    return f"{rows:,}", f"{idle:.2f}", f"{seconds:.2f}", f"{count}", f"{per_file:.1f}", f"{quantised:,}"


def timed_run(place: Path, music: Path) -> tuple[float, int]:
    """Seconds that indexing the folder takes, and how many rows were quantised."""
    start = time.perf_counter()
    report = index(place, [music], backend=InlineBackend())
    return time.perf_counter() - start, report.sketched


if __name__ == "__main__":
    main()
