"""Showing a file in this machine's file manager: a program of the system is started, never through a shell."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from soundalike.errors import InputError

SECONDS = 10.0
"""How long the file manager may take to answer."""


def commands(path: Path, system: str, environment: Mapping[str, str]) -> list[list[str]]:
    """What to try, in turn, to show `path` on `system` (as `sys.platform` says it); empty where there is no desktop.

    A path is one argument whatever it holds: absolute, so that it is no option, and where a program reads a list, as a URI
    whose commas are escaped.
    """
    if system == "darwin":
        return [["open", "-R", str(path)]]
    if system == "win32":
        return [["explorer", f"/select,{path}"]]
    if not (environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")):
        return []
    found = []
    if environment.get("DBUS_SESSION_BUS_ADDRESS") and shutil.which("dbus-send"):
        found.append(
            [
                "dbus-send",
                "--session",
                "--print-reply",
                "--dest=org.freedesktop.FileManager1",
                "/org/freedesktop/FileManager1",
                "org.freedesktop.FileManager1.ShowItems",
                f"array:string:{path.as_uri()}",
                "string:",
            ]
        )
    if shutil.which("xdg-open"):
        found.append(["xdg-open", str(path.parent)])
    return found


def can_reveal() -> bool:
    """Whether this system has a file manager to show files in."""
    return bool(commands(Path("/"), sys.platform, os.environ))


def reveal(path: Path) -> None:
    """Show the file at the absolute `path`. Raises InputError where the system has no way to, or it fails."""
    tried = commands(path, sys.platform, os.environ)
    for command in tried:
        if _succeeds(command):
            return
    words = "its file manager did not answer" if tried else "it has no desktop"
    raise InputError(f"this machine cannot show {path.name} ({words}); copy its path instead")


def _succeeds(command: list[str]) -> bool:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False, shell=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 or command[0] == "explorer"  # which answers 1 when all is well
