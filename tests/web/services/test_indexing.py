"""Indexing from the page, which ends with the server."""

from __future__ import annotations

import errno
import json
import signal
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import soundfile

from soundalike.config import Runtime
from soundalike.errors import InputError, LibraryError
from soundalike.library.indexing.library_update import index
from soundalike.library.maintenance.audit import audit
from soundalike.library.storage.store import Library
from soundalike.web.services import indexing_process, served_library
from soundalike.web.services.indexing import Indexing
from soundalike.web.services.served_library import ServedLibrary


def _sounds(folder: Path, count: int) -> Path:
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(count)
    for number in range(count):
        soundfile.write(folder / f"{number:04d}.wav", rng.normal(scale=0.1, size=4_000).clip(-1, 1), 22_050)
    return folder


@pytest.fixture
def library(tmp_path: Path) -> Path:
    index(tmp_path / "library", [_sounds(tmp_path / "first", 1)], jobs=1)
    return tmp_path / "library"


@pytest.fixture
def indexing(library: Path) -> Indexing:
    return Indexing(library, lambda: None)


def _wait(indexing: Indexing, state: str) -> None:
    until = time.monotonic() + 60
    while indexing.progress.state != state and time.monotonic() < until:
        time.sleep(0.02)
    assert indexing.progress.state == state, indexing.progress


def test_a_folder_is_indexed_and_what_was_done_is_reported(indexing: Indexing, tmp_path: Path) -> None:
    assert indexing.start(str(_sounds(tmp_path / "more", 3))).state == "running"
    _wait(indexing, "done")
    assert (indexing.progress.found, indexing.progress.added, indexing.progress.skipped) == (3, 3, 0)
    indexing.close()
    assert Library.open(tmp_path / "library").items().num_rows == 4


def test_the_next_folder_can_be_indexed_as_soon_as_one_is_reported_as_done(
    indexing: Indexing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process still runs for a moment then."""
    program = tmp_path / "program"
    report = '{"added": 0, "found": 0, "skipped": 0}'
    program.write_text(
        f"#!{sys.executable}\nimport time\nprint({report!r}, flush=True)\ntime.sleep(0.5)\n", encoding="utf-8"
    )
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    for _ in range(2):
        assert indexing.start(str(tmp_path / "first")).state == "running"
        _wait(indexing, "done")
    indexing.close()


def test_a_folder_that_the_library_excludes_is_refused_with_the_pattern(indexing: Indexing, tmp_path: Path) -> None:
    folder = _sounds(tmp_path / "first" / "Backup", 1)
    index(tmp_path / "library", exclude=["backup"])
    indexing.start(str(folder))
    _wait(indexing, "failed")
    assert f"{folder} is left out, excluded by 'backup'" in str(indexing.progress.error)
    indexing.close()


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "/music"), "Permission denied (/music)"),
        (
            ZeroDivisionError("by 0"),
            "internal error, a bug: ZeroDivisionError: by 0; the output of the server has more",
        ),
    ],
)
def test_the_reason_of_a_failure_is_reported(
    failure: Exception,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr("soundalike.synth.music_library.write_library", fail)
    with nullcontext() if isinstance(failure, OSError) else pytest.raises(ZeroDivisionError):
        indexing_process.main(str(tmp_path / "library"), str(tmp_path / "music"), demo=True)
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"error": message}


def test_what_was_there_already_and_what_is_no_audio_is_counted(indexing: Indexing, tmp_path: Path) -> None:
    (tmp_path / "first" / "notes.wav").write_text("no audio")
    indexing.start(str(tmp_path / "first"))
    _wait(indexing, "done")
    assert (indexing.progress.found, indexing.progress.added, indexing.progress.skipped) == (2, 0, 1)
    indexing.close()


def test_who_sees_that_it_is_done_also_sees_the_files(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served_library, "REFRESH_SECONDS", 3_600.0)  # the library was just looked at
    served = ServedLibrary(library, Runtime())
    indexing = Indexing(library, served.refresh_now)
    assert len(served.refresh()) == 1
    indexing.start(str(_sounds(tmp_path / "more", 3)))
    _wait(indexing, "done")
    assert len(served.refresh()) == 4
    indexing.close()
    served.close()


def test_a_library_that_cannot_be_read_afterwards_is_reported(library: Path, tmp_path: Path) -> None:
    def unreadable() -> None:
        raise LibraryError("the library is damaged: audit it")

    indexing = Indexing(library, unreadable)
    indexing.start(str(_sounds(tmp_path / "more", 1)))
    _wait(indexing, "failed")
    assert indexing.progress.error == "the library is damaged: audit it"
    indexing.close()


def test_one_folder_at_a_time(indexing: Indexing, tmp_path: Path) -> None:
    more = str(_sounds(tmp_path / "more", 20))
    indexing.start(more)
    with pytest.raises(InputError, match="a folder is being indexed"):
        indexing.start(more)
    indexing.close()


@pytest.mark.long
def test_it_ends_with_a_server_that_ignores_ctrl_c(indexing: Indexing, tmp_path: Path) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell does for what a script starts with `&`
    try:
        indexing.start(str(_sounds(tmp_path / "more", 150)))
    finally:
        signal.signal(signal.SIGINT, before)
    until = time.monotonic() + 60
    while not indexing.progress.total and time.monotonic() < until:
        time.sleep(0.02)
    process = indexing._process
    assert process is not None
    indexing.close()
    assert process.returncode not in (None, -signal.SIGKILL)
    assert indexing.progress.state == "failed"
    assert indexing.progress.error is not None
    assert "interrupted" in indexing.progress.error
    library = Library.open(tmp_path / "library")
    assert library.items().num_rows < 151
    assert audit(library).problems == ()
