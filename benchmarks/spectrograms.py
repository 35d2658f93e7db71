"""Draw a reference above a hit, part by part, as mel spectrograms with the cosine of each part.

    python -m benchmarks.spectrograms REFERENCE START HIT START OUT.png [--seconds 10]

Needs the extra `report` (Matplotlib).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import librosa
import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from soundalike.analysis.analyser import Analyser
from soundalike.analysis.recipe import make_recipe
from soundalike.similarity.cosine import cosines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reference", type=Path)
    parser.add_argument("start", type=float)
    parser.add_argument("hit", type=Path)
    parser.add_argument("hit_start", type=float)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seconds", type=float, default=10.0)
    arguments = parser.parse_args()
    analyser = Analyser(make_recipe())
    regions = ((arguments.reference, arguments.start), (arguments.hit, arguments.hit_start))
    analyses = [analyser.analyse_region(path, start, start + arguments.seconds) for path, start in regions]
    cosine = cosines(analyses[0].vectors[0], analyses[1].vectors[0])
    parts = analyses[0].parts
    figure, axes = plt.subplots(2, len(parts), figsize=(3.2 * len(parts), 4.6), sharex=True, sharey=True)
    for row, (path, start) in enumerate(regions):
        stems, rate = analyser.stems(path, start, start + arguments.seconds)
        for column, part in enumerate(parts):
            draw(axes[row, column], stems[part], rate, arguments.seconds)
        axes[row, 0].set_ylabel(f"{path.stem[:26]}\n{start:g}-{start + arguments.seconds:g} s", fontsize=8)
    for column, part in enumerate(parts):
        present = all(analysis.present[0, column] for analysis in analyses)
        axes[0, column].set_title(f"{part}: {cosine[column]:+.2f}" if present else f"{part}: silent", fontsize=10)
        axes[1, column].set_xlabel("s", fontsize=8)
    figure.tight_layout()
    figure.savefig(arguments.out, dpi=70)
    print(", ".join(f"{part} {value:+.3f}" for part, value in zip(parts, cosine, strict=True)))


def draw(axis: plt.Axes, samples: np.ndarray, rate: int, seconds: float) -> None:
    """Draw a mel spectrogram of 80 bands up to 14 kHz, 60 dB deep."""
    mel = librosa.feature.melspectrogram(y=samples, sr=rate, n_fft=2048, hop_length=512, n_mels=80, fmax=14_000)
    decibels = librosa.power_to_db(mel, ref=np.max, top_db=60)
    axis.imshow(decibels, origin="lower", aspect="auto", cmap="magma", extent=(0, seconds, 0, 80))
    axis.set_yticks([])


if __name__ == "__main__":
    main()
