"""Short runs of the stress tests in `benchmarks/`, with real decoding, separation and embedding."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _run(name: str, *options: str) -> str:
    command = [sys.executable, "-m", f"benchmarks.{name}", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "faults: 0" in done.stdout
    return done.stdout


@pytest.mark.long
def test_damaged_files_are_named_and_good_ones_indexed() -> None:
    output = _run("stress_damaged_files", "--count", "48", "--good", "10", "--seed", "2")
    assert "found 62 = indexed" in output  # two of the files are albums of three tracks
    assert "good 0 of 10" in output
    assert "empty 2 of 2" in output


@pytest.mark.slow
def test_killed_runs_lose_nothing(request: pytest.FixtureRequest) -> None:
    if "slow" not in str(request.config.getoption("markexpr")):
        pytest.skip("takes long: select it with -m slow, or run `make stress-kill`")
    assert "kills: 6 " in _run("stress_kill", "--count", "6", "--songs", "3", "--one-shots", "30")
