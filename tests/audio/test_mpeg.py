from __future__ import annotations

import struct
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


def encode(path: Path, seconds: float, rate: int = RATE, channels: int = 2) -> bytes:
    samples = np.resize(make_signal(rate, seconds), (channels, round(rate * seconds)))
    return write_pyav(path, samples, rate, "libmp3lame", "mp3", "fltp", {}).read_bytes()


@pytest.mark.parametrize("between", [b"", b"TAG" + bytes(125), b"ID3\x03\0\0\0\0\x03\x10" + bytes(400)])
@pytest.mark.parametrize(
    "kinds", [((1.0, RATE, 2),) * 3, ((20.0, RATE, 2), (0.5, RATE, 1)), ((1.0, 48_000, 1), (2.0, RATE, 2))]
)
def test_files_joined_with_their_headers_are_links(
    kinds: tuple[tuple[float, int, int], ...], between: bytes, tmp_path: Path
) -> None:
    contents = [encode(tmp_path / "a.mp3", *kind) for kind in kinds]
    path = tmp_path / "joined.mp3"
    path.write_bytes(b"".join(content + between for content in contents))
    sound = read(path)
    assert (sound.sample_rate, sound.channels) == kinds[0][1:]
    assert probe(path).frames == sound.samples.shape[1] == round(sum(kind[0] for kind in kinds) * kinds[0][1])
    (tmp_path / "a.mp3").write_bytes(contents[0])
    first = read(tmp_path / "a.mp3").samples
    assert np.array_equal(sound.samples[:, : first.shape[1]], first)
    start = first.shape[1] - 1_000
    region = read(path, start / kinds[0][1], 3_000 / kinds[0][1]).samples
    assert np.allclose(region, sound.samples[:, start : start + 3_000], atol=1e-6)  # the decoder's state differs


def test_a_file_that_continues_without_a_header_is_read_to_the_end(tmp_path: Path) -> None:
    content = encode(tmp_path / "a.mp3", 2.0)
    (tmp_path / "a.mp3").write_bytes(content + without_header(content))
    assert read(tmp_path / "a.mp3").duration == pytest.approx(4.0, abs=0.1)


@pytest.mark.parametrize("frames", [0, 1, 10, 10**6, 2**32 - 1])
def test_an_impossible_count_of_frames_is_replaced(frames: int, tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    content = encode(path, 4.0)
    correct = read(path).samples
    place = content.find(b"Info") + 8
    path.write_bytes(content[:place] + struct.pack(">I", frames) + content[place + 4 :])
    assert probe(path).frames == correct.shape[1]
    assert np.array_equal(read(path).samples, correct)


def test_the_header_of_fraunhofer_is_not_audio(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    frames = without_header(encode(path, 2.0))
    size = frames.index(frames[:3], 4)
    header = frames[:4] + bytes(32) + b"VBRI" + struct.pack(">HHHII4H", 1, 2737, 75, len(frames) + size, 77, 1, 1, 2, 1)
    path.write_bytes(header.ljust(size, b"\0") + frames)
    with_header = read(path).samples
    path.write_bytes(frames)
    assert np.array_equal(with_header, read(path).samples)


@pytest.mark.parametrize("size", [b"\x00\x7f\x7f\x7f", b"\x7f\x7f\x7f\x7f"])
def test_a_tag_that_exceeds_the_file_is_searched_for_frames(size: bytes, tmp_path: Path, encoded: Encoded) -> None:
    content = encoded("lame.mp3").read_bytes()
    path = tmp_path / "a.mp3"
    path.write_bytes(b"ID3\x03\0\0" + size + bytes(300) + content)
    assert np.array_equal(read(path).samples, read(encoded("lame.mp3")).samples)


def with_free_format(content: bytes, size: int) -> bytes:
    """Frames of a constant `size` in bytes, without the statement of their bit rate."""
    frames = bytearray(content)
    frames[2::size] = bytes(byte & 0x0F for byte in frames[2::size])
    return bytes(frames)


@pytest.mark.parametrize("tag", [b"", b"ID3\x03\0\0\0\0\x03\x10" + bytes(400)])
def test_free_format(tag: bytes, tmp_path: Path) -> None:
    options = {"b": "128000", "reservoir": "0"}
    path = write_pyav(tmp_path / "a.mp3", make_signal(48_000), 48_000, "libmp3lame", "mp3", "fltp", options)
    frames = without_header(path.read_bytes())
    path.write_bytes(frames)
    expected = read(path)
    path.write_bytes(tag + with_free_format(frames, 384))
    assert probe(path).frames == read(path).samples.shape[1] == expected.samples.shape[1]
    assert np.abs(read(path).samples - expected.samples).max() < 1e-3
    region = read(path, 1.0, 0.5).samples
    assert np.allclose(region, read(path).samples[:, 48_000:72_000], atol=1e-6)


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
