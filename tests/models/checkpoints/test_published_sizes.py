"""The sizes of the published files follow from the names and shapes of the weights that our architectures expect.

No published file is needed: the size of a safetensors file is that of its header and its numbers, and torch can write a
file without its numbers (`skip_data`). What embeddings do not depend on is in the files too, and is listed here.
"""

from __future__ import annotations

import json
import math
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the extra: neural")

from soundalike.models.checkpoints import CHECKPOINTS  # noqa: E402
from soundalike.models.encoders.mert.mert_network import new_network  # noqa: E402
from soundalike.models.encoders.muq_mulan.muq_network import (  # noqa: E402
    AUDIO_NAMES,
    TEXT_NAMES,
    Muq,
    Roberta,
    Tower,
)
from soundalike.models.encoders.muq_mulan.muq_settings import read_settings  # noqa: E402
from tests.models.neural.narrow_demucs import FILES, PARAMETERS, HTDemucs, arguments, as_json  # noqa: E402
from tests.models.neural.narrow_mert import FULL as MERT  # noqa: E402
from tests.models.neural.narrow_muq_mulan import FULL, write_configurations  # noqa: E402

pytestmark = pytest.mark.neural

Shapes = dict[str, tuple[int, ...]]

MUQ = "mulan.audio.model.model."
MUQ_SIZE = 1_333_825_096
"""Bytes of model.safetensors of OpenMuQ/MuQ-large-msd-iter, the backbone of MuQ-MuLan."""


def published(name: str, file: str) -> int:
    """The size in the table."""
    (size,) = (row.size for row in CHECKPOINTS[name].files if row.name == file)
    assert size is not None
    return size


def dtype(name: str) -> str:
    return "I64" if name.endswith("num_batches_tracked") else "F32"


def safetensors_size(
    shapes: Mapping[str, tuple[int, ...]], metadata: Mapping[str, str], dtypes: Mapping[str, str]
) -> int:
    """Bytes of a safetensors file: its tensors are sorted by alignment, then by name."""
    sizes = {"I64": 8, "F32": 4, "F16": 2}
    header: dict[str, object] = {"__metadata__": dict(metadata)}
    end = 0
    for name in sorted(shapes, key=lambda name: (-sizes[dtypes[name]], name)):
        start, end = end, end + sizes[dtypes[name]] * math.prod(shapes[name])
        header[name] = {"dtype": dtypes[name], "shape": list(shapes[name]), "data_offsets": [start, end]}
    return 8 + math.ceil(len(json.dumps(header, separators=(",", ":"))) / 8) * 8 + end


def saved_size(shapes: Mapping[str, tuple[int, ...]], modules: set[str], path: Path) -> int:
    """Bytes of the file that torch.save writes of a state_dict with these names, shapes and modules."""
    state: OrderedDict[str, torch.Tensor] = OrderedDict(
        (name, torch.empty(shape, dtype=torch.int64 if dtype(name) == "I64" else torch.float32))
        for name, shape in shapes.items()
    )
    state._metadata = OrderedDict((name, {"version": 1}) for name in sorted(modules))  # type: ignore[attr-defined]
    with torch.serialization.skip_data():
        torch.save(state, path)
    return path.stat().st_size


def original_names(tower: Tower, names: Mapping[str, str]) -> Shapes:
    """The shapes of the weights of `tower` under the names in the published file."""
    prefixes = sorted(((ours, theirs) for theirs, ours in names.items()), key=lambda pair: -len(pair[0]))
    shapes = {}
    for name, value in tower.state_dict().items():
        ours, theirs = next((ours, theirs) for ours, theirs in prefixes if name.startswith(ours))
        shapes[theirs + name.removeprefix(ours)] = tuple(value.shape)
    return shapes


def unused_weights() -> Shapes:
    """The shapes of the weights in the published file that embeddings do not depend on (`muq_network.IGNORED`)."""
    shapes: Shapes = {
        f"{MUQ}cls_token": (1024,),
        f"{MUQ}conformer.pos_conv_embed.conv.bias": (1024,),
        f"{MUQ}conformer.pos_conv_embed.conv.parametrizations.weight.original0": (1, 1, 128),
        f"{MUQ}conformer.pos_conv_embed.conv.parametrizations.weight.original1": (1024, 64, 128),
        f"{MUQ}linear.weight": (8 * 1024, 1024),
        f"{MUQ}linear.bias": (8 * 1024,),
        "mulan.audio.aggregator.weight": (1, 25, 1),
        "mulan.audio.aggregator.bias": (1,),
        "mulan.text.model.pooler.dense.weight": (768, 768),
        "mulan.text.model.pooler.dense.bias": (768,),
        "mulan.contrast.temperatures": (1, 1, 1),
    }
    for quantizer in range(8):
        prefix = f"{MUQ}rvq.quantizers.{quantizer}."
        shapes |= {
            f"{prefix}stale_counter": (1024,),
            f"{prefix}in_proj.bias": (16,),
            f"{prefix}in_proj.weight_g": (16, 1, 1),
            f"{prefix}in_proj.weight_v": (16, 512, 1),
            f"{prefix}out_proj.bias": (512,),
            f"{prefix}out_proj.weight_g": (512, 1, 1),
            f"{prefix}out_proj.weight_v": (512, 16, 1),
            f"{prefix}codebook.weight": (1024, 16),
        }
    return shapes


