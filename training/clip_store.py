"""The sounds to train on, in two files: `NAME.npy` with all samples (int16, 32 kHz) and `NAME.json` with what they are."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]


REST = "rest"
"""The kind of a stem that holds everything but the drums, its bass too."""
HITS, NOTES = "single-hits", "single-notes"
"""The stores of the separator's sounds that are placed one by one."""


@dataclass(frozen=True)
class Clip:
    """One sound: mono samples at 32 kHz.

    source: a name of `sources`; kind: hit, bass, note, chord or loop; label: index into `CLASSES`, -1 if unknown; group:
    sounds of one group sound alike (the same drum, the same program, another excerpt of a track).
    """

    samples: Float32
    source: str
    kind: str
    label: int
    group: str


class ClipStore:
    """All clips of a folder, read when they are needed."""

    def __init__(self, folder: Path, name: str) -> None:
        self._audio = np.load(folder / f"{name}.npy", mmap_mode="r")
        rows = json.loads((folder / f"{name}.json").read_text())
        self._starts = np.concatenate([[0], np.cumsum(rows["lengths"])])
        self.sources: list[str] = rows["sources"]
        self.kinds: list[str] = rows["kinds"]
        self.labels: list[int] = rows["labels"]
        self.groups: list[str] = rows["groups"]

    def __len__(self) -> int:
        return len(self.kinds)

    def samples(self, index: int) -> Float32:
        """Samples of peak 1 of one clip."""
        piece = self._audio[self._starts[index] : self._starts[index + 1]].astype(np.float32)
        return piece / max(float(np.abs(piece).max(initial=0)), 1.0)

    def indices(self, *kinds: str) -> NDArray[np.intp]:
        """The clips of some kinds."""
        return np.flatnonzero([kind in kinds for kind in self.kinds])


def save_clips(folder: Path, name: str, clips: Iterable[Clip]) -> int:
    """Write a store; returns the number of clips."""
    pieces, rows = [], {key: [] for key in ("lengths", "sources", "kinds", "labels", "groups")}
    for clip in clips:
        peak = float(np.abs(clip.samples).max(initial=0))
        if peak < 1e-5:
            continue
        pieces.append(np.rint(clip.samples * (32000 / peak)).astype(np.int16))
        values = (len(pieces[-1]), clip.source, clip.kind, clip.label, clip.group)
        for key, value in zip(rows, values, strict=True):
            rows[key].append(value)
    np.save(folder / f"{name}.npy", np.concatenate(pieces))
    (folder / f"{name}.json").write_text(json.dumps(rows))
    return len(pieces)
