"""The command line run in this process: arguments in, exit code and streams out."""

from __future__ import annotations

import io
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest

from soundalike.cli import main


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    stdout: str
    stderr: str


def run(*arguments: object, library: Path | None = None) -> Outcome:
    """Run `soundalike ARGUMENTS` with `library` as the default library."""
    environment = {"COLUMNS": "200"} | ({} if library is None else {"SOUNDALIKE_LIBRARY": str(library)})
    stdout, stderr = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, environment),
        mock.patch.object(sys, "argv", ["soundalike", *map(str, arguments)]),
        redirect_stdout(stdout),
        redirect_stderr(stderr),
        pytest.raises(SystemExit) as end,
    ):
        main()
    assert isinstance(end.value.code, int)
    return Outcome(end.value.code, stdout.getvalue(), stderr.getvalue())
