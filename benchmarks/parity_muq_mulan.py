"""Compare soundalike's MuQ-MuLan encoder with the package muq, with random weights of the same architecture.

The package needs its own environment (here with torch for CPUs). Only the Python part of torchaudio is used (its mel
spectrogram); its compiled part does not fit this build of torch and is removed.

    python -m venv /tmp/original
    /tmp/original/bin/pip install torch --index-url https://download.pytorch.org/whl/cpu
    /tmp/original/bin/pip install --no-deps muq==0.1.0 x_clip nnAudio torchaudio==2.11.0
    /tmp/original/bin/pip install 'transformers<5' librosa einops easydict beartype ftfy regex soundfile
    rm -r /tmp/original/lib/python3*/site-packages/torchaudio/lib

There, from the root of the repository, with PYTHONPATH=.:

    python -m benchmarks.parity_muq_mulan golden FOLDER    write tests/models/neural/golden_muq_mulan.npz (narrow)
    python -m benchmarks.parity_muq_mulan original FOLDER  full size: write weights (2.7 GB), vectors to FOLDER

In an environment with soundalike[neural]:

    python -m benchmarks.parity_muq_mulan compare FOLDER   run ours on the same, exact and fast; print deviations

What is changed in the original: `from_pretrained` of the two backbones returns untrained models with the configurations
beside the checkpoint (instead of downloading; the checkpoint has their weights), the tokenizer is not used because token
ids are given, and torchvision, which x_clip imports but does not use here, is empty.
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
"""Tokens of the texts, including those at beginning and end; the last is the longest for the narrow size."""


def cases() -> list[Float32]:
    """The clips of CASES."""
    return [clip(seconds, RATE, seed, gain) for seconds, seed, gain in CASES]


def random_ids(vocabulary: int) -> list[NDArray[np.int64]]:
    """Token ids (L,) of texts of TEXT_LENGTHS, none of them padding."""
    random = np.random.Generator(np.random.PCG64(3))
    return [np.array([0, *random.integers(4, vocabulary, length - 2), 2]) for length in TEXT_LENGTHS]


def import_original() -> types.ModuleType:
    """Import the package muq."""
    import transformers  # noqa: F401 - before the empty torchvision, which it looks for

    for name in ("torchvision", "torchvision.transforms"):
        sys.modules.setdefault(name, types.ModuleType(name))
    sys.modules["torchvision"].transforms = sys.modules["torchvision.transforms"]  # type: ignore[attr-defined]
    import muq

    return muq


def original_module(folder: Path, configurations: Configurations) -> Any:
    """muq.MuQMuLan with random weights, loaded from a checkpoint that is written to `folder`."""
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
    # As its `from_pretrained` does with a repository that has only this file.
    module = muq.MuQMuLan._load_as_pickle(module, str(folder / "pytorch_model.bin"), "cpu", True)
    return module.eval()


def original_audio(module: Any, clips: Sequence[Float32]) -> Float32:
    """Vectors (N, D) of the original for clips (T,) at RATE, one after the other, not normalised."""
    import torch

    with torch.inference_mode():
        return np.concatenate([module(wavs=torch.from_numpy(sound)[None]).numpy() for sound in clips])


def original_ids(module: Any, texts: Sequence[NDArray[np.int64]]) -> Float32:
    """Vectors (N, D) of the original for texts given as token ids (L,), in one padded batch."""
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
    """`audio` (N, D) of the cases; `texts` (M, D) of `random_ids`, each by itself; `padded` (M, D), in one batch."""
    texts = random_ids(vocabulary)
    return {
        "audio": original_audio(module, cases()),
        "texts": np.concatenate([original_ids(module, [text]) for text in texts]),
        "padded": original_ids(module, texts),
    }


def unit(rows: Float32) -> Float32:
    """Rows scaled to unit norm."""
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def spread(rows: Float32) -> float:
    """Median cosine between different rows."""
    rows = unit(rows)
    return float(np.median((rows @ rows.T)[~np.eye(len(rows), dtype=bool)]))


def print_spread(vectors: dict[str, NDArray[Any]]) -> None:
    """Print how different the vectors are with these weights."""
    print(f"median cosine between different clips {spread(vectors['audio']):.3f}, texts {spread(vectors['texts']):.3f}")


def write_golden(folder: Path) -> None:
    """Write GOLDEN: vectors at a narrow size, and the names and shapes of the checkpoint."""
    module = original_module(folder, NARROW)
    vectors = original_vectors(module, NARROW["xlm-roberta-config.json"]["vocab_size"])
    shapes = json.dumps({name: list(value.shape) for name, value in module.state_dict().items()})
    np.savez_compressed(GOLDEN, shapes=np.array(shapes), **vectors)
    print_spread(vectors)
    print(f"{GOLDEN}: {GOLDEN.stat().st_size / 1000:.0f} kB")


def write_original(folder: Path) -> None:
    """Write a full-size checkpoint with random weights and the original's vectors to `folder`."""
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
    """Compare ours with the vectors in `folder`: largest differences of unit vectors, cosines."""
    from soundalike.config import Runtime
    from soundalike.models.encoders.muq_mulan.muq_mulan_encoder import MuqMulanEncoder

    with np.load(folder / "vectors.npz") as arrays:
        theirs = dict(arrays)
    sounds, expected = cases(), unit(theirs["audio"])
    for precision in ("exact", "fast"):
        encoder = MuqMulanEncoder.load(muq_checkpoint(folder), Runtime("cpu", precision))
        start = time.perf_counter()
        encoder.embed(sounds[:1])
        first = time.perf_counter() - start
        start = time.perf_counter()
        rows = encoder.embed(sounds)
        print(f"{precision}: first call {first:.0f} s, then all cases {time.perf_counter() - start:.0f} s")
        for (length, _seed, level), ours, row in zip(CASES, rows, expected, strict=True):
            print(
                f"  {length:4.1f} s, gain {level:4.2f}: largest difference {np.abs(ours - row).max():.1e}, "
                f"cosine {ours @ row:.7f}"
            )
        del encoder
        gc.collect()
    encoder = MuqMulanEncoder.load(muq_checkpoint(folder), Runtime("cpu"))
    texts = random_ids(FULL["xlm-roberta-config.json"]["vocab_size"])
    ours = np.concatenate([encoder.embed_ids(text[None]) for text in texts])
    print(f"  text, {len(ours)} rows of token ids: largest difference {np.abs(ours - theirs['texts']).max():.1e}")


def main() -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description="Compare soundalike's MuQ-MuLan encoder with the package muq.")
    parser.add_argument("action", choices=("golden", "original", "compare"))
    parser.add_argument("folder", type=Path, help="for the checkpoint")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    {"golden": write_golden, "original": write_original, "compare": compare}[arguments.action](arguments.folder)


if __name__ == "__main__":
    main()
