"""An encoder compared with human judgements of single sounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from soundalike.audio import decode
from soundalike.audio.waveform import resample
from soundalike.config import Runtime
from soundalike.errors import InputError
from soundalike.models.encoders import load_encoder
from soundalike.preferences.dissimilarity import TimbreCheck, check_timbre
from soundalike.research.datasets.dissimilarity_matrices import read_dissimilarities


def timbre(sounds: Path, matrix: Path, encoder: str, runtime: Runtime | None = None) -> TimbreCheck:
    """Compare the encoder with the dissimilarities in `matrix` of files in the folder `sounds`, each embedded whole.

    Raises InputError for missing sounds or an invalid matrix, AudioError for files that cannot be decoded.
    """
    human = read_dissimilarities(matrix)
    if not sounds.is_dir():
        raise InputError(f"{sounds} is not a folder; choose the one that contains the sounds of {matrix}")
    missing = [name for name in human.sounds if not (sounds / name).is_file()]
    if missing:
        raise InputError(
            f"{len(missing)} of {len(human.sounds)} sounds in {matrix} are missing from {sounds}, for example {missing[0]!r}"
        )
    model = load_encoder(encoder, runtime)
    waveforms = [decode.read(sounds / name) for name in human.sounds]
    inputs = [resample(waveform.mono(), waveform.sample_rate, model.sample_rate) for waveform in waveforms]
    vectors = model.embed(inputs).astype(np.float64)
    return check_timbre(vectors @ vectors.T, human.values)
