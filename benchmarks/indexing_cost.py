"""What indexing costs in processor time, in this checkout and in another one, in turn.

    python -m benchmarks.indexing_cost FOLDER ... --against CHECKOUT --pairs 5

`soundalike index FOLDER ... --jobs 1` makes a new library, once with the code of CHECKOUT (another worktree of the
repository) and once with that of this one, so many times in turn. Reported: user and system time in seconds of all
processes of a run. Both use the packages of the environment that runs this script.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.shared.markdown import print_table

HERE = Path(__file__).parents[1]
TIMEOUT = 3_600.0  # s, for one run


def processor_time(checkout: Path, folders: list[Path]) -> float:
    """Seconds of user and system time that indexing `folders` takes with the code of `checkout`."""
    environment = {**os.environ, "PYTHONPATH": str(checkout / "src"), "OMP_NUM_THREADS": "1"}
    before = os.times()
    with tempfile.TemporaryDirectory(prefix="indexing-cost-") as library:
        command = [sys.executable, "-m", "soundalike", "index", *map(str, folders)]
        command += ["--library", str(Path(library) / "library"), "--jobs", "1", "--quiet"]
        subprocess.run(command, env=environment, check=True, timeout=TIMEOUT, stdout=subprocess.DEVNULL)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--against", type=Path, required=True, help="another checkout of the repository")
    parser.add_argument("--pairs", type=int, default=5, help="(default %(default)s)")
    options = parser.parse_args()
    folders = [folder.resolve() for folder in options.folders]
    checkouts = {"other": options.against.resolve(), "this": HERE}
    for checkout in checkouts.values():
        processor_time(checkout, folders)  # byte code, and files in the cache
    times = np.array(
        [[processor_time(checkout, folders) for checkout in checkouts.values()] for _ in range(options.pairs)]
    )
    print_table(
        ("checkout", "processor time of each run (s)", "median"),
        [
            (name, ", ".join(f"{value:.1f}" for value in column), f"{np.median(column):.1f}")
            for name, column in zip(checkouts, times.T, strict=True)
        ],
    )
    ratios = times[:, 1] / times[:, 0]
    print(
        f"\nthis / other, pair by pair: {', '.join(f'{ratio:.2f}' for ratio in ratios)}; median {np.median(ratios):.2f}"
    )


if __name__ == "__main__":
    main()
