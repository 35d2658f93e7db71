"""Which libraries each command imports: nothing before it is needed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import soundalike
from soundalike.search.request import SearchRequest
from tests.cli.command_line import run

DECODING = {"av", "soundfile"}
COMPUTING = {"scipy.fft", "scipy.ndimage", "scipy.signal", "scipy.stats", "scipy.cluster", "scipy.optimize"}
EXTRAS = {"torch", "numba", "sklearn", "matplotlib", "ray", "librosa", "lancedb", "requests", "pyloudnorm"}
TABLES = {"lance", "pyarrow"}

CODE = """
import sys
from soundalike.cli import main
sys.argv = ["soundalike", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print(*sys.modules, file=sys.stderr, sep="\\n")
"""


def imported_by(*arguments: str) -> set[str]:
    """The modules that a command has imported at its end."""
    command = [sys.executable, "-c", CODE, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return set(done.stderr.splitlines())


def test_a_search_for_an_item_decodes_and_computes_nothing(library: Path) -> None:
    item = next(item["id"] for item in soundalike.open(library).items if item["kind"] == "one-shot")
    modules = imported_by("similar", item, "--library", str(library), "--format", "csv")
    assert "lance" in modules
    assert not modules & (DECODING | COMPUTING | EXTRAS | {"rich", "soundalike.analysis.analyser"})


@pytest.mark.parametrize("arguments", [("--help",), ("similar", "--help"), ("index", "--help"), ("models", "--help")])
def test_help_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    assert not imported_by(*arguments) & (DECODING | COMPUTING | EXTRAS | TABLES | {"numpy"})


def test_the_status_needs_neither_decoders_nor_extras(library: Path) -> None:
    modules = imported_by("status", "--library", str(library))
    assert "lance" in modules
    assert not modules & (DECODING | EXTRAS)


def test_a_search_for_a_file_needs_no_extra(library: Path, music: Path, tmp_path: Path) -> None:
    indexed = sorted((music / "songs").iterdir())[0]
    song = Path(shutil.copy(indexed, tmp_path / f"reference{indexed.suffix}"))
    modules = imported_by("similar", str(song), "--part", "drums", "--library", str(library), "--format", "csv")
    assert "soundfile" in modules or "av" in modules
    assert not modules & (EXTRAS | {"scipy.stats", "scipy.cluster", "scipy.optimize"})


def test_the_share_of_a_version_in_the_help_is_that_of_a_search() -> None:
    help_text = " ".join(run("similar", "--help").stdout.split())
    shown = help_text[help_text.index("--version-share") :]
    assert f"[default: {SearchRequest.version_share};" in shown[: shown.index("--diverse")]
