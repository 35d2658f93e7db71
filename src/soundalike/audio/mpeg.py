"""Whether an mp3 file states its length.

An mp3 is a sequence of frames without a table of contents. Encoders of variable bit rate put the frame count into the
first frame (Xing/Info or VBRI header); if it is missing, libsndfile estimates the length from the first frame's bit rate
and stops reading there, which truncates files of variable bit rate and files joined from several.
"""

from __future__ import annotations

import struct
from pathlib import Path

_SEARCHED = 8192  # bytes after the tag in which the first frame must begin
_FRAMES, _BYTES = 0x1, 0x2  # flags of the Xing header
_SLACK = 65_536  # bytes of tags and lyrics behind the last frame


def states_its_length(path: Path) -> bool:
    """Whether the first frame states the frame count, and the file is not longer than the byte count stated with it.

    True for a shorter (truncated) file: reading stops where the data end.
    """
    with path.open("rb") as file:
        begin = _end_of_id3(file.read(10))
        file.seek(begin)
        head = file.read(_SEARCHED)
    stated = _stated_bytes(head)
    return stated is not None and path.stat().st_size - begin <= stated + stated // 100 + _SLACK


def _end_of_id3(head: bytes) -> int:
    """Where the audio begins: after the ID3v2 tag, whose size is stored as four times 7 bits."""
    if len(head) < 10 or head[:3] != b"ID3":
        return 0
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    footer = 10 if head[5] & 0x10 else 0
    return 10 + size + footer


def _stated_bytes(head: bytes) -> int | None:
    for name in (b"Xing", b"Info"):
        position = head.find(name)
        if position >= 0 and len(head) >= position + 16:
            flags, _, size = struct.unpack(">III", head[position + 4 : position + 16])
            return int(size) if flags & _FRAMES and flags & _BYTES else None
    position = head.find(b"VBRI")
    if position >= 0 and len(head) >= position + 14:
        return int(struct.unpack(">I", head[position + 10 : position + 14])[0])
    return None
