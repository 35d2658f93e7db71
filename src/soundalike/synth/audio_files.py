"""Audio files as they are found in the wild: tagged songs, and loops that carry their tempo and root in
chunks.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from soundalike.errors import InputError
from soundalike.synth import dsp

PIECE = 65_536
"""Frames written at a time: libvorbis overflows the stack on long blocks."""


def write_audio(path: Path, samples: NDArray[np.float32], title: str = "", artist: str = "", album: str = "") -> None:
    """Write float32 (channels, samples) or (samples,) in the format of the suffix: 16-bit .flac and .wav, or
    .ogg (Vorbis).

    Raises InputError for another suffix.
    """
    kinds = {".flac": ("FLAC", "PCM_16"), ".wav": ("WAV", "PCM_16"), ".ogg": ("OGG", "VORBIS")}
    if path.suffix not in kinds:
        raise InputError(f"cannot write {path.name}: the formats are {', '.join(kinds)}")
    container, subtype = kinds[path.suffix]
    frames = np.ascontiguousarray(np.atleast_2d(samples).T)
    with soundfile.SoundFile(path, "w", dsp.SAMPLE_RATE, frames.shape[1], subtype, format=container) as file:
        for name, text in (("title", title), ("artist", artist), ("album", album)):
            if text:
                setattr(file, name, text)
        for start in range(0, len(frames), PIECE):
            file.write(frames[start : start + PIECE])


def write_loop(path: Path, samples: NDArray[np.float32], tempo: float, beats: int, root: int | None) -> None:
    """Write a 16-bit .wav with an `acid` chunk (tempo, beats, root as a MIDI note) and a `smpl` chunk (the
    loop's two ends).
    """
    frames = np.atleast_2d(samples).T
    pcm = np.clip(np.round(frames * 32767.0), -32768, 32767).astype("<i2").tobytes()
    channels, rate = frames.shape[1], dsp.SAMPLE_RATE
    flags = 0x02 if root is not None else 0x00  # bit 0: one-shot; bit 1: the root is set
    chunks = (
        _chunk(b"fmt ", struct.pack("<HHIIHH", 1, channels, rate, rate * channels * 2, channels * 2, 16)),
        _chunk(b"acid", struct.pack("<IHHfIHHf", flags, root or 60, 0x8000, 0.0, beats, 4, 4, tempo)),
        _chunk(b"smpl", _sampler(rate, len(frames), root or 60)),
        _chunk(b"data", pcm),
    )
    body = b"WAVE" + b"".join(chunks)
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)


def _sampler(rate: int, frames: int, root: int) -> bytes:
    period = round(1e9 / rate)
    head = struct.pack("<9I", 0, 0, period, root, 0, 0, 0, 1, 0)
    return head + struct.pack("<6I", 0, 0, 0, frames - 1, 0, 0)


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + (b"\0" if len(body) % 2 else b"")
