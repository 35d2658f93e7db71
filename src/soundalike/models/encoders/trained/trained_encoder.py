"""The encoder of a trained D-CSN or Cascade: mixtures in, a vector for each instrument out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from soundalike.config import Runtime
from soundalike.models.encoder_protocol import Embeddings, Samples
from soundalike.models.encoders.input_checks import check_waveforms
from soundalike.models.encoders.trained.mel_spectra import SAMPLE_RATE
from soundalike.models.encoders.trained.trained_file import TrainedNetwork, read_trained
from soundalike.models.encoders.trained.trained_path import trained_path
from soundalike.models.neural.device import choose_device
from soundalike.parts import MIX, ordered

CODE_VERSION = "1"
"""Increased whenever the vectors of the same weights change."""

SHORTEST_SECONDS = 0.5
"""A shorter waveform is padded with zeros."""


class TrainedEncoder:
    """Embeds mixtures. A part's vector has its values in a range of its own and zeros elsewhere; that of the mix is the sum.

    The originals compare vectors by their Euclidean distance, so `embed_parts` does not scale them.
    """

    def __init__(self, name: str, trained: TrainedNetwork, runtime: Runtime) -> None:
        """name: its key in `ENCODERS`. Raises InputError if this machine does not have the device of `runtime`."""
        architecture = trained.architecture
        self._device = choose_device(runtime)
        self._network = trained.network.to(self._device).eval()
        self._threads = runtime.cores
        self._own = architecture.parts
        self.name = name
        self.version = f"{CODE_VERSION}+{trained.digest}"
        self.sample_rate = SAMPLE_RATE
        self.dimension = 128 * len(architecture.parts)
        self.clip_seconds: float | None = architecture.clip
        self.parts = ordered([*architecture.parts, MIX])
        self.tuned_tracks = trained.tuned_tracks
        self._hop = architecture.hop

    @classmethod
    def load(cls, name: str, runtime: Runtime) -> TrainedEncoder:
        """The encoder that was trained on this machine. Raises CheckpointError if it is missing or damaged."""
        return cls(name, read_trained(trained_path(name), name), runtime)

    def embed(self, waveforms: Sequence[Samples]) -> Embeddings:
        """Embeddings (N, D), rows of unit norm, of N mono mixtures (samples,) at 44.1 kHz: the vectors of `mix`, scaled.

        Raises InputError as `embed_parts` does.
        """
        rows = self.embed_parts(waveforms)[:, self.parts.index(MIX)]
        norms = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
        return np.asarray(rows / norms, np.float32)

    def embed_parts(self, mixtures: Sequence[Samples]) -> NDArray[np.float32]:
        """Vectors (N, K, D) of `parts` in N mono mixtures (samples,) at 44.1 kHz; of silence they are zero.

        A mixture is cut into clips as long as in training, with the same hop; a last one of less than half a clip is left
        out. Its vectors are the means over its clips. Raises InputError if a mixture is not one-dimensional or not finite.
        """
        check_waveforms(mixtures)
        vectors = np.zeros((len(mixtures), len(self.parts), self.dimension), np.float32)
        for index, mixture in enumerate(mixtures):
            if mixture.any():
                clips = [self._of_clip(clip) for clip in self._clips(mixture)]
                vectors[index] = self._in_ranges(np.mean(clips, axis=0))
        return vectors

    def _clips(self, mixture: Samples) -> Iterator[Samples]:
        assert self.clip_seconds is not None
        size, hop = round(self.clip_seconds * SAMPLE_RATE), round(self._hop * SAMPLE_RATE)
        shortest = round(SHORTEST_SECONDS * SAMPLE_RATE)
        padded = np.pad(mixture, (0, max(0, shortest - len(mixture))))
        for start in range(0, len(padded), hop):
            clip = padded[start : start + size]
            if start == 0 or (len(clip) == size if hop < size else len(clip) >= size // 2):
                yield clip

    def _of_clip(self, clip: Samples) -> NDArray[np.float64]:
        """The values (parts, 128) of one clip."""
        with torch.inference_mode(), torch.backends.cudnn.flags(allow_tf32=False):
            vectors = self._network(torch.from_numpy(clip.astype(np.float32))[None].to(self._device))
        return np.asarray(vectors[0].cpu().numpy(), np.float64)

    def _in_ranges(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The vectors (K, D) of `parts` from the values (parts, 128) of each part."""
        vectors = np.zeros((len(self.parts), self.dimension))
        for number, (part, own) in enumerate(zip(self._own, values, strict=True)):
            vectors[self.parts.index(part), 128 * number : 128 * (number + 1)] = own
        vectors[self.parts.index(MIX)] = values.ravel()
        return vectors
