from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from soundalike.errors import LibraryError
from soundalike.library.storage.lock import HOLDER_NAME, writing

HOLD = """
import sys, time
from pathlib import Path
from soundalike.library.storage.lock import writing
with writing(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def _holder(library: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(library)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_writer_is_refused_naming_the_holder(tmp_path: Path) -> None:
    with _holder(tmp_path) as process:
        try:
            with (
                pytest.raises(LibraryError, match=f"being written by process {process.pid} of .* since"),
                writing(tmp_path),
            ):
                pass
        finally:
            process.kill()


def test_a_killed_holder_leaves_the_library_free(tmp_path: Path) -> None:
    with _holder(tmp_path) as process:
        os.kill(process.pid, signal.SIGKILL)
    assert (tmp_path / HOLDER_NAME).exists()  # the file is still there, the lock is not
    with writing(tmp_path):
        pass
    assert not (tmp_path / HOLDER_NAME).exists()


def test_one_process_cannot_write_twice_at_a_time(tmp_path: Path) -> None:
    with writing(tmp_path), pytest.raises(LibraryError, match=f"process {os.getpid()} "), writing(tmp_path):
        pass
    with writing(tmp_path):
        pass


def test_a_folder_that_cannot_be_locked_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LibraryError, match="cannot be locked for writing"), writing(tmp_path / "file"):
        pass
