"""A narrow LAION-CLAP with every kind of block: its checkpoint in the format of laion_clap, its tokenizer, our encoder.

The names and shapes in the checkpoint are the original's (`golden_clap.npz`, written by `benchmarks/parity_clap.py` with
the same random weights). Only `narrow_clap` and what it calls need torch.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import get_window

from tests.models.neural.clips import clip
from tests.models.neural.random_weights import Float32, draw_all

if TYPE_CHECKING:
    from soundalike.config import Runtime
    from soundalike.models.checkpoints import LocalCheckpoint
    from soundalike.models.encoders.clap.clap_encoder import ClapEncoder, ClapModel

GOLDEN = Path(__file__).parent / "golden_clap.npz"
WEIGHTS = "narrow.pt"
TOKENIZER = "tokenizer.json"

CASES: tuple[tuple[float, int, float], ...] = (
    (3.0, 0, 0.5),
    (3.0, 1, 0.01),
    (5.0, 2, 1.0),
    (5.0, 3, 0.01),
    (7.3, 4, 1.4),
    (10.0, 5, 0.1),
    (10.0, 6, 0.01),
    (10.0, 7, 1.4),
    (12.3, 8, 0.5),
    (30.0, 9, 0.2),
)
"""Seconds, seed and gain of the clips with golden vectors. Gains over 1 clip; clips over ten seconds have several windows."""


def cases() -> list[Float32]:
    """The clips of CASES, at 48 kHz."""
    return [clip(seconds, 48_000, seed, gain) for seconds, seed, gain in CASES]


def draw_state(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Float32]:
    """Random weights for the names in `shapes`, without the prefix `module.`.

    The first normalisation has statistics of decibels; with others all clips would have the same vectors.
    """
    state = draw_all(shapes, _gain)
    state["audio_branch.bn0.running_mean"] = 100 * state["audio_branch.bn0.running_mean"] - 40
    state["audio_branch.bn0.running_var"] = 400 * state["audio_branch.bn0.running_var"]
    return state


def _gain(name: str) -> float:
    if "relative_position_bias_table" in name:
        return 3.0
    return 2.0 if name.startswith("text_branch.") else 1.0


def golden() -> dict[str, NDArray[Any]]:
    """The arrays of `golden_clap.npz`."""
    with np.load(GOLDEN) as arrays:
        return dict(arrays)


def facts() -> dict[str, Any]:
    """`shapes`: the shape of each entry of the checkpoint by name; `sizes`: of the narrow architecture."""
    values: dict[str, Any] = json.loads(str(golden()["facts"]))
    return values


def narrow_state() -> OrderedDict[str, Any]:
    """The state_dict in the narrow checkpoint, as laion_clap writes it."""
    import torch

    arrays = golden()
    shapes = {name.removeprefix("module."): tuple(shape) for name, shape in facts()["shapes"].items()}
    constants = {
        name.removeprefix("constant "): value for name, value in arrays.items() if name.startswith("constant ")
    }
    constants |= {f"module.{name}": value for name, value in _fourier().items()}
    constants |= {f"module.{name}": np.int64(0) for name in shapes if name.endswith("num_batches_tracked")}
    drawn = draw_state({name: shape for name, shape in shapes.items() if f"module.{name}" not in constants})
    values = constants | {f"module.{name}": value for name, value in drawn.items()}
    return OrderedDict((f"module.{name}", torch.as_tensor(values[f"module.{name}"])) for name in shapes)


def write_checkpoint(path: Path, state: Mapping[str, Any]) -> None:
    """Write `state` as laion_clap's training does, with its optimiser whose learning rate is a NumPy number."""
    import torch

    optimizer = {"state": {}, "param_groups": [{"lr": np.float64(1e-4), "params": [0]}]}
    torch.save({"epoch": 15, "name": "random", "optimizer": optimizer, "state_dict": state}, path)


def write_tokenizer(path: Path, vocabulary: int) -> None:
    """Write a tokenizer like that of roberta-base: byte-pair encoding, <s> <pad> </s> <unk> first and <mask> last."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [
        ("Ġ", "d"),
        ("r", "u"),
        ("u", "m"),
        ("b", "a"),
        ("a", "s"),
        ("s", "s"),
        ("f", "u"),
        ("u", "n"),
        ("n", "k"),
        ("s", "n"),
        ("n", "a"),
        ("a", "r"),
        ("r", "e"),
        ("p", "a"),
        ("a", "d"),
        ("Ġ", "s"),
        ("Ġ", "f"),
        ("Ġ", "b"),
        ("Ġ", "w"),
        ("o", "n"),
        ("i", "n"),
        ("e", "r"),
        ("e", "n"),
        ("e", "s"),
        ("l", "e"),
        ("l", "o"),
    ]
    words = ["".join(pair) for pair in merges]
    names = ["<s>", "<pad>", "</s>", "<unk>", *letters, *words]
    names += [f"unused{number}" for number in range(vocabulary - len(names) - 1)]
    names.append("<mask>")
    numbers = {name: number for number, name in enumerate(names)}
    tokenizer = Tokenizer(models.BPE(numbers, merges, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    tokenizer.save(str(path))


def narrow_model() -> ClapModel:
    """The narrow architecture for our encoder."""
    from soundalike.models.encoders.clap.clap_encoder import ClapModel
    from soundalike.models.encoders.clap.clap_network import AudioSizes, TextSizes

    sizes = facts()["sizes"]
    return ClapModel(
        WEIGHTS,
        AudioSizes(sizes["width"], tuple(sizes["depths"]), tuple(sizes["heads"]), sizes["projection"]),
        TextSizes(
            vocabulary=sizes["vocabulary"],
            width=sizes["text_width"],
            layers=sizes["text_layers"],
            heads=sizes["text_heads"],
            inner=sizes["text_inner"],
            positions=sizes["text_positions"],
            projection=sizes["projection"],
        ),
    )


def write_files(folder: Path) -> LocalCheckpoint:
    """Write the narrow checkpoint and its tokenizer to `folder`; a checkpoint called `clap`."""
    from soundalike.models.checkpoints import LocalCheckpoint

    write_checkpoint(folder / WEIGHTS, narrow_state())
    write_tokenizer(folder / TOKENIZER, facts()["sizes"]["vocabulary"])
    return LocalCheckpoint("clap", {name: folder / name for name in (WEIGHTS, TOKENIZER)}, "0123456789abcdef")


def narrow_clap(folder: Path, runtime: Runtime) -> ClapEncoder:
    """Our encoder with a narrow checkpoint that is written to `folder`."""
    from soundalike.models.encoders.clap.clap_encoder import ClapEncoder

    return ClapEncoder(narrow_model(), write_files(folder), runtime)


def _fourier() -> dict[str, Float32]:
    """The kernels (513, 1, 1024) of the Fourier transform in torchlibrosa by their names in the checkpoint."""
    window = get_window("hann", 1024, fftbins=True)
    angles = 2 * np.pi * np.outer(np.arange(513), np.arange(1024)) / 1024
    name = "audio_branch.spectrogram_extractor.stft.conv_{}.weight"
    kernels = {"real": np.cos(angles), "imag": -np.sin(angles)}
    return {name.format(part): (values * window)[:, None].astype(np.float32) for part, values in kernels.items()}
