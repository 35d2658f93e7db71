"""The two towers of MuQ-MuLan in plain torch (Zhu et al. 2025, arXiv 2501.01108), with the names of the published weights.

Each tower is a backbone (for audio MuQ: two convolution blocks and a conformer; for texts XLM-RoBERTa), a transformer of
MuLan, the mean over time, and a linear layer into the common space. Follows muq 0.1.0 in evaluation mode
(`modules/conv.py`, `modules/transformer.py`, `models/{audio,text,mulan}.py`), and `Wav2Vec2ConformerEncoder` of
transformers with rotary positions, which it uses as the conformer.
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
"""Prefixes of names in the file, and the prefixes in a tower that replace them; the first match counts."""

IGNORED = (
    "mulan.contrast.",  # temperature of the training loss
    "mulan.audio.aggregator.",  # never used
    "mulan.audio.model.model.conformer.pos_conv_embed.",  # never used: positions are rotary
    "mulan.audio.model.model.cls_token",  # never used
    "mulan.audio.model.model.linear.",  # predicts MuQ's training targets
    "mulan.audio.model.model.recon_proj.",  # the same
    "mulan.audio.model.model.rvq.",  # computes MuQ's training targets
    "mulan.audio.model.model.quantizer_",  # the same
    "mulan.text.model.pooler.",  # created by transformers, not part of the result
    "mulan.text.model.embeddings.position_ids",  # 0, 1, 2, ...: saved by old versions of transformers
)
"""Prefixes of the names of weights that embeddings do not depend on."""

_FREQUENCIES = "backbone.conformer.embed_positions.inv_freq"

_ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {"swish": nn.SiLU, "silu": nn.SiLU, "gelu": nn.GELU, "relu": nn.ReLU}


def load_audio_tower(path: Path, settings: Settings) -> Tower:
    """The tower for log-mel spectrograms (B, bands, F), with the weights in `path`.

    The frequencies of the rotary positions are computed if the file does not have them, as in the original, which loads
    its weights without checking that they are complete. Raises CheckpointError if the weights are damaged or of another
    model.
    """
    frequencies = rotary_frequencies(settings.muq.width // settings.muq.heads, settings.muq.rotary_base)
    return _load(
        lambda: Tower(Muq(settings.muq), settings.audio, settings.dimension),
        path,
        AUDIO_NAMES,
        {_FREQUENCIES: frequencies},
    )


def load_text_tower(path: Path, settings: Settings) -> Tower:
    """The tower for token ids (B, L) without padding, with the weights in `path`. Raises as `load_audio_tower`."""
    return _load(lambda: Tower(Roberta(settings.roberta), settings.text, settings.dimension), path, TEXT_NAMES, {})


def _load(build: Callable[[], Tower], path: Path, names: Mapping[str, str], computed: Mapping[str, Tensor]) -> Tower:
    """The tower that `build` returns, with its weights in `path`; computed: used for weights that are not in the file."""
    with torch.device("meta"):  # without initial values: those in the file replace them
        tower = build()
    weights = read_weights(path)
    if other := [name for name, value in weights.items() if not isinstance(value, Tensor)]:
        raise CheckpointError(f"{path} is not a checkpoint of {MODEL}: its entry {other[0]} is not a tensor")
    load_into(tower, {**computed, **tower_weights(weights, names)}, path, MODEL)
    return tower


def tower_weights(weights: Mapping[str, Tensor], names: Mapping[str, str]) -> dict[str, Tensor]:
    """The weights of the file that belong to the tower with `names`, with its names, in float32.

    Weights of neither tower keep their names, so that loading reports them as unknown.
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
    """A backbone with output (B, steps, values), and everything from there to unit vectors (B, dimension)."""

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
    """From the width of the backbone to that of the transformer; the original has none for texts if the two are equal."""
    if isinstance(backbone, Roberta) and settings.backbone == settings.width:
        return nn.Identity()
    return nn.Linear(settings.backbone, settings.width)


# --- MuLan's transformer ----------------------------------------------------------------------------------------------


class Transformer(nn.Module):
    """From (B, steps, width) to the same shape."""

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
    """Attention with normalised queries and keys and learned scales."""

    _SCALE = 8.0

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
        key, value = (split_heads(half, self.heads) for half in self.to_kv(steps).chunk(2, dim=-1))
        query = functional.normalize(split_heads(self.to_q(steps), self.heads), dim=-1) * self.q_scale
        key = functional.normalize(key, dim=-1) * self.k_scale
        mixed = functional.scaled_dot_product_attention(query, key, value, scale=self._SCALE)
        return self.to_out(join_heads(mixed))


def feed_forward(settings: TransformerSettings) -> nn.Sequential:
    """A gated feed-forward block; two thirds as wide as usual, because the gate has weights too."""
    hidden = int(settings.width * settings.expansion * 2 / 3)
    # Named by their indices in the original, where 3 is a dropout.
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
    """The first half of the values multiplied by the GELU of the second half."""

    def forward(self, values: Tensor) -> Tensor:
        values, gate = values.chunk(2, dim=-1)
        return functional.gelu(gate) * values


