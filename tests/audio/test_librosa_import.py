"""librosa's compiled kernels, filled into an empty cache by several processes at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CODE = """
import numpy as np
from soundalike.audio.metadata.facts import estimate_key
tone = np.sin(2 * np.pi * 220 / 44100 * np.arange(8 * 44100)).astype(np.float32)
print(estimate_key(tone, 44100).value)
"""


def test_processes_that_start_together_on_a_fresh_installation_all_live(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    together = [
        subprocess.Popen([sys.executable, "-c", CODE], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    answers = [process.communicate(timeout=300)[0] for process in together]
    later = subprocess.run(
        [sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert [process.returncode for process in together] == [0, 0, 0]
    assert later.returncode == 0
    assert set(answers) == {later.stdout}
    assert any(tmp_path.rglob("*.nbi"))
