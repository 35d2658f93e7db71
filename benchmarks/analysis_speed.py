"""How fast one file becomes vectors, stage by stage, on one core.

    python benchmarks/speed.py [FOLDER]

FOLDER (default: songs/ of SOUNDALIKE_TEST_DATA) is decoded, separated and embedded file by file in one process with
one thread. Each stage is timed on its own, in processor time, best of `--repeats`; "the whole way" is
`Analyser.analyse`, timed as one call, facts and all.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from benchmarks.shared import audio_data
from soundalike.analysis.analyser import Analyser
from soundalike.analysis.recipe import make_recipe
from soundalike.audio import decode
from soundalike.audio.metadata import facts
from soundalike.audio.waveform import resample, to_channels
from soundalike.audio.waveform_overview import outline
from soundalike.audio.windows import window_starts
from soundalike.models.encoders import load_encoder
from soundalike.models.separators import load_separator

T = TypeVar("T")


def timed(function: Callable[[], T], repeats: int) -> tuple[float, T]:
    """The shortest of `repeats` runs, and what the function gave."""
    best = float("inf")
    for _ in range(repeats):
        began = time.process_time()
        result = function()
        best = min(best, time.process_time() - began)
    return best, result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    folder = arguments.folder or audio_data.folder("songs")
    separator, encoder = load_separator("builtin"), load_encoder("builtin")
    analyser = Analyser(make_recipe())
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in decode.EXTENSIONS)
    analyser.analyse(paths[0])  # warm: imports, caches
    spent: dict[str, float] = defaultdict(float)
    audio = 0.0
    for path in paths:
        spent["decode"] += (native := timed(lambda p=path: decode.read(p), arguments.repeats))[0]
        waveform = native[1]
        mono = to_channels(waveform.samples, separator.channels)
        took, mixture = timed(
            lambda m=mono, w=waveform: resample(m, w.sample_rate, separator.sample_rate), arguments.repeats
        )
        spent["resample"] += took
        took, stems = timed(lambda m=mixture: separator.separate(m), arguments.repeats)
        spent["separate"] += took
        starts = [round(start * encoder.sample_rate) for start in window_starts(waveform.duration)]
        width = 10 * encoder.sample_rate
        crops = [stem[0, a : a + width] for stem in (*stems.values(), mixture) for a in starts]
        spent["embed (4 parts)"] += timed(lambda c=crops: encoder.embed(c), arguments.repeats)[0]
        spent["outline"] += timed(lambda w=waveform: outline(w.samples), arguments.repeats)[0]
        spent["loudness"] += timed(lambda w=waveform: facts.estimate_loudness(w), arguments.repeats)[0]
        single = waveform.mono()
        spent["tempo"] += timed(lambda s=single, w=waveform: facts.estimate_tempo(s, w.sample_rate), arguments.repeats)[
            0
        ]
        spent["key"] += timed(lambda s=single, w=waveform: facts.estimate_key(s, w.sample_rate), arguments.repeats)[0]
        spent["the whole way"] += timed(lambda p=path: analyser.analyse(p), arguments.repeats)[0]
        audio += waveform.duration
    spent["decode, resample, separate, embed"] = sum(
        spent[stage] for stage in ("decode", "resample", "separate", "embed (4 parts)")
    )
    print(f"{len(paths)} files, {audio:.0f} s of audio, one process, one thread\n")
    print("| stage | ms per second of audio | times real time |")
    print("|---|---|---|")
    for stage, seconds in spent.items():
        print(f"| {stage} | {1e3 * seconds / audio:.2f} | {audio / seconds:.0f} |")


if __name__ == "__main__":
    main()
