from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from soundalike.audio.byte_view import WHOLE_FILE
from soundalike.audio.decode import probe, read
from soundalike.audio.sources import sources
from soundalike.errors import AudioError
from tests.audio.conftest import FORMATS, RATE, make_signal, write_pyav

Encoded = Callable[[str], Path]


def aifc(compression: bytes, data: bytes, frames: int, bits: int, name: bytes = b"\0\0", before: bytes = b"") -> bytes:
    """A mono AIFF-C file."""

    def chunk(label: bytes, content: bytes) -> bytes:
        return label + struct.pack(">I", len(content)) + content + bytes(len(content) % 2)

    common = struct.pack(">hIh", 1, frames, bits) + b"\x40\x0e\xac\x44" + bytes(6) + compression + name
    body = b"AIFC" + chunk(b"FVER", b"\xa2\x80\x51\x40") + before
    body += chunk(b"COMM", common) + chunk(b"SSND", bytes(8) + data)
    return b"FORM" + struct.pack(">I", len(body)) + body


def as_bytes(signal: NDArray[np.float32], bits: int, order: str) -> bytes:
    values = np.round(signal.astype(np.float64) * (2 ** (bits - 1) - 1)).astype(">i8" if order == ">" else "<i8")
    octets = values.view(np.uint8).reshape(-1, 8)
    return (octets[:, 8 - bits // 8 :] if order == ">" else octets[:, : bits // 8]).tobytes()


@pytest.mark.parametrize(
    ("compression", "bits", "order"),
    [
        *((b"42ni", 24, "<"), (b"42ni", 16, "<"), (b"ni24", 24, "<"), (b"23ni", 32, "<"), (b"61ni", 16, "<")),
        *((b"in24", 24, ">"), (b"in32", 32, ">"), (b"in16", 16, ">"), (b"sowt", 24, "<"), (b"sowt", 16, "<")),
        *((b"twos", 16, ">"), (b"NONE", 24, ">")),
        *((b"ni32", 32, "<"), (b"lpcm", 16, ">"), (bytes(4), 24, ">")),
    ],
)
def test_integers_of_aiff_c_are_decoded(compression: bytes, bits: int, order: str, tmp_path: Path) -> None:
    signal = make_signal(RATE, 0.5)[0]
    path = tmp_path / "a.aif"
    for name in (b"\0\0", b"", b"\x03abc"):
        path.write_bytes(aifc(compression, as_bytes(signal, bits, order), signal.size, bits, name))
        sound = read(path)
        assert probe(path).frames == signal.size
        assert np.abs(sound.samples[0] - signal).max() < 2.0 ** (2 - bits)


def test_chunks_before_the_format_of_aiff_c_are_skipped(tmp_path: Path) -> None:
    signal = make_signal(RATE, 0.5)[0]
    note = b"ANNO" + struct.pack(">I", 5) + b"hello\0"
    path = tmp_path / "a.aif"
    path.write_bytes(aifc(b"42ni", as_bytes(signal, 24, "<"), signal.size, 24, before=note))
    assert np.abs(read(path).samples[0] - signal).max() < 1e-6


def test_unknown_kinds_of_aiff_c_are_rejected(tmp_path: Path) -> None:
    (tmp_path / "a.aif").write_bytes(aifc(b"xyz1", bytes(5_000), 1_000, 16))
    with pytest.raises(AudioError, match="not audio"):
        read(tmp_path / "a.aif")


@pytest.mark.parametrize("options", [{}, {"write_xing": "0"}])
@pytest.mark.parametrize(
    "junk",
    [
        b"\0" * 1_000,
        b"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\n\r\n",
        np.random.default_rng(5).bytes(30_000),
        b"\xff\xfb\x90\x64" + bytes(9_000),
        b"\0" * 200_000,
        b"ID3\x03\0\0\0\0\0\x0a" + bytes(10) + b"ID3\x04\0\0\0\0\0\x14" + bytes(20),
        b"ID3\x03\0\0\0\0\0\x0a" + bytes(10) + bytes(3_000),
    ],
    ids=["zeros", "newline", "http", "noise", "false-frame", "long", "two-tags", "tag-and-padding"],
)
def test_bytes_before_an_mp3_change_nothing(junk: bytes, options: dict[str, str], tmp_path: Path) -> None:
    path = write_pyav(tmp_path / "a.mp3", make_signal(), RATE, "libmp3lame", "mp3", "fltp", {})
    if options:
        content = path.read_bytes()
        path.write_bytes(content[content.find(b"\xff\xfb", content.find(b"Info")) :])
    clean, info = read(path), probe(path)
    path.write_bytes(junk + path.read_bytes())
    assert np.array_equal(read(path).samples, clean.samples)
    assert probe(path).frames == info.frames
    assert np.array_equal(read(path, 1.5, 0.5).samples, clean.samples[:, 66_150:88_200])


@pytest.mark.parametrize(
    "junk", [bytes(128), b"\xef\xbb\xbf", b"ICY 200 OK\r\nicy-br:128\r\n\r\n", b"RIFF OggS fLaC" * 9_000]
)
@pytest.mark.parametrize("name", ["pcm.wav", "float.wav", "pcm.aiff", "pcm.flac", "vorbis.ogg", "opus.opus"])
def test_bytes_before_a_header_change_nothing(name: str, junk: bytes, tmp_path: Path, encoded: Encoded) -> None:
    content, path = encoded(name).read_bytes(), tmp_path / name
    path.write_bytes(junk + content)
    expected = read(encoded(name)).samples
    assert probe(path).frames == expected.shape[1]
    assert np.array_equal(read(path).samples, expected)
    assert np.array_equal(read(path, 1.0, 0.5).samples, read(encoded(name), 1.0, 0.5).samples)
    path.write_bytes(bytes(2**18) + content)
    with pytest.raises(AudioError, match="not audio"):
        read(path)


def test_flac_of_unknown_length_behind_other_bytes(tmp_path: Path, encoded: Encoded) -> None:
    content = bytearray(encoded("pcm.flac").read_bytes())
    content[21:26] = bytes([content[21] & 0xF0]) + bytes(4)
    (tmp_path / "a.flac").write_bytes(bytes(500) + content)
    assert np.array_equal(read(tmp_path / "a.flac").samples, read(encoded("pcm.flac")).samples)


@pytest.mark.parametrize("name", FORMATS)
def test_ordinary_files_are_decoded_as_they_are(name: str, encoded: Encoded) -> None:
    assert sources(encoded(name)) == (WHOLE_FILE,)


def test_the_reported_aiff_c_is_decoded(test_data: Path) -> None:
    sound = read(test_data / "reports" / "aifc-42ni.aif")
    assert (sound.sample_rate, sound.duration) == (RATE, 1.0)
    assert np.abs(sound.samples).max() == pytest.approx(0.5, abs=0.01)
