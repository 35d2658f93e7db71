"""Where the chunks of RIFF and IFF files (wav, aiff) are, although their headers may be wrong.

Writers that omit the pad byte after a chunk of odd size are common: the next chunk is looked for at both places. Sizes are
bounded by the length of the file. Samples of which the header states no size, because a recorder was cut off or a program
wrote to a pipe, extend to the end of the file; so do those that are followed by no chunk in a file of which the header states
the whole length. Layouts: EBU Tech 3306 (RF64), ITU-R BS.2088 (BW64).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_MAX_CHUNKS = 1000
_FORM_HEADER = 12  # bytes before the first chunk
_LEAST_CUT = 1 << 16  # bytes behind samples from which they may be samples too
_TRIED = 4096  # of these
_UNKNOWN_SIZE = 0xFFFFFFFF  # stated in RF64 where the size is in `ds64`, and by programs that write to a pipe
_SAMPLES = {b"data": 0, b"SSND": 8}  # the bytes that a chunk of samples has without any
_KNOWN_NAMES = frozenset(
    name.encode()
    for name in (
        *("fmt ", "data", "fact", "LIST", "acid", "smpl", "inst", "cue ", "plst", "bext", "iXML", "id3 ", "ID3 "),
        *("JUNK", "junk", "PAD ", "FLLR", "CSET", "_PMX", "chna", "axml", "PEAK", "cart", "strc", "LGWV", "ResU"),
        *("COMM", "SSND", "basc", "trns", "cate", "MARK", "INST", "NAME", "AUTH", "(c) ", "ANNO", "APPL", "COMT"),
        *("FVER", "MIDI", "AESD", "SAUR", "CHAN", "afsp", "minf", "elm1", "regn", "umid", "DGDA", "link"),
    )
)


@dataclass(frozen=True)
class ChunkPlace:
    """A chunk. begin: the first byte of its content; size: its bytes that the file has; stated: the size that its header or
    `ds64` states; end: where the next chunk begins; lacks_pad: whether its size is odd and no pad byte follows."""

    name: bytes
    begin: int
    size: int
    stated: int
    end: int
    lacks_pad: bool


def chunk_places(file: BinaryIO, place: int, order: str) -> Iterator[ChunkPlace]:
    """The chunks from byte `place` on, in order; order: of the bytes of a size, "<" or ">"."""
    length = file.seek(0, os.SEEK_END)
    whole = _states_length(file, place - _FORM_HEADER, length, order)
    large: dict[bytes, int] = {}  # the sizes that do not fit in 32 bits
    for _ in range(_MAX_CHUNKS):
        header = _header(file, place, order)
        if header is None:
            return
        name, size = header
        begin = place + 8
        if name == b"ds64":
            content = file.read(min(size, 1 << 16))
            large = _large_sizes(content)
            whole = place - _FORM_HEADER + 8 + int.from_bytes(content[:8], "little") in (length, length - 1)
        if size == _UNKNOWN_SIZE or (size == 0 and name in large):
            size = large.get(name, size)
        stated = size
        size = _true_size(file, name, begin, stated, length, order)
        if whole and name in _SAMPLES and _is_cut(file, begin + size, begin, length, order):
            size = length - begin
        pad = size % 2 and _pad_byte(file, begin + size, length, order)
        yield ChunkPlace(name, begin, size, stated, begin + size + pad, bool(size % 2) and pad == 0)
        place = begin + size + pad


def _true_size(file: BinaryIO, name: bytes, begin: int, stated: int, length: int, order: str) -> int:
    """The size of a chunk in the file."""
    left = max(0, length - begin)
    if name in _SAMPLES:
        if stated <= _SAMPLES[name] < left and not _chunk_at(file, begin + stated, length, order):
            return left
        # Sizes over 4 GiB that were written with 32 bits.
        if name == b"data" and left > stated and (left - stated) % 2**32 == 0:
            return left
    return min(stated, left)


def _states_length(file: BinaryIO, place: int, length: int, order: str) -> bool:
    """Whether the header of a form at byte `place` states the length of the file."""
    header = _header(file, place, order) if place >= 0 else None
    return (
        header is not None
        and header[0] in (b"RIFF", b"RIFX", b"FORM")
        and place + 8 + header[1] in (length, length - 1)
    )


def _is_cut(file: BinaryIO, end: int, begin: int, length: int, order: str) -> bool:
    """Whether samples from byte `begin` on go on behind their stated `end`: much follows it that is neither a chunk nor zeros."""
    if length - end <= max(_LEAST_CUT, (length - begin) // 100):
        return False
    file.seek(end)
    if not any(file.read(_TRIED)):
        return False
    header = _header(file, end, order)
    behind = _header(file, end + 1, order)
    return not any(
        one is not None and all(32 <= byte < 127 for byte in one[0]) and end + 8 + one[1] <= length
        for one in (header, behind)
    )


def _header(file: BinaryIO, place: int, order: str) -> tuple[bytes, int] | None:
    file.seek(place)
    head = file.read(8)
    return (head[:4], struct.unpack(order + "I", head[4:])[0]) if len(head) == 8 else None


def _chunk_at(file: BinaryIO, place: int, length: int, order: str) -> bool:
    """Whether a chunk that ends inside the file begins at `place`."""
    header = _header(file, place, order)
    return header is not None and (
        header[0] in _KNOWN_NAMES
        or (all(32 <= byte < 127 for byte in header[0]) and place + 8 + header[1] in (length, length - 1))
    )


def _pad_byte(file: BinaryIO, end: int, length: int, order: str) -> int:
    """1 if a chunk of odd size that ends at `end` is followed by a pad byte, as it should be, else 0."""
    headers = [_header(file, end + pad, order) for pad in (0, 1)]
    known = [header is not None and header[0] in _KNOWN_NAMES for header in headers]
    if known[0] != known[1]:
        return int(known[1])
    plausible = [
        header is not None
        and all(32 <= byte < 127 for byte in header[0])
        and (end + pad + 8 + header[1] <= length or header[1] == _UNKNOWN_SIZE)
        for pad, header in enumerate(headers)
    ]
    return 0 if plausible == [True, False] else 1


def _large_sizes(content: bytes) -> dict[bytes, int]:
    """The sizes in a `ds64` chunk: of `data`, and of the chunks in its table."""
    if len(content) < 16:
        return {}
    sizes = {b"data": struct.unpack_from("<Q", content, 8)[0]}
    count = struct.unpack_from("<I", content, 24)[0] if len(content) >= 28 else 0
    for entry in range(min(count, (len(content) - 28) // 12)):
        name, size = struct.unpack_from("<4sQ", content, 28 + 12 * entry)
        sizes[name] = size
    return sizes
