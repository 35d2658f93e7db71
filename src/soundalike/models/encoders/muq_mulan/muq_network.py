"""MuQ-MuLan's two towers in plain torch (Zhu et al. 2025, arXiv 2501.01108), on the names of the published weights.

Each is a backbone (for sound MuQ, a conformer above two convolution blocks; for texts XLM-RoBERTa), a transformer of
MuLan's own, the mean over time and a line into the common space. After muq 0.1.0 in evaluation: `modules/conv.py`,
`modules/transformer.py`, `models/{audio,text,mulan}.py`; and after transformers' `Wav2Vec2ConformerEncoder` with rotary
positions, which it takes for the conformer.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from soundalike.errors import CheckpointError
from soundalike.models.encoders.muq_mulan.muq_settings import ConformerSettings, Settings, TransformerSettings
from soundalike.models.neural.loading import load_into, read_weights

MODEL = "muq-mulan"

AUDIO_NAMES = {
    "mulan.audio.model.model.": "backbone.",
    "mulan.audio.": "",
    "mulan.audio_to_latents.": "to_latents.",
}
TEXT_NAMES = {
    "mulan.text.model.": "backbone.roberta.",
    "mulan.text.": "",
    "mulan.text_to_latents.": "to_latents.",
}
"""How names in the file begin, and what takes the place of that in a tower; the first that fits counts."""

IGNORED = (
    "mulan.contrast.",  # temperature of the training loss
    "mulan.audio.aggregator.",  # made, never called
    "mulan.audio.model.model.conformer.pos_conv_embed.",  # made, never called: positions are rotary
    "mulan.audio.model.model.cls_token",  # made, never used
    "mulan.audio.model.model.linear.",  # predicts MuQ's training targets
    "mulan.audio.model.model.recon_proj.",  # the same
    "mulan.audio.model.model.rvq.",  # makes MuQ's training targets
    "mulan.audio.model.model.quantizer_",  # the same
    "mulan.text.model.pooler.",  # made by transformers, left out of the result
    "mulan.text.model.embeddings.position_ids",  # 0, 1, 2, ...: saved by old versions of transformers
)
"""How the names of weights begin that embeddings do not depend on."""

_ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {"swish": nn.SiLU, "silu": nn.SiLU, "gelu": nn.GELU, "relu": nn.ReLU}


def load_audio_tower(path: Path, settings: Settings) -> Tower:
    """The tower for log-mel spectrograms (B, bands, F), with the weights in `path`.

    Raises CheckpointError where they are damaged or another model's.
    """
    return _load(lambda: Tower(Muq(settings.muq), settings.audio, settings.dimension), path, AUDIO_NAMES)


def load_text_tower(path: Path, settings: Settings) -> Tower:
    """The tower for token ids (B, L) without padding, with the weights in `path`. Raises as `load_audio_tower`."""
    return _load(lambda: Tower(Roberta(settings.roberta), settings.text, settings.dimension), path, TEXT_NAMES)


def _load(make: Callable[[], Tower], path: Path, names: Mapping[str, str]) -> Tower:
    with torch.device("meta"):  # no values are drawn or kept: those of the file take their place
        tower = make()
    weights = read_weights(path)
    if other := [name for name, value in weights.items() if not isinstance(value, Tensor)]:
        raise CheckpointError(f"{path} is not a checkpoint of {MODEL}: its entry {other[0]} holds no weights")
    load_into(tower, tower_weights(weights, names), path, MODEL)
    return tower


def tower_weights(weights: Mapping[str, Tensor], names: Mapping[str, str]) -> dict[str, Tensor]:
    """What belongs to the tower with `names` out of the file's weights, named as there, in float32.

    Weights of neither tower keep their names: loading finds them unknown.
    """
    other = TEXT_NAMES if names is AUDIO_NAMES else AUDIO_NAMES
    chosen = {}
    for name, value in weights.items():
        if name.startswith(IGNORED) or name.startswith(tuple(other)):
            continue
        prefix = next((prefix for prefix in names if name.startswith(prefix)), "")
        chosen[names.get(prefix, "") + name[len(prefix) :]] = value.float() if value.is_floating_point() else value
    return chosen


class Tower(nn.Module):
    """A backbone's output (B, steps, values) to unit vectors (B, dimension)."""

    def __init__(self, backbone: nn.Module, settings: TransformerSettings, dimension: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.proj = projection(backbone, settings)
        self.transformer = Transformer(settings)
        self.to_latents = nn.Linear(settings.width, dimension)

    def forward(self, inputs: Tensor) -> Tensor:
        steps = self.transformer(self.proj(self.backbone(inputs)))
        return functional.normalize(self.to_latents(steps.mean(dim=1)), dim=-1)


def projection(backbone: nn.Module, settings: TransformerSettings) -> nn.Module:
    """From the backbone's width to the transformer's; above texts the original leaves it out where they are equal."""
    if isinstance(backbone, Roberta) and settings.backbone == settings.width:
        return nn.Identity()
    return nn.Linear(settings.backbone, settings.width)


# --- MuLan's transformer ----------------------------------------------------------------------------------------------


class Transformer(nn.Module):
    """(B, steps, width) to the same."""

    def __init__(self, settings: TransformerSettings) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.ModuleList([Attention(settings), feed_forward(settings)]) for _ in range(settings.layers)
        )

    def forward(self, steps: Tensor) -> Tensor:
        for attention, forward in self.layers:
            steps = steps + attention(steps)
            steps = steps + forward(steps)
        return steps


