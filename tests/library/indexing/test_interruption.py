"""Runs that are ended from outside: Ctrl-C and `kill -9`."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from soundalike.library.maintenance.audit import audit
from soundalike.library.storage.store import Library
from tests.made_up_library import LibraryFolder

DRIVER = """
import os, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from tests.made_up_rows import RECIPE, made_up_analyser
from soundalike.library.indexing.execution_backends import LocalBackend
from soundalike.library.indexing.index_report import IndexInterrupted
from soundalike.library.indexing.library_update import index
try:
    index(Path(sys.argv[1]), [Path(sys.argv[2])], recipe=RECIPE, jobs=2, backend=LocalBackend(made_up_analyser),
          on_progress=lambda now: os.write(1, b"%d\\n" % now.done))
except IndexInterrupted as end:
    report = end.report
    print("end", report.found, report.indexed, report.unchanged, len(report.skipped), report.open, flush=True)
    sys.exit(130)
"""


def _start(library_folder: LibraryFolder) -> subprocess.Popen[str]:
    """A run in a process of its own, with work begun."""
    code = DRIVER.format(tests=str(Path(__file__).parents[3]))
    command = [sys.executable, "-c", code, str(library_folder.path), str(library_folder.music)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    while (line := process.stdout.readline()) and line == "0\n":
        pass
    return process


def _fill(library_folder: LibraryFolder, count: int) -> None:
    for number in range(count):
        library_folder.write(
            **{f"n{number:03d}": f"slow 0.01 song 2 {number}", f"hit{number:03d}": f"one-shot {number}"}
        )


@pytest.mark.long
def test_ctrl_c_keeps_finished_files_and_reports_them(library_folder: LibraryFolder) -> None:
    _fill(library_folder, 80)
    process = _start(library_folder)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    found, indexed, unchanged, skipped, left = map(int, output.splitlines()[-1].split()[1:])
    assert (found, unchanged, skipped) == (160, 0, 0)
    assert found == indexed + left
    assert left > 0
    assert Library.open(library_folder.path).items().num_rows == indexed
    assert library_folder.index().unchanged == indexed
    library_folder.check()


@pytest.mark.long
def test_a_run_killed_again_and_again_comes_to_the_same_end(library_folder: LibraryFolder) -> None:
    _fill(library_folder, 100)
    rng = random.Random(1)
    before: set[str] = set()
    for _ in range(4):
        process = _start(library_folder)
        time.sleep(rng.uniform(0.0, 0.4))
        process.kill()
        process.communicate(timeout=30)
        library = Library.open(library_folder.path)
        assert audit(library).problems == ()
        now = set(library.items()["id"].to_pylist())
        assert before <= now
        before = now
    analysed = len(library_folder.analysed())
    report = library_folder.index()
    assert report.unchanged == len(before)
    assert report.indexed + report.unchanged == 200
    library_folder.check()
    assert audit(Library.open(library_folder.path)).orphans == 0
    # a kill costs what was in flight: the files of two workers, and those that waited for their commit
    assert analysed - len(before) <= 4 * (4 + 8 + 4)


def test_the_lock_and_the_workers_end_with_a_killed_run(library_folder: LibraryFolder) -> None:
    library_folder.write(a="song 1 1", b="hang", c="hang")
    process = _start(library_folder)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.kill()
    process.communicate(timeout=30)
    for _ in range(200):
        if not any(Path(f"/proc/{pid}").exists() for pid in children):
            break
        time.sleep(0.05)
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)
    library_folder.file("b").unlink()
    library_folder.file("c").unlink()
    report = library_folder.index()
    assert report.indexed + report.unchanged == 1
