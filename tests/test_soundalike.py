"""The package itself: its public names, and the layers it is built in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import soundalike

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", soundalike.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    value = getattr(soundalike, name)
    assert callable(value)
    assert value.__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        _ = soundalike.nothing


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, soundalike; sys.exit(bool({'numpy', 'lancedb', 'librosa'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


def test_layers_point_one_way() -> None:
    from importlinter.cli import lint_imports

    assert lint_imports(config_filename=str(ROOT / ".importlinter")) == 0


def test_no_index_address_is_in_the_lock() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "http" not in lock
    assert "--hash=sha256:" in lock