class Attention(nn.Module):
    """Attention between unit vectors, with learned scales."""

    _SHARPNESS = 8.0

    def __init__(self, settings: TransformerSettings) -> None:
        super().__init__()
        inner = settings.heads * settings.head
        self.heads = settings.heads
        self.norm = Norm(settings.width)
        self.to_q = nn.Linear(settings.width, inner, bias=False)
        self.to_kv = nn.Linear(settings.width, 2 * inner, bias=False)
        self.q_scale = nn.Parameter(torch.ones(settings.head))
        self.k_scale = nn.Parameter(torch.ones(settings.head))
        self.to_out = nn.Sequential(nn.Linear(inner, settings.width, bias=False))

    def forward(self, steps: Tensor) -> Tensor:
        steps = self.norm(steps)
        key, value = (split_heads(part, self.heads) for part in self.to_kv(steps).chunk(2, dim=-1))
        query = functional.normalize(split_heads(self.to_q(steps), self.heads), dim=-1) * self.q_scale
        key = functional.normalize(key, dim=-1) * self.k_scale
        mixed = functional.scaled_dot_product_attention(query, key, value, scale=self._SHARPNESS)
        return self.to_out(join_heads(mixed))


def feed_forward(settings: TransformerSettings) -> nn.Sequential:
    """With a gate; two thirds as wide as usual, since the gate takes weights too."""
    hidden = int(settings.width * settings.expansion * 2 / 3)
    # Named by the places that they have in the original, where 3 is a dropout.
    return nn.Sequential(
        OrderedDict(
            {
                "0": Norm(settings.width),
                "1": nn.Linear(settings.width, 2 * hidden, bias=False),
                "2": Gate(),
                "4": nn.Linear(hidden, settings.width, bias=False),
            }
        )
    )


class Gate(nn.Module):
    """The first half of the values, times GELU of the second."""

    def forward(self, values: Tensor) -> Tensor:
        values, gate = values.chunk(2, dim=-1)
        return functional.gelu(gate) * values


