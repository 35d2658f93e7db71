"""Write the vectors of the original MERT, with random weights of a narrow size, for the tests of soundalike's encoder.

The original is `modeling_MERT.py` and `configuration_MERT.py` of huggingface.co/m-a-p/MERT-v1-95M, in a folder of their
own. They need their own environment:

    python -m venv /tmp/original
    /tmp/original/bin/pip install torch --index-url https://download.pytorch.org/whl/cpu
    /tmp/original/bin/pip install 'transformers==4.44.2'

There, from the root of the repository, with PYTHONPATH=.:FOLDER:

    python -m benchmarks.parity_mert          write tests/models/neural/golden_mert.npz

The waveforms are scaled by transformers' `Wav2Vec2FeatureExtractor`, and cut into windows, as in `extract_mert.py` of
CLaMP 3.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.models.neural.clips import clip
from tests.models.neural.narrow_mert import GOLDEN, NARROW
from tests.models.neural.random_weights import draw

Float32 = NDArray[np.float32]

RATE = 24_000

CASES: tuple[tuple[float, int, float], ...] = (
    (0.3, 0, 0.5),
    (3.0, 1, 0.5),
    (4.0, 2, 0.01),
    (5.0, 3, 1.0),
    (5.7, 4, 0.2),
    (6.5, 5, 1.4),
    (10.0, 6, 0.01),
    (12.3, 7, 0.5),
)
"""Seconds, seed and gain of the clips."""


def cases() -> list[Float32]:
    """The clips of CASES, with an offset, which the scaling removes."""
    return [clip(seconds, RATE, seed, gain) + np.float32(0.1 * gain) for seconds, seed, gain in CASES]


def original_windows(samples: Float32) -> list[Float32]:
    """The windows of a scaled waveform."""
    size = 5 * RATE
    windows = [samples[start : start + size] for start in range(0, len(samples), size)]
    if len(windows) > 1 and len(windows[-1]) < RATE:
        windows = windows[:-1]
    return windows


def states(model: Callable[..., Any], scale: Callable[..., Any], samples: Float32) -> Float32:
    """The mean over time of each hidden state (layers + 1, D), mean over windows."""
    import torch

    scaled = scale(samples, sampling_rate=RATE, return_tensors="np").input_values[0]
    rows = []
    for window in original_windows(scaled):
        with torch.inference_mode():
            hidden = model(torch.from_numpy(window[None]), output_hidden_states=True).hidden_states
        rows.append(torch.stack(hidden)[:, 0].mean(1).numpy())
    return np.asarray(np.mean(rows, axis=0), np.float32)


def main() -> None:
    """See the module."""
    import torch
    from configuration_MERT import MERTConfig  # type: ignore[import-not-found]
    from modeling_MERT import MERTModel  # type: ignore[import-not-found]
    from transformers import Wav2Vec2FeatureExtractor

    fields = {name: value for name, value in NARROW.items() if name not in ("auto_map", "architectures", "model_type")}
    model = MERTModel(MERTConfig(**fields)).eval()
    shapes = {}
    for name, value in model.state_dict().items():
        published = name.replace("parametrizations.weight.original0", "weight_g")
        shapes[published.replace("parametrizations.weight.original1", "weight_v")] = list(value.shape)
    state = {name: torch.from_numpy(draw(name, tuple(shape))) for name, shape in shapes.items()}
    ours = {}
    for name, value in state.items():
        present = name.replace("weight_g", "parametrizations.weight.original0")
        ours[present.replace("weight_v", "parametrizations.weight.original1")] = value
    model.load_state_dict(ours if set(ours) == set(model.state_dict()) else state, strict=True)
    scale = Wav2Vec2FeatureExtractor(sampling_rate=RATE, do_normalize=True)
    np.savez_compressed(
        GOLDEN, states=np.stack([states(model, scale, samples) for samples in cases()]), shapes=json.dumps(shapes)
    )
    print(f"wrote {GOLDEN}: {len(CASES)} clips, {len(shapes)} weights")


if __name__ == "__main__":
    main()
