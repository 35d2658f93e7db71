"""aiSFX: an embedding of sound effects libraries (Ma & Lerch, ISMIR 2022), model X-Sequential-CE.

Trained to tell hundreds of classes of single sounds apart; hears timbre well, a sound inside a mix badly.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch

from soundalike.config import Runtime
from soundalike.models.checkpoints import LocalCheckpoint
from soundalike.models.encoder_protocol import Embeddings, Samples
from soundalike.models.encoders.aisfx.aisfx_frontend import BANDS, BLOCK, SAMPLE_RATE, blocks
from soundalike.models.encoders.aisfx.aisfx_network import WHEEL, load_network
from soundalike.models.encoders.input_checks import check_waveforms
from soundalike.models.neural.compiled import Network, compile_network
from soundalike.models.neural.device import check_fast, choose_device

CODE_VERSION = "1"
"""Increased whenever the vectors change."""

WIDTH = 64
"""Channels of the first block of the published network."""


class AisfxEncoder:
    """Embeds audio. The network is loaded when it is first used."""

    name = "aisfx"
    sample_rate = SAMPLE_RATE
    clip_seconds: float | None = None

    def __init__(self, checkpoint: LocalCheckpoint, runtime: Runtime, width: int = WIDTH) -> None:
        """width: see `EmbeddingNet`. Raises InputError if this machine does not support the device or precision of `runtime`."""
        self._device = choose_device(runtime)
        check_fast(runtime.precision, self._device)
        self.version = f"{CODE_VERSION}+{checkpoint.digest}"
        self.dimension = 8 * width
        self._checkpoint, self._runtime, self._width = checkpoint, runtime, width

    def embed(self, waveforms: Sequence[Samples]) -> Embeddings:
        """Embeddings (N, D), rows of unit norm, of N mono waveforms (samples,) at 44.1 kHz.

        The row of a waveform is the mean of the embeddings of its blocks of 2.3 s, every 1.2 s, scaled to unit norm; that of a
        waveform of zeros is zero. Raises InputError if a waveform is not one-dimensional or has samples that are not finite,
        CheckpointError if the weights are not those of this model.
        """
        check_waveforms(waveforms)
        rows = np.zeros((len(waveforms), self.dimension))
        for row, waveform in zip(rows, waveforms, strict=True):
            if waveform.any():
                (outputs,) = self._network(torch.from_numpy(blocks(waveform)).to(self._device))
                mean = outputs.cpu().numpy().astype(np.float64).mean(0)
                row[:] = mean / max(float(np.linalg.norm(mean)), 1e-12)
        return rows.astype(np.float32)

    @cached_property
    def _network(self) -> Network:
        return compile_network(
            lambda: load_network(self._checkpoint.paths[WHEEL], self._width),
            (torch.zeros(1, BLOCK, BANDS),),
            key=f"aisfx-{CODE_VERSION}-{self._checkpoint.digest}",
            runtime=self._runtime,
        )
