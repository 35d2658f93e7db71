"""The network of MERT (Li et al. 2023, arXiv 2306.00107) with plain transformers classes, from the published files.

The published model comes with code of its own, `modeling_MERT.py`, which is not run here. With the published settings it
is HuBERT (Hsu et al. 2021) on 24 kHz waveforms: its further branch, a constant-Q transform as an input, is switched off
(`feature_extractor_cqt`), and so is DeepNorm (`deepnorm`). Attention relaxation (`attention_relax`) subtracts the largest
attention weight before the softmax, which changes rounding only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from soundalike.errors import CheckpointError
from soundalike.models.neural.loading import load_into, read_weights

CONFIG = "config.json"
WEIGHTS = "pytorch_model.bin"

_NOT_SETTINGS = ("auto_map", "architectures", "model_type", "transformers_version", "torch_dtype")
"""Fields that name code or formats; they are not settings of the network."""

_RENAMED = {
    "encoder.pos_conv_embed.conv.weight_g": "encoder.pos_conv_embed.conv.parametrizations.weight.original0",
    "encoder.pos_conv_embed.conv.weight_v": "encoder.pos_conv_embed.conv.parametrizations.weight.original1",
}
"""Names of torch's former weight normalisation, which the published file has, and of the present one."""


def read_settings(path: Path) -> dict[str, Any]:
    """The fields of a published `config.json`.

    Raises CheckpointError if it is damaged, not of MERT, or has a setting that this code does not support.
    """
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{path} cannot be read ({error}); delete it and get it again: `soundalike models fetch NAME`"
        ) from error
    if not isinstance(fields, dict) or fields.get("model_type") != "mert_model":
        raise CheckpointError(f"{path} is not the configuration of MERT: its model_type is not mert_model")
    for name, supported in (("feature_extractor_cqt", False), ("deepnorm", False), ("sample_rate", 24_000)):
        if fields.get(name, supported) != supported:
            raise CheckpointError(f"{path} has {name} = {fields[name]!r}; only {supported!r} is supported")
    return fields


class HiddenStates(nn.Module):
    """Waveforms (B, samples) -> the mean over time of each hidden state (B, layers + 1, width).

    State 0 is the input of the transformer, state n the output of its layer n.
    """

    def __init__(self, hubert: nn.Module) -> None:
        super().__init__()
        self.hubert = hubert

    def forward(self, waveforms: Tensor) -> Tensor:
        """See the class."""
        states = self.hubert(waveforms, output_hidden_states=True).hidden_states
        return torch.stack([state.mean(1) for state in states], 1)


def new_network(settings: dict[str, Any]) -> Any:
    """The HuBERT that `settings` describe, with initial weights."""
    from transformers.models.hubert.configuration_hubert import HubertConfig
    from transformers.models.hubert.modeling_hubert import HubertModel

    fields = {name: value for name, value in settings.items() if name not in _NOT_SETTINGS}
    return HubertModel(HubertConfig(**fields, attn_implementation="eager"))


def load_network(paths: Mapping[str, Path], model: str) -> HiddenStates:
    """The network with the weights in the files CONFIG and WEIGHTS of `paths`, in evaluation mode.

    Raises CheckpointError if the files are damaged or of another model.
    """
    settings = read_settings(paths[CONFIG])
    with torch.device("meta"):  # without initial values: those in the file replace them
        hubert = new_network(settings)
    weights = {_RENAMED.get(name, name): value for name, value in read_weights(paths[WEIGHTS]).items()}
    load_into(hubert, weights, paths[WEIGHTS], model)
    torch.nn.utils.parametrize.remove_parametrizations(hubert.encoder.pos_conv_embed.conv, "weight")
    network = HiddenStates(hubert)
    network.eval()
    return network
