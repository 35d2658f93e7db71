"""MuQ-MuLan's own package against soundalike's encoder, with random weights of the same architecture.

The original needs an environment of its own (torch's CPU build here). Of torchaudio only what is written in Python is
used (its mel spectrogram): its compiled part is of another build than torch, and is removed.

    python -m venv /tmp/original
    /tmp/original/bin/pip install torch --index-url https://download.pytorch.org/whl/cpu
    /tmp/original/bin/pip install --no-deps muq==0.1.0 x_clip nnAudio torchaudio==2.11.0
    /tmp/original/bin/pip install 'transformers<5' librosa einops easydict beartype ftfy regex soundfile
    rm -r /tmp/original/lib/python3*/site-packages/torchaudio/lib

There, from the root of the repository, with PYTHONPATH=.:

    python benchmarks/parity_muq_mulan.py golden FOLDER    writes tests/neural/golden_muq_mulan.npz, at a narrow size
    python benchmarks/parity_muq_mulan.py original FOLDER  the true size: weights (2.7 GB), inputs and vectors into FOLDER

In an environment with soundalike[neural]:

    python benchmarks/parity_muq_mulan.py compare FOLDER   ours on the same, exact and fast; prints the deviations

What is not the original's: the `from_pretrained` of the two backbones gives untrained models of the configuration beside
the checkpoint (they would download; the checkpoint holds their weights), the tokenizer is left out where token ids are
given, and torchvision, which x_clip imports without using it here, is empty.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from tests.models.neural.clips import clip
from tests.models.neural.narrow_muq_mulan import (
    FULL,
    GOLDEN,
    NARROW,
    Configurations,
    draw_state,
    muq_checkpoint,
    write_configurations,
)

Float32 = NDArray[np.float32]

RATE = 24_000

CASES: tuple[tuple[float, int, float], ...] = (
    (0.3, 0, 0.5),
    (4.0, 1, 0.5),
    (4.0, 2, 0.01),
    (5.0, 3, 1.0),
    (7.3, 4, 0.2),
    (10.0, 5, 1.4),
    (10.0, 6, 0.01),
    (10.0, 8, 0.5),
    (12.3, 7, 0.5),
    (30.0, 9, 0.2),
)
"""Seconds, seed and gain of the clips."""

TEXT_LENGTHS = (3, 6, 12, 38)
"""Tokens of the texts, with those at beginning and end; the last is as long as the narrow size can read."""


def cases() -> list[Float32]:
    """The clips of CASES."""
    return [clip(seconds, RATE, seed, gain) for seconds, seed, gain in CASES]


def made_up_ids(vocabulary: int) -> list[NDArray[np.int64]]:
    """Token ids (L,) of texts of TEXT_LENGTHS, none of them padding."""
    random = np.random.Generator(np.random.PCG64(3))
    return [np.array([0, *random.integers(4, vocabulary, length - 2), 2]) for length in TEXT_LENGTHS]


def import_original() -> types.ModuleType:
    """The package muq."""
    import transformers  # noqa: F401 - looks for torchvision, which is not to be found yet

    for name in ("torchvision", "torchvision.transforms"):
        sys.modules.setdefault(name, types.ModuleType(name))
    sys.modules["torchvision"].transforms = sys.modules["torchvision.transforms"]  # type: ignore[attr-defined]
    import muq

    return muq


def original_module(folder: Path, configurations: Configurations) -> Any:
    """muq.MuQMuLan with weights drawn at random, from a checkpoint of it that is written into `folder`."""
    muq = import_original()
    import torch
    import transformers
    from muq.muq.muq import MuQConfig

    def backbone(*_args: Any, **_options: Any) -> Any:
        return muq.MuQ(MuQConfig(**configurations["muq-config.json"]))

    def roberta(*_args: Any, **_options: Any) -> Any:
        fields = configurations["xlm-roberta-config.json"]
        return transformers.XLMRobertaModel(transformers.XLMRobertaConfig.from_dict(fields))

    write_configurations(folder, configurations)
    with (
        patch.object(muq.MuQ, "from_pretrained", backbone),
        patch.object(transformers.XLMRobertaModel, "from_pretrained", roberta),
    ):
        module = muq.MuQMuLan(configurations["config.json"])
    shapes = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    drawn = {name: torch.from_numpy(np.asarray(value)) for name, value in draw_state(shapes).items()}
    torch.save(drawn, folder / "pytorch_model.bin")
    del drawn
    # What its `from_pretrained` does with a repository that has this file alone.
    module = muq.MuQMuLan._load_as_pickle(module, str(folder / "pytorch_model.bin"), "cpu", True)
    return module.eval()


def original_audio(module: Any, clips: Sequence[Float32]) -> Float32:
    """The original's vectors (N, D) of clips (T,) at RATE, one after the other, not brought to unit norm."""
    import torch

    with torch.inference_mode():
        return np.concatenate([module(wavs=torch.from_numpy(sound)[None]).numpy() for sound in clips])


