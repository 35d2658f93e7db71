"""Deviations of WAV, RF64, BW64 and W64 files that libsndfile and FFmpeg do not handle.

Integers with fewer valid bits than their container has are stored in the upper bits (WAVE_FORMAT_EXTENSIBLE), but some
programs store them in the lower ones, which decodes to a level 6 dB lower for each missing bit: 48 dB for 24 in 32.
MP3 and AAC inside WAV are decoded from the first frame on, because FFmpeg's WAV demuxer ignores the encoder's delay.
Headers whose sizes are wrong (see `chunk_places`) are rewritten, and samples in several chunks are joined. What fills the
last block of ADPCM and GSM up is left out.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from soundalike.audio import mpeg
from soundalike.audio.byte_view import Piece, Source
from soundalike.audio.chunk_places import ChunkPlace, chunk_places

_PCM, _FLOAT, _EXTENSIBLE, _MPEG, _MP3 = 0x1, 0x3, 0xFFFE, 0x50, 0x55
_IN_BLOCKS = (0x2, 0x11, 0x31)  # ADPCM of Microsoft and of IMA, GSM: the last block is filled up
_GUIDS = (bytes.fromhex("000000001000800000aa00389b71"), bytes.fromhex("00002107d3118644c8c1ca000000"))
"""What follows the code in the extensible format, the second one of Ambisonics; libsndfile refuses others."""

_AAC = (0xFF, 0x1600)  # raw, and with ADTS headers; some programs confuse them
_DS64 = 28  # bytes of the chunk that libsndfile needs
_W64_HEADER = 40  # bytes
_W64_CHUNK = 24  # bytes of a chunk's header: a GUID that begins with the name, and a size that includes the header
_DATA_STEP = 3 << 20  # bytes, a multiple of every width
_LARGE = 0xFFFF_0000  # bytes of samples from which the sizes of RIFF do not suffice
_UNKNOWN = b"\xff\xff\xff\xff"


@dataclass(frozen=True)
class _Format:
    """The fmt chunk: `width` is the size of a sample in bytes, `valid` its stated bits; of a codec with blocks, `block` is
    their size in bytes, and `frames` what they hold; order: of the bytes of a sample, "<" or ">"; plain: the same without
    extension, 16 bytes; is_unknown: whether libsndfile does not read the file's own chunk."""

    code: int
    width: int = 0
    valid: int = 0
    block: int = 0
    frames: int = 0
    order: str = "<"
    plain: bytes = b""
    is_unknown: bool = False

    def replacement(self, gain: float) -> bytes | None:
        """Content for the chunk that libsndfile understands, None if it understands the file's own; gain: that of the samples.

        Of 24 bits in 32, libsndfile guesses whether they are integers or floats; a gain above 1 shows that they are integers.
        """
        return self.plain if self.is_unknown or gain != 1.0 else None

    def length(self, size: int, stated: int | None) -> int | None:
        """The frames in `size` bytes of blocks, of which the last is not full by the fact chunk; None if all are full."""
        whole = -(-size // self.block) * self.frames if self.block else 0
        return stated if stated is not None and whole - self.frames < stated < whole else None


def riff_source(handle: BinaryIO, begin: int) -> Source | None:
    """What to decode of the file whose RIFF header is at byte `begin`; None if the file needs no correction."""
    size = handle.seek(0, os.SEEK_END)
    form: _Format | None = None
    samples: int | None = None
    layout = _Layout.of(handle, begin)
    for chunk in layout.chunks(handle):
        handle.seek(chunk.begin)
        if chunk.name == b"fmt ":
            form = _format(handle.read(min(chunk.size, 40)), layout.order)
        elif chunk.name == b"fact" and chunk.size >= 4:
            samples = int.from_bytes(handle.read(4), "little" if layout.order == "<" else "big")
        elif chunk.name == b"data" and chunk.size > 0:
            end = chunk.begin + chunk.size
            if form is not None and form.code in (_MPEG, _MP3):
                return _mpeg_source(handle, chunk.begin, end, samples)
            if form is not None and form.code in _AAC:
                total = mpeg.count_adts_samples(handle, chunk.begin, end)
                if not total:
                    return Source(skip=mpeg.AAC_DELAY)
                return _delayed(chunk.begin, end, total, mpeg.AAC_DELAY, samples)
            gain = 1.0 if form is None else _gain(handle, chunk.begin, end, form)
            data = [chunk, *layout.further_data(handle, chunk)]
            length = None if form is None else form.length(sum(one.size for one in data), samples)
            pieces = layout.corrected(handle, data, size, None if form is None else form.replacement(gain))
            return Source(pieces, length=length, gain=gain) if pieces or gain != 1.0 or length is not None else None
    is_empty = any(chunk.name == b"data" for chunk in layout.before)
    return Source(length=0) if is_empty else None  # FFmpeg would decode the chunks that follow


@dataclass
class _Layout:
    """The chunks of a file whose header is at byte `begin`; kind: the first four bytes; order: of the bytes of numbers;
    before: the chunks before the samples."""

    begin: int
    kind: bytes
    order: str
    before: list[ChunkPlace]

    @classmethod
    def of(cls, handle: BinaryIO, begin: int) -> _Layout:
        handle.seek(begin)
        kind = handle.read(4)
        return cls(begin, kind, ">" if kind == b"RIFX" else "<", [])

    def chunks(self, handle: BinaryIO) -> Iterator[ChunkPlace]:
        """The chunks up to the samples."""
        if self.kind == b"riff":
            yield from _w64_chunks(handle, self.begin)
            return
        for chunk in chunk_places(handle, self.begin + 12, self.order):
            yield chunk
            if chunk.name == b"data" and chunk.size > 0:
                return
            self.before.append(chunk)

    def further_data(self, handle: BinaryIO, data: ChunkPlace) -> list[ChunkPlace]:
        """The chunks of samples behind the first."""
        if self.kind == b"riff":
            return []
        behind = chunk_places(handle, data.end, self.order)
        return [chunk for chunk in behind if chunk.name == b"data" and chunk.size > 0]

    def corrected(
        self, handle: BinaryIO, data: list[ChunkPlace], size: int, plain: bytes | None
    ) -> tuple[Piece, ...] | None:
        """The pieces of the file with a header that states what the file of `size` bytes holds; None if it does already.
        plain: content for the fmt chunk, None for the file's own.

        Only what the samples need is kept: libsndfile does not get past some damaged chunks (acid, smpl, PEAK).
        """
        if self.kind == b"riff" or not (plain is not None or len(data) > 1 or self._is_wrong(handle, data[0])):
            return None
        pieces: list[Piece] = []
        for chunk in self.before:
            if chunk.name == b"fmt " and plain is not None:
                pieces.append(b"fmt " + struct.pack(self.order + "I", len(plain)) + plain)
            elif chunk.name == b"fmt " or (chunk.name == b"fact" and chunk.size >= 4):
                pieces += [(chunk.begin - 8, chunk.begin + chunk.size), bytes(chunk.size % 2)]
        total = sum(chunk.size for chunk in data)
        if total < _LARGE:
            begin = (b"RIFX" if self.order == ">" else b"RIFF") + _UNKNOWN + b"WAVE"
            stated = struct.pack(self.order + "I", total)
        else:
            begin = b"RF64" + _UNKNOWN + b"WAVEds64" + struct.pack("<IQQQI", 28, size + 36, total, 0, 0)
            stated = _UNKNOWN
        if len(data) == 1:
            return (begin, *pieces, b"data" + stated, (data[0].begin, size))
        return (begin, *pieces, b"data" + stated, *((chunk.begin, chunk.begin + chunk.size) for chunk in data))

    def _is_wrong(self, handle: BinaryIO, data: ChunkPlace) -> bool:
        """Whether libsndfile would find other samples than `data`, or none."""
        if data.size > data.stated or any(chunk.lacks_pad or chunk.name == b"data" for chunk in self.before):
            return True
        if any(_misleads(handle, chunk) for chunk in self.before):
            return True
        if self.kind not in (b"RF64", b"BW64"):  # a size in `ds64` counts for them only
            return any(chunk.name == b"ds64" for chunk in self.before)
        if self.kind == b"BW64" or any(chunk.size % 2 for chunk in self.before):
            return True  # unknown to libsndfile, which in RF64 does not skip pad bytes
        sizes = [chunk for chunk in self.before if chunk.name == b"ds64"]
        if len(sizes) != 1 or sizes[0].size < _DS64 or self.begin > 0:
            return True
        handle.seek(sizes[0].begin + 8)
        return int.from_bytes(handle.read(8), "little") != data.size


def _misleads(handle: BinaryIO, chunk: ChunkPlace) -> bool:
    """Whether libsndfile or FFmpeg loses its place in a chunk before the samples, because its content and size disagree."""
    match chunk.name:
        case b"acid":
            return chunk.size % 2 == 1
        case b"LIST" | b"fact":
            return chunk.size < 4
        case b"smpl":
            handle.seek(chunk.begin + 28)
            loops = int.from_bytes(handle.read(4), "little")
            return chunk.size < 36 + 24 * loops
        case _:
            return False


def _w64_chunks(handle: BinaryIO, begin: int) -> Iterator[ChunkPlace]:
    """The chunks up to the samples; those extend to the end if their size is impossible."""
    size = handle.seek(0, os.SEEK_END)
    place = begin + _W64_HEADER
    while place + _W64_CHUNK <= size:
        handle.seek(place)
        head = handle.read(_W64_CHUNK)
        stated = int.from_bytes(head[16:24], "little") - _W64_CHUNK
        place += _W64_CHUNK
        is_data = head[:4] == b"data"
        if stated < 0 and not is_data:
            return
        length = size - place if is_data and stated <= 0 else min(stated, size - place)
        yield ChunkPlace(head[:4], place, length, stated, place + stated + -stated % 8, lacks_pad=False)
        if is_data:
            return
        place += stated + -stated % 8


def _format(chunk: bytes, order: str) -> _Format | None:
    if len(chunk) < 16:
        return None
    code, channels, *_, block, bits = head = struct.unpack(order + "HHIIHH", chunk[:16])
    if code in (_MPEG, _MP3, *_AAC):
        return _Format(code)
    if code in _IN_BLOCKS and len(chunk) >= 20:
        return _Format(code, block=block, frames=struct.unpack(order + "H", chunk[18:20])[0])
    if channels == 0:
        return None
    is_extensible = code == _EXTENSIBLE and len(chunk) >= 26
    if is_extensible:
        code, bits = (struct.unpack_from(order + "H", chunk, place)[0] for place in (24, 18))
    width = block // channels
    plain = struct.pack(order + "HHIIHH", code, *head[1:5], 8 * width % 2**16)
    is_unknown = (bits == 0 or (is_extensible and (order == ">" or chunk[26:40] not in _GUIDS))) and code in (
        _PCM,
        _FLOAT,
    )
    if code == _PCM and width in (2, 3, 4):
        return _Format(code, width, bits, order=order, plain=plain, is_unknown=is_unknown)
    return _Format(code, plain=plain, is_unknown=True) if is_unknown else None


def _gain(handle: BinaryIO, begin: int, end: int, form: _Format) -> float:
    """Above 1 if the samples use the lower bits only: none exceeds the valid bits, and the bits below are used."""
    if not 0 < form.valid < 8 * form.width:
        return 1.0
    unused = 8 * form.width - form.valid
    limit = 1 << form.valid - 1
    uses_low_bits = False
    handle.seek(begin)
    for first in range(begin, end, _DATA_STEP):
        values = _integers(handle.read(min(_DATA_STEP, end - first)), form)
        if values.size and (int(values.max()) >= limit or int(values.min()) < -limit):
            return 1.0
        uses_low_bits = uses_low_bits or bool((values & (1 << unused) - 1).any())
    return float(1 << unused) if uses_low_bits else 1.0


def _integers(content: bytes, form: _Format) -> np.ndarray[tuple[int, ...], np.dtype[np.int32]]:
    """Integers of 2, 3 or 4 bytes; an incomplete one at the end is dropped."""
    content = content[: len(content) // form.width * form.width]
    if form.width != 3:
        return np.frombuffer(content, f"{form.order}i{form.width}").astype(np.int32)
    padded = np.zeros((len(content) // 3, 4), dtype=np.uint8)
    padded[:, slice(1, 4) if form.order == "<" else slice(0, 3)] = np.frombuffer(content, np.uint8).reshape(-1, 3)
    return padded.view(f"{form.order}i4")[:, 0].astype(np.int32) >> 8


def _mpeg_source(handle: BinaryIO, begin: int, end: int, stated: int | None) -> Source:
    """The stream from its first frame on; without a header that states the delay, the usual one is dropped."""
    first = mpeg.first_frame(handle, begin, end)
    if first is None:
        return Source(((begin, end),))
    if mpeg.states_delay(handle, first):
        return Source(((first, end),))
    return _delayed(first, end, mpeg.count_samples(handle, first, end), mpeg.delay(handle, first), stated)


def _delayed(begin: int, end: int, total: int, delay: int, stated: int | None) -> Source:
    """The bytes of a stream of `total` samples without the first `delay` ones.

    stated: the length by the fact chunk. Some programs include the delay in it, which shows if the length and the delay
    together are more than the frames hold.
    """
    skip = min(delay, total)
    length = total - skip
    if stated:
        length = stated if stated + skip <= total else min(length, max(0, stated - skip))
    return Source(((begin, end),), skip, length)
