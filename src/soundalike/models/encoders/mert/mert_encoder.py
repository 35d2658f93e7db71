"""MERT-v1: a self-supervised model of music (Li et al. 2023, arXiv 2306.00107).

Neither the paper nor the model card says how to make one vector of a clip: MARBLE tries each layer on each task. Here it is
the recipe of the feature extractor of CLaMP 3 (Wu et al. 2025, arXiv 2502.10362), which needs no choice: windows of 5 s,
the mean over time, the mean over all hidden states. A single layer can be chosen instead (`mert:7`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from soundalike.config import Runtime
from soundalike.errors import InputError
from soundalike.models.checkpoints import LocalCheckpoint
from soundalike.models.encoder_protocol import Embeddings, Samples
from soundalike.models.encoders.input_checks import check_waveforms
from soundalike.models.encoders.mert.mert_network import CONFIG, load_network, read_settings
from soundalike.models.neural.compiled import Network, compile_network
from soundalike.models.neural.device import check_fast, choose_device

CODE_VERSION = "1"
"""Increased whenever the vectors change."""

WINDOW_SECONDS = 5
TAIL_SECONDS = 1
"""A last window shorter than that is left out, unless it is the only one."""

SHORTEST_SECONDS = 0.05
"""A shorter waveform is padded with zeros: the network needs 400 samples for one step."""

_VARIANCE_FLOOR = 1e-7
"""Added to the variance, as in transformers' `Wav2Vec2FeatureExtractor`."""


class MertEncoder:
    """Embeds audio. The network is loaded when it is first used."""

    def __init__(self, name: str, checkpoint: LocalCheckpoint, runtime: Runtime, layer: int | None = None) -> None:
        """name: its key in `ENCODERS`; layer: the hidden state to use, 0 to the number of layers; None: the mean of all.

        Raises InputError if there is no such layer or this machine does not support the device or precision of `runtime`,
        CheckpointError if the files are not those of MERT.
        """
        settings = read_settings(checkpoint.paths[CONFIG])
        layers = int(settings["num_hidden_layers"])
        if layer is not None and not 0 <= layer <= layers:
            raise InputError(f"{name}: there is no layer {layer}; choose 0 (the input of the transformer) to {layers}")
        self._device = choose_device(runtime)
        check_fast(runtime.precision, self._device)
        self.name = name
        self.version = f"{CODE_VERSION}+{checkpoint.digest}"
        self.sample_rate = int(settings["sample_rate"])
        self.dimension = int(settings["hidden_size"])
        self.clip_seconds: float | None = WINDOW_SECONDS
        self._layer, self._checkpoint, self._runtime = layer, checkpoint, runtime

    def embed(self, waveforms: Sequence[Samples]) -> Embeddings:
        """Embeddings (N, D), rows of unit norm, of N mono waveforms (samples,) at 24 kHz.

        Each waveform is scaled to zero mean and unit variance and cut into windows of 5 s without overlap; a last one of
        less than 1 s is left out. Its row is the mean over its windows of the mean over time of the chosen hidden state
        (or of all of them), scaled to unit norm. The row of a waveform of zeros is zero.

        Raises InputError if a waveform is not one-dimensional or has samples that are not finite, CheckpointError if the
        weights are not those of this model.
        """
        check_waveforms(waveforms)
        rows = np.zeros((len(waveforms), self.dimension))
        for index, waveform in enumerate(waveforms):
            if waveform.any():
                states = np.mean([self._states(window) for window in windows(waveform, self.sample_rate)], axis=0)
                row = states.mean(0) if self._layer is None else states[self._layer]
                rows[index] = row / max(float(np.linalg.norm(row)), 1e-12)
        return rows.astype(np.float32)

    def _states(self, window: Samples) -> NDArray[np.float64]:
        """The mean over time of each hidden state (layers + 1, D) of one window."""
        (states,) = self._network(torch.from_numpy(window[None]).to(self._device))
        return np.asarray(states[0].cpu().numpy(), np.float64)

    @cached_property
    def _network(self) -> Network:
        model = self._checkpoint.name
        return compile_network(
            lambda: load_network(self._checkpoint.paths, model),
            (torch.zeros(2, WINDOW_SECONDS * self.sample_rate),),
            key=f"{model}-{CODE_VERSION}-{self._checkpoint.digest}",
            runtime=self._runtime,
            free=((1,),),
        )


def windows(waveform: Samples, rate: int) -> Iterator[Samples]:
    """The windows of a waveform after scaling to zero mean and unit variance (see `MertEncoder.embed`)."""
    samples = waveform.astype(np.float64)
    scaled = ((samples - samples.mean()) / np.sqrt(samples.var() + _VARIANCE_FLOOR)).astype(np.float32)
    if len(scaled) < (shortest := round(SHORTEST_SECONDS * rate)):
        scaled = np.pad(scaled, (0, shortest - len(scaled)))
    size = WINDOW_SECONDS * rate
    for start in range(0, len(scaled), size):
        window = scaled[start : start + size]
        if start == 0 or len(window) >= TAIL_SECONDS * rate:
            yield window
