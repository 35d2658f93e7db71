"""Checkpoints of MuQ-MuLan with random weights in the format of the published one, narrow or full size.

FULL["config.json"] and FULL["xlm-roberta-config.json"] equal the published files. FULL["muq-config.json"] has the fields
that the package muq 0.1.0 reads of the file of MuQ-large-msd-iter: sizes as in huggingface.co/ASLP-lab/SongFormer,
muq_config2.json, those of the conformer as in facebook/wav2vec2-conformer-rope-large-960h-ft; the training targets, which
embeddings do not depend on, have the package's defaults. The loader uses the values in the files, whatever they are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tests.models.neural.random_weights import draw

if TYPE_CHECKING:  # not in the environment of the original
    from soundalike.config import Runtime
    from soundalike.models.checkpoints import LocalCheckpoint
    from soundalike.models.encoders.muq_mulan.muq_mulan_encoder import MuqMulanEncoder

GOLDEN = Path(__file__).with_name("golden_muq_mulan.npz")

Configurations = dict[str, dict[str, Any]]

FULL: Configurations = {
    "config.json": {
        "mulan": {
            "sr": 24000,
            "clip_secs": 10,
            "dim_latent": 512,
            "decoupled_contrastive_learning": True,
            "hierarchical_contrastive_loss": False,
            "hierarchical_contrastive_loss_layers": None,
            "sigmoid_contrastive_loss": False,
            "rank_contrast": True,
        },
        "audio_model": {"name": "OpenMuQ/MuQ-large-msd-iter", "model_dim": 1024, "use_layer_idx": -1},
        "text_model": {"name": "xlm-roberta-base", "model_dim": None, "use_layer_idx": -1},
        "audio_transformer": {
            "dim": 768,
            "tf_depth": 0,
            "heads": 8,
            "dim_head": 64,
            "attn_dropout": 0,
            "ff_dropout": 0,
            "ff_mult": 4,
        },
        "text_transformer": {
            "dim": 768,
            "tf_depth": 8,
            "max_seq_len": 1024,
            "dim_head": 64,
            "heads": 8,
            "attn_dropout": 0,
            "ff_dropout": 0,
            "ff_mult": 4,
        },
    },
    "muq-config.json": {
        "label_rate": 25,
        "num_codebooks": 1,
        "codebook_dim": 16,
        "codebook_size": 8192,
        "features": ["melspec_2048"],
        "hop_length": 240,
        "n_mels": 128,
        "conv_dim": 512,
        "encoder_dim": 1024,
        "encoder_depth": 12,
        "mask_hop": 0.4,
        "mask_prob": 0.6,
        "is_flash": False,
        "stat": {
            "melspec_2048_cnt": 14282760192,
            "melspec_2048_mean": 6.768444971712967,
            "melspec_2048_std": 18.417922652295623,
        },
        "w2v2_config": {
            "activation_dropout": 0.1,
            "attention_dropout": 0.0,
            "conformer_conv_dropout": 0.1,
            "conv_depthwise_kernel_size": 31,
            "feat_extract_activation": "gelu",
            "hidden_act": "swish",
            "hidden_dropout": 0.1,
            "hidden_size": 1024,
            "intermediate_size": 4096,
            "layer_norm_eps": 1e-05,
            "layerdrop": 0.0,
            "max_source_positions": 5000,
            "num_attention_heads": 16,
            "num_conv_pos_embedding_groups": 16,
            "num_conv_pos_embeddings": 128,
            "num_hidden_layers": 24,
            "position_embeddings_type": "rotary",
            "rotary_embedding_base": 10000,
        },
        "use_rvq_target": True,
        "use_vq_target": False,
        "use_encodec_target": False,
        "rvq_ckpt_path": None,
        "recon_loss_ratio": None,
        "resume_checkpoint": None,
        "rvq_n_codebooks": 8,
        "rvq_multi_layer_num": 1,
    },
    "xlm-roberta-config.json": {
        "architectures": ["XLMRobertaForMaskedLM"],
        "attention_probs_dropout_prob": 0.1,
        "bos_token_id": 0,
        "eos_token_id": 2,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": 768,
        "initializer_range": 0.02,
        "intermediate_size": 3072,
        "layer_norm_eps": 1e-05,
        "max_position_embeddings": 514,
        "model_type": "xlm-roberta",
        "num_attention_heads": 12,
        "num_hidden_layers": 12,
        "output_past": True,
        "pad_token_id": 1,
        "position_embedding_type": "absolute",
        "transformers_version": "4.17.0.dev0",
        "type_vocab_size": 1,
        "use_cache": True,
        "vocab_size": 250002,
    },
}


def _narrowed() -> Configurations:
    """A narrow size with every kind of block, including transformer layers for audio and a projection for texts, which the
    full size does not have."""
    narrow: Configurations = json.loads(json.dumps(FULL))
    mulan, muq, text = narrow.values()
    mulan["mulan"]["dim_latent"] = 24
    mulan["audio_model"]["model_dim"] = 32
    mulan["text_model"]["model_dim"] = 32
    for name in ("audio_transformer", "text_transformer"):
        mulan[name] |= {"dim": 24, "tf_depth": 2, "heads": 3, "dim_head": 8}
    muq |= {"conv_dim": 4, "encoder_dim": 32, "encoder_depth": 2, "codebook_size": 1024, "rvq_n_codebooks": 1}
    muq["w2v2_config"] |= {
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_attention_heads": 4,
        "conv_depthwise_kernel_size": 7,
        "num_conv_pos_embeddings": 16,
        "num_conv_pos_embedding_groups": 4,
        "layer_norm_eps": 1e-3,  # not torch's default, unlike the published value, to test that it is read
    }
    text |= {"hidden_size": 32, "intermediate_size": 48, "num_attention_heads": 4, "num_hidden_layers": 2}
    text |= {"max_position_embeddings": 40, "vocab_size": 60}
    return narrow


NARROW = _narrowed()


def write_configurations(folder: Path, configurations: Configurations) -> None:
    """Write each configuration to `folder` under its name."""
    for name, fields in configurations.items():
        (folder / name).write_text(json.dumps(fields), encoding="utf-8")


def draw_state(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, NDArray[Any]]:
    """Random values for a checkpoint with these names and shapes, with which different sounds have different vectors."""
    return {name: _draw(name, tuple(shape)) for name, shape in shapes.items()}


def _draw(name: str, shape: tuple[int, ...]) -> NDArray[Any]:
    last = name.rsplit(".", 1)[-1]
    if last == "num_batches_tracked":
        return np.array(0)
    if last == "inv_freq":  # computed, as in transformers
        return (10000 ** -(np.arange(shape[0]) / shape[0])).astype(np.float32)
    if last in ("learned_gamma", "q_scale", "k_scale"):
        return 1 + 2 * draw(name, shape)
    return draw(name, shape, gain=_gain(name))


def _gain(name: str) -> float:
    return 1.0


def muq_checkpoint(folder: Path) -> LocalCheckpoint:
    """The files in `folder` as a checkpoint."""
    from soundalike.models.checkpoints import LocalCheckpoint

    # The key of converted networks in the cache, so it must depend on the sizes.
    digest = hashlib.blake2b(b"".join((folder / name).read_bytes() for name in FULL), digest_size=8).hexdigest()
    names = ("config.json", "muq-config.json", "xlm-roberta-config.json", "pytorch_model.bin", "tokenizer.json")
    return LocalCheckpoint("muq-mulan", {name: folder / name for name in names}, digest)


def write_narrow(folder: Path) -> None:
    """Write a narrow checkpoint to `folder`: configurations, weights with the original's names, a tokenizer."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    write_configurations(folder, NARROW)
    with np.load(GOLDEN) as golden:
        shapes = json.loads(str(golden["shapes"]))
    state = {name: torch.from_numpy(np.asarray(value)) for name, value in draw_state(shapes).items()}
    torch.save(state, folder / "pytorch_model.bin")
    words = {
        word: number for number, word in enumerate(["<s>", "<pad>", "</s>", "<unk>", "dry", "funk", "snare", "piano"])
    }
    words |= {f"word{number}": number for number in range(len(words), 60)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A </s>", None, [("<s>", 0), ("</s>", 2)])
    tokenizer.save(str(folder / "tokenizer.json"))


def narrow_muq_mulan(folder: Path, runtime: Runtime) -> MuqMulanEncoder:
    """Our encoder with a narrow checkpoint that is written to `folder`."""
    from soundalike.models.encoders.muq_mulan.muq_mulan_encoder import MuqMulanEncoder

    write_narrow(folder)
    return MuqMulanEncoder.load(muq_checkpoint(folder), runtime)
