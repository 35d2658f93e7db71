"""Writes tracks in the layout of Slakh2100, with its metadata as its makers write them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

Samples = NDArray[np.float32]

SAMPLE_RATE = 22_050


def write_slakh(
    folder: Path,
    stems: Mapping[str, tuple[str, Samples | None]],
    *,
    suffix: str = "flac",
    sample_rate: int = SAMPLE_RATE,
    rendered: bool | None = None,
) -> Path:
    """A track in `folder`: stem name -> (inst_class, its mono samples, None for one that was not rendered). The mixture
    is their sum; its path. rendered: what the metadata say of all stems, in place of the truth."""
    (folder / "stems").mkdir(parents=True)
    lines = [
        "UUID: 1a81ae092884234f3264e2f45927f00a",
        "audio_dir: stems",
        "overall_gain: 0.18270259567062658",
        "stems:",
    ]
    for name, (inst_class, samples) in stems.items():
        said = samples is not None if rendered is None else rendered
        lines += [
            f"  {name}:",
            f"    audio_rendered: {str(said).lower()}",
            f"    inst_class: {inst_class}",
            f"    is_drum: {str(inst_class == 'Drums').lower()}",
            "    midi_program_name: FX 8 (sci-fi)",
            "    plugin_name: None",
        ]
        if samples is not None:
            soundfile.write(folder / "stems" / f"{name}.{suffix}", samples, sample_rate)
    (folder / "metadata.yaml").write_text("\n".join([*lines, "target_peak: -1.0", ""]))
    mixture = np.sum([samples for _, samples in stems.values() if samples is not None], axis=0)
    soundfile.write(folder / f"mix.{suffix}", mixture, sample_rate)
    return folder / f"mix.{suffix}"


def write_named(folder: Path, stems: Mapping[str, Samples], sample_rate: int = SAMPLE_RATE) -> None:
    """Files by name with suffix, in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, samples in stems.items():
        soundfile.write(folder / name, samples, sample_rate)


def tone(hertz: float, seconds: float = 1.0, sample_rate: int = SAMPLE_RATE, level: float = 0.1) -> Samples:
    """A sine."""
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    return (level * np.sin(2 * np.pi * hertz * time)).astype(np.float32)
