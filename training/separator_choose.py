"""How much the network counts: figures of some settings on music that neither trains nor evaluates it; prints Markdown.

The multitrack that is trained on, and other collages, songs of `soundalike.synth` and arrangements than those of
`separator_evaluate`. Figures are those of the spectra, which differ little from those of the waveforms.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.shared.markdown import print_table
from soundalike.models.separators.builtin.learned_masks import (
    GATE_REACH,
    NETWORK_REACH,
    MaskNetwork,
    Strength,
    corrected_masks,
    gated,
    network_inputs,
    weighted_masks,
)
from soundalike.models.separators.builtin.masks import REACH, load_network, masks
from soundalike.models.separators.builtin.short_time import Spectrum, frame_count, power, spectra_around
from training.separator_evaluate import PARTS, Stems, arranged, collaged, generated, multitracks
from training.sources import SEPARATOR_MULTITRACK

GENERATED_SEED, GENERATED, COLLAGE_SEED = 21, 10, 2_000_000
SETTINGS = {
    "as it is used": Strength(),
    "low drums too": Strength(more_drums=(0.3, 0.6, 300.0)),
    "all of what drums get": Strength(more_drums=(0.0, 1.0, 300.0)),
    "nothing for drums": Strength(more_drums=(0.0, 0.0, 300.0)),
    "one nat at most": Strength(most_taken=1.0),
    "no limits": Strength(most_taken=7.0, most_gated=np.inf),
    "gate 12 dB": Strength(most_gated=12.0),
    "no bass": Strength(bass=0.0),
}


def choose(packages: Path, audio: Path, work: Path, soundfont: Path) -> None:
    """Print the mean SDR (dB) of each part in each set, or its level where it is absent, with each setting."""
    cues, network = load_network(), MaskNetwork(work / "separator.npz")
    reach, margin = REACH + NETWORK_REACH + GATE_REACH, NETWORK_REACH + GATE_REACH
    rows: dict[tuple[str, str], dict[str, list[float]]] = {}
    songs = [*multitracks(audio, SEPARATOR_MULTITRACK), *collaged(audio, COLLAGE_SEED)]
    songs += generated(GENERATED_SEED, GENERATED)
    for group, _, every in [*songs, *arranged(packages, work, soundfont, "choice")]:
        stems = {part: every[part] for part in PARTS if part in every}
        true = {part: _spectrum(stem.mean(axis=0), 0) for part, stem in stems.items()}
        mixture = _spectrum(np.sum([stem.mean(axis=0) for stem in stems.values()], axis=0), reach)
        around = power([mixture])
        bass, drums = masks(around, cues)
        corrections = network.corrections(network_inputs(mixture, around, bass, drums))
        inner, short = slice(reach, -reach), slice(NETWORK_REACH, -NETWORK_REACH)
        found = {"version 1": (bass[margin:-margin], drums[margin:-margin])}
        level = around[REACH + NETWORK_REACH : -REACH - NETWORK_REACH]
        alone = corrected_masks(bass[short], drums[short], corrections)
        for name, strength in SETTINGS.items():
            weighted = weighted_masks(bass[short], drums[short], *strength.applied(corrections))
            found[name] = gated(*weighted, *alone, level, strength)
        for name, (low, struck) in found.items():
            for part, figure in _figures(true, mixture[inner], low, struck).items():
                rows.setdefault((group, part), {}).setdefault(name, []).append(figure)
    names = ["version 1", *SETTINGS]
    table = [(*key, *(f"{np.mean(figures[name]):.2f}" for name in names)) for key, figures in rows.items()]
    print_table(("set", "part", *names), table)


def _spectrum(samples: np.ndarray, reach: int) -> Spectrum:
    return spectra_around(samples[None].astype(np.float32), 0, frame_count(len(samples)), reach)[0]


def _figures(true: Stems, mixture: Spectrum, bass: np.ndarray, drums: np.ndarray) -> dict[str, float]:
    found = {"bass": bass * mixture, "drums": drums * mixture}
    found["residuals"] = mixture - found["bass"] - found["drums"]
    figures, whole = {}, _energy(mixture)
    for part in PARTS if "bass" in true else ("drums",):
        energy = _energy(true[part])
        if energy < 1e-10 * whole:
            figures[f"{part}, absent"] = 10 * float(np.log10(_energy(found[part]) / whole + 1e-12))
        else:
            figures[part] = 10 * float(np.log10(energy / _energy(true[part] - found[part])))
    return figures


def _energy(spectrum: Spectrum) -> float:
    return float(np.vdot(spectrum, spectrum).real)
