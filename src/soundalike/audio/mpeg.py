"""Whether an mp3 file says how long it is.

An mp3 is a row of frames without a table of contents. Encoders of variable bit rate put the count into the first frame
(Xing/Info or VBRI header); where it is missing, libsndfile guesses from the first frame's bit rate and stops reading
there, which cuts files of variable rate and files joined from several.
"""

from __future__ import annotations

import struct
from pathlib import Path

_SEARCHED = 8192  # bytes after the tag in which the first frame must begin
_FRAMES, _BYTES = 0x1, 0x2  # flags of the Xing header
_SLACK = 65_536  # bytes of tags and lyrics behind the last frame


def states_its_length(path: Path) -> bool:
    """Whether the first frame counts the frames, and the file is no longer than the bytes that it counts.

    A shorter file (truncated) counts as stated: reading stops where the data do.
    """
    with path.open("rb") as file:
        begin = _end_of_id3(file.read(10))
        file.seek(begin)
        head = file.read(_SEARCHED)
    stated = _stated_bytes(head)
    return stated is not None and path.stat().st_size - begin <= stated + stated // 100 + _SLACK


def _end_of_id3(head: bytes) -> int:
    """Where the sound begins: after the ID3v2 tag, whose size is written in four times 7 bits."""
    if len(head) < 10 or head[:3] != b"ID3":
        return 0
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    footer = 10 if head[5] & 0x10 else 0
    return 10 + size + footer


def _stated_bytes(head: bytes) -> int | None:
    for name in (b"Xing", b"Info"):
        place = head.find(name)
        if place >= 0 and len(head) >= place + 16:
            flags, _, size = struct.unpack(">III", head[place + 4 : place + 16])
            return int(size) if flags & _FRAMES and flags & _BYTES else None
    place = head.find(b"VBRI")
    if place >= 0 and len(head) >= place + 14:
        return int(struct.unpack(">I", head[place + 10 : place + 14])[0])
    return None
