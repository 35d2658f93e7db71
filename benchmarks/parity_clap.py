"""Compare soundalike's CLAP encoders with the package laion_clap, with random weights of the same architecture.

The package needs its own environment (here with torch for CPUs; its requirements include torchvision, torchaudio and
wandb, which embedding does not need):

    python -m venv /tmp/original
    /tmp/original/bin/pip install torch --index-url https://download.pytorch.org/whl/cpu
    /tmp/original/bin/pip install --no-deps laion-clap==1.1.7 torchlibrosa
    /tmp/original/bin/pip install 'transformers<5' librosa h5py pandas webdataset braceexpand wget ftfy regex

There, from the root of the repository, with PYTHONPATH=.:

    python -m benchmarks.parity_clap golden FOLDER               write tests/models/neural/golden_clap.npz (narrow)
    python -m benchmarks.parity_clap original clap-music FOLDER  full size: write weights, inputs, vectors to FOLDER

In an environment with soundalike[neural]:

    python -m benchmarks.parity_clap compare clap-music FOLDER   run ours on the same, exact and fast; print deviations

What is changed in the original: `RobertaModel.from_pretrained` returns an untrained model with the published configuration
of roberta-base (instead of downloading one), tokenizers are not used because token ids are given, and modules that are
imported but not used for embedding (torchvision, torchaudio, PIL) are empty.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import types
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from tests.models.neural.clips import clip
from tests.models.neural.narrow_clap import CASES, GOLDEN, cases, draw_state

Float32 = NDArray[np.float32]

RATE = 48_000
WINDOW = 480_000
LENGTH = 77
CONSTANTS = ("spectrogram_extractor", "logmel_extractor", "relative_position_index", "attn_mask", "position_ids")
"""Substrings of the names of entries that the original computes, so that they are not random."""


@dataclass(frozen=True)
class Sizes:
    """Sizes of the towers for the original; ours are in `AudioSizes` and `TextSizes`."""

    width: int
    depths: tuple[int, ...]
    heads: tuple[int, ...]
    projection: int = 512
    classes: int = 527
    vocabulary: int = 50_265
    text_width: int = 768
    text_layers: int = 12
    text_heads: int = 12
    text_inner: int = 3072
    text_positions: int = 514


PUBLISHED = {"clap": "tiny", "clap-music": "base"}
"""The original's names for the sizes of the published models."""

NARROW = Sizes(
    width=16,
    depths=(2, 2, 2, 2),
    heads=(2, 4, 8, 16),
    projection=32,
    classes=5,
    vocabulary=300,
    text_width=32,
    text_layers=2,
    text_heads=4,
    text_inner=64,
    text_positions=90,
)


def windows(samples: Float32) -> list[Float32]:
    """`samples` in windows that the original does not crop."""
    return [samples[start : start + WINDOW] for start in range(0, len(samples), WINDOW)]


