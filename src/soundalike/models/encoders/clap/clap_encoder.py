"""LAION-CLAP: audio and texts in one space (Wu et al. 2023, arXiv 2211.06687).

Computes the embeddings of the package laion_clap 1.1.7 with `enable_fusion=False`, without the package.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from soundalike.config import Runtime
from soundalike.models.checkpoints import LocalCheckpoint
from soundalike.models.encoder_protocol import Embeddings, Samples
from soundalike.models.encoders.clap.clap_frontend import BANDS, FRAMES, SAMPLE_RATE, log_mel, split_windows
from soundalike.models.encoders.clap.clap_network import (
    HTSAT_BASE,
    HTSAT_TINY,
    AudioSizes,
    TextSizes,
    TextTower,
    load_audio_tower,
    load_text_tower,
)
from soundalike.models.encoders.clap.clap_tokens import Tokens
from soundalike.models.encoders.input_checks import check_texts, check_waveforms
from soundalike.models.neural.compiled import Network, compile_network
from soundalike.models.neural.device import check_fast, choose_device

CODE_VERSION = "1"
"""Increased whenever the vectors change."""

_BATCH = 8


@dataclass(frozen=True)
class ClapModel:
    """A published model: the name of the file with its weights, and the sizes of its towers."""

    weights: str
    audio: AudioSizes
    text: TextSizes = field(default_factory=TextSizes)


MODELS: dict[str, ClapModel] = {
    "clap": ClapModel("630k-audioset-best.pt", HTSAT_TINY),
    "clap-music": ClapModel("music_audioset_epoch_15_esc_90.14.pt", HTSAT_BASE),
}
TOKENIZER = "tokenizer.json"


class ClapEncoder:
    """Embeds audio and texts. Each tower is loaded when it is first used."""

    sample_rate = SAMPLE_RATE
    clip_seconds: float | None = 10.0

    def __init__(self, model: ClapModel, checkpoint: LocalCheckpoint, runtime: Runtime) -> None:
        """Raises InputError if this machine does not support the device or precision of `runtime`."""
        check_fast(runtime.precision, choose_device(runtime))
        self.name = checkpoint.name
        self.version = f"{CODE_VERSION}+{checkpoint.digest}"
        self.dimension = model.audio.projection
        self._model = model
        self._checkpoint = checkpoint
        self._runtime = runtime

    @classmethod
    def load(cls, checkpoint: LocalCheckpoint, runtime: Runtime) -> ClapEncoder:
        """The encoder of the checkpoint, whose name is one of `MODELS`. Raises as `__init__` does."""
        return cls(MODELS[checkpoint.name], checkpoint, runtime)

    def embed(self, waveforms: Sequence[Samples]) -> Embeddings:
        """Embeddings (N, D), rows of unit norm, of N mono waveforms (samples,) at 48 kHz, nominally -1 to 1.

        Waveforms of up to ten seconds are repeated as often as they fit and then padded with zeros, as in the original.
        Longer ones are split into consecutive windows of ten seconds; their row is the normalised mean of the unit vectors
        of the windows, weighted by length. (The original embeds one random window.) Windows of zeros are skipped; the row
        of a waveform of zeros is zero.

        Raises InputError if a waveform is not one-dimensional or has samples that are not finite, CheckpointError if the
        weights are not those of this model.
        """
        check_waveforms(waveforms)
        sums = np.zeros((len(waveforms), self.dimension))
        for rows, windows in _batches(waveforms):
            spectrograms = torch.from_numpy(np.stack([log_mel(window) for window in windows])[:, None])
            (vectors,) = self._audio(spectrograms)
            lengths = np.array([len(window) for window in windows])[:, None]
            np.add.at(sums, rows, lengths * _unit(vectors.numpy()))
        return _unit(sums).astype(np.float32)

    def embed_text(self, texts: Sequence[str]) -> Embeddings:
        """Embeddings (N, D), rows of unit norm, of N texts; only the first 75 tokens of a text count, as in the original.

        Computed in float32 on the CPU, whatever the runtime, because it takes little time. Raises InputError if a text is
        empty, CheckpointError if the weights or the tokenizer are not those of this model.
        """
        check_texts(texts)
        rows = np.zeros((len(texts), self.dimension))
        for start in range(0, len(texts), _BATCH):
            ids, mask = self._tokens(texts[start : start + _BATCH])
            rows[start : start + _BATCH] = self.embed_tokens(ids, mask)
        return rows.astype(np.float32)

    def embed_tokens(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> Embeddings:
        """Embeddings (N, D), rows of unit norm, of token ids (N, L); mask: (N, L), 0 for padding."""
        with torch.inference_mode():
            vectors = self._text(torch.from_numpy(ids), torch.from_numpy(mask))
        return _unit(vectors.numpy()).astype(np.float32)

    @cached_property
    def _audio(self) -> Network:
        path = self._checkpoint.paths[self._model.weights]
        return compile_network(
            lambda: load_audio_tower(path, self._model.audio, self.name),
            (torch.zeros(2, 1, FRAMES, BANDS),),
            key=f"{self.name}-{CODE_VERSION}-{self._checkpoint.digest}-audio",
            runtime=self._runtime,
        )

    @cached_property
    def _text(self) -> TextTower:
        return load_text_tower(self._checkpoint.paths[self._model.weights], self._model.text, self.name)

    @cached_property
    def _tokens(self) -> Tokens:
        return Tokens(self._checkpoint.paths[TOKENIZER], self._model.text.vocabulary)


def _batches(waveforms: Sequence[Samples]) -> Iterator[tuple[list[int], list[Samples]]]:
    """Batches of the windows that are not silent, with the index of each window's waveform."""
    pairs = [
        (row, window) for row, waveform in enumerate(waveforms) for window in split_windows(waveform) if window.any()
    ]
    for start in range(0, len(pairs), _BATCH):
        rows, windows = zip(*pairs[start : start + _BATCH], strict=True)
        yield list(rows), list(windows)


def _unit(vectors: NDArray[np.floating]) -> NDArray[np.float64]:
    """The rows of `vectors` (N, D) scaled to unit norm; rows of zeros stay zero."""
    rows = vectors.astype(np.float64)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))