class Norm(nn.Module):
    """Layer norm with a scale and without a bias."""

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
    """From log-mel spectrograms (B, bands, F) to (B, steps, width); the product of the strides is the frames per step."""

    def __init__(self, settings: ConformerSettings) -> None:
        super().__init__()
        self.conv = Convolutions(settings)
        self.conformer = Conformer(settings)

    def forward(self, spectrograms: Tensor) -> Tensor:
        return self.conformer(self.conv(spectrograms))


class Convolutions(nn.Module):
    """Two residual blocks over bands and time, then a linear layer over the remaining bands."""

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
    """From (B, C, bands, F) to (B, C', bands / stride, F / stride), rounded up."""

    def __init__(self, before: int, after: int, stride: tuple[int, int]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, padding=1, stride=stride)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(after)
        self.conv3 = nn.Conv2d(before, after, 3, padding=1, stride=stride)
        self.bn3 = nn.BatchNorm2d(after)

    def forward(self, maps: Tensor) -> Tensor:
        shortcut = self.bn3(self.conv3(maps))
        residual = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(maps)))))
        return functional.relu(shortcut + residual)


class Conformer(nn.Module):
    """From (B, steps, width) to the same shape (Gulati et al. 2020, arXiv 2005.08100)."""

    def __init__(self, settings: ConformerSettings) -> None:
        super().__init__()
        self.embed_positions = Rotary(settings.width // settings.heads)
        self.layers = nn.ModuleList(ConformerLayer(settings) for _ in range(settings.layers))
        self.layer_norm = nn.LayerNorm(settings.width, eps=settings.epsilon)

    def forward(self, steps: Tensor) -> Tensor:
        rotation = self.embed_positions(steps)
        for layer in self.layers:
            steps = layer(steps, rotation)
        return self.layer_norm(steps)


def rotary_frequencies(head: int, base: float) -> Tensor:
    """(head // 2,): angles per step, as `Wav2Vec2ConformerRotaryPositionalEmbedding` of transformers computes them."""
    return 1.0 / (base ** (torch.arange(0, head, 2, dtype=torch.int64).float() / head))


class Rotary(nn.Module):
    """Cosines and sines, (steps, head) each, that rotate pairs of values (Su et al. 2021, arXiv 2104.09864)."""

    def __init__(self, head: int) -> None:
        super().__init__()
        self.register_buffer("inv_freq", torch.zeros(head // 2))

    def forward(self, steps: Tensor) -> tuple[Tensor, Tensor]:
        times = torch.arange(steps.shape[1], device=steps.device, dtype=torch.float32)
        angles = (times[:, None] * self.inv_freq).repeat(1, 2)
        return angles.cos(), angles.sin()


class ConformerLayer(nn.Module):
    """A half-weighted feed-forward block, attention, convolution, another such block; each is added to its input."""

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

    def forward(self, steps: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        steps = steps + 0.5 * self.ffn1(self.ffn1_layer_norm(steps))
        steps = steps + self.self_attn(self.self_attn_layer_norm(steps), rotation)
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
    """Attention whose queries and keys are computed from rotated inputs (usually they are rotated themselves)."""

    def __init__(self, settings: ConformerSettings) -> None:
        super().__init__()
        self.heads = settings.heads
        self.linear_q = nn.Linear(settings.width, settings.width)
        self.linear_k = nn.Linear(settings.width, settings.width)
        self.linear_v = nn.Linear(settings.width, settings.width)
        self.linear_out = nn.Linear(settings.width, settings.width)

    def forward(self, steps: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        cosines, sines = rotation
        heads = split_heads(steps, self.heads)
        first, second = heads.chunk(2, dim=-1)
        rotated = join_heads(heads * cosines + torch.cat([-second, first], dim=-1) * sines)
        query, key, value = (
            split_heads(linear(values), self.heads)
            for linear, values in ((self.linear_q, rotated), (self.linear_k, rotated), (self.linear_v, steps))
        )
        return self.linear_out(join_heads(functional.scaled_dot_product_attention(query, key, value)))


class Convolution(nn.Module):
    """A gated depthwise convolution over time between two linear layers."""

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
    """The activation of that name. Raises CheckpointError if there is none."""
    if name not in _ACTIVATIONS:
        raise CheckpointError(
            f"the configuration of MuQ has the activation {name!r}; supported are {', '.join(_ACTIVATIONS)}"
        )
    return _ACTIVATIONS[name]()


# --- XLM-RoBERTa ------------------------------------------------------------------------------------------------------


class Roberta(nn.Module):
    """From token ids (B, L) to (B, L, width): the last layer of XLMRobertaModel of transformers."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        from transformers import XLMRobertaConfig, XLMRobertaModel

        super().__init__()
        self.roberta = XLMRobertaModel(XLMRobertaConfig.from_dict(dict(fields)), add_pooling_layer=False)

    def forward(self, ids: Tensor) -> Tensor:
        # Given explicitly, because the model's own tables of these ids are buffers that are not in the file. Positions
        # start after that of the padding, which padding itself has.
        padding = self.roberta.config.pad_token_id
        token = ids != padding
        steps: Tensor = self.roberta(
            input_ids=ids,
            token_type_ids=torch.zeros_like(ids),
            position_ids=token.cumsum(dim=1) * token + padding,
        ).last_hidden_state
        return steps