def original_ids(module: Any, texts: Sequence[NDArray[np.int64]]) -> Float32:
    """The original's vectors (N, D) of texts given as token ids (L,), all in one batch, padded as it does."""
    import torch
    from transformers import BatchEncoding

    ids = np.full((len(texts), max(map(len, texts))), 1)
    for row, text in zip(ids, texts, strict=True):
        row[: len(text)] = text
    tokens = BatchEncoding({"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(ids != 1).long()})
    module.mulan.text._tokenizer = lambda *_args, **_options: tokens
    with torch.inference_mode():
        return np.asarray(module(texts=[""] * len(texts)), dtype=np.float32)


def original_vectors(module: Any, vocabulary: int) -> dict[str, NDArray[Any]]:
    """`audio` (N, D) of the cases; `texts` (M, D) of `made_up_ids`, each by itself; `padded` (M, D), in one batch."""
    texts = made_up_ids(vocabulary)
    return {
        "audio": original_audio(module, cases()),
        "texts": np.concatenate([original_ids(module, [text]) for text in texts]),
        "padded": original_ids(module, texts),
    }


def unit(rows: Float32) -> Float32:
    """Rows brought to unit norm."""
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def spread(rows: Float32) -> float:
    """Median cosine between different rows."""
    rows = unit(rows)
    return float(np.median((rows @ rows.T)[~np.eye(len(rows), dtype=bool)]))


def print_spread(vectors: dict[str, NDArray[Any]]) -> None:
    """Print how far apart the inputs are for these weights."""
    print(f"median cosine between different clips {spread(vectors['audio']):.3f}, texts {spread(vectors['texts']):.3f}")


def write_golden(folder: Path) -> None:
    """Write GOLDEN: the vectors at a narrow size, and the names and shapes of the checkpoint that they are of."""
    module = original_module(folder, NARROW)
    vectors = original_vectors(module, NARROW["xlm-roberta-config.json"]["vocab_size"])
    shapes = json.dumps({name: list(value.shape) for name, value in module.state_dict().items()})
    np.savez_compressed(GOLDEN, shapes=np.array(shapes), **vectors)
    print_spread(vectors)
    print(f"{GOLDEN}: {GOLDEN.stat().st_size / 1000:.0f} kB")


def write_original(folder: Path) -> None:
    """Write into `folder` the original's checkpoint at its true size with random weights, and its vectors."""
    module = original_module(folder, FULL)
    audio = sum(
        value.numel() for value in [*module.mulan.audio.parameters(), *module.mulan.audio_to_latents.parameters()]
    )
    print(
        f"parameters: {audio / 1e6:.0f} M of the audio tower, {sum(v.numel() for v in module.parameters()) / 1e6:.0f} M"
    )
    start = time.perf_counter()
    vectors = original_vectors(module, FULL["xlm-roberta-config.json"]["vocab_size"])
    np.savez_compressed(folder / "vectors.npz", **vectors)
    print_spread(vectors)
    print(f"all cases and texts: {time.perf_counter() - start:.0f} s")


def compare(folder: Path) -> None:
    """Ours against the vectors in `folder`: largest differences of unit vectors, cosines."""
    from soundalike.config import Runtime
    from soundalike.models.encoders.muq_mulan.muq_mulan_encoder import MuqMulanEncoder

    with np.load(folder / "vectors.npz") as arrays:
        theirs = dict(arrays)
    sounds, right = cases(), unit(theirs["audio"])
    for precision in ("exact", "fast"):
        encoder = MuqMulanEncoder.load(muq_checkpoint(folder), Runtime("cpu", precision))
        start = time.perf_counter()
        encoder.embed(sounds[:1])
        first = time.perf_counter() - start
        start = time.perf_counter()
        rows = encoder.embed(sounds)
        print(f"{precision}: first call {first:.0f} s, then all cases {time.perf_counter() - start:.0f} s")
        for (length, _seed, level), ours, row in zip(CASES, rows, right, strict=True):
            print(
                f"  {length:4.1f} s, gain {level:4.2f}: largest difference {np.abs(ours - row).max():.1e}, "
                f"cosine {ours @ row:.7f}"
            )
        del encoder
        gc.collect()
    encoder = MuqMulanEncoder.load(muq_checkpoint(folder), Runtime("cpu"))
    texts = made_up_ids(FULL["xlm-roberta-config.json"]["vocab_size"])
    ours = np.concatenate([encoder.embed_ids(text[None]) for text in texts])
    print(f"  text, {len(ours)} rows of token ids: largest difference {np.abs(ours - theirs['texts']).max():.1e}")


def main() -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description="MuQ-MuLan's own package against soundalike's encoder")
    parser.add_argument("action", choices=("golden", "original", "compare"))
    parser.add_argument("folder", type=Path, help="for the checkpoint")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    {"golden": write_golden, "original": write_original, "compare": compare}[asked.action](asked.folder)


if __name__ == "__main__":
    main()
