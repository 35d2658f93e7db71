"""Write the vectors of the original aiSFX, with its own weights and with random ones of a narrow size, for the tests of
soundalike's encoder.

The original needs its own environment, with the packages that are not pinned to old releases:

    python -m venv /tmp/original
    /tmp/original/bin/pip install essentia tqdm torch --extra-index-url https://download.pytorch.org/whl/cpu
    /tmp/original/bin/pip install --no-deps aisfx==0.1.2

There, from the root of the repository, with PYTHONPATH=.:

    python -m benchmarks.parity_aisfx          write tests/models/neural/golden_aisfx.npz

Spectrograms are those of Essentia (the weights were trained on them), blocks those of `aisfx.preprocessing`. The package
loads its checkpoint as a pickle, which can run code: use a throw-away environment.
"""

from __future__ import annotations

import tempfile
import wave
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.models.neural.clips import clip
from tests.models.neural.narrow_aisfx import GOLDEN, WIDTH, weights

Float32 = NDArray[np.float32]

RATE = 44_100

CASES: tuple[tuple[float, int, float], ...] = (
    (1.3, 0, 0.5),
    (2.5, 2, 0.8),
    (3.0, 1, 0.3),
    (3.6, 3, 0.1),
    (4.7, 4, 1.0),
    (6.5, 7, 0.02),
)
"""Seconds, seed and gain of the clips. The original takes none below 1.2 s."""


def cases() -> list[Float32]:
    """The clips of CASES in steps of 16 bits, as they pass through a file."""
    clips = [clip(seconds, RATE, seed, gain) for seconds, seed, gain in CASES]
    return [(np.round(samples * 32767) / 32768).astype(np.float32) for samples in clips]


def spectrogram(samples: Float32) -> Any:
    """By the package's own code."""
    from aisfx.spectrogram.spectrogram_essentia import compute_spectrogram  # type: ignore[import-not-found]

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes((samples * 32768).astype("<i2").tobytes())
        return compute_spectrogram(
            filename=str(path), sr=44100.0, block_size=2048, hop_size=1024, n_mels=96, f_min=0.0, f_max=22050.0
        )


def vectors(model: Any, samples: Float32) -> Float32:
    """The mean (D,) of the embeddings of all blocks."""
    from aisfx.inference import model_get_embedding  # type: ignore[import-not-found]
    from aisfx.preprocessing import spectrogram_normalize  # type: ignore[import-not-found]

    spec = spectrogram_normalize(spectrogram(samples))
    return np.asarray(model_get_embedding(spec, 0.5, True, model, "cpu").numpy().mean(0), np.float32)


def main() -> None:
    """See the module."""
    import torch
    from aisfx.inference import get_path_modelWeights, load_bestModel  # type: ignore[import-not-found]
    from aisfx.models.cnn2d import CrossNet, EmbeddingNet  # type: ignore[import-not-found]

    narrow = CrossNet(EmbeddingNet("max", 3, 1, WIDTH), {}, "cpu")
    state = {name: torch.from_numpy(value) for name, value in weights().items()}
    narrow.load_state_dict(state, strict=False)  # only the counts of batches are missing
    published, table = torch.load(get_path_modelWeights(), map_location="cpu", weights_only=False)
    models = {"narrow": narrow.eval(), "published": load_bestModel(published, table, "cpu")}
    golden = {name: np.stack([vectors(model, samples) for samples in cases()]) for name, model in models.items()}
    np.savez_compressed(GOLDEN, **golden)
    print(f"wrote {GOLDEN}: {len(CASES)} clips")


if __name__ == "__main__":
    main()
