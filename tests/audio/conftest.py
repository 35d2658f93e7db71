"""One signal in every supported format, encoded once per session."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

RATE = 44_100
SECONDS = 4.0
LOSSLESS = ("pcm.wav", "float.wav", "pcm.aiff", "pcm.flac", "alac.m4a")
LOSSY = ("vorbis.ogg", "opus.opus", "lame.mp3", "aac.m4a", "bare.aac", "wma2.wma")
FORMATS = LOSSLESS + LOSSY

_SNDFILE = {
    "pcm.wav": ("WAV", "PCM_16"),
    "float.wav": ("WAV", "FLOAT"),
    "pcm.aiff": ("AIFF", "PCM_24"),
    "pcm.flac": ("FLAC", "PCM_16"),
    "vorbis.ogg": ("OGG", "VORBIS"),
    "opus.opus": ("OGG", "OPUS"),
}
# FFmpeg's encoder otherwise writes noise bands, which its decoder fills at random: no two decodes would agree.
_AAC = {"aac_pns": "0"}
_PYAV: dict[str, tuple[str, str, str, dict[str, str]]] = {
    "alac.m4a": ("alac", "ipod", "s16p", {}),
    "lame.mp3": ("libmp3lame", "mp3", "fltp", {}),
    "aac.m4a": ("aac", "ipod", "fltp", _AAC),
    "bare.aac": ("aac", "adts", "fltp", _AAC),
    "wma2.wma": ("wmav2", "asf", "fltp", {}),
}


def make_signal(rate: int = RATE, seconds: float = SECONDS) -> NDArray[np.float32]:
    """Stereo with different channels: a rising tone left, chirps in noise right; (2, samples)."""
    time = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(1).standard_normal(time.size)
    left = 0.4 * np.sin(2 * np.pi * (300 + 40 * time) * time)
    right = 0.3 * np.sin(2 * np.pi * 600 * time * (1 + np.sin(3 * time) / 9)) + 0.02 * noise
    return np.stack([left, right]).astype(np.float32)


def write_sndfile(path: Path, samples: NDArray[np.float32], rate: int, container: str, subtype: str) -> Path:
    with soundfile.SoundFile(path, "w", rate, len(samples), format=container, subtype=subtype) as file:
        for first in range(0, samples.shape[1], 4096):  # libsndfile's Vorbis encoder fails on long writes
            file.write(samples[:, first : first + 4096].T)
    return path


def write_pyav(
    path: Path, samples: NDArray[np.float32], rate: int, codec: str, container: str, form: str, options: dict[str, str]
) -> Path:
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[len(samples)]
    with av.open(str(path), "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate, layout=layout, options=options)
        if "b" not in options:
            stream.bit_rate = 64_000 * len(samples)
        stream.format = form
        for first in range(0, samples.shape[1], 1024):
            block = np.ascontiguousarray(samples[:, first : first + 1024])
            if form.startswith("s16"):
                block = np.round(block * 32767).astype(np.int16)
            if form == "s16":
                block = np.ascontiguousarray(block.T.reshape(1, -1))
            frame = av.AudioFrame.from_ndarray(block, format=form, layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, first, Fraction(1, rate)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


@pytest.fixture(scope="session")
def signal() -> NDArray[np.float32]:
    return make_signal()


@pytest.fixture(scope="session")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`encoded(name)`: the file of that name in FORMATS, holding the signal (Opus at 48 kHz, its only rate)."""
    folder = tmp_path_factory.mktemp("encoded")

    def encode(name: str) -> Path:
        path = folder / name
        if not path.exists():
            if name in _SNDFILE:
                rate = 48_000 if name.endswith("opus") else RATE
                write_sndfile(path, make_signal(rate), rate, *_SNDFILE[name])
            else:
                write_pyav(path, make_signal(), RATE, *_PYAV[name])
        return path

    return encode
