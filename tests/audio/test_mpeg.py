from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from soundalike.audio import mpeg
from soundalike.audio.decode import probe, read
from tests.audio.conftest import RATE, make_signal, write_pyav

Encoded = Callable[[str], Path]


def states_its_length(path: Path) -> bool:
    with path.open("rb") as file:
        return mpeg.states_its_length(file)


def without_header(content: bytes) -> bytes:
    """The frames after the one that holds the Info header."""
    header = max(content.find(b"Xing"), content.find(b"Info"))
    return content[content.find(b"\xff\xfb", header) :]


def test_a_header_states_the_length_with_or_without_tags(tmp_path: Path, encoded: Encoded) -> None:
    content = encoded("lame.mp3").read_bytes()
    assert states_its_length(encoded("lame.mp3"))
    (tmp_path / "tag.mp3").write_bytes(b"ID3\x03\0\0\0\0\x4e\x20" + bytes(78 * 128 + 32) + content)
    assert states_its_length(tmp_path / "tag.mp3")
    (tmp_path / "cut.mp3").write_bytes(content[: len(content) // 2])
    assert states_its_length(tmp_path / "cut.mp3")


@pytest.mark.parametrize("content", [b"", b"ID3", b"ID3\x03\0\0\x7f\x7f\x7f\x7f", b"Xing", bytes(100)])
def test_other_bytes_do_not_state_a_length(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(content)
    assert not states_its_length(tmp_path / "a.mp3")


def test_variable_bit_rate_without_a_header_is_read_to_the_end(tmp_path: Path) -> None:
    parts = []
    for rate in (320_000, 48_000):
        path = write_pyav(tmp_path / "part.mp3", make_signal(), RATE, "libmp3lame", "mp3", "fltp", {"b": str(rate)})
        parts.append(without_header(path.read_bytes()))
    path = tmp_path / "joined.mp3"
    path.write_bytes(parts[0] + 3 * parts[1])
    assert not states_its_length(path)
    sound = read(path)
    assert sound.duration == pytest.approx(16.0, abs=0.3)
    assert probe(path).frames == sound.samples.shape[1]
    region = read(path, 13.0, 1.0)
    assert np.array_equal(region.samples, sound.samples[:, 13 * RATE : 14 * RATE])


def test_files_joined_with_their_headers_are_read_to_the_end(tmp_path: Path) -> None:
    long = write_pyav(tmp_path / "a.mp3", make_signal(seconds=20.0), RATE, "libmp3lame", "mp3", "fltp", {}).read_bytes()
    (tmp_path / "joined.mp3").write_bytes(long + long)
    assert read(tmp_path / "joined.mp3").duration == pytest.approx(40.0, abs=0.3)


def test_a_few_frames_in_other_data_are_no_stream_behind_junk(tmp_path: Path, encoded: Encoded) -> None:
    frames = without_header(encoded("lame.mp3").read_bytes())
    ends = [place for place in range(len(frames)) if frames.startswith(frames[:2], place)]
    path = tmp_path / "a.bin"
    for count, expected in ((4, None), (12, 5_000)):
        path.write_bytes(bytes(5_000) + frames[: ends[count]] + bytes(5_000))
        with path.open("rb") as file:
            assert mpeg.first_frame(file, 0) == expected
    for magic in ("7ffe8001", "fe7f0180", "1fffe800", "ff1f00e8"):
        assert not mpeg.may_be_mpeg(bytes.fromhex(magic) + bytes(12))  # DTS
