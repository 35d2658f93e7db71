"""Output formats of search results."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from soundalike.cli import result_formats
from soundalike.cli.result_formats import bar, print_result
from soundalike.search.finder import Finder


@pytest.mark.parametrize("width", [40, 60, 80, 100, 160])
def test_score_and_file_are_shown_at_every_terminal_width(
    library: Path, song: Path, width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    result = Finder.open(library).similar(song, n=2)
    assert len(result.hits) == 2
    monkeypatch.setattr(result_formats, "stdout_console", lambda: Console(width=width, highlight=False))
    print_result(result, "table")
    shown = "".join(capsys.readouterr().out.split())
    for hit in result.hits:
        assert f"{hit.score:.3f}" in shown
        # A long path may be folded, but its first characters stay together.
        assert "".join(Path(hit.path).stem.split())[:6] in shown


@pytest.mark.parametrize(
    ("value", "scale", "cells"),
    [
        (1.0, 1.0, "████████"),
        (0.5, 1.0, "████"),
        (-0.5, 1.0, "-████"),
        (3.0, 1.0, "████████"),
        (0.01, 8.0, ""),
        (1, 0, ""),
    ],
)
def test_bars(value: float, scale: float, cells: str) -> None:
    assert bar(value, scale) == cells