class Norm(nn.Module):
    """Layer norm with a scale and without an offset."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.learned_gamma = nn.Parameter(torch.ones(width))

    def forward(self, values: Tensor) -> Tensor:
        return functional.layer_norm(values, self.learned_gamma.shape, self.learned_gamma)


def split_heads(values: Tensor, heads: int) -> Tensor:
    """(B, steps, heads x head) to (B, heads, steps, head)."""
    return values.unflatten(-1, (heads, -1)).transpose(1, 2)


def join_heads(values: Tensor) -> Tensor:
    """(B, heads, steps, head) to (B, steps, heads x head)."""
    return values.transpose(1, 2).flatten(2)


# --- MuQ --------------------------------------------------------------------------------------------------------------


class Muq(nn.Module):
    """Log-mel spectrograms (B, bands, F) to (B, steps, width), one step for as many frames as the strides make."""

    def __init__(self, settings: ConformerSettings) -> None:
        super().__init__()
        self.conv = Stem(settings)
        self.conformer = Conformer(settings)

    def forward(self, spectrograms: Tensor) -> Tensor:
        return self.conformer(self.conv(spectrograms))


class Stem(nn.Module):
    """Two residual blocks over bands and time, then a line over what is left of the bands."""

    def __init__(self, settings: ConformerSettings) -> None:
        super().__init__()
        first, second = settings.strides
        self.conv = nn.Sequential(
            Residual(1, settings.channels, (2, first)), Residual(settings.channels, settings.channels, (2, second))
        )
        self.linear = nn.Linear(settings.channels * (settings.bands // 4), settings.width)

    def forward(self, spectrograms: Tensor) -> Tensor:
        maps = self.conv(spectrograms[:, None])
        return self.linear(maps.permute(0, 3, 1, 2).flatten(2))


class Residual(nn.Module):
    """(B, C, bands, F) to (B, C', bands / stride, F / stride), rounded up."""

    def __init__(self, before: int, after: int, stride: tuple[int, int]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, padding=1, stride=stride)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(after)
        self.conv3 = nn.Conv2d(before, after, 3, padding=1, stride=stride)
        self.bn3 = nn.BatchNorm2d(after)

    def forward(self, maps: Tensor) -> Tensor:
        straight = self.bn3(self.conv3(maps))
        bent = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(maps)))))
        return functional.relu(straight + bent)


