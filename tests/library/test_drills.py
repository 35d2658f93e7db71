"""Short forms of the long proofs in `benchmarks/`, with real decoding, separating and embedding."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def _drill(name: str, *options: str) -> str:
    command = [sys.executable, str(BENCHMARKS / f"{name}.py"), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "faults: 0" in done.stdout
    return done.stdout


def test_damaged_files_are_named_and_good_ones_indexed() -> None:
    said = _drill("drill_damage", "--count", "48", "--good", "10", "--seed", "2")
    assert "found 58 = indexed" in said
    assert "good 0 of 10" in said
    assert "empty 6 of 6" in said


@pytest.mark.slow
def test_killed_runs_lose_nothing(request: pytest.FixtureRequest) -> None:
    if "slow" not in str(request.config.getoption("markexpr")):
        pytest.skip("a long proof: ask for it with -m slow, or run `make drill-kill`")
    assert "kills: 6 " in _drill("drill_kill", "--count", "6", "--songs", "3", "--hits", "30")
