"""The network of aiSFX (Ma & Lerch 2022), and its weights out of the wheel that they are published in.

Four blocks of two 3 x 3 convolutions with batch normalisation; the mean over frequency and the maximum over time of the last
are the embedding. The classifiers in the file, one for each set of training data, are not used. No code of the wheel runs.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from soundalike.errors import CheckpointError
from soundalike.models.neural.loading import first_line, load_into

WHEEL = "aisfx-0.1.2-py2.py3-none-any.whl"
MEMBER = "aisfx/models/checkpoint.pth"

_PREFIX = "embedding_net."
_NUMBERS = ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar", "numpy.dtype", "_codecs.encode")
"""Of what pickled NumPy numbers consist."""

_MOST_BYTES = 64_000_000
"""Of the member when it is unpacked; it has 25 MB."""


class EmbeddingNet(nn.Module):
    """Blocks of spectrograms (B, frames, bands) -> embeddings (B, D); names are those in the published file."""

    def __init__(self, width: int) -> None:
        """width: channels of the first block; each of the three others has twice those of the one before (D = 8 width)."""
        super().__init__()
        channels = [1, *(width * 2**block for block in range(4))]
        for block in range(4):
            setattr(self, f"conv_block{block + 1}", _Block(channels[block], channels[block + 1]))

    def forward(self, spectrograms: Tensor) -> Tensor:
        """See the class."""
        values = spectrograms[:, None]
        for block in range(4):
            values = getattr(self, f"conv_block{block + 1}")(values)
            if block < 3:
                values = functional.max_pool2d(values, 2)
        return values.mean(3).amax(2)


class _Block(nn.Module):
    """Two convolutions, each normalised and rectified."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)

    def forward(self, values: Tensor) -> Tensor:
        values = functional.relu(self.bn1(self.conv1(values)))
        return functional.relu(self.bn2(self.conv2(values)))


def load_network(wheel: Path, width: int) -> EmbeddingNet:
    """The network with the weights in `wheel`, in evaluation mode. Raises CheckpointError if they are not those of aiSFX."""
    network = EmbeddingNet(width)
    weights = {
        name.removeprefix(_PREFIX): value for name, value in read_wheel(wheel).items() if name.startswith(_PREFIX)
    }
    load_into(network, weights, wheel, "aiSFX")
    return network


def read_wheel(wheel: Path) -> dict[str, Tensor]:
    """The weights by name. The file in the wheel also has a table of its training data with NumPy's numbers, which are skipped.

    Raises CheckpointError if the wheel or the file in it is damaged, or contains anything else than tensors and plain values.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            if archive.getinfo(MEMBER).file_size > _MOST_BYTES:
                raise CheckpointError(f"{wheel} is not the wheel of aiSFX: {MEMBER} is larger than 64 MB")
            content = io.BytesIO(archive.read(MEMBER))
        skipped = [(_Skipped, name) for name in _NUMBERS]
        with torch.serialization.safe_globals(skipped):
            weights, _ = torch.load(content, map_location="cpu", weights_only=True)
        return dict(weights)
    except (
        OSError,
        KeyError,
        ValueError,
        TypeError,
        RuntimeError,
        zipfile.BadZipFile,
        pickle.UnpicklingError,
    ) as error:
        raise CheckpointError(
            f"{wheel} is damaged or not the wheel of aiSFX ({type(error).__name__}: {first_line(error)}); delete it and get it "
            "again: `soundalike models fetch aisfx`"
        ) from error


class _Skipped:
    """Takes the place of a NumPy number, and does nothing."""

    def __init__(self, *values: object) -> None: ...

    def __setstate__(self, state: object) -> None: ...
