"""Tempo and key of made-up songs, estimated from the mix and from stems.

    python -m benchmarks.tempo_and_key --seed 11
    python -m benchmarks.tempo_and_key --seed 31 --mix-only

Songs of known tempo and key (`soundalike.synth`) are estimated from their mix, as `index` does; the tempo also from the drums,
the key also from everything but the drums: of the built-in separator, and of the true stems. Reported: the share of songs whose
tempo is right within 4 %, also where half, double, a third or three times of it counts, and whose key is right.
"""

from __future__ import annotations

import argparse
from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from benchmarks.shared.markdown import print_table
from soundalike.analysis.segments import separate_waveform
from soundalike.audio.metadata.tempo import estimate_tempo
from soundalike.audio.metadata.tonality import estimate_key
from soundalike.audio.waveform import Waveform
from soundalike.config import Runtime
from soundalike.models.separators import Separator, StemFiles, load_separator
from soundalike.synth.songs import Song, render_song
from soundalike.synth.specs import song_specs

TOLERANCE = 0.04
OCTAVES = (1 / 3, 1 / 2, 1, 2, 3)
SOURCES = ("mix", "stems of the built-in separator", "true stems")

Mono = tuple[NDArray[np.float32], int]
"""Samples (samples,) and their rate in Hz."""


def signals(song: Song, separator: Separator | None) -> dict[str, tuple[Mono, Mono]]:
    """By source, what the tempo and the key are estimated from; without a separator, only the mix."""
    mixture = Waveform(song.mixture, song.sample_rate)
    mix = mixture.mono(), song.sample_rate
    if separator is None:
        return {SOURCES[0]: (mix, mix)}
    parts = separate_waveform(separator, mixture, separator.parts)
    rate = parts["drums"].sample_rate
    pitched = np.sum([stem.mono() for part, stem in parts.items() if part != "drums"], axis=0)
    others = np.sum([stem for name, stem in song.stems.items() if name != "drums"], axis=0)
    return {
        SOURCES[0]: (mix, mix),
        SOURCES[1]: ((parts["drums"].mono(), rate), (pitched, rate)),
        SOURCES[2]: (
            (Waveform(song.stems["drums"], song.sample_rate).mono(), song.sample_rate),
            (Waveform(others, song.sample_rate).mono(), song.sample_rate),
        ),
    }


def is_tempo(found: float | str | None, tempo: float, factors: tuple[float, ...]) -> bool:
    """Whether an estimate is the tempo times one of the factors."""
    return isinstance(found, float) and any(abs(found / (factor * tempo) - 1) < TOLERANCE for factor in factors)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=int, default=40, help="(default %(default)s)")
    parser.add_argument("--seconds", type=float, default=28.0, help="of each song (default %(default)g)")
    parser.add_argument("--seed", type=int, default=11, help="of the songs (default %(default)s)")
    parser.add_argument("--mix-only", action="store_true", help="separate nothing")
    options = parser.parse_args()
    separator = None if options.mix_only else load_separator("builtin", Runtime())
    assert not isinstance(separator, StemFiles)
    right: dict[str, list[tuple[bool, bool, bool]]] = defaultdict(list)
    for spec in song_specs(options.seed, options.songs, options.seconds):
        for source, (rhythm, harmony) in signals(render_song(spec), separator).items():
            tempo = estimate_tempo(*rhythm).value
            right[source].append(
                (
                    is_tempo(tempo, spec.tempo, (1,)),
                    is_tempo(tempo, spec.tempo, OCTAVES),
                    estimate_key(*harmony).value == spec.key.name,
                )
            )
    print_table(
        ("estimated from", "tempo", "with octaves", "key"),
        [(source, *(f"{share:.3f}" for share in np.mean(rows, axis=0))) for source, rows in right.items()],
    )


if __name__ == "__main__":
    main()
