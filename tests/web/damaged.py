"""Hostile uploads: damaged, misnamed, with false headers, or far larger than they look."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator

import numpy as np
import soundfile

RATE = 44_100
Rng = np.random.Generator

FORMATS = (
    ("wav", "WAV", "PCM_16"),
    ("aiff", "AIFF", "PCM_24"),
    ("flac", "FLAC", "PCM_16"),
    ("ogg", "OGG", "VORBIS"),
    ("opus", "OGG", "OPUS"),
    ("mp3", "MP3", "MPEG_LAYER_III"),
)


def sound(rng: Rng, seconds: float, channels: int = 2) -> np.ndarray:
    """Decaying tones and noise (samples, channels)."""
    at = np.arange(int(seconds * RATE))[:, np.newaxis] / RATE
    tone = np.sin(2 * np.pi * rng.uniform(60, 2000) * at) + 0.3 * rng.normal(size=(len(at), channels))
    return np.asarray((0.3 * tone * np.exp(-(at % 0.5) * 10)).clip(-1, 1), dtype=np.float32)


def encoded(samples: np.ndarray, form: tuple[str, str, str], rate: int = RATE) -> bytes:
    """A whole file."""
    out = io.BytesIO()
    soundfile.write(out, samples, 48_000 if form[2] == "OPUS" else rate, format=form[1], subtype=form[2])
    return out.getvalue()


def _some(rng: Rng) -> tuple[str, bytes]:
    form = FORMATS[int(rng.integers(len(FORMATS)))]
    return form[0], encoded(sound(rng, rng.uniform(0.2, 3.0)), form)


def cut(rng: Rng) -> tuple[str, bytes]:
    """Its end is missing."""
    suffix, data = _some(rng)
    return suffix, data[: max(1, int(rng.uniform(0, 1) * len(data)))]


def flipped(rng: Rng) -> tuple[str, bytes]:
    """Some bits are others."""
    suffix, data = _some(rng)
    changed = bytearray(data)
    for place in rng.integers(0, len(data), max(1, int(len(data) * 10 ** rng.uniform(-4, -1)))):
        changed[place] ^= 1 << int(rng.integers(8))
    return suffix, bytes(changed)


def head_flipped(rng: Rng) -> tuple[str, bytes]:
    """Some bits of its first hundred bytes are others."""
    suffix, data = _some(rng)
    changed = bytearray(data)
    for place in rng.integers(0, min(100, len(data)), 8):
        changed[place] ^= 1 << int(rng.integers(8))
    return suffix, bytes(changed)


def misnamed(rng: Rng) -> tuple[str, bytes]:
    """Another format than its name says."""
    suffix, data = _some(rng)
    others = ("wma", "m4a", "aac", "caf", "au", "wv", "mka", *(one for one, _, _ in FORMATS if one != suffix))
    return str(rng.choice(others)), data


def foreign(rng: Rng) -> tuple[str, bytes]:
    """No audio at all."""
    heads = (
        b"%PDF-1.7\n",
        b"\x89PNG\r\n\x1a\n",
        b"<!DOCTYPE html><script>",
        b"PK\x03\x04",
        b"#!/bin/sh\n",
        b"#EXTM3U\n",
    )
    text = b"\n/etc/passwd\nfile:///etc/passwd\nhttp://127.0.0.1:1/\n" * 20
    return str(rng.choice(("wav", "mp3", "m4a", "mka", "ogg"))), heads[int(rng.integers(len(heads)))] + text


def random_bytes(rng: Rng) -> tuple[str, bytes]:
    """Noise."""
    return str(rng.choice([form[0] for form in FORMATS])), rng.bytes(int(rng.integers(1, 50_000)))


def one_byte(rng: Rng) -> tuple[str, bytes]:
    """As little as possible."""
    return str(rng.choice([form[0] for form in FORMATS])), rng.bytes(1)


def not_finite(rng: Rng) -> tuple[str, bytes]:
    """Samples that are no numbers."""
    samples = sound(rng, 0.5)
    samples[rng.integers(0, len(samples), 3), 0] = (np.nan, np.inf, -np.inf)
    return "wav", encoded(samples, ("wav", "WAV", "FLOAT"))


def silent(rng: Rng) -> tuple[str, bytes]:
    """Nothing to hear."""
    return "flac", encoded(np.zeros((int(rng.integers(1, RATE)), 2), np.float32), ("flac", "FLAC", "PCM_16"))


def claims_hours(rng: Rng) -> tuple[str, bytes]:
    """A header that promises gigabytes, with a second of sound after it."""
    data = encoded(sound(rng, 1.0), ("wav", "WAV", "PCM_16"))
    place = data.index(b"data") + 4
    return "wav", data[:4] + struct.pack("<I", 0xFFFFFFF0) + data[8:place] + struct.pack("<I", 0xFFFFFF00) + data[
        place + 4 :
    ]


def odd_numbers(rng: Rng) -> tuple[str, bytes]:
    """A WAV file of many channels, or of a rate that there is not."""
    channels, rate = [(255, 8_000), (1, 1), (1, 2**31 - 1), (0, RATE), (65_535, RATE)][int(rng.integers(5))]
    body = rng.bytes(20_000)
    form = struct.pack("<HHIIHH", 1, channels, rate, (channels * rate * 2) % 2**32, (2 * channels) % 2**16, 16)
    return "wav", b"RIFF" + struct.pack("<I", 36 + len(body)) + b"WAVEfmt " + struct.pack("<I", 16) + form + (
        b"data" + struct.pack("<I", len(body)) + body
    )


def long_silence(_: Rng) -> tuple[str, bytes]:
    """Five hours in few bytes."""
    if not _KEPT:
        out = io.BytesIO()
        with soundfile.SoundFile(out, "w", 1_000, 1, format="FLAC", subtype="PCM_16") as file:
            block = np.zeros(3_600 * 1_000, np.int16)
            block[::1_000] = 1
            for _hour in range(5):
                file.write(block)
        _KEPT.append(out.getvalue())
    return "flac", _KEPT[0]


_KEPT: list[bytes] = []

KINDS: tuple[Callable[[Rng], tuple[str, bytes]], ...] = (
    cut,
    flipped,
    head_flipped,
    misnamed,
    foreign,
    random_bytes,
    one_byte,
    not_finite,
    silent,
    claims_hours,
    odd_numbers,
    long_silence,
)


def uploads(count: int, seed: int) -> Iterator[tuple[str, str, bytes]]:
    """(kind, file name, bytes), each kind in turn."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        suffix, data = kind(rng)
        yield kind.__name__, f"{number} {kind.__name__}.{suffix}", data
