"""Checkpoints of HTDemucs with random weights in the format of the published ones, narrow or full size."""

from __future__ import annotations

import hashlib
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from demucs.api import Separator
from demucs.hf import load_safetensors_model
from demucs.htdemucs import HTDemucs
from numpy.typing import NDArray
from safetensors.torch import save_file

from soundalike.config import Runtime
from soundalike.models.checkpoints import LocalCheckpoint
from soundalike.models.separators.demucs.demucs_separator import DemucsSeparator
from tests.models.neural.clips import clip
from tests.models.neural.random_weights import draw_all

Samples = NDArray[np.float32]

SOURCES = {
    "htdemucs": ["drums", "bass", "other", "vocals"],
    "htdemucs_6s": ["drums", "bass", "other", "vocals", "guitar", "piano"],
}
FILES = {"htdemucs": "955717e8.safetensors", "htdemucs_6s": "5c90dfd2.safetensors"}
PARAMETERS = {"htdemucs": 41_984_456, "htdemucs_6s": 27_414_996}
"""Number of parameters in the published files."""

_FULL: dict[str, Any] = {
    "audio_channels": 2,
    "samplerate": 44100,
    "segment": Fraction(39, 5),
    "channels": 48,
    "channels_time": None,
    "growth": 2,
    "nfft": 4096,
    "wiener_iters": 0,
    "end_iters": 0,
    "wiener_residual": False,
    "cac": True,
    "depth": 4,
    "rewrite": True,
    "multi_freqs": [],
    "multi_freqs_depth": 3,
    "freq_emb": 0.2,
    "emb_scale": 10,
    "emb_smooth": True,
    "kernel_size": 8,
    "stride": 4,
    "time_stride": 2,
    "context": 1,
    "context_enc": 0,
    "norm_starts": 4,
    "norm_groups": 4,
    "dconv_mode": 3,
    "dconv_depth": 2,
    "dconv_comp": 8,
    "dconv_init": 1e-3,
    "bottom_channels": 512,
    "t_layers": 5,
    "t_hidden_scale": 4.0,
    "t_heads": 8,
    "t_dropout": 0.02,
    "t_layer_scale": True,
    "t_gelu": True,
    "rescale": 0.1,
}
_NARROW: dict[str, Any] = {
    "channels": 8,
    "segment": Fraction(1, 4),
    "nfft": 512,
    "depth": 3,
    "bottom_channels": 48,
    "t_layers": 2,
    "t_heads": 2,
    "t_hidden_scale": 2.0,
}
"""Has every kind of block: convolutions with and without skip connections, self- and cross-attention, both branches."""


def arguments(name: str, *, full: bool = False, **changed: Any) -> dict[str, Any]:
    """The arguments of `HTDemucs` in the published checkpoint called `name`, or narrow ones."""
    chosen = {"sources": SOURCES[name], **_FULL, **({} if full else _NARROW)}
    if name == "htdemucs_6s":
        chosen["bottom_channels"] = 0
    return chosen | changed


def write_demucs(path: Path, given: dict[str, Any], **metadata: str) -> Path:
    """Write a checkpoint with random weights of the model with the arguments `given`, as the tool of demucs does."""
    with torch.device("meta"):
        shapes = {key: tuple(value.shape) for key, value in HTDemucs(**given).state_dict().items()}
    weights = {key: torch.from_numpy(value).half() for key, value in draw_all(shapes).items()}
    facts = {
        "klass": "demucs.htdemucs.HTDemucs",
        "args": "[]",
        "kwargs": as_json(given),
    }
    save_file(weights, path, metadata=facts | metadata)
    return path


def demucs_checkpoint(path: Path, name: str) -> LocalCheckpoint:
    """The file at `path` as a checkpoint."""
    return LocalCheckpoint(name, {FILES[name]: path}, hashlib.sha256(path.read_bytes()).hexdigest()[:16])


class Original(Separator):
    """The separator of the package demucs without random shifts, on the CPU, with the checkpoint at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        super().__init__(device="cpu", shifts=0)

    def _load_model(self) -> None:
        self._model = load_safetensors_model(self._path).eval()
        self._audio_channels = self._model.audio_channels
        self._samplerate = self._model.samplerate

    def separate(self, mixture: Samples) -> dict[str, Samples]:
        """Stems by source of a mixture (2, samples)."""
        stems = self.separate_tensor(torch.from_numpy(mixture))[1]
        return {source: stem.numpy() for source, stem in stems.items()}


def decibels(stem: Samples, original: Samples) -> float:
    """Signal-to-deviation ratio of a stem relative to the original, in dB."""
    deviation = np.square(stem.astype(np.float64) - original).sum()
    return float(10 * np.log10(np.square(original.astype(np.float64)).sum() / max(deviation, 1e-30)))


def mixture(seconds: float) -> Samples:
    """A stereo mixture (2, samples): chords in the centre, drums on the left, all kinds on the right."""
    middle, left, right = (clip(seconds, 44100, seed) for seed in (5, 1, 4))
    return np.stack([0.4 * middle + 0.3 * left, 0.4 * middle + 0.3 * right])


def narrow_demucs(folder: Path, runtime: Runtime, name: str = "htdemucs") -> DemucsSeparator:
    """Our separator with a narrow checkpoint that is written to `folder`."""
    path = write_demucs(folder / FILES[name], arguments(name))
    return DemucsSeparator.load(demucs_checkpoint(path, name), runtime)


def as_json(given: dict[str, Any]) -> str:
    """Arguments in the format of a checkpoint's metadata."""
    return json.dumps(given, default=_fraction)


def _fraction(value: Any) -> dict[str, Any]:
    """As in tools/export_hf.py of demucs."""
    return {"_type": "fraction", "numerator": value.numerator, "denominator": value.denominator}
