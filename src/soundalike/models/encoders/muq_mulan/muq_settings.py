"""The sizes of MuQ-MuLan, read from the configuration files that are published with its weights.

The `config.json` of MuQ-MuLan names its two backbones, whose sizes the package muq 0.1.0 reads from their `config.json`;
here those are two more files in the same folder. The field names are those of `MuQMuLanConfig` and `MuQConfig` in that
package, and of `Wav2Vec2ConformerConfig` (the field `w2v2_config`) and `XLMRobertaConfig` in transformers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from soundalike.errors import CheckpointError

CONFIG = "config.json"
MUQ_CONFIG = "muq-config.json"
TEXT_CONFIG = "xlm-roberta-config.json"

FEATURE = "melspec_2048"
"""The only input feature that the package computes."""

_STRIDES = {25: (2, 2), 50: (2, 1)}
"""Strides over time by `label_rate`, the steps per second, from 100 frames per second (`n_fold` in `muq_model.py`)."""


@dataclass(frozen=True)
class TransformerSettings:
    """The transformer that MuLan puts on top of a backbone with `backbone` values per step; `head` values per head.

    layers: 0 in the audio tower of the published model.
    """

    backbone: int
    width: int
    layers: int
    heads: int
    head: int
    expansion: int


@dataclass(frozen=True)
class ConformerSettings:
    """MuQ: frames every `hop` samples with `bands` mel bands in dB, standardised by `mean` and `deviation`; two convolution
    blocks with `channels`, which halve the bands and have `strides` over time; then the conformer."""

    hop: int
    bands: int
    mean: float
    deviation: float
    channels: int
    strides: tuple[int, int]
    width: int
    layers: int
    heads: int
    hidden: int
    activation: str
    kernel: int
    epsilon: float
    rotary_base: float = 10_000.0


@dataclass(frozen=True)
class Settings:
    """MuQ-MuLan: sample rate in Hz, samples per clip, dimension of the vectors, and its towers.

    vocabulary: number of tokens; longest: tokens of the longest text; roberta: all fields of the configuration of the text
    backbone, for transformers.
    """

    sample_rate: int
    clip: int
    dimension: int
    muq: ConformerSettings
    audio: TransformerSettings
    text: TransformerSettings
    vocabulary: int
    longest: int
    roberta: Mapping[str, Any]


def read_settings(paths: Mapping[str, Path]) -> Settings:
    """The sizes in the files CONFIG, MUQ_CONFIG and TEXT_CONFIG of `paths`.

    Raises CheckpointError if one is not such a file, or has a value that this code does not support.
    """
    mulan, muq, text = (_Fields.read(paths[name]) for name in (CONFIG, MUQ_CONFIG, TEXT_CONFIG))
    mulan.section("audio_model").expect("use_layer_idx", -1)
    text.expect("model_type", "xlm-roberta")
    width = text.integer("hidden_size")
    main = mulan.section("mulan")
    rate = main.integer("sr")
    conformer = _conformer(muq)
    return Settings(
        sample_rate=rate,
        clip=rate * main.integer("clip_secs"),
        dimension=main.integer("dim_latent"),
        muq=conformer,
        audio=_transformer(mulan.section("audio_transformer"), conformer.width),
        text=_transformer(mulan.section("text_transformer"), width),
        vocabulary=text.integer("vocab_size"),
        # Positions start after that of the padding.
        longest=text.integer("max_position_embeddings") - text.integer("pad_token_id") - 1,
        roberta=text.values,
    )


def _conformer(fields: _Fields) -> ConformerSettings:
    fields.expect("features", [FEATURE])
    fields.expect("is_flash", False)
    layers = fields.section("w2v2_config")
    layers.expect("position_embeddings_type", "rotary")
    statistics = fields.section("stat")
    rate = fields.integer("label_rate")
    if rate not in _STRIDES:
        raise fields.error("label_rate", rate, " or ".join(map(str, _STRIDES)))
    return ConformerSettings(
        hop=fields.integer("hop_length"),
        bands=fields.integer("n_mels"),
        mean=statistics.number(f"{FEATURE}_mean"),
        deviation=statistics.number(f"{FEATURE}_std"),
        channels=fields.integer("conv_dim"),
        strides=_STRIDES[rate],
        width=fields.integer("encoder_dim"),
        layers=fields.integer("encoder_depth"),
        heads=layers.integer("num_attention_heads"),
        hidden=layers.integer("intermediate_size"),
        activation=layers.string("hidden_act"),
        kernel=layers.integer("conv_depthwise_kernel_size"),
        epsilon=layers.number("layer_norm_eps"),
        rotary_base=layers.number("rotary_embedding_base", default=10_000),
    )


def _transformer(fields: _Fields, backbone: int) -> TransformerSettings:
    return TransformerSettings(
        backbone=backbone,
        width=fields.integer("dim"),
        layers=fields.integer("tf_depth", least=0),
        heads=fields.integer("heads"),
        head=fields.integer("dim_head"),
        expansion=fields.integer("ff_mult"),
    )


@dataclass(frozen=True)
class _Fields:
    """The fields of an object in a JSON file; at: the file and the place in it, for messages."""

    at: str
    values: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> _Fields:
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CheckpointError(
                f"{path} is damaged or not a configuration ({error}); delete it and get it again: `soundalike models fetch`"
            ) from error
        if not isinstance(values, dict):
            raise CheckpointError(
                f"{path} contains a {type(values).__name__}, not named fields; is it the file of another model?"
            )
        return cls(str(path), values)

    def section(self, name: str) -> _Fields:
        value = self._get(name)
        if not isinstance(value, dict):
            raise self.error(name, value, "named fields")
        return _Fields(f"{self.at}, {name}", value)

    def integer(self, name: str, least: int = 1) -> int:
        value = self.number(name)
        if value != int(value) or value < least:
            raise self.error(name, value, f"an integer of at least {least}")
        return int(value)

    def number(self, name: str, default: float | None = None) -> float:
        value = self._get(name) if default is None else self.values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.error(name, value, "a number")
        return value

    def string(self, name: str) -> str:
        value = self._get(name)
        if not isinstance(value, str):
            raise self.error(name, value, "a string")
        return value

    def expect(self, name: str, only: object) -> None:
        """Raises CheckpointError unless the value is `only`."""
        value = self._get(name)
        if value != only:
            raise self.error(name, value, f"{only!r}, the only value that is supported")

    def error(self, name: str, value: object, allowed: str) -> CheckpointError:
        return CheckpointError(f"{self.at}: {name} is {value!r}; expected {allowed}. Is it the file of another model?")

    def _get(self, name: str) -> Any:
        if name not in self.values:
            raise CheckpointError(f"{self.at}: the field {name} is missing. Is it the file of another model?")
        return self.values[name]
