from __future__ import annotations

import struct
from pathlib import Path

import pytest

from soundalike.audio.cue_sheet import Track
from soundalike.audio.embedded_cue_sheet import embedded_tracks
from tests.audio.metadata.test_attached_tags import ape
from tests.flac_blocks import comments, flac_with

SHEET = """PERFORMER "The Band"
TITLE "Das Älbum"
FILE "CDImage.wav" WAVE
  TRACK 01 AUDIO
    TITLE "One"
    INDEX 00 00:00:00
    INDEX 01 00:00:37
  TRACK 02 AUDIO
    TITLE "Two"
    PERFORMER "A Guest"
    INDEX 00 00:03:00
    INDEX 01 00:05:00
"""
TRACKS = (
    Track(1, 37 / 75, 5.0, "One", "The Band", "Das Älbum"),
    Track(2, 5.0, None, "Two", "A Guest", "Das Älbum"),
)


def block(*tracks: tuple[int, int, dict[int, int]], not_audio: int = 0) -> bytes:
    """The content of a CUESHEET block of (number, offset, places of indices) (RFC 9639, section 8.7)."""
    content = bytes(128) + struct.pack(">Q", 88_200) + b"\x80" + bytes(258) + bytes([len(tracks)])
    for number, offset, indices in tracks:
        flags = 0x80 if number == not_audio else 0
        content += struct.pack(">QB", offset, number) + bytes(12) + bytes([flags]) + bytes(13) + bytes([len(indices)])
        content += b"".join(struct.pack(">QB", place, index) + bytes(3) for index, place in indices.items())
    return content


LEAD_OUT = (170, 20 * 44_100, {})
BLOCK = block((1, 0, {1: 0}), (2, 5 * 44_100, {0: 0, 1: 44_100}), LEAD_OUT)


@pytest.mark.parametrize("name", ["CUESHEET", "CueSheet"])
def test_the_tag_of_flac(name: str, tmp_path: Path) -> None:
    path = tmp_path / "album.flac"
    path.write_bytes(flac_with((4, comments(ARTIST="The Band", **{name: SHEET}))))
    assert embedded_tracks(path) == TRACKS


def test_the_tag_behind_a_picture_and_id3(tmp_path: Path) -> None:
    path = tmp_path / "album.flac"
    path.write_bytes(
        b"ID3\x04\0\0\0\0\0\x0a" + bytes(10) + flac_with((6, bytes(70_000)), (4, comments(CUESHEET=SHEET)))
    )
    assert embedded_tracks(path) == TRACKS


@pytest.mark.parametrize("name", ["album.ape", "album.wv", "album.mp3"])
def test_the_tag_in_apev2(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"some audio" * 100 + ape(Artist="The Band", Cuesheet=SHEET))
    assert embedded_tracks(path) == TRACKS


def test_the_tag_in_id3(tmp_path: Path) -> None:
    frame = b"\x03CUESHEET\0" + SHEET.encode()
    body = b"TXXX" + len(frame).to_bytes(4, "big") + b"\0\0" + frame
    size = len(body)
    head = b"ID3\x03\0\0" + bytes([0, 0, size >> 7, size & 0x7F])
    path = tmp_path / "album.mp3"
    path.write_bytes(head + body + b"some audio" * 100)
    assert embedded_tracks(path) == TRACKS


def test_the_block_of_flac_has_places_without_texts(tmp_path: Path) -> None:
    path = tmp_path / "album.flac"
    path.write_bytes(flac_with((5, BLOCK)))
    assert embedded_tracks(path) == (Track(1, 0.0, 6.0), Track(2, 6.0, None))
    path.write_bytes(flac_with((5, BLOCK), (4, comments(CUESHEET=SHEET))))
    assert embedded_tracks(path) == TRACKS, "the tag has the texts"


def test_tracks_of_data_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "album.flac"
    tracks = [(number, number * 44_100, {1: 0}) for number in (1, 2, 3)]
    path.write_bytes(flac_with((5, block(*tracks, LEAD_OUT, not_audio=3))))
    assert embedded_tracks(path) == (Track(1, 1.0, 2.0), Track(2, 2.0, 3.0))


@pytest.mark.parametrize(
    "blocks",
    [
        (),
        ((4, comments(CUESHEET="no sheet")),),
        ((4, comments(CUESHEET=SHEET.replace("TRACK 02", 'FILE "2.wav" WAVE\nTRACK 02'))),),
        ((4, comments(CUESHEET=SHEET[: SHEET.index("TRACK 02") - 2])),),
        ((5, block((1, 0, {1: 0}), LEAD_OUT)),),
        ((5, block((1, 44_100, {1: 0}), (2, 0, {1: 0}), LEAD_OUT)),),
        ((5, BLOCK[:410]),),
        ((4, comments(CUESHEET=SHEET)[:40]),),
    ],
)
def test_unusable_sheets_divide_nothing(blocks: tuple[tuple[int, bytes], ...], tmp_path: Path) -> None:
    path = tmp_path / "album.flac"
    path.write_bytes(flac_with(*blocks))
    assert embedded_tracks(path) == ()


def test_a_damaged_tag_leaves_the_block(tmp_path: Path) -> None:
    path = tmp_path / "album.flac"
    path.write_bytes(flac_with((4, comments(CUESHEET="no sheet")), (5, BLOCK)))
    assert len(embedded_tracks(path)) == 2
