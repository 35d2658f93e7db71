"""Several tags in one file: the later win."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from soundalike.audio.metadata.attached_tags import read_attached_tags
from soundalike.audio.metadata.tags import Tags, read_tags
from tests.audio.metadata.test_tags import id3

Encoded = Callable[[str], Path]


def appended(**frames: bytes) -> bytes:
    """An ID3v2.4 tag with a footer, as it stands at the end of a file."""
    body = b"".join(
        name.encode() + bytes((len(data) >> shift) & 0x7F for shift in (21, 14, 7, 0)) + b"\0\0" + data
        for name, data in frames.items()
    )
    rest = b"\x04\0\x10" + bytes((len(body) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3" + rest + body + b"3DI" + rest


def ape(*, header: bool = True, **items: str) -> bytes:
    body = b"".join(
        struct.pack("<II", len(text.encode()), 0) + name.replace("_", " ").encode() + b"\0" + text.encode()
        for name, text in items.items()
    )
    flags = 0x80000000 if header else 0
    fields = struct.pack("<III8x", len(body) + 32, len(items), flags)
    version = struct.pack("<I", 2000)
    head = b"APETAGEX" + version + struct.pack("<III8x", len(body) + 32, len(items), flags | 0x20000000)
    return (head if header else b"") + body + b"APETAGEX" + version + fields


def id3v1(title: str, artist: str, album: str) -> bytes:
    fields = (title.encode("latin-1").ljust(30, b"\0"), artist.encode("latin-1").ljust(30, b"\0"))
    return b"TAG" + b"".join(fields) + album.encode("latin-1").ljust(30, b"\0") + bytes(34) + b"\xff"


def tags_of(tmp_path: Path, content: bytes, name: str = "a.mp3") -> Tags:
    (tmp_path / name).write_bytes(content)
    return read_tags(tmp_path / name)


@pytest.mark.parametrize("padding", [0, 7, 2_000])
def test_the_last_of_several_leading_tags_wins_and_others_fill_in(
    padding: int, tmp_path: Path, encoded: Encoded
) -> None:
    first = id3({"TPE1": b"\0First", "TIT2": b"\0Title", "TKEY": b"\0Am"})
    second = id3({"TPE1": b"\0Second", "TBPM": b"\x00120"})
    third = id3({"TPE1": b"\0Third"})
    audio = encoded("lame.mp3").read_bytes()
    tags = tags_of(tmp_path, first + bytes(padding) + second + bytes(padding) + third + audio)
    assert tags == Tags("Third", "Title", None, 120.0, "A minor")


@pytest.mark.parametrize("with_id3v1", [False, True])
def test_tags_at_the_end_win_over_those_at_the_beginning(with_id3v1: bool, tmp_path: Path, encoded: Encoded) -> None:
    front = id3({"TPE1": b"\0Front", "TIT2": b"\0A title longer than thirty characters", "TKEY": b"\0Am"})
    audio = encoded("lame.mp3").read_bytes()
    end = id3v1("A title longer than thirty cha", "Old", "Album of ID3v1") if with_id3v1 else b""
    album = "Album of ID3v1" if with_id3v1 else None
    for behind in (
        appended(TPE1=b"\0Back", TBPM=b"\x0090"),
        ape(Artist="Back", BPM="90"),
        ape(header=False, artist="Back", bpm="90"),
    ):
        tags = tags_of(tmp_path, front + audio + behind + end)
        assert tags == Tags("Back", "A title longer than thirty characters", album, 90.0, "A minor")
    both = tags_of(tmp_path, front + audio + ape(Artist="Ape", Album="Ape") + appended(TPE1=b"\0Last") + end)
    assert (both.artist, both.album) == ("Last", "Ape")
    assert tags_of(tmp_path, front + audio + end).artist == "Front"
    assert tags_of(tmp_path, audio + end).artist == ("Old" if with_id3v1 else None)


def test_id3_tags_before_flac(tmp_path: Path, encoded: Encoded) -> None:
    flac = encoded("pcm.flac").read_bytes()
    tag = id3({"TPE1": b"\0First", "TIT2": b"\0Title"})
    later = id3({"TPE1": b"\0Second"})
    assert tags_of(tmp_path, tag + flac, "a.flac").artist == "First"
    tags = tags_of(tmp_path, tag + later + flac, "a.flac")
    assert (tags.artist, tags.title) == ("Second", "Title")


@pytest.mark.parametrize("name", ["a.ape", "a.wv", "a.mpc", "a.tta"])
def test_apev2_tags_of_formats_that_have_no_others(name: str, tmp_path: Path) -> None:
    tags = tags_of(tmp_path, b"some audio" * 100 + ape(Artist="Björk", Title="Jóga", Key="8A", BPM="84"), name)
    assert tags == Tags("Björk", "Jóga", None, 84.0, "A minor")


def test_lying_and_damaged_tags_raise_no_error(tmp_path: Path) -> None:
    whole = id3({"TPE1": b"\0A"}) + id3({"TIT2": b"\0B"}) + bytes(300) + ape(Artist="C") + appended(TPE1=b"\0D")
    random = np.random.default_rng(5)
    for _ in range(300):
        damaged = bytearray(whole[: random.integers(1, len(whole) + 1)])
        for place in random.integers(0, len(damaged), 4):
            damaged[place] = int(random.integers(256))
        (tmp_path / "a.mp3").write_bytes(damaged)
        with (tmp_path / "a.mp3").open("rb") as file:
            tags = read_attached_tags(file)
        assert sum(map(len, (*tags.leading, *tags.trailing))) <= len(damaged)
        assert isinstance(read_tags(tmp_path / "a.mp3"), Tags)
