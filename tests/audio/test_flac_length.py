from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from soundalike.audio.decode import probe, read
from tests.audio.conftest import make_signal, write_pyav, write_sndfile

STATED = 21  # the byte in which the 36 bits of the count begin


def with_count(flac: bytes, count: int, begin: int = 0) -> bytes:
    place = begin + STATED
    upper = flac[place] & 0xF0 | count >> 32
    return flac[:place] + bytes([upper]) + (count & 0xFFFFFFFF).to_bytes(4, "big") + flac[place + 5 :]


def flac_of(
    tmp_path: Path, rate: int = 44_100, seconds: float = 1.7, channels: int = 2, subtype: str = "PCM_16"
) -> tuple[bytes, NDArray[np.float32]]:
    samples = np.resize(make_signal(rate, seconds), (channels, round(seconds * rate)))
    path = write_sndfile(tmp_path / "whole.flac", samples, rate, "FLAC", subtype)
    return path.read_bytes(), read(path).samples


@pytest.mark.parametrize("count", [0, 1, 1_000, 2**31, 2**36 - 1])
@pytest.mark.parametrize(
    ("rate", "channels", "subtype"),
    [(44_100, 2, "PCM_16"), (96_000, 1, "PCM_24"), (8_000, 6, "PCM_16"), (11_025, 1, "PCM_S8"), (12_345, 2, "PCM_16")],
)
def test_a_wrong_count_in_the_header_is_replaced_by_the_true_one(
    count: int, rate: int, channels: int, subtype: str, tmp_path: Path
) -> None:
    flac, whole = flac_of(tmp_path, rate, 1.7, channels, subtype)
    path = tmp_path / "wrong.flac"
    path.write_bytes(with_count(flac, count))
    assert probe(path).frames == whole.shape[1]
    assert np.array_equal(read(path).samples, whole)
    region = read(path, 0.9, 0.5)
    assert np.array_equal(region.samples, whole[:, round(0.9 * rate) : round(0.9 * rate) + round(0.5 * rate)])


@pytest.mark.parametrize("seconds", [0.001, 0.05, 0.1, 30.0])
def test_a_count_of_zero_in_short_and_long_files(seconds: float, tmp_path: Path) -> None:
    flac, whole = flac_of(tmp_path, seconds=seconds)
    path = tmp_path / "zero.flac"
    path.write_bytes(with_count(flac, 0))
    assert probe(path).frames == whole.shape[1]
    assert np.array_equal(read(path).samples, whole)


def test_silence_with_a_count_of_zero(tmp_path: Path) -> None:
    path = write_sndfile(tmp_path / "silent.flac", np.zeros((2, 441_000), np.float32), 44_100, "FLAC", "PCM_16")
    path.write_bytes(with_count(path.read_bytes(), 0))
    assert probe(path).frames == read(path).samples.shape[1] == 441_000


@pytest.mark.parametrize("tail", [b"TAG" + bytes(125), b"\xff\xf8" * 500, bytes(70_000)])
def test_tags_before_and_bytes_after_the_frames_do_not_hide_the_count(tail: bytes, tmp_path: Path) -> None:
    flac, whole = flac_of(tmp_path)
    tag = b"ID3\x03\0\0\0\0\x07\x68" + bytes(1_000)
    path = tmp_path / "tagged.flac"
    path.write_bytes(tag + with_count(flac, 0) + tail)
    assert probe(path).frames == whole.shape[1]
    assert np.array_equal(read(path).samples[:, : whole.shape[1]], whole)


def test_ffmpegs_encoder_with_a_count_of_zero(tmp_path: Path) -> None:
    path = write_pyav(tmp_path / "a.flac", make_signal(), 44_100, "flac", "flac", "s16", {})
    whole = read(path).samples
    path.write_bytes(with_count(path.read_bytes(), 0))
    assert np.array_equal(read(path).samples, whole)


def test_a_truncated_file_states_what_is_left_of_it(tmp_path: Path) -> None:
    flac, whole = flac_of(tmp_path)
    path = tmp_path / "cut.flac"
    path.write_bytes(flac[: len(flac) // 2])
    frames = probe(path).frames
    assert 0.3 * whole.shape[1] < frames < 0.7 * whole.shape[1]
    sound = read(path).samples
    assert frames - 4_096 <= sound.shape[1] <= frames
    assert np.allclose(sound, whole[:, : sound.shape[1]], atol=1e-4)


def test_the_reported_file_has_its_true_length(test_data: Path) -> None:
    path = test_data / "reports" / "flac_total0.flac"
    assert probe(path).duration == read(path).duration == 5.0
