"""The frames of ID3v2 tags in all versions."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundalike.audio.metadata import id3
from soundalike.audio.metadata.tags import Tags, read_tags
from tests.audio.metadata.test_attached_tags import id3v1
from tests.audio.metadata.test_loop_chunks import acid, aiff, wav

Encoded = Callable[[str], Path]
Frames = dict[str, bytes]

ARTIST = b"\1" + "Björk".encode("utf-16")  # of which the byte order mark must be unsynchronised
FRAMES = {"TPE1": ARTIST, "TIT2": b"\0J\xf3ga", "TBPM": b"\x00128", "TKEY": b"\0F#m"}
FIELDS = [("artist", "Björk"), ("title", "Jóga"), ("bpm", "128"), ("key", "F#m")]
SHORT_NAMES = {"TPE1": "TP1", "TIT2": "TT2", "TBPM": "TBP", "TKEY": "TKE"}


def seven_bits(size: int) -> bytes:
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))


def tag(version: int, body: bytes, flags: int = 0) -> bytes:
    return b"ID3" + bytes([version, 0, flags]) + seven_bits(len(body)) + body


def body(version: int, frames: Frames, flags: bytes = b"\0\0") -> bytes:
    if version == 2:
        return b"".join(
            SHORT_NAMES[name].encode() + len(data).to_bytes(3, "big") + data for name, data in frames.items()
        )
    size = seven_bits if version == 4 else (lambda number: struct.pack(">I", number))
    return b"".join(name.encode() + size(len(data)) + flags + data for name, data in frames.items())


def unsynchronised(content: bytes) -> bytes:
    return content.replace(b"\xff", b"\xff\0")


def compressed(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + zlib.compress(data)


TAGS = {
    "2.2": tag(2, body(2, FRAMES)),
    "2.2 unsynchronised": tag(2, unsynchronised(body(2, FRAMES)), 0x80),
    "2.3": tag(3, body(3, FRAMES)),
    "2.3 unsynchronised": tag(3, unsynchronised(body(3, FRAMES)), 0x80),
    "2.3 extended header": tag(3, struct.pack(">IHI", 6, 0, 0) + body(3, FRAMES), 0x40),
    "2.3 compressed": tag(3, body(3, {name: compressed(data) for name, data in FRAMES.items()}, b"\0\x80")),
    "2.3 padding": tag(3, body(3, FRAMES) + bytes(500)),
    "2.4": tag(4, body(4, FRAMES)),
    "2.4 unsynchronised": tag(4, body(4, {n: unsynchronised(d) for n, d in FRAMES.items()}, b"\0\x02"), 0x80),
    "2.4 unsynchronised, stated once": tag(4, body(4, {n: unsynchronised(d) for n, d in FRAMES.items()}), 0x80),
    "2.4 length": tag(4, body(4, {n: seven_bits(len(d)) + d for n, d in FRAMES.items()}, b"\0\x01")),
    "2.4 compressed": tag(4, body(4, {n: compressed(d) for n, d in FRAMES.items()}, b"\0\x09")),
    "2.4 extended header": tag(4, seven_bits(6) + b"\1\0" + body(4, FRAMES), 0x40),
}


@pytest.mark.parametrize("kind", TAGS)
def test_texts_in_every_version(kind: str, tmp_path: Path, encoded: Encoded) -> None:
    assert list(id3.texts(TAGS[kind])) == FIELDS
    (tmp_path / "a.mp3").write_bytes(TAGS[kind] + encoded("lame.mp3").read_bytes())
    assert read_tags(tmp_path / "a.mp3") == Tags("Björk", "Jóga", None, 128.0, "F# minor")


@pytest.mark.parametrize("length", [100, 127, 128, 200, 255, 300, 20_000])
def test_sizes_of_8_bits_in_version_4_are_recognised(length: int) -> None:
    frames = {"TALB": b"\3" + b"t" * (length - 1), **FRAMES}
    for end in (b"", bytes(64)):
        assert list(id3.texts(tag(4, body(3, frames) + end)))[1:] == FIELDS
        assert list(id3.texts(tag(4, body(4, frames) + end)))[1:] == FIELDS


def test_several_values_and_fields_of_users() -> None:
    frames = {"TPE1": b"\1" + "One\0Two".encode("utf-16"), "TXXX": b"\3InitialKey\x008A"}
    assert list(id3.texts(tag(4, body(4, frames)))) == [("artist", "One"), ("artist", "Two"), ("initialkey", "8A")]
    other = {"TXXX": b"\3Artist\0of the cover"}
    assert list(id3.texts(tag(4, body(4, other)))) == []


def test_encrypted_and_damaged_frames_are_left_out() -> None:
    assert list(id3.texts(tag(3, body(3, {"TIT2": b"secret"}, b"\0\x40") + body(3, FRAMES)))) == FIELDS
    assert list(id3.texts(tag(3, body(3, {"TIT2": b"\0\0\0\x10damaged"}, b"\0\x80") + body(3, FRAMES)))) == FIELDS
    assert list(id3.texts(tag(3, body(3, FRAMES) + b"TALB\x7f\xff\xff\xff\0\0\0A")))[:4] == FIELDS


@given(st.binary(max_size=300), st.sampled_from([2, 3, 4]), st.integers(0, 255))
def test_any_bytes_are_read_without_an_error(content: bytes, version: int, flags: int) -> None:
    whole = tag(version, content, flags)
    assert all(isinstance(text, str) for found in (id3.texts, id3.objects) for pair in found(whole) for text in pair)


@pytest.mark.parametrize("kind", ["2.2", "2.3 unsynchronised", "2.4"])
def test_tags_around_the_chunks_of_wav_and_aiff(kind: str, tmp_path: Path) -> None:
    for path in (wav(tmp_path / "a.wav", acid(2, tempo=90.0)), aiff(tmp_path / "a.aif", 3, 57, 0, 1)):
        content = path.read_bytes()
        for whole in (TAGS[kind] + content, content + TAGS[kind]):
            path.write_bytes(whole)
            tags = read_tags(path)
            assert (tags.artist, tags.title, tags.tempo, tags.key) == ("Björk", "Jóga", 128.0, "F# minor")
            assert tags.loop is not None
            assert tags.loop.tempo == 90.0
        path.write_bytes(content + id3v1("Jóga", "Björk", ""))
        assert read_tags(path).artist == "Björk"