class Conformer(nn.Module):
    """(B, steps, width) to the same (Gulati et al. 2020, arXiv 2005.08100)."""

    def __init__(self, settings: ConformerSettings) -> None:
        super().__init__()
        self.embed_positions = Rotary(settings.width // settings.heads)
        self.layers = nn.ModuleList(ConformerLayer(settings) for _ in range(settings.layers))
        self.layer_norm = nn.LayerNorm(settings.width, eps=settings.epsilon)

    def forward(self, steps: Tensor) -> Tensor:
        turn = self.embed_positions(steps)
        for layer in self.layers:
            steps = layer(steps, turn)
        return self.layer_norm(steps)


class Rotary(nn.Module):
    """Cosines and sines (steps, head) each, by which pairs of values are turned (Su et al. 2021, arXiv 2104.09864)."""

    def __init__(self, head: int) -> None:
        super().__init__()
        self.register_buffer("inv_freq", torch.zeros(head // 2))

    def forward(self, steps: Tensor) -> tuple[Tensor, Tensor]:
        times = torch.arange(steps.shape[1], device=steps.device, dtype=torch.float32)
        angles = (times[:, None] * self.inv_freq).repeat(1, 2)
        return angles.cos(), angles.sin()


class ConformerLayer(nn.Module):
    """Half a feed-forward block, attention, convolution, the other half, each added to its input."""

    def __init__(self, settings: ConformerSettings) -> None:
        super().__init__()
        self.ffn1_layer_norm = nn.LayerNorm(settings.width)
        self.ffn1 = FeedForward(settings)
        self.self_attn_layer_norm = nn.LayerNorm(settings.width)
        self.self_attn = RotaryAttention(settings)
        self.conv_module = Convolution(settings)
        self.ffn2_layer_norm = nn.LayerNorm(settings.width)
        self.ffn2 = FeedForward(settings)
        self.final_layer_norm = nn.LayerNorm(settings.width)

    def forward(self, steps: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
        steps = steps + 0.5 * self.ffn1(self.ffn1_layer_norm(steps))
        steps = steps + self.self_attn(self.self_attn_layer_norm(steps), turn)
        steps = steps + self.conv_module(steps)
        steps = steps + 0.5 * self.ffn2(self.ffn2_layer_norm(steps))
        return self.final_layer_norm(steps)


class FeedForward(nn.Module):
    def __init__(self, settings: ConformerSettings) -> None:
        super().__init__()
        self.intermediate_dense = nn.Linear(settings.width, settings.hidden)
        self.activation = activation(settings.activation)
        self.output_dense = nn.Linear(settings.hidden, settings.width)

    def forward(self, steps: Tensor) -> Tensor:
        return self.output_dense(self.activation(self.intermediate_dense(steps)))


class RotaryAttention(nn.Module):
    """Attention whose queries and keys are made from turned inputs (not turned themselves, as is usual)."""

    def __init__(self, settings: ConformerSettings) -> None:
        super().__init__()
        self.heads = settings.heads
        self.linear_q = nn.Linear(settings.width, settings.width)
        self.linear_k = nn.Linear(settings.width, settings.width)
        self.linear_v = nn.Linear(settings.width, settings.width)
        self.linear_out = nn.Linear(settings.width, settings.width)

    def forward(self, steps: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
        cosines, sines = turn
        parts = split_heads(steps, self.heads)
        first, second = parts.chunk(2, dim=-1)
        turned = join_heads(parts * cosines + torch.cat([-second, first], dim=-1) * sines)
        query, key, value = (
            split_heads(line(values), self.heads)
            for line, values in ((self.linear_q, turned), (self.linear_k, turned), (self.linear_v, steps))
        )
        return self.linear_out(join_heads(functional.scaled_dot_product_attention(query, key, value)))


class Convolution(nn.Module):
    """A gated convolution over time, each value by itself, between two lines."""

    def __init__(self, settings: ConformerSettings) -> None:
        super().__init__()
        width = settings.width
        self.layer_norm = nn.LayerNorm(width)
        self.pointwise_conv1 = nn.Conv1d(width, 2 * width, 1, bias=False)
        self.depthwise_conv = nn.Conv1d(width, width, settings.kernel, padding="same", groups=width, bias=False)
        self.batch_norm = nn.BatchNorm1d(width)
        self.activation = activation(settings.activation)
        self.pointwise_conv2 = nn.Conv1d(width, width, 1, bias=False)

    def forward(self, steps: Tensor) -> Tensor:
        values = functional.glu(self.pointwise_conv1(self.layer_norm(steps).transpose(1, 2)), dim=1)
        values = self.activation(self.batch_norm(self.depthwise_conv(values)))
        return self.pointwise_conv2(values).transpose(1, 2)


def activation(name: str) -> nn.Module:
    """Raises CheckpointError for a name that there is not."""
    if name not in _ACTIVATIONS:
        raise CheckpointError(
            f"MuQ's configuration asks for the activation {name!r}; known are {', '.join(_ACTIVATIONS)}"
        )
    return _ACTIVATIONS[name]()


# --- XLM-RoBERTa ------------------------------------------------------------------------------------------------------


class Roberta(nn.Module):
    """Token ids (B, L) to (B, L, width): transformers' XLMRobertaModel, its last layer."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        from transformers import XLMRobertaConfig, XLMRobertaModel

        super().__init__()
        self.roberta = XLMRobertaModel(XLMRobertaConfig.from_dict(dict(fields)), add_pooling_layer=False)

    def forward(self, ids: Tensor) -> Tensor:
        # Said rather than left to the model, whose own tables for them are no weights and not in the file. Positions
        # count from behind the padding's, which padding itself has.
        padding = self.roberta.config.pad_token_id
        token = ids != padding
        steps: Tensor = self.roberta(
            input_ids=ids,
            token_type_ids=torch.zeros_like(ids),
            position_ids=token.cumsum(dim=1) * token + padding,
        ).last_hidden_state
        return steps
