"""Checkpoints of MERT with random weights in the format of the published one, narrow or full size.

FULL has the settings of MERT-v1-95M, as far as the vectors depend on them: those of HuBERT base (Hsu et al. 2021), 24 kHz,
and the further inputs switched off.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.models.neural.random_weights import draw

if TYPE_CHECKING:  # not in the environment of the original
    from soundalike.config import Runtime
    from soundalike.models.checkpoints import LocalCheckpoint
    from soundalike.models.encoders.mert.mert_encoder import MertEncoder

GOLDEN = Path(__file__).with_name("golden_mert.npz")

FULL: dict[str, Any] = {
    "architectures": ["MERTModel"],
    "attention_relax": -1.0,
    "auto_map": {"AutoConfig": "configuration_MERT.MERTConfig", "AutoModel": "modeling_MERT.MERTModel"},
    "conv_bias": False,
    "conv_dim": [512] * 7,
    "conv_kernel": [10, 3, 3, 3, 3, 2, 2],
    "conv_stride": [5, 2, 2, 2, 2, 2, 2],
    "deepnorm": False,
    "do_stable_layer_norm": False,
    "feat_extract_activation": "gelu",
    "feat_extract_norm": "group",
    "feat_proj_layer_norm": True,
    "feature_extractor_cqt": False,
    "feature_extractor_cqt_bins": 336,
    "hidden_act": "gelu",
    "hidden_size": 768,
    "intermediate_size": 3072,
    "layer_norm_eps": 1e-05,
    "mask_time_prob": 0.0,
    "model_type": "mert_model",
    "num_attention_heads": 12,
    "num_conv_pos_embedding_groups": 16,
    "num_conv_pos_embeddings": 128,
    "num_hidden_layers": 12,
    "sample_rate": 24000,
}

NARROW: dict[str, Any] = FULL | {
    "conv_dim": [8] * 7,
    "hidden_size": 32,
    "intermediate_size": 48,
    "layer_norm_eps": 1e-3,  # not torch's default, unlike the published value, to test that it is read
    "num_attention_heads": 4,
    "num_conv_pos_embedding_groups": 4,
    "num_conv_pos_embeddings": 16,
    "num_hidden_layers": 3,
}


def write_narrow(folder: Path, settings: Mapping[str, Any] = NARROW) -> None:
    """Write a narrow checkpoint to `folder`: configuration, and weights with the names in the published file."""
    import torch

    (folder / "config.json").write_text(json.dumps(dict(settings)), encoding="utf-8")
    with np.load(GOLDEN) as golden:
        shapes = json.loads(str(golden["shapes"]))
    state = {name: torch.from_numpy(draw(name, tuple(shape))) for name, shape in shapes.items()}
    torch.save(state, folder / "pytorch_model.bin")


def mert_checkpoint(folder: Path) -> LocalCheckpoint:
    """The files in `folder` as a checkpoint."""
    from soundalike.models.checkpoints import LocalCheckpoint

    digest = hashlib.blake2b((folder / "config.json").read_bytes(), digest_size=8).hexdigest()
    return LocalCheckpoint("mert", {name: folder / name for name in ("config.json", "pytorch_model.bin")}, digest)


def narrow_mert(folder: Path, runtime: Runtime, layer: int | None = None) -> MertEncoder:
    """Our encoder with a narrow checkpoint that is written to `folder`."""
    from soundalike.models.encoders.mert.mert_encoder import MertEncoder

    write_narrow(folder)
    return MertEncoder("mert", mert_checkpoint(folder), runtime, layer)
