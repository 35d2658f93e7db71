"""Makes the constants of the embedded encoder: python benchmarks/encoder_constants.py MIDI_FOLDER [OUT]

MIDI_FOLDER is what `midi_sounds.py` has rendered; OUT is, if not given, the file that the encoder reads. Three groups
of sounds count alike:

notes        notes of 120 programs, "the same" being the program; drum pieces, the piece of the kit
phrases      excerpts of invented tracks played by five parts, "the same" being the track
alterations  a clip and the same after a codec, an equaliser, a little noise, another speed or pitch

`mean` and `scale` are those of the features over the first two. `whitening` undoes the scale, then applies the
symmetric inverse square root of the covariance within what is the same (Hatch et al. 2006), shrunk by a fifth towards
a multiple of the identity. No label tells what is *different*, and no recording is used: windows of half of the songs
of the test data, added as a fourth group, helped the other half by 0.3 points of mAP and cost samples 3.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import encoder_sounds as sounds
import numpy as np
from numpy.typing import NDArray

from soundalike.models.encoders.builtin.builtin_encoder import CONSTANTS
from soundalike.models.encoders.builtin.builtin_features import BLOCKS, features
from soundalike.models.encoders.builtin.builtin_spectra import compute_spectra

Matrix = NDArray[np.float64]

SHRINKAGE = 0.2
GROUPS: dict[str, tuple[str, ...]] = {
    "notes": ("tones", "kits"),
    "phrases": ("phrases_bass", "phrases_drums", "phrases_guitar", "phrases_piano", "phrases_residuals"),
}


@dataclass(frozen=True)
class Features:
    """Raw features (N, D) of a collection, and how present its blocks are (each (N,))."""

    values: Matrix
    present: dict[str, Matrix]


def extract(clips: Sequence[sounds.Clip]) -> Features:
    """Raw features of clips; a silent one gets those of a click."""
    rows, present = [], []
    for clip in clips:
        sound = compute_spectra(clip) or compute_spectra(np.ones(1, np.float32))
        assert sound is not None
        values, blocks = features(sound)
        rows.append(values)
        present.append(blocks)
    return Features(
        np.array(rows, dtype=np.float64), {name: np.array([row[name] for row in present]) for name in present[0]}
    )


def within(values: Matrix, same: NDArray[Any]) -> Matrix:
    """Covariance (D, D) of `values` (N, D) around the mean of what is the same."""
    classes, index, counts = np.unique(same, return_inverse=True, return_counts=True)
    sums = np.zeros((len(classes), values.shape[1]))
    np.add.at(sums, index, values)
    centred = values - (sums / counts[:, None])[index]
    return centred.T @ centred / max(len(values) - len(classes), 1)


def constants(
    collections: dict[str, tuple[Features, NDArray[Any]]],
    altered: Sequence[Features],
    groups: Sequence[str] = tuple(GROUPS),
    shrinkage: float = SHRINKAGE,
) -> tuple[Matrix, Matrix]:
    """`mean` (D,) and `whitening` (D, D) from the named groups of GROUPS. `altered`: a collection, then its altered versions."""
    means = [np.mean([collections[name][0].values.mean(axis=0) for name in GROUPS[group]], axis=0) for group in groups]
    mean = np.mean(means, axis=0)
    squares = [
        np.mean([((collections[name][0].values - mean) ** 2).mean(axis=0) for name in GROUPS[group]], axis=0)
        for group in groups
    ]
    scale = np.sqrt(np.mean(squares, axis=0)) + 1e-6
    parts = []
    for group in groups:
        pairs = [collections[name] for name in GROUPS[group]]
        parts.append(np.mean([within((found.values - mean) / scale, same) for found, same in pairs], axis=0))
    if altered:
        steps = [(version.values - altered[0].values) / scale for version in altered[1:]]
        parts.append(np.mean([step.T @ step / (2 * len(step)) for step in steps], axis=0))
    covariance = np.mean(parts, axis=0)
    size = len(covariance)
    covariance = (1 - shrinkage) * covariance + shrinkage * np.trace(covariance) / size * np.eye(size)
    values, vectors = np.linalg.eigh(covariance)
    return mean, ((vectors * values**-0.5) @ vectors.T) / scale[:, None]


def material(midi_folder: Path) -> dict[str, sounds.Collection]:
    """Every collection that `midi_sounds.py` renders."""
    names = (*GROUPS["notes"], *GROUPS["phrases"], "phrases_mix")
    return {name: sounds.midi(midi_folder, name) for name in names}


def main() -> None:
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    found = material(Path(sys.argv[1]))
    collections = {
        name: (extract(found[name].clips), found[name].labels["same"]) for group in GROUPS.values() for name in group
    }
    plain = sounds.to_alter(found["phrases_mix"], found["kits"]).clips
    altered = [extract(plain)]
    altered += [extract([alter(clip) for clip in plain]) for alter in sounds.ALTERATIONS.values()]
    mean, whitening = constants(collections, altered)
    out = Path(sys.argv[2]) if len(sys.argv) == 3 else CONSTANTS
    # Half precision: 3 digits are more than the constants are known to.
    np.savez(out, mean=mean.astype(np.float32), whitening=whitening.astype(np.float16))
    print(f"{out}: {sum(BLOCKS.values())} features, {out.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
