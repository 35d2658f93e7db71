"""The network of HTDemucs (Rouard, Massa & Défossez 2023) without its transforms, and its checkpoints.

The layers are those of the package `demucs`. Only the order in which `HTDemucs.forward` runs them is written again here,
to separate what is worth compiling from the transforms and the normalisation, which stay in float32.
"""

from __future__ import annotations

import inspect
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch
from demucs.htdemucs import HTDemucs

from soundalike.errors import CheckpointError
from soundalike.models.neural.loading import first_line, load_into, read_weights

_CLASS = "demucs.htdemucs.HTDemucs"
_REQUIRED: dict[str, Any] = {
    "samplerate": 44100,
    "audio_channels": 2,
    "cac": True,
    "use_train_segment": True,
    "t_sin_random_shift": 0,
}
"""Arguments that the code around the network relies on; both published checkpoints have these values."""


class Core(torch.nn.Module):
    """From normalised spectra and waveforms of segments to those of their stems.

    spectrum: (B, 4, F, frames), the real and imaginary parts of left and right as channels; waveform: (B, 2, samples of a
    segment). Returns (B, 4 S, F, frames) and (B, 2 S, samples) for S stems. Runs the two U-Nets and the transformer
    between them as `demucs.htdemucs.HTDemucs.forward` does.
    """

    def __init__(self, model: HTDemucs) -> None:
        super().__init__()
        self.model = model

    def forward(self, spectrum: torch.Tensor, waveform: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        model = self.model
        x, wave = spectrum, waveform
        skipped, widths = [], []
        for depth, (encode, encode_wave) in enumerate(zip(model.encoder, model.tencoder, strict=True)):
            widths.append((x.shape[-1], wave.shape[-1]))
            x, wave = encode(x, None), encode_wave(wave)
            if depth == 0 and model.freq_emb is not None:
                bands = model.freq_emb(torch.arange(x.shape[-2], device=x.device)).t()
                x = x + model.freq_emb_scale * bands[None, :, :, None]
            skipped.append((x, wave))
        x, wave = self._transformed(x, wave)
        for decode, decode_wave in zip(model.decoder, model.tdecoder, strict=True):
            (skip, skip_wave), (width, width_wave) = skipped.pop(), widths.pop()
            x, _ = decode(x, skip, width)
            wave, _ = decode_wave(wave, skip_wave, width_wave)
        return x, wave

    def _transformed(self, x: torch.Tensor, wave: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        model = self.model
        if not model.bottom_channels:
            x, wave = model.crosstransformer(x, wave)
            return x, wave
        bands = x.shape[2]
        x = model.channel_upsampler(x.flatten(2)).unflatten(2, (bands, -1))
        x, wave = model.crosstransformer(x, model.channel_upsampler_t(wave))
        x = model.channel_downsampler(x.flatten(2)).unflatten(2, (bands, -1))
        return x, model.channel_downsampler_t(wave)


def read_architecture(path: Path, name: str) -> HTDemucs:
    """The model of the checkpoint at `path` without its weights, on torch's `meta` device.

    The file has the format that `demucs.hf` reads: safetensors, with the arguments of the model class as JSON in the
    metadata. Raises CheckpointError if it does not, or if it is of another architecture.
    """
    metadata = _metadata(path)
    if metadata.get("klass") != _CLASS:
        raise CheckpointError(
            f"{path} is not a checkpoint of {name}: its class is {metadata.get('klass', 'not given')}, expected {_CLASS}"
        )
    try:
        arguments = _arguments(metadata)
        with torch.device("meta"):
            model = HTDemucs(**arguments).eval()
    except Exception as error:  # a constructor can raise anything if its arguments are wrong
        raise CheckpointError(
            f"{path} is not a checkpoint of {name}: its arguments do not fit the model ({type(error).__name__}: "
            f"{first_line(error)})"
        ) from error
    for key, value in _REQUIRED.items():
        actual = arguments.get(key, inspect.signature(HTDemucs).parameters[key].default)
        if actual != value:
            raise CheckpointError(f"{path} is not a checkpoint of {name}: its {key} is {actual}, expected {value}")
    branches = {len(layers) for layers in (model.encoder, model.decoder, model.tencoder, model.tdecoder)}
    if model.crosstransformer is None or len(branches) != 1 or any(layer.empty for layer in model.tencoder):
        raise CheckpointError(
            f"{path} is not a checkpoint of {name}: its branches are not joined by a transformer only"
        )
    return model


def load_core(path: Path, name: str) -> Core:
    """The network of the checkpoint at `path` with its weights in float32 (published files have float16).

    Raises CheckpointError if the file is damaged or of another architecture.
    """
    model = read_architecture(path, name)
    load_into(model, {key: value.float() for key, value in read_weights(path).items()}, path, name)
    return Core(model)


def frames(model: HTDemucs) -> int:
    """Number of frames in the spectrum of a segment."""
    return -(-segment_samples(model) // int(model.hop_length))


def segment_samples(model: HTDemucs) -> int:
    """Number of samples in a segment: the length that the model was trained on, and the only one used."""
    return int(model.segment * model.samplerate)


def _metadata(path: Path) -> dict[str, str]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path} is damaged or not a safetensors file ({first_line(error)}); delete it and get it again: `soundalike "
            "models fetch` (.th files of Demucs are not supported because they can contain code)"
        ) from error


def _arguments(metadata: dict[str, str]) -> dict[str, Any]:
    """The keyword arguments of the model class, without those that it no longer has, as in demucs."""
    known = inspect.signature(HTDemucs).parameters
    arguments = dict(zip(known, _decoded(json.loads(metadata.get("args", "[]"))), strict=False))
    arguments |= _decoded(json.loads(metadata["kwargs"]))
    return {key: value for key, value in arguments.items() if key in known}


def _decoded(value: Any) -> Any:
    """Decodes the fractions in JSON of `demucs.hf` (such as `segment`)."""
    if isinstance(value, dict):
        if value.get("_type") == "fraction":
            return Fraction(value["numerator"], value["denominator"])
        return {key: _decoded(item) for key, item in value.items()}
    return [_decoded(item) for item in value] if isinstance(value, list) else value
