"""The two towers of LAION-CLAP: their sizes, the modules of transformers that compute them, and how weights are loaded.

The checkpoints have the format of laion_clap 1.1.7; transformers has the same networks with other names.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from soundalike.config import ignore_front_end
from soundalike.errors import CheckpointError
from soundalike.models.encoders.clap import clap_frontend
from soundalike.models.neural.loading import load_into, read_weights

Weights = dict[str, torch.Tensor]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AudioSizes:
    """HTSAT, a Swin transformer on spectrograms (`clap_module/htsat.py`, `create_htsat_model`).

    width: channels of the first stage, doubled by each further stage; depths: blocks per stage, every other one with
    shifted windows; heads: attention heads per stage; projection: dimension of the vectors.
    """

    width: int
    depths: tuple[int, ...]
    heads: tuple[int, ...]
    projection: int = 512


@dataclass(frozen=True)
class TextSizes:
    """RoBERTa; the defaults are those of roberta-base. positions: includes the first two, which RoBERTa does not use."""

    vocabulary: int = 50_265
    width: int = 768
    layers: int = 12
    heads: int = 12
    inner: int = 3072
    positions: int = 514
    projection: int = 512


HTSAT_TINY = AudioSizes(width=96, depths=(2, 2, 6, 2), heads=(4, 8, 16, 32))
HTSAT_BASE = AudioSizes(width=128, depths=(2, 2, 12, 2), heads=(4, 8, 16, 32))

UNUSED: dict[str, str] = {
    r"logit_scale_[at]": "temperatures of the training loss",
    r"(audio|text)_transform\..*": "layers that only the training loss uses",
    r"audio_branch\.(tscam_conv|head)\..*": "the classifier for the 527 classes of AudioSet, for which HTSAT was made",
    r"audio_branch\.spectrogram_extractor\..*": "constants of the front end, computed in `clap_frontend`",
    r"audio_branch\.logmel_extractor\..*": "as above",
    r"audio_branch\..*\.(attn\.relative_position_index|attn_mask)": "constants that depend on the window sizes only",
    r"text_branch\.embeddings\.position_ids": "0, 1, 2, ...",
}
"""Weights in a checkpoint that embeddings do not depend on: patterns of their names, and what they are."""

_FUSION = re.compile(r"audio_branch\..*(mel_conv[12]d|fusion_model)\..*")
"""Weights that only models with `enable_fusion=True` have."""

_RENAMED: tuple[tuple[str, str], ...] = (
    (r"(audio|text)_projection\.0\.", "projection.linear1."),
    (r"(audio|text)_projection\.2\.", "projection.linear2."),
    (r"audio_branch\.bn0\.", "encoder.batch_norm."),
    (r"(audio|text)_branch\.", "encoder."),
)
_RENAMED_IN_BLOCKS: tuple[tuple[str, str], ...] = (
    ("norm1.", "layernorm_before."),
    ("norm2.", "layernorm_after."),
    ("attn.proj.", "attention.output.dense."),
    ("attn.", "attention.self."),
    ("mlp.fc1.", "intermediate.dense."),
    ("mlp.fc2.", "output.dense."),
)
_BLOCK = re.compile(r"(encoder\.layers\.\d+\.blocks\.\d+\.)(.*)")

_CONSTANTS = re.compile(r".*(relative_position_index|embeddings\.(position_ids|token_type_ids))")
"""Buffers that transformers computes when it builds the modules; in some versions they are part of the state."""


class AudioTower(torch.nn.Module):
    """From log-mel spectrograms (B, 1, FRAMES, BANDS) in dB to vectors (B, D), not normalised."""

    def __init__(self, sizes: AudioSizes) -> None:
        from transformers import ClapAudioConfig, ClapAudioModelWithProjection

        super().__init__()
        model = ClapAudioModelWithProjection(
            ClapAudioConfig(
                patch_embeds_hidden_size=sizes.width,
                hidden_size=sizes.width * 2 ** (len(sizes.depths) - 1),
                depths=list(sizes.depths),
                num_attention_heads=list(sizes.heads),
                num_hidden_layers=len(sizes.depths),
                num_mel_bins=clap_frontend.BANDS,
                projection_dim=sizes.projection,
            )
        )
        self.encoder = model.audio_model.audio_encoder
        self.projection = model.audio_projection

    def forward(self, spectrograms: torch.Tensor) -> torch.Tensor:
        vectors: torch.Tensor = self.projection(self.encoder(spectrograms).pooler_output)
        return vectors


class TextTower(torch.nn.Module):
    """From token ids (B, L) and a mask (B, L) that is 0 for padding to vectors (B, D), not normalised."""

    def __init__(self, sizes: TextSizes) -> None:
        from transformers import ClapTextConfig, ClapTextModelWithProjection

        super().__init__()
        model = ClapTextModelWithProjection(
            ClapTextConfig(
                vocab_size=sizes.vocabulary,
                hidden_size=sizes.width,
                num_hidden_layers=sizes.layers,
                num_attention_heads=sizes.heads,
                intermediate_size=sizes.inner,
                max_position_embeddings=sizes.positions,
                layer_norm_eps=1e-5,  # as in roberta-base; transformers has another default for CLAP
                projection_dim=sizes.projection,
            )
        )
        self.encoder = model.text_model
        self.projection = model.text_projection

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        vectors: torch.Tensor = self.projection(self.encoder(input_ids=ids, attention_mask=mask).pooler_output)
        return vectors


def load_audio_tower(path: Path, sizes: AudioSizes, model: str) -> AudioTower:
    """The audio tower in the checkpoint at `path`. Raises CheckpointError if it is not a checkpoint of `model`."""
    state = _read(path, model)
    _check_front_end(state, path, model)
    tower = AudioTower(sizes)
    _load(tower, {name: value for name, value in state.items() if not name.startswith("text_")}, path, model)
    return tower


def load_text_tower(path: Path, sizes: TextSizes, model: str) -> TextTower:
    """The text tower in the checkpoint at `path`. Raises CheckpointError if it is not a checkpoint of `model`."""
    state = _read(path, model)
    tower = TextTower(sizes)
    _load(tower, {name: value for name, value in state.items() if name.startswith("text_")}, path, model)
    return tower


def renamed(state: Mapping[str, torch.Tensor]) -> Weights:
    """Weights with laion_clap's names under the names in `AudioTower` or `TextTower`, without those in `UNUSED`."""
    weights: Weights = {}
    for name, value in state.items():
        if any(re.fullmatch(pattern, name) for pattern in UNUSED):
            continue
        name = _renamed(name)
        if ".self.qkv." in name:
            for kind, third in zip(("query", "key", "value"), value.chunk(3), strict=True):
                weights[name.replace(".qkv.", f".{kind}.")] = third
        else:
            weights[name] = value
    return weights


