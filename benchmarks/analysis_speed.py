"""How fast one audio file becomes vectors, stage by stage, on one core, and how much memory each stage takes.

    python -m benchmarks.analysis_speed [FOLDER]

Every file of FOLDER (default: songs/ of SOUNDALIKE_TEST_DATA) is decoded, separated and embedded in one process with
one thread. Each stage is timed on its own, in processor time, best of `--repeats` runs. "complete analysis" is one call
of `Analyser.analyse`, metadata included. The memory of a stage is the most that Python and NumPy allocate while it runs,
of the longest file; what the stage is given, and models that are loaded, are not counted. (The complete analysis takes a file
in segments; the other stages have it whole.)
"""

from __future__ import annotations

import argparse
import tracemalloc
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

from benchmarks.shared.audio_data import audio_files, audio_folder
from benchmarks.shared.markdown import print_table
from benchmarks.shared.timing import shortest
from soundalike.analysis.analyser import Analyser
from soundalike.analysis.recipe import make_recipe
from soundalike.audio import decode
from soundalike.audio.level import rms_level
from soundalike.audio.metadata import facts
from soundalike.audio.waveform import resample, to_channels
from soundalike.audio.waveform_overview import waveform_overview
from soundalike.audio.windows import window_starts
from soundalike.models.encoders import load_encoder
from soundalike.models.separators import load_separator

Result = TypeVar("Result")
Measure = Callable[[Callable[[], Any]], tuple[float, Any]]

EMBED = "embed (mix, and parts that sound)"
VECTOR_STAGES = ("decode", "resample", "separate", EMBED)
VECTORS_ONLY = "decode, resample, separate, embed"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    paths = audio_files(arguments.folder or audio_folder("songs"))
    analyser = Analyser(make_recipe())
    analyser.analyse(paths[0])  # imports and caches
    seconds: dict[str, float] = defaultdict(float)
    audio = 0.0
    with threadpool_limits(1):
        for path in paths:
            stages, duration = run_stages(analyser, path, lambda function: shortest(function, arguments.repeats))
            audio += duration
            for stage, spent in stages.items():
                seconds[stage] += spent
    longest = max(paths, key=lambda path: decode.probe(path).duration)
    memory, length = run_stages(analyser, longest, most_allocated)
    seconds[VECTORS_ONLY] = sum(seconds[stage] for stage in VECTOR_STAGES)
    print(f"{len(paths)} files, {audio:.0f} s of audio, one process, one thread; memory: of {length:.0f} s\n")
    print_table(
        ("stage", "ms per second of audio", "times real time", "memory, MB"),
        [
            (
                stage,
                f"{1e3 * spent / audio:.2f}",
                f"{audio / spent:.0f}",
                f"{memory[stage] / 1e6:.0f}" if stage in memory else "",
            )
            for stage, spent in seconds.items()
        ],
    )


def most_allocated(function: Callable[[], Result]) -> tuple[float, Result]:
    """The most bytes that are allocated at once while `function` runs, and its result."""
    tracemalloc.start()
    try:
        result = function()
        return float(tracemalloc.get_traced_memory()[1]), result
    finally:
        tracemalloc.stop()


def run_stages(analyser: Analyser, path: Path, measure: Measure) -> tuple[dict[str, float], float]:
    """What `measure` finds of each stage for one file, and the file's duration in seconds."""
    separator, encoder = load_separator("builtin"), load_encoder("builtin")
    found: dict[str, float] = {}
    found["decode"], waveform = measure(lambda: decode.read(path))
    channels = to_channels(waveform.samples, separator.channels)
    found["resample"], mixture = measure(lambda: resample(channels, waveform.sample_rate, separator.sample_rate))
    found["separate"], stems = measure(lambda: separator.separate(mixture))
    starts = [round(start * encoder.sample_rate) for start in window_starts(waveform.duration)]
    width = 10 * encoder.sample_rate
    windows = []
    for start in starts:
        mix, *parts = (stem[0, start : start + width] for stem in (mixture, *stems.values()))
        windows += [mix, *(part for part in parts if rms_level(part) - rms_level(mix) > analyser.recipe.gate_db)]
    mono = waveform.mono()
    for stage, function in {
        EMBED: lambda: encoder.embed(windows),
        "waveform overview": lambda: waveform_overview(waveform.samples),
        "loudness": lambda: facts.estimate_loudness(waveform),
        "tempo": lambda: facts.estimate_tempo(mono, waveform.sample_rate),
        "key": lambda: facts.estimate_key(mono, waveform.sample_rate),
        "complete analysis": lambda: analyser.analyse(path),
    }.items():
        found[stage], _ = measure(function)
    return found, waveform.duration


if __name__ == "__main__":
    main()
