"""Shows a file in this machine's file manager: starts a program of the system, never through a shell."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from soundalike.errors import InputError

TIMEOUT = 10.0
"""Seconds that the file manager may take to answer."""


def commands(path: Path, system: str, environment: Mapping[str, str]) -> list[list[str]]:
    """Commands that show `path`, in the order to try them, on `system` (a value of `sys.platform`); empty without a desktop.

    The path is one argument whatever it contains: absolute, so that it is not taken for an option, and a URI with escaped
    commas where a program reads a list.
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
    """Whether this system has a file manager."""
    return bool(commands(Path("/"), sys.platform, os.environ))


def reveal(path: Path) -> None:
    """Show the file at the absolute `path`. Raises InputError if there is no file manager, or it fails."""
    tried = commands(path, sys.platform, os.environ)
    for command in tried:
        if _succeeds(command):
            return
    reason = "its file manager did not answer" if tried else "it has no desktop"
    raise InputError(f"this machine cannot show {path.name} ({reason}); copy its path instead")


def _succeeds(command: list[str]) -> bool:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT, check=False, shell=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 or command[0] == "explorer"  # explorer returns 1 even if it succeeds
