"""The sizes of MuQ-MuLan, read from the configuration files that its weights are published with.

MuQ-MuLan's own `config.json` names its two backbones, and the package muq 0.1.0 reads their sizes from their own
`config.json`; here these are files beside it. The names of the fields are those of `MuQMuLanConfig` and `MuQConfig` of
that package, of transformers' `Wav2Vec2ConformerConfig` (the field `w2v2_config`) and of its `XLMRobertaConfig`.
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
"""The one input that the package computes."""

_STRIDES = {25: (2, 2), 50: (2, 1)}
"""Strides over time by `label_rate`: steps a second, of 100 frames (`n_fold` in `muq_model.py`)."""


@dataclass(frozen=True)
class TransformerSettings:
    """MuLan's own transformer, above a backbone of `backbone` values a step; each head has `head` of its `width`.

    layers: may be 0, and is above the sound of the published model.
    """

    backbone: int
    width: int
    layers: int
    heads: int
    head: int
    expansion: int


@dataclass(frozen=True)
class ConformerSettings:
    """MuQ: `hop` samples a frame, of `bands` mel bands in dB that are centred by `mean` and divided by `deviation`; two
    convolution blocks of `channels` that halve bands and take every `strides`-th frame; then the conformer."""

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


@dataclass(frozen=True)
class Settings:
    """MuQ-MuLan: samples a second, samples a clip, values of an embedding, and its towers.

    vocabulary: tokens that there are; longest: tokens of the longest text that can be read; roberta: all fields of the
    text backbone's configuration, as transformers takes them.
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

    Raises CheckpointError where one is not such a file, or asks for what this code does not compute.
    """
    mulan, muq, text = (_Fields.read(paths[name]) for name in (CONFIG, MUQ_CONFIG, TEXT_CONFIG))
    mulan.inside("audio_model").expect("use_layer_idx", -1)
    text.expect("model_type", "xlm-roberta")
    width = text.whole("hidden_size")
    main = mulan.inside("mulan")
    rate = main.whole("sr")
    conformer = _conformer(muq)
    return Settings(
        sample_rate=rate,
        clip=rate * main.whole("clip_secs"),
        dimension=main.whole("dim_latent"),
        muq=conformer,
        audio=_transformer(mulan.inside("audio_transformer"), conformer.width),
        text=_transformer(mulan.inside("text_transformer"), width),
        vocabulary=text.whole("vocab_size"),
        # Positions count from behind that of the padding.
        longest=text.whole("max_position_embeddings") - text.whole("pad_token_id") - 1,
        roberta=text.values,
    )


def _conformer(fields: _Fields) -> ConformerSettings:
    fields.expect("features", [FEATURE])
    fields.expect("is_flash", False)
    layers = fields.inside("w2v2_config")
    layers.expect("position_embeddings_type", "rotary")
    statistics = fields.inside("stat")
    rate = fields.whole("label_rate")
    if rate not in _STRIDES:
        raise fields.wrong("label_rate", rate, " or ".join(map(str, _STRIDES)))
    return ConformerSettings(
        hop=fields.whole("hop_length"),
        bands=fields.whole("n_mels"),
        mean=statistics.number(f"{FEATURE}_mean"),
        deviation=statistics.number(f"{FEATURE}_std"),
        channels=fields.whole("conv_dim"),
        strides=_STRIDES[rate],
        width=fields.whole("encoder_dim"),
        layers=fields.whole("encoder_depth"),
        heads=layers.whole("num_attention_heads"),
        hidden=layers.whole("intermediate_size"),
        activation=layers.word("hidden_act"),
        kernel=layers.whole("conv_depthwise_kernel_size"),
        epsilon=layers.number("layer_norm_eps"),
    )


def _transformer(fields: _Fields, backbone: int) -> TransformerSettings:
    return TransformerSettings(
        backbone=backbone,
        width=fields.whole("dim"),
        layers=fields.whole("tf_depth", least=0),
        heads=fields.whole("heads"),
        head=fields.whole("dim_head"),
        expansion=fields.whole("ff_mult"),
    )


@dataclass(frozen=True)
class _Fields:
    """The fields of an object in a JSON file; `at` tells which file, and where in it."""

    at: str
    values: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> _Fields:
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CheckpointError(
                f"{path} is damaged or no configuration ({error}); delete it and fetch it again: `soundalike models fetch`"
            ) from error
        if not isinstance(values, dict):
            raise CheckpointError(
                f"{path} holds a {type(values).__name__}, not named fields; is it another model's file?"
            )
        return cls(str(path), values)

    def inside(self, name: str) -> _Fields:
        value = self._get(name)
        if not isinstance(value, dict):
            raise self.wrong(name, value, "named fields")
        return _Fields(f"{self.at}, {name}", value)

    def whole(self, name: str, least: int = 1) -> int:
        value = self.number(name)
        if value != int(value) or value < least:
            raise self.wrong(name, value, f"a whole number from {least} on")
        return int(value)

    def number(self, name: str) -> float:
        value = self._get(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.wrong(name, value, "a number")
        return value

    def word(self, name: str) -> str:
        value = self._get(name)
        if not isinstance(value, str):
            raise self.wrong(name, value, "a name")
        return value

    def expect(self, name: str, only: object) -> None:
        """Raises CheckpointError where the field is anything but `only`."""
        value = self._get(name)
        if value != only:
            raise self.wrong(name, value, f"{only!r}, which is all that this code computes")

    def wrong(self, name: str, value: object, allowed: str) -> CheckpointError:
        return CheckpointError(f"{self.at}: {name} is {value!r}; expected {allowed}. Is it another model's file?")

    def _get(self, name: str) -> Any:
        if name not in self.values:
            raise CheckpointError(f"{self.at}: there is no field {name}. Is it another model's file?")
        return self.values[name]
