"""Folders that test workers share."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from tests.shared_folder import made_once


def _make(folder: Path) -> None:
    with (folder / "log").open("a") as log:
        log.write("made\n")


def _fail(folder: Path) -> None:
    (folder / "half").touch()
    raise ValueError("disk full")


def test_several_processes_make_a_folder_once(tmp_path: Path) -> None:
    folder = tmp_path / "shared" / "songs"
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=made_once, args=(folder, _make)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert (folder / "log").read_text() == "made\n"


def test_a_folder_whose_making_failed_is_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "songs"
    with pytest.raises(ValueError, match="disk full"):
        made_once(folder, _fail)
    assert made_once(folder, _make) == folder
    assert [path.name for path in folder.iterdir()] == ["log"]
