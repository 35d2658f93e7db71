"""The separators `htdemucs` and `htdemucs_6s`: Hybrid Transformer Demucs (Rouard, Massa & Défossez 2023).

Numerically equal to `demucs.api.Separator(..., shifts=0)` of the package demucs 4.1: the mixture is standardised by the mean
and standard deviation of its mono sum and separated in segments of 7.8 s, which overlap by a quarter and are cross-faded
(`demucs.apply.apply_model`). Here the network is compiled and, on a GPU, processes several segments at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import demucs
import numpy as np
import torch
from demucs.apply import TensorChunk, center_trim
from numpy.typing import NDArray

from soundalike.config import Runtime
from soundalike.errors import CheckpointError, InputError
from soundalike.models.checkpoints import LocalCheckpoint
from soundalike.models.neural.compiled import Network, compile_network
from soundalike.models.neural.device import check_fast, choose_device
from soundalike.models.separators.demucs.demucs_network import (
    Core,
    frames,
    load_core,
    read_architecture,
    segment_samples,
)
from soundalike.parts import ordered

Samples = NDArray[np.float32]

CODE_VERSION = "1"
"""Increased whenever the stems change."""

_PARTS = {
    "bass": "bass",
    "drums": "drums",
    "guitar": "guitar",
    "piano": "piano",
    "vocals": "vocals",
    "other": "residuals",
}
"""The part of each source of Demucs."""

_SOURCES = {
    "htdemucs": {"bass", "drums", "other", "vocals"},
    "htdemucs_6s": {"bass", "drums", "guitar", "other", "piano", "vocals"},
}
_OVERLAP = 0.25
# One segment is enough work for two cores, but not for a GPU.
_BATCH_CPU, _BATCH_GPU = 1, 8


class DemucsSeparator:
    """Separates stereo at 44.1 kHz into four or six stems. Attributes as in `soundalike.models.separators.Separator`.

    Demucs' segments start every 5.85 s, so the cost of an input is its length divided by 5.85 s, rounded up. context: two
    segments overlap by 1.95 s and are cross-faded, so an estimate with less than 0.975 s of music on one side never has
    more than half of the weight; 0.84 s is close to that, and makes a window of 10 s two segments (11.7 s) with 0.02 s to
    spare for rounding. segment_seconds: 20 of Demucs' segments with their context.
    """

    sample_rate = 44100
    channels = 2
    context = 0.84
    segment_seconds = 115.3

    def __init__(self, checkpoint: LocalCheckpoint, runtime: Runtime) -> None:
        (path,) = checkpoint.paths.values()
        name = checkpoint.name
        model = read_architecture(path, name)
        if set(model.sources) != _SOURCES[name]:
            raise CheckpointError(
                f"{path} is not a checkpoint of {name}: its sources are {', '.join(model.sources)}, expected "
                f"{', '.join(sorted(_SOURCES[name]))}"
            )
        self.name = name
        self.version = f"{CODE_VERSION}+{checkpoint.digest}"
        self.parts = ordered(_PARTS[source] for source in model.sources)
        self._model = model
        self._segment = segment_samples(model)
        device = choose_device(runtime)
        check_fast(runtime.precision, device)
        # The transforms run on the device of the network, except for mps, which has no complex numbers.
        self._device = device if device.type == "cuda" else torch.device("cpu")
        self._batch = _BATCH_CPU if device.type == "cpu" else _BATCH_GPU

        self._path, self._runtime = path, runtime

    @cached_property
    def _core(self) -> Network:
        """The compiled network, loaded when it is first used: the parts and the version are known without it."""

        def build() -> Core:
            return load_core(self._path, self.name)

        model = self._model
        examples = (
            torch.zeros(1, 2 * self.channels, model.nfft // 2, frames(model)),
            torch.zeros(1, self.channels, self._segment),
        )
        key = f"{self.name}-{self.version}-core-{demucs.__version__}"
        return compile_network(build, examples, key=key, runtime=self._runtime)

    @classmethod
    def load(cls, checkpoint: LocalCheckpoint, runtime: Runtime) -> DemucsSeparator:
        """The separator called `checkpoint.name`, with the weights in its only file.

        Raises CheckpointError if that is damaged or of another model, InputError if the device does not exist.
        """
        return cls(checkpoint, runtime)

    def separate(self, mixture: Samples) -> dict[str, Samples]:
        """Stems of `mixture` (2, samples), each float32 of the same shape; silent if the mixture is silent.

        Raises InputError unless `mixture` is a float32 array of that shape with finite values.
        """
        if mixture.ndim != 2 or mixture.shape[0] != self.channels or mixture.dtype != np.float32:
            raise InputError(
                f"a mixture of type {mixture.dtype} and shape {mixture.shape} cannot be separated: "
                "give float32 of shape (2, samples)"
            )
        if not np.isfinite(mixture).all():
            raise InputError("a mixture has values that are not finite; decode the file again")
        if not mixture.any():
            return {part: np.zeros_like(mixture) for part in self.parts}
        with torch.inference_mode():
            stems = self._stems(torch.tensor(mixture, device=self._device)).cpu().numpy()
        by_part = {_PARTS[source]: stem for source, stem in zip(self._model.sources, stems, strict=True)}
        return {part: by_part[part] for part in self.parts}

    def _stems(self, mixture: torch.Tensor) -> torch.Tensor:
        """Stems (S, 2, samples) of a mixture (2, samples), standardised as `demucs.api.Separator` does."""
        mono = mixture.mean(0)
        mean = mono.mean()
        # The deviation of one sample is NaN in torch; here it is 0, as for silence in Demucs.
        deviation = (mono.std() if len(mono) > 1 else torch.zeros_like(mean)) + 1e-8
        stems = self._cross_faded((mixture - mean) / deviation)
        return stems.mul_(deviation).add_(mean)

    def _cross_faded(self, mixture: torch.Tensor) -> torch.Tensor:
        """Stems (S, 2, samples) of a standardised mixture: the mean over its segments with triangular weights.

        As `demucs.apply.apply_model` with shifts=0, split=True, overlap=0.25, transition_power=1.
        """
        segment, total = self._segment, mixture.shape[-1]
        half = segment // 2
        rise = torch.arange(1, half + 1, device=self._device)
        fall = torch.arange(segment - half, 0, -1, device=self._device)
        weight = torch.cat([rise, fall])
        weight = weight / weight.max()
        stems = mixture.new_zeros(len(self._model.sources), *mixture.shape)
        weights = mixture.new_zeros(total)
        for start, estimate in self._segments(mixture):
            place = slice(start, start + estimate.shape[-1])
            stems[..., place] += weight[: estimate.shape[-1]] * estimate
            weights[place] += weight[: estimate.shape[-1]]
        return stems.div_(weights)

    def _segments(self, mixture: torch.Tensor) -> Iterator[tuple[int, torch.Tensor]]:
        """The start of each segment of a mixture, and its stems (S, 2, samples of the segment within the mixture)."""
        stride = int((1 - _OVERLAP) * self._segment)
        starts = range(0, mixture.shape[-1], stride)
        for first in range(0, len(starts), self._batch):
            chunks = [TensorChunk(mixture, start, self._segment) for start in starts[first : first + self._batch]]
            estimates = self._estimates(torch.stack([chunk.padded(self._segment) for chunk in chunks]))
            for chunk, estimate in zip(chunks, estimates, strict=True):
                yield chunk.offset, center_trim(estimate, chunk.length)

    def _estimates(self, segments: torch.Tensor) -> torch.Tensor:
        """Stems (B, S, 2, samples) of complete segments (B, 2, samples), as in `demucs.htdemucs.HTDemucs.forward`."""
        model, sources = self._model, len(self._model.sources)
        spectrum = model._spec(segments)
        bands, band_scale = _standardised(model._magnitude(spectrum))
        waves, wave_scale = _standardised(segments)
        bands, waves = self._core(bands, waves)
        bands = _restored(bands, sources, band_scale)
        stems = model._ispec(model._mask(spectrum, bands), self._segment)
        return stems.add_(_restored(waves, sources, wave_scale))


Scale = tuple[torch.Tensor, torch.Tensor]


def _standardised(values: torch.Tensor) -> tuple[torch.Tensor, Scale]:
    """Each item of a batch standardised, and its mean and standard deviation."""
    axes = tuple(range(1, values.ndim))
    mean, deviation = values.mean(dim=axes, keepdim=True), values.std(dim=axes, keepdim=True)
    return (values - mean) / (1e-5 + deviation), (mean, deviation)


def _restored(values: torch.Tensor, sources: int, scale: Scale) -> torch.Tensor:
    """The inverse of `_standardised` for each of the stems, which are concatenated on the second axis."""
    mean, deviation = scale
    return values.unflatten(1, (sources, -1)).mul(deviation[:, None]).add_(mean[:, None])
