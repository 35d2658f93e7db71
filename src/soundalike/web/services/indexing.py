"""Indexing from the page: one folder at a time, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from soundalike.config import expanded
from soundalike.errors import InputError, SoundalikeError
from soundalike.library.storage.location import Location
from soundalike.web import schemas

END_SECONDS = 20.0
"""How long the process may take to end when the server ends."""

MAX_SUGGESTED = 30
"""Folders that are suggested for the beginning of a path."""


class Indexing:
    """Indexes into the library at `location`. Thread-safe.

    on_change: called when files were added, before that is reported: who sees that it is done also sees the files.
    """

    def __init__(self, location: Location, on_change: Callable[[], object]) -> None:
        self._location = location
        self._on_change = on_change
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._follower: threading.Thread | None = None  # reads what it reports
        self._progress = schemas.IndexingOut(state="idle")

    def start(self, folder: str | None) -> schemas.IndexingOut:
        """Index a folder of this machine; None: generated music, beside the library.

        Raises InputError for a path that is not a folder, a library that is not on this machine, or while another runs.
        """
        if not isinstance(self._location, Path):
            raise InputError("this library is in object storage; add to it with `soundalike index`")
        demo = folder is None
        place = self._location.with_name(f"{self._location.name}-demo-music") if folder is None else _folder(folder)
        with self._lock:
            if self._follower is not None:
                if self._progress.state == "running" and self._follower.is_alive():
                    raise InputError("a folder is being indexed; wait until it is done")
                self._follower.join()  # a process that has reported its end takes a moment to end
            command = [
                sys.executable,
                "-m",
                "soundalike.web.services.indexing_process",
                str(self._location),
                str(place),
            ]
            self._process = subprocess.Popen(
                [*command, *(["--demo"] if demo else [])], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
            )
            self._progress = schemas.IndexingOut(state="running", folder=str(place))
            self._follower = threading.Thread(target=self._follow, args=(self._process,), daemon=True)
            self._follower.start()
            return self._progress

    @property
    def progress(self) -> schemas.IndexingOut:
        """How far it is."""
        return self._progress

    def close(self) -> None:
        """End the process between two files; what it has indexed is kept."""
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        if self._follower is not None:
            self._follower.join()

    def _follow(self, process: subprocess.Popen[str]) -> None:
        """Read what the process reports until it ends."""
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                values = json.loads(line)
                if "added" in values:
                    values |= self._ended()
                elif "error" in values:
                    values["state"] = "failed"
                self._progress = self._progress.model_copy(update=values)
        process.wait()
        if self._progress.state == "running":
            self._progress = self._progress.model_copy(update={"state": "failed", "error": "indexing was interrupted"})

    def _ended(self) -> dict[str, str]:
        """The last state of a process that has added its files."""
        try:
            self._on_change()
        except SoundalikeError as error:
            return {"state": "failed", "error": str(error)}
        return {"state": "done"}


def _folder(written: str) -> Path:
    """The folder that a path names. Raises InputError if there is none."""
    path = expanded(written.strip().strip('"'))
    if not path.is_absolute():
        raise InputError(
            f"{written} is not an absolute path; write it from the root, such as {expanded('~') / 'Music'}"
        )
    if not path.is_dir():
        raise InputError(f"there is no folder {path}; check the path")
    return path


def suggested_folders(beginning: str) -> list[str]:
    """Folders of this machine whose paths begin so; for nothing, those where music usually is."""
    home = expanded("~")
    if not beginning.strip():
        usual = ("Music", "Music/Samples", "Samples", "Splice", "Documents/Splice", "Music/Ableton", "Desktop")
        return [str(home / name) for name in usual if (home / name).is_dir()]
    path = expanded(beginning.strip())
    parent, name = (path, "") if beginning.endswith(("/", "\\")) else (path.parent, path.name.lower())
    try:
        found = [entry for entry in parent.iterdir() if entry.name.lower().startswith(name) and entry.is_dir()]
    except OSError:
        return []
    return sorted(str(entry) for entry in found if not entry.name.startswith("."))[:MAX_SUGGESTED]
