"""What a new user waits for: commands from start to end, in processes of their own, beside another installation if given.

    python -m benchmarks.first_use [--other SOUNDALIKE] [--repeats N] [--one-shots N]

SOUNDALIKE is the command of another installation, such as `/tmp/before/.venv/bin/soundalike`; the two take turns. Songs,
loops and one-shots are generated (`soundalike.synth`). Prints the median wall clock and processor time in seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from soundalike.synth.drum_shapes import VOICES
from soundalike.synth.drums import KITS, render_hit
from soundalike.synth.music_library import MusicOptions, write_library

RATE = 44_100


@dataclass(frozen=True)
class Timing:
    """Wall clock and processor time of one run, in seconds."""

    wall: float
    processor: float


def run(command: str, arguments: Sequence[str], cache: Path) -> Timing:
    """Run one command to its end; the caches of numba and soundalike are in `cache`."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache / "numba"), "SOUNDALIKE_CACHE": str(cache / "soundalike")}
    environment.pop("PYTHONPATH", None)
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([command, *arguments], env=environment, check=True, capture_output=True, timeout=600)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Timing(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def write_one_shots(folder: Path, count: int) -> None:
    """`count` different drum hits as 16-bit WAV."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    names = [(kit, voice) for kit in KITS for voice in VOICES]
    for number in range(count):
        kit, voice = names[number % len(names)]
        hit = render_hit(kit, voice)
        decay = np.exp(-np.arange(hit.size) / RATE * rng.uniform(0, 8))
        soundfile.write(folder / f"{voice}_{kit}_{number:04d}.wav", hit * decay * rng.uniform(0.3, 1), RATE, "PCM_16")


class Scenario:
    """The commands that are timed, for one installation."""

    def __init__(self, command: str, music: Path, place: Path) -> None:
        self.command, self.music, self.place = command, music, place
        self.few = [str(path) for kind in ("songs", "loops", "one-shots") for path in self.chosen(kind)]
        self.song = str(sorted((music / "songs").iterdir())[-1])
        self.runs = 0

    def chosen(self, kind: str) -> list[Path]:
        """Three short files of a kind."""
        return sorted((self.music / kind).iterdir())[:3]

    def once(self) -> dict[str, Timing]:
        """All commands once, in new libraries."""
        self.runs += 1
        cache, small, large = (self.place / f"{name}-{self.runs}" for name in ("cache", "small", "large"))
        timings = {"index nine short files, first time": self.index(small, self.few, cache)}
        shutil.rmtree(small)
        timings["the same, second time"] = self.index(small, self.few, cache)
        timings["index the one-shots"] = self.index(large, [str(self.music / "many")], cache)
        listed = [self.command, "similar", str(sorted((self.music / "many").iterdir())[5]), "--library", str(large)]
        found = subprocess.run([*listed, "-n", "1", "--format", "json"], capture_output=True, check=True, timeout=600)
        item = json.loads(found.stdout)["hits"][0]["id"]
        timings["similar ITEM"] = run(self.command, ["similar", item, "--library", str(large)], cache)
        drums = ["similar", self.song, "--part", "drums", "--kind", "one-shot", "--library", str(large)]
        timings["similar SONG --part drums"] = run(self.command, drums, cache)
        timings["--help"] = run(self.command, ["--help"], cache)
        return timings

    def index(self, library: Path, paths: Sequence[str], cache: Path) -> Timing:
        return run(self.command, ["index", "--library", str(library), *paths], cache)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--other", help="command of another installation")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--one-shots", type=int, default=2_600)
    options = parser.parse_args()
    commands = {"this": str(Path(sys.executable).with_name("soundalike"))}
    if options.other:
        commands["other"] = options.other
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        music = folder / "music"
        write_library(music, MusicOptions(seed=3, songs=3, loops=3, one_shots=3, length=60.0))
        write_one_shots(music / "many", options.one_shots)
        scenarios = {key: Scenario(command, music, folder / key) for key, command in commands.items()}
        rounds = [{key: one.once() for key, one in scenarios.items()} for _ in range(options.repeats)]
    print("| command | " + " | ".join(f"{key}: wall, processor (s)" for key in commands) + " |")
    print("|---|" + "---|" * len(commands))
    for step in rounds[0]["this"]:
        cells = []
        for key in commands:
            timings = [one[key][step] for one in rounds]
            wall, processor = (statistics.median(getattr(t, field) for t in timings) for field in ("wall", "processor"))
            cells.append(f"{wall:.2f}, {processor:.2f}")
        print(f"| {step} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
