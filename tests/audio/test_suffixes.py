"""Every suffix that a folder scan recognises is of a format that can be decoded."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from soundalike.audio import decode
from soundalike.audio.suffixes import AUDIO_SUFFIXES
from tests.audio.conftest import make_signal, write_pyav


def dsf(path: Path, seconds: float = 0.5) -> Path:
    """A DSD file of alternating bits (silence)."""
    data = bytes([0x55]) * (round(seconds * 2_822_400 / 8) // 4096 * 4096)
    form = struct.pack("<QIIIIIIQII", 52, 1, 0, 1, 1, 2_822_400, 1, 8 * len(data), 4096, 0)
    head = b"DSD " + struct.pack("<QQQ", 28, 92 + len(data), 0)
    path.write_bytes(head + b"fmt " + form + b"data" + struct.pack("<Q", 12 + len(data)) + data)
    return path


@pytest.mark.parametrize(
    ("suffix", "codec", "container", "form", "rate"),
    [
        (".mp2", "mp2", "mp2", "s16", 44_100),
        (".tta", "tta", "tta", "s16", 44_100),
        (".ac3", "ac3", "ac3", "fltp", 44_100),
        (".eac3", "eac3", "eac3", "fltp", 44_100),
        (".wv", "wavpack", "wv", "s16p", 44_100),
        (".mp4", "aac", "mp4", "fltp", 44_100),
        (".m4v", "aac", "mp4", "fltp", 44_100),
        (".mov", "alac", "mov", "s16p", 44_100),
        (".3gp", "aac", "3gp", "fltp", 44_100),
        (".mka", "aac", "matroska", "fltp", 44_100),
        (".mkv", "aac", "matroska", "fltp", 44_100),
    ],
)
def test_formats_are_decoded(suffix: str, codec: str, container: str, form: str, rate: int, tmp_path: Path) -> None:
    assert suffix in AUDIO_SUFFIXES
    path = write_pyav(tmp_path / f"a{suffix}", make_signal(rate, 1.0), rate, codec, container, form, {"b": "256k"})
    sound = decode.read(path)
    assert sound.duration == pytest.approx(1.0, abs=0.1)
    assert np.std(sound.samples[0]) == pytest.approx(0.28, abs=0.03)
    assert decode.probe(path).duration == pytest.approx(sound.duration, abs=0.05)


def test_dsd_is_decoded(tmp_path: Path) -> None:
    assert ".dsf" in AUDIO_SUFFIXES
    assert decode.read(dsf(tmp_path / "a.dsf")).duration == pytest.approx(0.5, abs=0.02)


def test_suffixes_are_lower_case_and_begin_with_a_dot() -> None:
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in AUDIO_SUFFIXES)
    assert not {".rx2", ".mid", ".jpg", ".txt"} & AUDIO_SUFFIXES
