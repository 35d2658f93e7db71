"""The wheel of aiSFX with random weights of a narrow network, in the format of the published one."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tests.models.neural.random_weights import draw_all

if TYPE_CHECKING:  # not in the environment of the original
    from soundalike.config import Runtime
    from soundalike.models.checkpoints import LocalCheckpoint
    from soundalike.models.encoders.aisfx.aisfx_encoder import AisfxEncoder

GOLDEN = Path(__file__).with_name("golden_aisfx.npz")
WHEEL = "aisfx-0.1.2-py2.py3-none-any.whl"
WIDTH = 4


def shapes(width: int = WIDTH) -> dict[str, tuple[int, ...]]:
    """The shapes of the weights by their published names."""
    found: dict[str, tuple[int, ...]] = {}
    channels = [1, *(width * 2**block for block in range(4))]
    for block in range(4):
        inputs, outputs = channels[block], channels[block + 1]
        prefix = f"embedding_net.conv_block{block + 1}."
        found |= {f"{prefix}conv1.weight": (outputs, inputs, 3, 3), f"{prefix}conv2.weight": (outputs, outputs, 3, 3)}
        for norm in ("bn1", "bn2"):
            names = ("weight", "bias", "running_mean", "running_var")
            found |= {f"{prefix}{norm}.{name}": (outputs,) for name in names}
    return found


def weights(width: int = WIDTH) -> dict[str, np.ndarray]:
    """Random weights by their published names."""
    return draw_all(shapes(width), gain=3.0)  # less, and biases would hide the sounds


def write_wheel(folder: Path, extra: object = None) -> Path:
    """Write the wheel; extra: a value beside the weights, in place of the table of training data."""
    import torch

    state = OrderedDict((name, torch.from_numpy(value)) for name, value in weights().items())
    for name in [name for name in state if name.endswith("running_var")]:
        state[name.replace("running_var", "num_batches_tracked")] = torch.tensor(7)
    state["fc.0.0.weight"] = torch.zeros(2, 32)  # a classifier, which is not used
    table = {"sounds": (0, np.int64(41))} if extra is None else extra
    content = io.BytesIO()
    torch.save((state, table), content)
    with zipfile.ZipFile(folder / WHEEL, "w") as archive:
        archive.writestr("aisfx/models/checkpoint.pth", content.getvalue())
    return folder / WHEEL


def aisfx_checkpoint(folder: Path) -> LocalCheckpoint:
    """The wheel in `folder` as a checkpoint."""
    from soundalike.models.checkpoints import LocalCheckpoint

    digest = hashlib.blake2b((folder / WHEEL).read_bytes(), digest_size=8).hexdigest()
    return LocalCheckpoint("aisfx", {WHEEL: folder / WHEEL}, digest)


def narrow_aisfx(folder: Path, runtime: Runtime) -> AisfxEncoder:
    """Our encoder with a narrow wheel that is written to `folder`."""
    from soundalike.models.encoders.aisfx.aisfx_encoder import AisfxEncoder

    write_wheel(folder)
    return AisfxEncoder(aisfx_checkpoint(folder), runtime, WIDTH)
