"""SDR of the learned masks on the multitracks, beside the built-in separator; prints Markdown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.separator_evaluation import sdr
from benchmarks.shared.markdown import print_table
from soundalike.audio import decode
from soundalike.models.separators.builtin.builtin_separator import BuiltinSeparator
from soundalike.models.separators.builtin.masks import SAMPLE_RATE, load_network
from training.separator_masks import MaskNetwork, separate
from training.sources import MULTITRACKS_HELD_OUT

Float32 = NDArray[np.float32]

HEADER = ("song", "masks", "drums", "bass", "residuals", "bass + residuals")


def evaluate(audio: Path, work: Path) -> None:
    """Print the SDR (dB) of each part of each multitrack; channels are evaluated as their mean."""
    cues, network = load_network(), MaskNetwork(work / "separator.npz")
    rows = []
    for song in sorted((audio / "multitracks").iterdir()):
        stems = {path.stem: decode.load(path, SAMPLE_RATE, 2).samples for path in song.glob("*.ogg")}
        length = min(stem.shape[1] for stem in stems.values())
        stems = {name: stem[:, :length] for name, stem in stems.items()}
        mixture = np.sum(list(stems.values()), axis=0)
        found = {
            "built-in": BuiltinSeparator().separate(mixture.mean(axis=0, keepdims=True)),
            "learned": separate(mixture, cues, network),
        }
        label = song.name + ("" if song.name in MULTITRACKS_HELD_OUT else " (trained on)")
        rows += [(label, name, *_figures(stems, parts)) for name, parts in found.items()]
    print_table(HEADER, rows)


def _figures(stems: dict[str, Float32], found: dict[str, Float32]) -> tuple[str, ...]:
    """The cells after the names; a song without a stem of its bass has no figure of bass and residuals alone."""
    true = {name: stem.mean(axis=0) for name, stem in stems.items()}
    mono = {part: stem.mean(axis=0) for part, stem in found.items()}
    rest = true["other"] + true["vocals"]
    drums = f"{sdr(true['drums'], mono['drums']):.2f}"
    if "bass" not in true:
        return drums, "-", "-", f"{sdr(rest, mono['bass'] + mono['residuals']):.2f}"
    whole = sdr(rest + true["bass"], mono["bass"] + mono["residuals"])
    return drums, f"{sdr(true['bass'], mono['bass']):.2f}", f"{sdr(rest, mono['residuals']):.2f}", f"{whole:.2f}"
