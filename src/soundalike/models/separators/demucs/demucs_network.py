"""HTDemucs' network (Rouard, Massa & Défossez 2023) without what surrounds it, and its checkpoints.

The layers are those of the package `demucs`; only the order in which `HTDemucs.forward` runs them is written anew, so
that what is worth compiling stands apart from the transforms and the normalisation, which stay in float32.
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
from soundalike.models.neural.loading import load_into, read_weights

_CLASS = "demucs.htdemucs.HTDemucs"
_REQUIRED: dict[str, Any] = {
    "samplerate": 44100,
    "audio_channels": 2,
    "cac": True,
    "use_train_segment": True,
    "t_sin_random_shift": 0,
}
"""Arguments on whose values the code around the network relies; both published checkpoints have them so."""


class Core(torch.nn.Module):
    """From the normalised spectrum and waveform of segments to the normalised spectra and waveforms of their stems.

    spectrum: (B, 4, F, frames), real and imaginary parts of left and right as channels; waveform: (B, 2, samples of a
    segment). Returns (B, 4 S, F, frames) and (B, 2 S, samples) for S stems. The two U-Nets and the transformer between
    them are run as `demucs.htdemucs.HTDemucs.forward` does.
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
    """The model that the checkpoint at `path` is of, without its weights: they lie on torch's `meta` device.

    The file is as `demucs.hf` reads it: safetensors, with the arguments of the model's class as JSON in the metadata.
    Raises CheckpointError where it is none, or one of another architecture.
    """
    metadata = _metadata(path)
    if metadata.get("klass") != _CLASS:
        raise CheckpointError(
            f"{path} is not a checkpoint of {name}: it is of {metadata.get('klass', 'no class that it names')} where "
            f"{_CLASS} is expected"
        )
    try:
        arguments = _arguments(metadata)
        with torch.device("meta"):
            model = HTDemucs(**arguments).eval()
    except Exception as error:  # whatever a constructor may do with arguments that it was not made for
        words = (str(error).strip().splitlines() or ["no words"])[0][:120]
        raise CheckpointError(
            f"{path} is not a checkpoint of {name}: no model can be made of the arguments in it "
            f"({type(error).__name__}: {words})"
        ) from error
    for key, value in _REQUIRED.items():
        given = arguments.get(key, inspect.signature(HTDemucs).parameters[key].default)
        if given != value:
            raise CheckpointError(
                f"{path} is not a checkpoint of {name}: its {key} is {given} where {value} is expected"
            )
    branches = {len(layers) for layers in (model.encoder, model.decoder, model.tencoder, model.tdecoder)}
    if model.crosstransformer is None or len(branches) != 1 or any(layer.empty for layer in model.tencoder):
        raise CheckpointError(f"{path} is not a checkpoint of {name}: its branches do not meet in a transformer alone")
    return model


def load_core(path: Path, name: str) -> Core:
    """The network of the checkpoint at `path`, with its weights, in float32 (published files hold float16).

    Raises CheckpointError where the file is damaged, or of another architecture.
    """
    model = read_architecture(path, name)
    load_into(model, {key: value.float() for key, value in read_weights(path).items()}, path, name)
    return Core(model)


def frames(model: HTDemucs) -> int:
    """Frames of the spectrum of one segment."""
    return -(-segment_samples(model) // int(model.hop_length))


def segment_samples(model: HTDemucs) -> int:
    """Samples of the segments that the model was trained on, which are the only ones it is given."""
    return int(model.segment * model.samplerate)


def _metadata(path: Path) -> dict[str, str]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        words = (str(error).strip().splitlines() or ["no words"])[0][:120]
        raise CheckpointError(
            f"{path} is damaged or not a safetensors file ({words}); delete it and fetch it again: "
            "`soundalike models fetch` (a .th file of Demucs is not read: it may hold code)"
        ) from error


def _arguments(metadata: dict[str, str]) -> dict[str, Any]:
    """The keyword arguments of the model's class; those that it no longer has are left out, as demucs does."""
    known = inspect.signature(HTDemucs).parameters
    given = dict(zip(known, _decoded(json.loads(metadata.get("args", "[]"))), strict=False))
    given |= _decoded(json.loads(metadata["kwargs"]))
    return {key: value for key, value in given.items() if key in known}


def _decoded(value: Any) -> Any:
    """JSON in which fractions are written as `demucs.hf` does (`segment` is one)."""
    if isinstance(value, dict):
        if value.get("_type") == "fraction":
            return Fraction(value["numerator"], value["denominator"])
        return {key: _decoded(item) for key, item in value.items()}
    return [_decoded(item) for item in value] if isinstance(value, list) else value