def _renamed(name: str) -> str:
    for pattern, replacement in _RENAMED:
        name = re.sub(f"^{pattern}", replacement, name)
    if block := _BLOCK.fullmatch(name):
        for old, new in _RENAMED_IN_BLOCKS:
            if block[2].startswith(old):
                return block[1] + new + block[2].removeprefix(old)
    return name


def _read(path: Path, model: str) -> Weights:
    """The weights in the checkpoint at `path`, with laion_clap's names."""
    with torch.serialization.safe_globals(_numpy_numbers()):
        checkpoint = read_weights(path)
    state = checkpoint.get("state_dict", checkpoint)
    if not isinstance(state, Mapping) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise CheckpointError(f"{path} is not a checkpoint of {model}: it contains more than named weights")
    state = {
        name.removeprefix("module."): value for name, value in state.items()
    }  # the prefix of DistributedDataParallel
    if fusion := next((name for name in state if _FUSION.fullmatch(name)), None):
        raise CheckpointError(f"{path} is not a checkpoint of {model}: it was trained with fusion ({fusion})")
    return state


def _numpy_numbers() -> list[Any]:
    """The classes and functions that torch's safe loader needs to read a NumPy float64.

    The published files also contain the state of the optimiser, whose learning rate was computed with `numpy.cos`.
    """
    scalar = np.float64(0).__reduce__()[0]
    names = ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")  # NumPy 1's and 2's
    return [np.dtype, np.dtypes.Float64DType, *((scalar, name) for name in names)]


def _check_front_end(state: Mapping[str, torch.Tensor], path: Path, model: str) -> None:
    """Raises CheckpointError if the model was trained on other spectrograms than those of `clap_frontend`.

    The checkpoint has the mel bands, and the kernels of the Fourier transform, of which that of 0 Hz is the window. With
    SOUNDALIKE_IGNORE_FRONT_END=1 a difference is logged as a warning instead.
    """
    constants = {
        "audio_branch.logmel_extractor.melW": clap_frontend.mel_bands(),
        "audio_branch.spectrogram_extractor.stft.conv_real.weight": clap_frontend.hann(),
    }
    for name, ours in constants.items():
        if name not in state:
            raise CheckpointError(f"{path} is not a checkpoint of {model}: {name} is missing")
        theirs = state[name] if state[name].ndim == ours.ndim else state[name][0, 0]
        if theirs.shape != ours.shape or not np.allclose(theirs.numpy(), ours, atol=1e-5 * float(ours.max())):
            problem = f"{path} is not a checkpoint of {model}: it was trained on other spectrograms ({name} differs)"
            if not ignore_front_end():
                raise CheckpointError(f"{problem}; set SOUNDALIKE_IGNORE_FRONT_END=1 to use it nevertheless")
            log.warning("%s; it is used because SOUNDALIKE_IGNORE_FRONT_END is set", problem)


def _load(tower: torch.nn.Module, state: Mapping[str, torch.Tensor], path: Path, model: str) -> None:
    computed = {name: value for name, value in tower.state_dict().items() if _CONSTANTS.fullmatch(name)}
    load_into(tower, renamed(state) | computed, path, model)
