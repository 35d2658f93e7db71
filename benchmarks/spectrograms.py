"""Look at a hit: the parts of a reference and of a hit side by side as mel spectrograms, with their cosines.

    python benchmarks/look.py REFERENCE START HIT START OUT.png [--seconds 10]

Needs matplotlib (`pip install matplotlib`).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import librosa
import matplotlib

matplotlib.use("Agg")
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
    places = ((arguments.reference, arguments.start), (arguments.hit, arguments.hit_start))
    rows = [analyser.analyse_region(path, start, start + arguments.seconds) for path, start in places]
    stems = [analyser.stems(path, start, start + arguments.seconds) for path, start in places]
    cosine = cosines(rows[0].vectors[0], rows[1].vectors[0])
    parts = rows[0].parts
    figure, axes = plt.subplots(2, len(parts), figsize=(3.2 * len(parts), 4.6), sharex=True, sharey=True)
    for column, part in enumerate(parts):
        for row, (path, start) in enumerate(places):
            samples, rate = stems[row][0][part], stems[row][1]
            mel = librosa.feature.melspectrogram(y=samples, sr=rate, n_fft=2048, hop_length=512, n_mels=80, fmax=14_000)
            axis = axes[row, column]
            axis.imshow(
                librosa.power_to_db(mel, ref=np.max, top_db=60),
                origin="lower",
                aspect="auto",
                cmap="magma",
                extent=(0, arguments.seconds, 0, 80),
            )
            axis.set_yticks([])
            if row == 0:
                present = rows[0].present[0, column] and rows[1].present[0, column]
                axis.set_title(f"{part}: {cosine[column]:+.2f}" if present else f"{part}: silent", fontsize=10)
            if column == 0:
                axis.set_ylabel(f"{path.stem[:26]}\n{start:g}-{start + arguments.seconds:g} s", fontsize=8)
            if row == 1:
                axis.set_xlabel("s", fontsize=8)
    figure.tight_layout()
    figure.savefig(arguments.out, dpi=70)
    print(", ".join(f"{part} {value:+.3f}" for part, value in zip(parts, cosine, strict=True)))


if __name__ == "__main__":
    main()