def random_ids(vocabulary: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Token ids and masks (5, LENGTH): texts of 1 to 75 tokens between start and end tokens, padded."""
    random = np.random.Generator(np.random.PCG64(3))
    ids = np.ones((5, LENGTH), dtype=np.int64)
    for row, count in zip(ids, (1, 4, 20, 60, 75), strict=True):
        row[: count + 2] = [0, *random.integers(4, vocabulary, count), 2]
    return ids, (ids != 1).astype(np.int64)


def import_original() -> types.ModuleType:
    """Import laion_clap without the downloads it does at import, and with empty modules for what it does not use."""
    import transformers

    class Nothing(types.ModuleType):
        def __getattr__(self, name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            return type(name, (), {})

    names = ("torchvision", "torchvision.datasets", "torchvision.transforms", "torchvision.ops", "torchvision.ops.misc")
    for name in (*names, "torchaudio", "PIL"):
        if name not in sys.modules:
            sys.modules[name] = Nothing(name)
    sys.modules["torchvision"].__path__ = []  # type: ignore[attr-defined]
    none = staticmethod(lambda *_args, **_options: None)
    with (
        patch.object(transformers.BertTokenizer, "from_pretrained", none),
        patch.object(transformers.RobertaTokenizer, "from_pretrained", none),
        patch.object(transformers.BartTokenizer, "from_pretrained", none),
        patch.object(sys, "argv", sys.argv[:1]),
    ):
        import laion_clap

    return laion_clap


def original_module(sizes: Sizes | str) -> Any:
    """laion_clap.CLAP_Module without fusion, untrained; sizes: NARROW, or `tiny` or `base` as published."""
    laion_clap = import_original()
    import torch
    import transformers
    from clap_module import htsat, model

    text = NARROW if isinstance(sizes, Sizes) else Sizes(0, (), ())
    configuration = transformers.RobertaConfig(
        vocab_size=text.vocabulary,
        hidden_size=text.text_width,
        num_hidden_layers=text.text_layers,
        num_attention_heads=text.text_heads,
        intermediate_size=text.text_inner,
        max_position_embeddings=text.text_positions,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
    )
    none = staticmethod(lambda *_args, **_options: None)
    roberta = staticmethod(lambda *_args, **_options: transformers.RobertaModel(configuration))
    with (
        patch.object(transformers.RobertaTokenizer, "from_pretrained", none),
        patch.object(transformers.RobertaModel, "from_pretrained", roberta),
    ):
        if isinstance(sizes, str):
            return laion_clap.CLAP_Module(enable_fusion=False, device="cpu", amodel=f"HTSAT-{sizes}").eval()

        def narrow_htsat(audio: Any, enable_fusion: bool, fusion_type: str) -> Any:
            return htsat.HTSAT_Swin_Transformer(
                spec_size=256,
                patch_size=4,
                patch_stride=(4, 4),
                num_classes=sizes.classes,
                embed_dim=sizes.width,
                depths=list(sizes.depths),
                num_heads=list(sizes.heads),
                window_size=8,
                config=audio,
                enable_fusion=enable_fusion,
                fusion_type=fusion_type,
            )

        with patch.object(model, "create_htsat_model", narrow_htsat):
            module = laion_clap.CLAP_Module(enable_fusion=False, device="cpu", amodel="HTSAT-tiny")
    # The original has these widths as constants in its code; the layers are the same.
    inner, last = sizes.projection, sizes.width * 2 ** (len(sizes.depths) - 1)
    for name, width in (("audio_projection", last), ("text_projection", sizes.text_width)):
        layers = (torch.nn.Linear(width, inner), torch.nn.ReLU(), torch.nn.Linear(inner, inner))
        setattr(module.model, name, torch.nn.Sequential(*layers))
    for name in ("audio_transform", "text_transform"):
        setattr(module.model, name, model.MLPLayers(units=[inner] * 3, dropout=0.1))
    return module.eval()


def is_constant(name: str) -> bool:
    """Whether an entry of a checkpoint is computed rather than random."""
    return any(word in name for word in CONSTANTS)


def save_original(module: Any, path: Path) -> None:
    """Write a checkpoint of `module` with random weights as laion_clap's training does (`training/main.py`), and load it.

    The learning rate in the state of the optimiser is a NumPy number there (`training/scheduler.py`). `position_ids` comes
    from the version of transformers of that time, and the package requires it.
    """
    import torch

    state = module.model.state_dict()
    shapes = {
        name: tuple(value.shape)
        for name, value in state.items()
        if not is_constant(name) and not name.endswith("num_batches_tracked")
    }
    state.update({name: torch.from_numpy(np.asarray(value)) for name, value in draw_state(shapes).items()})
    positions = state["text_branch.embeddings.position_embeddings.weight"].shape[0]
    state["text_branch.embeddings.position_ids"] = torch.arange(positions)[None]
    optimizer = {"state": {}, "param_groups": [{"lr": np.float64(1e-4), "params": [0]}]}
    checkpoint = {"epoch": 15, "name": "random", "optimizer": optimizer}
    checkpoint["state_dict"] = {f"module.{name}": value for name, value in state.items()}
    torch.save(checkpoint, path)
    module.load_ckpt(str(path), verbose=False)


def original_audio(module: Any, clips: Sequence[Float32]) -> Float32:
    """Vectors (N, D) of the original for clips of at most ten seconds, in one batch."""
    import torch

    with torch.inference_mode():
        return np.asarray(module.get_audio_embedding_from_data(x=list(clips)), dtype=np.float32)


def original_ids(module: Any, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> Float32:
    """Vectors (N, D) of the original for token ids (N, LENGTH)."""
    import torch

    def tokens(_texts: Sequence[str]) -> dict[str, torch.Tensor]:
        return {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}

    with torch.inference_mode():
        return np.asarray(module.get_text_embedding([""] * len(ids), tokenizer=tokens), dtype=np.float32)


def original_vectors(module: Any, vocabulary: int) -> dict[str, NDArray[Any]]:
    """`windows` (M, D) of all windows of the cases, in order, `ids` and `mask` (N, LENGTH) and their `texts` (N, D)."""
    rows = [original_audio(module, [window])[0] for sound in cases() for window in windows(sound)]
    ids, mask = random_ids(vocabulary)
    return {"windows": np.stack(rows), "ids": ids, "mask": mask, "texts": original_ids(module, ids, mask)}


def spread(rows: Float32) -> float:
    """Median cosine between different rows."""
    return float(np.median((rows @ rows.T)[~np.eye(len(rows), dtype=bool)]))


def write_golden(folder: Path) -> None:
    """Write GOLDEN: vectors at a narrow size, and names, shapes and constants of the checkpoint."""
    import torch

    module = original_module(NARROW)
    save_original(module, folder / "narrow.pt")
    state = torch.load(folder / "narrow.pt", weights_only=False)["state_dict"]
    small = {name: value.numpy() for name, value in state.items() if is_constant(name) and "stft" not in name}
    facts = json.dumps({"shapes": {name: list(value.shape) for name, value in state.items()}, "sizes": asdict(NARROW)})
    vectors = original_vectors(module, NARROW.vocabulary)
    np.savez_compressed(GOLDEN, facts=np.array(facts), **vectors, **{f"constant {n}": v for n, v in small.items()})
    print_spread(vectors)
    print(f"{GOLDEN}: {GOLDEN.stat().st_size / 1000:.0f} kB")


def write_original(name: str, folder: Path) -> None:
    """Write a full-size checkpoint with random weights and the original's vectors to `folder`; print the speed."""
    module = original_module(PUBLISHED[name])
    save_original(module, folder / f"{name}.pt")
    vectors = original_vectors(module, Sizes.vocabulary)
    print_spread(vectors)
    sounds = ten_seconds()
    seconds = timed(lambda: original_audio(module, sounds))
    np.savez_compressed(folder / f"{name}.npz", **vectors)
    print(f"{name}: original, batch of {len(sounds)}: {10 * len(sounds) / seconds:.1f} s of audio per second")


def compare(name: str, folder: Path) -> None:
    """Compare ours with the vectors in `folder`: largest differences of unit vectors, lowest cosines, speed."""
    from soundalike.config import Runtime
    from soundalike.models.checkpoints import LocalCheckpoint
    from soundalike.models.encoders.clap.clap_encoder import MODELS, ClapEncoder

    with np.load(folder / f"{name}.npz") as arrays:
        theirs = dict(arrays)
    checkpoint = LocalCheckpoint(name, {MODELS[name].weights: folder / f"{name}.pt"}, "0" * 16)
    for precision in ("exact", "fast"):
        encoder = ClapEncoder.load(checkpoint, Runtime("cpu", precision))
        sounds = ten_seconds()
        encoder.embed(sounds[:1])
        seconds = timed(lambda encoder=encoder, sounds=sounds: encoder.embed(sounds))
        row = 0
        print(f"{name} {precision}: {10 * len(sounds) / seconds:.1f} s of audio per second")
        for (length, _seed, level), sound in zip(CASES, cases(), strict=True):
            pieces = windows(sound)
            ours, expected = encoder.embed(pieces), theirs["windows"][row : row + len(pieces)]
            mean = np.array([len(piece) for piece in pieces]) @ expected
            whole = encoder.embed([sound])[0] @ mean / np.linalg.norm(mean)
            row += len(pieces)
            print(
                f"  {length:4.1f} s, gain {level:4.2f}: largest difference {np.abs(ours - expected).max():.1e}, lowest cosine "
                f"{(ours * expected).sum(axis=1).min():.7f}, cosine of the whole clip {whole:.7f}"
            )
    ours = encoder.embed_tokens(theirs["ids"], theirs["mask"])
    print(f"  text, {len(ours)} rows of token ids: largest difference {np.abs(ours - theirs['texts']).max():.1e}")


def ten_seconds() -> list[Float32]:
    """Eight clips of ten seconds."""
    return [clip(10.0, RATE, seed) for seed in range(8)]


def timed(call: Callable[[], object]) -> float:
    """Seconds that `call` takes, the minimum of two runs."""
    best = float("inf")
    for _ in range(2):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best


def print_spread(vectors: dict[str, NDArray[Any]]) -> None:
    """Print how different the vectors are with these weights."""
    print(
        f"median cosine between different windows {spread(vectors['windows']):.3f}, texts {spread(vectors['texts']):.3f}"
    )


def main() -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description="Compare soundalike's CLAP encoders with laion_clap.")
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("golden").add_argument("folder", type=Path, help="for the narrow checkpoint")
    for action in ("original", "compare"):
        subparser = actions.add_parser(action)
        subparser.add_argument("name", choices=PUBLISHED)
        subparser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    if arguments.action == "golden":
        write_golden(arguments.folder)
    elif arguments.action == "original":
        write_original(arguments.name, arguments.folder)
    else:
        compare(arguments.name, arguments.folder)


if __name__ == "__main__":
    main()
