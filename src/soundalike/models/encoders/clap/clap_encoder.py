"""LAION-CLAP: music and texts in one space (Wu et al. 2023, arXiv 2211.06687).

The embeddings of the package laion_clap 1.1.7 with `enable_fusion=False`, without the package.
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
from soundalike.models.encoders import Embeddings, Samples
from soundalike.models.encoders.clap.clap_frontend import BANDS, FRAMES, SAMPLE_RATE, cut, log_mel
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
from soundalike.models.neural.compiled import Network, compiled
from soundalike.models.neural.device import check_fast, choose_device

CODE_VERSION = "1"
"""Raised whenever the vectors change."""

_BATCH = 8


@dataclass(frozen=True)
class ClapModel:
    """One published model: the name of its weights' file, and the sizes of its towers."""

    weights: str
    audio: AudioSizes
    text: TextSizes = field(default_factory=TextSizes)


MODELS: dict[str, ClapModel] = {
    "clap": ClapModel("630k-audioset-best.pt", HTSAT_TINY),
    "clap-music": ClapModel("music_audioset_epoch_15_esc_90.14.pt", HTSAT_BASE),
}
TOKENIZER = "tokenizer.json"


class ClapEncoder:
    """Audio and texts to unit vectors. Each tower is loaded when it is first used."""

    sample_rate = SAMPLE_RATE
    clip_seconds: float | None = 10.0

    def __init__(self, model: ClapModel, checkpoint: LocalCheckpoint, runtime: Runtime) -> None:
        """Raises InputError where this machine has not the device or precision of `config`."""
        check_fast(runtime.precision, choose_device(runtime))
        self.name = checkpoint.name
        self.version = f"{CODE_VERSION}+{checkpoint.digest}"
        self.dimension = model.audio.projection
        self._model = model
        self._checkpoint = checkpoint
        self._runtime = runtime

    @classmethod
    def load(cls, checkpoint: LocalCheckpoint, runtime: Runtime) -> ClapEncoder:
        """The model that `checkpoint` names, one of `MODELS`. Raises as `__init__` does."""
        return cls(MODELS[checkpoint.name], checkpoint, runtime)

    def embed(self, waveforms: Sequence[Samples]) -> Embeddings:
        """Embeddings (N, D), rows of unit norm, of N mono waveforms (samples,) at 48 kHz, nominally -1 to 1.

        Up to ten seconds as the original: repeated as often as it fits, then zeros. What is longer is cut into
        consecutive windows of ten seconds, and the row is the mean of their unit vectors, each weighted by the samples
        it stands for, brought to unit norm. (The original embeds one window, at random.) Windows of zeros are left out;
        a waveform of zeros alone has a row of zeros.

        Raises InputError for a waveform that is not one-dimensional or has samples that are not finite, CheckpointError
        where the weights are not this model's.
        """
        check_waveforms(waveforms)
        sums = np.zeros((len(waveforms), self.dimension))
        for rows, windows in _batches(waveforms):
            spectrograms = torch.from_numpy(np.stack([log_mel(window) for window in windows])[:, None])
            (vectors,) = self._audio(spectrograms)
            shares = np.array([len(window) for window in windows])[:, None]
            np.add.at(sums, rows, shares * _unit(vectors.numpy()))
        return _unit(sums).astype(np.float32)

    def embed_text(self, texts: Sequence[str]) -> Embeddings:
        """Embeddings (N, D), rows of unit norm, of N texts; of a long one its first 75 tokens, as the original.

        In float32 on the CPU whatever the runtime, for it is a moment's work. Raises InputError for a text without a
        word, CheckpointError where the weights or the tokenizer are not this model's.
        """
        check_texts(texts)
        rows = np.zeros((len(texts), self.dimension))
        for start in range(0, len(texts), _BATCH):
            ids, mask = self._tokens(texts[start : start + _BATCH])
            rows[start : start + _BATCH] = self.embed_tokens(ids, mask)
        return rows.astype(np.float32)

    def embed_tokens(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> Embeddings:
        """Embeddings (N, D), rows of unit norm, of token ids (N, L), where `mask` (N, L) is 0 for padding."""
        with torch.inference_mode():
            vectors = self._text(torch.from_numpy(ids), torch.from_numpy(mask))
        return _unit(vectors.numpy()).astype(np.float32)

    @cached_property
    def _audio(self) -> Network:
        path = self._checkpoint.paths[self._model.weights]
        return compiled(
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
    """The windows that are not silent, some at a time, each with the index of the waveform that it is from."""
    found = [(index, window) for index, waveform in enumerate(waveforms) for window in cut(waveform) if window.any()]
    for start in range(0, len(found), _BATCH):
        rows, windows = zip(*found[start : start + _BATCH], strict=True)
        yield list(rows), list(windows)


def _unit(vectors: NDArray[np.floating]) -> NDArray[np.float64]:
    """Rows of `vectors` (N, D) brought to unit norm; rows of zeros stay."""
    rows = vectors.astype(np.float64)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))
