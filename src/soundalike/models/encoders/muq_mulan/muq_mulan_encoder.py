"""MuQ-MuLan-large: audio and texts in one space (Zhu et al. 2025, arXiv 2501.01108).

Computes the embeddings of the package muq 0.1.0 (`MuQMuLan`) without the package, and scales them to unit norm.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from soundalike.config import Runtime
from soundalike.models.checkpoints import LocalCheckpoint
from soundalike.models.encoder_protocol import Embeddings, Samples
from soundalike.models.encoders.input_checks import check_texts, check_waveforms
from soundalike.models.encoders.muq_mulan.muq_frontend import LogMel, split_clips
from soundalike.models.encoders.muq_mulan.muq_network import Tower, load_audio_tower, load_text_tower
from soundalike.models.encoders.muq_mulan.muq_settings import Settings, read_settings
from soundalike.models.encoders.muq_mulan.muq_tokens import Tokens
from soundalike.models.neural.compiled import Network, compile_network
from soundalike.models.neural.device import check_fast, choose_device

CODE_VERSION = "1"
"""Increased whenever the vectors change."""

WEIGHTS = "pytorch_model.bin"
"""The key of the weights in a checkpoint, whose file may be `model.safetensors` instead."""

TOKENIZER = "tokenizer.json"

_BATCH = 8


class MuqMulanEncoder:
    """Embeds audio and texts. Each tower is loaded when it is first used."""

    name = "muq-mulan"

    def __init__(self, settings: Settings, checkpoint: LocalCheckpoint, runtime: Runtime) -> None:
        """Raises InputError if this machine does not support the device or precision of `runtime`."""
        self._device = choose_device(runtime)
        check_fast(runtime.precision, self._device)
        self.version = f"{CODE_VERSION}+{checkpoint.digest}"
        self.sample_rate = settings.sample_rate
        self.dimension = settings.dimension
        self.clip_seconds: float | None = settings.clip / settings.sample_rate
        self._settings = settings
        self._checkpoint = checkpoint
        self._runtime = runtime

    @classmethod
    def load(cls, checkpoint: LocalCheckpoint, runtime: Runtime) -> MuqMulanEncoder:
        """The encoder with the sizes in the files of the checkpoint. Raises as `__init__` and `read_settings` do."""
        return cls(read_settings(checkpoint.paths), checkpoint, runtime)

    def embed(self, waveforms: Sequence[Samples]) -> Embeddings:
        """Embeddings (N, D), rows of unit norm, of N mono waveforms (samples,) at 24 kHz, nominally -1 to 1.

        Each waveform is split into clips of ten seconds as in the original (`muq_frontend.split_clips`); its row is the
        mean of their unit vectors, scaled to unit norm, which the original does not do. The row of a waveform of zeros is
        zero.

        Raises InputError if a waveform is not one-dimensional or has samples that are not finite, CheckpointError if the
        weights are not those of this model.
        """
        means = self._means(waveforms)
        return np.asarray(means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12), dtype=np.float32)

    def embed_text(self, texts: Sequence[str]) -> Embeddings:
        """Embeddings (N, D), rows of unit norm, of N texts.

        Computed in float32 on the CPU, whatever the runtime, because it takes little time; and one text at a time, because
        in the original the vector of a text depends on the padding that longer texts in its batch cause.

        Raises InputError if a text is empty or too long, CheckpointError if the weights or the tokenizer are not those of
        this model.
        """
        check_texts(texts)
        rows = [self.embed_ids(self._tokens(text)) for text in texts]
        return np.concatenate([np.zeros((0, self.dimension), dtype=np.float32), *rows])

    def _means(self, waveforms: Sequence[Samples]) -> NDArray[np.float64]:
        """The vectors (N, D) of the original: for each waveform, the mean of the unit vectors of its clips."""
        check_waveforms(waveforms)
        means = np.zeros((len(waveforms), self.dimension))
        counts = np.zeros((len(waveforms), 1))
        for rows, clips in _batches(waveforms, self._settings.clip):
            (vectors,) = self._audio(self._log_mel(torch.from_numpy(np.stack(clips)).to(self._device)))
            np.add.at(means, rows, vectors.numpy())
            np.add.at(counts, rows, 1)
        return np.asarray(means / np.maximum(counts, 1))

    def embed_ids(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Unit vectors (N, D) of token ids (N, L) without padding."""
        with torch.inference_mode():
            vectors: NDArray[np.float32] = self._text(torch.from_numpy(ids)).numpy()
        return vectors

    @cached_property
    def _log_mel(self) -> LogMel:
        log_mel: LogMel = LogMel(self._settings.muq).to(self._device)
        return log_mel

    @cached_property
    def _audio(self) -> Network:
        frames = self._settings.clip // self._settings.muq.hop
        return compile_network(
            lambda: load_audio_tower(self._checkpoint.paths[WEIGHTS], self._settings),
            (torch.zeros(2, self._settings.muq.bands, frames),),
            key=f"{self.name}-{CODE_VERSION}-{self._checkpoint.digest}-audio",
            runtime=self._runtime,
            free=((2,),),
        )

    @cached_property
    def _text(self) -> Tower:
        return load_text_tower(self._checkpoint.paths[WEIGHTS], self._settings)

    @cached_property
    def _tokens(self) -> Tokens:
        return Tokens(self._checkpoint.paths[TOKENIZER], self._settings.vocabulary, self._settings.longest)


def _batches(waveforms: Sequence[Samples], clip: int) -> Iterator[tuple[list[int], list[Samples]]]:
    """Batches of clips of equal length, with the index of each clip's waveform; silent waveforms are skipped."""
    by_length: dict[int, list[tuple[int, Samples]]] = {}
    for index, waveform in enumerate(waveforms):
        for samples in split_clips(waveform, clip) if waveform.any() else ():
            batch = by_length.setdefault(len(samples), [])
            batch.append((index, samples))
            if len(batch) == _BATCH:
                yield _columns(batch)
                batch.clear()
    for batch in by_length.values():
        if batch:
            yield _columns(batch)


def _columns(pairs: list[tuple[int, Samples]]) -> tuple[list[int], list[Samples]]:
    return [index for index, _ in pairs], [samples for _, samples in pairs]
