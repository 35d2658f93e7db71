"""Fits the read-out that `one_shot_classes` ships: multinomial logistic regression on vectors of the training sounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from soundalike.models.encoders.builtin.builtin_encoder import BuiltinEncoder
from soundalike.models.encoders.builtin.one_shot_classes import CLASSES, READOUT, inputs
from soundalike.synth.seeds import generator
from training.alterations import new_sound
from training.scenes import clip_table, stores

MOST_PER_CLASS = 900
DECAY = 1e-4


def fit_classes(work: Path, seed: int, out: Path = READOUT) -> None:
    """Write the read-out; half of the sounds are varied first, and classes count equally."""
    clips, _, by_source = clip_table(work)
    numbers = np.concatenate([indices for (kind, _), indices in by_source.items() if kind != "loop"])
    labels = np.array([stores(work)[clips[number][0]].labels[clips[number][1]] for number in numbers])
    rng, encoder = generator("classes", seed), BuiltinEncoder()
    vectors, classes = [], []
    for label in range(len(CLASSES)):
        chosen = rng.permutation(numbers[labels == label])[:MOST_PER_CLASS]
        for number in chosen:
            name, index = clips[int(number)]
            sound = stores(work)[name].samples(index)[: round(1.6 * 32_000)]
            vectors.append(encoder.embed([new_sound(sound, rng, 3) if rng.random() < 0.5 else sound])[0])
            classes.append(label)
    heard, wanted = torch.from_numpy(inputs(np.stack(vectors))), torch.tensor(classes)
    counts = torch.bincount(wanted, minlength=len(CLASSES)).float()
    weights = torch.zeros(heard.shape[1], len(CLASSES), requires_grad=True)
    bias = torch.zeros(len(CLASSES), requires_grad=True)
    optimiser = torch.optim.LBFGS([weights, bias], max_iter=300, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        value = functional.cross_entropy(heard @ weights + bias, wanted, weight=counts.mean() / counts)
        value = value + DECAY * weights.square().sum()
        value.backward()
        return value

    optimiser.step(loss)
    np.savez(out, weights=weights.detach().numpy().astype(np.float16), bias=bias.detach().numpy().astype(np.float16))
    right = ((heard @ weights + bias).argmax(dim=1) == wanted).float().mean()
    print(f"{out}: {len(wanted)} sounds {dict(zip(CLASSES, counts.int().tolist(), strict=True))}, {right:.3f} right")