def modules_without_weights() -> set[str]:
    """The modules of the original in its backbones, and the dropouts of its transformer."""
    from transformers import Wav2Vec2ConformerConfig, XLMRobertaConfig, XLMRobertaModel
    from transformers.models.wav2vec2_conformer.modeling_wav2vec2_conformer import Wav2Vec2ConformerEncoder

    fields = FULL["muq-config.json"]["w2v2_config"] | {"num_hidden_layers": 12}
    with torch.device("meta"):
        conformer = Wav2Vec2ConformerEncoder(Wav2Vec2ConformerConfig(**fields))
        roberta = XLMRobertaModel(XLMRobertaConfig.from_dict(FULL["xlm-roberta-config.json"]))
    names = {f"{MUQ}conformer.{name}" for name, _ in conformer.named_modules() if name}
    names |= {f"mulan.text.model.{name}" for name, _ in roberta.named_modules() if name}
    layers = [f"mulan.text.transformer.layers.{layer}." for layer in range(8)]
    return names | {layer + dropout for layer in layers for dropout in ("0.attn_dropout", "1.3")}


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Shapes:
    """The names and shapes in MuQ-MuLan-large."""
    folder = tmp_path_factory.mktemp("configurations")
    write_configurations(folder, FULL)
    settings = read_settings({name: folder / name for name in FULL})
    with torch.device("meta"):
        audio = Tower(Muq(settings.muq), settings.audio, settings.dimension)
        text = Tower(Roberta(settings.roberta), settings.text, settings.dimension)
    return original_names(audio, AUDIO_NAMES) | original_names(text, TEXT_NAMES) | unused_weights()


def test_the_size_of_muq_is_exact(shapes: Shapes) -> None:
    muq = {f"model.{name.removeprefix(MUQ)}": shape for name, shape in shapes.items() if name.startswith(MUQ)}
    dtypes = {name: dtype(name) for name in muq}
    assert safetensors_size(muq, {"format": "pt"}, dtypes) == MUQ_SIZE
    without = {name: shape for name, shape in muq.items() if not name.endswith("inv_freq")}
    assert safetensors_size(without, {"format": "pt"}, dtypes) != MUQ_SIZE  # the file has the rotary frequencies


def test_the_size_of_muq_mulan_is_close(shapes: Shapes, tmp_path: Path) -> None:
    """Close, because the file also names the modules of the original, some of which have no weights."""
    prefixes = {".".join(name.split(".")[:depth]) for name in shapes for depth in range(name.count(".") + 1)}
    path = tmp_path / "pytorch_model.bin"
    size = saved_size(shapes, prefixes | modules_without_weights(), path)
    assert abs(size - published("muq-mulan", path.name)) < 1_300


@pytest.mark.parametrize("name", FILES)
def test_the_sizes_of_htdemucs_are_close(name: str) -> None:
    """Close, because the metadata in the file are not known exactly."""
    given = arguments(name, full=True)
    with torch.device("meta"):
        state = HTDemucs(**given).state_dict()
    shapes = {key: tuple(value.shape) for key, value in state.items()}
    assert sum(map(math.prod, shapes.values())) == PARAMETERS[name]
    metadata = {"klass": "demucs.htdemucs.HTDemucs", "args": "[]", "kwargs": as_json(given)}
    size = safetensors_size(shapes, metadata, dict.fromkeys(shapes, "F16"))
    assert abs(size - published(name, FILES[name])) < 1_300


def test_the_size_of_mert_follows_from_its_weights() -> None:
    with torch.device("meta"):
        network = new_network(MERT | {"mask_time_prob": 0.05})  # as published: the vector that replaces masked steps
    shapes: Shapes = {}
    for name, value in network.state_dict().items():
        former = name.replace("parametrizations.weight.original0", "weight_g")
        shapes[former.replace("parametrizations.weight.original1", "weight_v")] = tuple(value.shape)
    assert len(shapes) == 211
    assert sum(map(math.prod, shapes.values())) == 94_371_712
    overhead = published("mert", "pytorch_model.bin") - 4 * sum(map(math.prod, shapes.values()))
    assert 200 < overhead / len(shapes) < 400  # bytes for each weight in torch's zip format
