"""The built-in encoder joined with aiSFX: what a share of it in the cosine gives for the timbre of single sounds.

    soundalike models fetch aisfx
    python -m benchmarks.encoder_fusion --midi FOLDER

FOLDER: rendered by `benchmarks.render_midi_sounds`; real samples come from SOUNDALIKE_TEST_DATA. The tasks are those of
`benchmarks.encoder_tasks` about single sounds; each cell has the mAP, and the 95 % bootstrap interval of its difference
to the built-in encoder alone, on the same queries. Needs the extra `neural`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from benchmarks import encoder_sounds as sounds
from benchmarks.encoder_tasks import Result, bootstrap_means, evaluate, interval, sample_task, tone_tasks
from benchmarks.shared.audio_data import audio_folder
from benchmarks.shared.markdown import print_table
from soundalike.models.encoders import load_encoder

SHARES = (0.0, 0.1, 0.2, 0.3, 0.5, 1.0)
BATCH = 16

Matrix = NDArray[np.floating[Any]]


def joined(one: Matrix, other: Matrix, share: float) -> Matrix:
    """Unit vectors whose cosine is the mean of both, with `share` for the other."""
    return np.concatenate([np.sqrt(1 - share) * one, np.sqrt(share) * other], axis=1)


def embedded(name: str, clips: list[sounds.Clip]) -> Matrix:
    """Vectors (N, D) of clips at `sounds.RATE`."""
    encoder = load_encoder(name)
    rows = []
    for first in range(0, len(clips), BATCH):
        batch = [soxr.resample(clip, sounds.RATE, encoder.sample_rate) for clip in clips[first : first + BATCH]]
        rows.append(encoder.embed([np.asarray(clip, np.float32) for clip in batch]))
    return np.concatenate(rows)


def cell(result: Result, alone: Result) -> str:
    low, high = interval(bootstrap_means(result.precision - alone.precision, result.classes))
    return f"{result.precision.mean():.3f} ({low:+.3f} to {high:+.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--midi", type=Path, required=True)
    options = parser.parse_args()
    collections = {name: sounds.midi(options.midi, name) for name in ("tones", "kits")}
    collections["samples"] = sounds.samples(audio_folder())
    with threadpool_limits(1):
        rows = {
            name: {encoder: embedded(encoder, collection.clips) for encoder in ("builtin", "aisfx")}
            for name, collection in collections.items()
        }
    tasks = [sample_task(collections), *tone_tasks(collections)]

    def results(share: float) -> list[Result]:
        return [
            evaluate(task, lambda name: joined(rows[name]["builtin"], rows[name]["aisfx"], share)) for task in tasks
        ]

    alone = results(0.0)
    print_table(
        ("share of aiSFX", *(task.title for task in tasks)),
        [(f"{share:g}", *map(cell, results(share), alone)) for share in SHARES],
    )


if __name__ == "__main__":
    main()
