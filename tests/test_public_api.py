"""The package: its public names, what importing it loads, and its layers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import soundalike

ROOT = Path(__file__).parents[1]
HASHED = ("requirements.lock", "requirements-test.lock", "requirements-dev.lock")


@pytest.mark.parametrize("name", soundalike.__all__)
def test_every_public_name_exists_and_is_documented(name: str) -> None:
    value = getattr(soundalike, name)
    assert callable(value)
    assert value.__doc__


def test_an_unknown_name_raises_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        _ = soundalike.nothing


def test_importing_the_package_imports_no_heavy_module() -> None:
    code = (
        "import sys, soundalike\n"
        "heavy = {'numpy', 'scipy', 'lance', 'lancedb', 'pyarrow', 'librosa', 'torch'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    process = subprocess.run([sys.executable, "-c", code], timeout=60, check=False, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr


CORE_SCRIPT = """
import sys
from pathlib import Path
from soundalike.analysis.analyser import Analyser
from soundalike.cli.models import command
from soundalike.search.finder import Finder
from soundalike.analysis.recipe import make_recipe
finder = Finder.open(sys.argv[1])
song = next(item for item in finder.items if item["kind"] == "song")
finder.similar(song["id"])
Analyser(make_recipe()).analyse_region(finder.library.absolute(song["root"], song["path"]), 2.0, 6.0)
command.main(["--format", "json"], standalone_mode=False)
heavy = {"torch", "transformers", "tokenizers", "openvino", "demucs", "huggingface_hub", "ray"}
print(sorted(heavy & set(sys.modules)), file=sys.stderr)
"""


@pytest.mark.neural
def test_the_core_does_not_import_torch_even_if_it_is_installed(library: Path) -> None:
    pytest.importorskip("torch", reason="needs the extra: neural")
    command = [sys.executable, "-c", CORE_SCRIPT, str(library)]
    process = subprocess.run(command, timeout=300, check=False, capture_output=True, text=True)
    assert process.stderr.strip().splitlines()[-1] == "[]", process.stderr


def test_lock_files_pin_digests_and_name_no_package_index() -> None:
    lock = "".join((ROOT / name).read_text(encoding="utf-8") for name in HASHED)
    assert "://" not in lock
    assert "--hash=sha256:" in lock
