"""An encoder beside people's judgments of single sounds."""

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
    """The encoder called `encoder` beside the dissimilarities in `matrix` of files in the folder `sounds`, each embedded
    whole.

    Raises InputError for sounds that are not there and a matrix that is none, AudioError for files that cannot be decoded.
    """
    human = read_dissimilarities(matrix)
    if not sounds.is_dir():
        raise InputError(f"{sounds} is no folder; name the one that holds the sounds of {matrix}")
    missing = [name for name in human.sounds if not (sounds / name).is_file()]
    if missing:
        raise InputError(
            f"{len(missing)} of {len(human.sounds)} sounds in {matrix} are not in {sounds}, {missing[0]!r} for one"
        )
    model = load_encoder(encoder, runtime)
    heard = [decode.read(sounds / name) for name in human.sounds]
    vectors = model.embed([resample(one.mono(), one.sample_rate, model.sample_rate) for one in heard])
    wide = vectors.astype(np.float64)
    return check_timbre(wide @ wide.T, human.values)
