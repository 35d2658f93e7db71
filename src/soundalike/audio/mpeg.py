"""The structure of MPEG audio streams (mp3, mp2): tags, frames, and whether the stream states its length.

An mp3 is a sequence of frames without a table of contents. Encoders put the frame count and their delay into the first
frame (Xing or Info header); if it is missing, libsndfile estimates the length from the first frame's bit rate and stops
reading there, which truncates files of variable bit rate and files joined from several. It does not know the VBRI header
of Fraunhofer's encoder, which it would decode as a frame.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from soundalike.audio.byte_view import Readable

DELAYS = {1: 240, 2: 481, 3: 1105}
"""By layer, samples by which frames without a header are late: of layer 3 576 of LAME and 529 of the decoder, of the others the
filter banks."""

AAC_DELAY = 1024
"""Samples by which AAC frames without a statement of it are late, as most encoders of streams make them."""

_ADTS_HEADER = 7  # bytes
_SEARCHED = 8192  # bytes after the tag in which the first frame must begin
_FRAMES, _BYTES = 0x1, 0x2  # flags of the Xing header
_SLACK = 65_536  # bytes of tags and lyrics behind the last frame
_XING_OFFSETS = (36, 21, 13)  # bytes from a frame to its Xing header: MPEG-1 stereo, mono or MPEG-2 stereo, MPEG-2 mono
_CRC = 2  # more bytes if the frame has a checksum
_MOST_JOINED = 1000
_LONGEST_FREE_FRAME = 5000  # bytes
_KBIT_RATES = (8, 320)
_TAGS = 16  # ID3v2 tags in a row

_JUNK = 1 << 18  # bytes before the first frame that are skipped
_CONFIRMED = 3  # frames in a row that make a stream
_CONFIRMED_BEHIND_JUNK = 8  # compressed data of other formats contain what looks like three

# kbit/s by the bit rate code, for (MPEG-1, layer) and for (MPEG-2 and 2.5, layer); ISO 11172-3, 13818-3.
_BIT_RATES = {
    (1, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}

# First bytes of files that are not MPEG streams, whatever they contain: ASF, Matroska, WavPack, APE, TTA, AC-3, AU, CAF,
# AIFF, DTS in its four orders, AMR, Musepack, TAK, Shorten, DSF, VOC, SPHERE.
_OTHERS = (
    *(b"\x30\x26\xb2\x75", b"\x1a\x45\xdf\xa3", b"wvpk", b"MAC ", b"TTA1", b"\x0b\x77", b".snd", b"caff", b"FORM"),
    *(b"\x7f\xfe\x80\x01", b"\xfe\x7f\x01\x80", b"\x1f\xff\xe8\x00", b"\xff\x1f\x00\xe8", b"#!AMR", b"MPCK", b"MP+"),
    *(b"tBaK", b"ajkg", b"DSD ", b"Creative Voice", b"NIST_1A"),
)


@dataclass(frozen=True)
class XingHeader:
    """The Xing or Info header in the frame at byte `begin`: the place of the frame count in the file, the count, and the
    bytes of the stream, which include this frame; None for what it does not state."""

    begin: int
    place: int
    frames: int | None
    size: int | None

    def is_plausible(self, kind: tuple[int, int]) -> bool:
        """Whether so many frames fit in so many bytes; kind: (samples of a frame, Hz)."""
        if not self.frames:
            return False
        samples, rate = kind
        slowest, fastest = (samples / 8 * 1000 * kbits / rate for kbits in _KBIT_RATES)
        return self.size is None or slowest - 1 <= self.size / (self.frames + 1) <= fastest + 1


def xing_header(file: Readable, begin: int) -> XingHeader | None:
    """The Xing header of the frame at byte `begin`, None if it has none."""
    file.seek(begin)
    head = file.read(64)
    if _frame(head[:4]) is None:
        return None
    for offset in _XING_OFFSETS:
        for place in (offset, offset + _CRC):
            if head[place : place + 4] in (b"Xing", b"Info") and len(head) >= place + 16:
                flags, frames, size = struct.unpack(">III", head[place + 4 : place + 16])
                if not flags & _FRAMES:  # the sizes follow at once
                    return XingHeader(begin, begin + place + 8, None, frames if flags & _BYTES else None)
                return XingHeader(begin, begin + place + 8, frames, size if flags & _BYTES else None)
    return None


def joined_streams(file: Readable, begin: int) -> tuple[int, ...]:
    """The places at which streams with a Xing header begin, of which the first is at byte `begin`: several where mp3 files
    were joined with their headers."""
    end = file.seek(0, os.SEEK_END)
    places: list[int] = []
    place: int | None = begin
    while place is not None and len(places) < _MOST_JOINED:
        places.append(place)
        header = xing_header(file, place)
        place = None if header is None or not header.size else _next_header(file, place + header.size, end)
    return tuple(places)


def _next_header(file: Readable, place: int, end: int) -> int | None:
    """The next frame with a Xing header behind a stream that ends at byte `place`, or has some more bytes than it states."""
    if place >= end:
        return None
    file.seek(place)
    content = file.read(_SLACK)
    for begin in sorted(_frames_with_header(content)):
        if xing_header(file, place + begin) is not None and _is_stream(file, place + begin, end):
            return place + begin
    return None


def _frames_with_header(content: bytes) -> Iterator[int]:
    for name in (b"Xing", b"Info"):
        found = content.find(name)
        while found >= 0:
            yield from (
                found - offset - crc
                for offset in _XING_OFFSETS
                for crc in (0, _CRC)
                if found >= offset + crc and content[found - offset - crc] == 0xFF
            )
            found = content.find(name, found + 1)


def frame_count(file: Readable, header: XingHeader) -> int | None:
    """The true number of frames behind a Xing header whose own number is impossible; None if that is plausible."""
    file.seek(header.begin)
    frame = _frame(head := file.read(4))
    if frame is None or header.is_plausible((frame[1], _rate(head))):
        return None
    end = file.seek(0, os.SEEK_END)
    return max(0, count_samples(file, header.begin, end) // frame[1] - 1)


def states_its_length(file: Readable) -> bool:
    """Whether the first frame states the frame count, and the file is not longer than the byte count stated with it.

    True for a shorter (truncated) file: reading stops where the data end. False if another stream follows.
    """
    begin = end_of_tags(file)
    file.seek(begin)
    head = file.read(_SEARCHED)
    stated = _stated_bytes(head)
    end = file.seek(0, os.SEEK_END)
    if stated is None or end - begin > stated + stated // 100 + _SLACK:
        return False
    behind = end_of_tags(file, begin + stated)
    return not (behind < end and _is_stream(file, behind, end))


def is_free_format(file: Readable) -> bool:
    """Whether the frames have a size that their headers do not state: of any, but constant bit rate, which libsndfile
    decodes and FFmpeg does not."""
    begin = end_of_tags(file)
    file.seek(begin)
    head = file.read(3 * _LONGEST_FREE_FRAME)
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0 or head[2] >> 4 != 0:
        return False
    if _frame(bytes([head[0], head[1], head[2] | 0x10, 0])) is None:  # whatever else it states must be possible
        return False
    size = 0
    while (size := head.find(head[:2], size + 1)) > 0:
        follow = [head[size * count : size * count + 3] for count in (1, 2)]
        follow += [head[size * 2 + 1 : size * 2 + 4]]  # with padding
        kinds = [len(one) == 3 and one[:2] == head[:2] and one[2] & 0xFC == head[2] & 0xFC for one in follow]
        if kinds[0] and (kinds[1] or kinds[2]):
            return True
    return False


def states_delay(file: Readable, place: int) -> bool:
    """Whether the frame at byte `place` is a header (Xing, Info or VBRI) and not audio."""
    file.seek(place)
    head = file.read(64)
    return any(name in head for name in (b"Xing", b"Info", b"VBRI"))


def end_of_tags(file: Readable, place: int = 0) -> int:
    """Where the audio begins: after the ID3v2 tags at byte `place`, whose sizes are stored as four times 7 bits.

    Of a tag that exceeds the file only the header is skipped.
    """
    length = file.seek(0, os.SEEK_END)
    for _ in range(_TAGS):
        file.seek(place)
        head = file.read(10)
        if len(head) < 10 or head[:3] != b"ID3":
            return place
        size = 0
        for byte in head[6:10]:
            size = size << 7 | byte & 0x7F
        footer = 10 if head[5] & 0x10 else 0
        if place + 10 + size + footer >= length:
            return place + 10
        place += 10 + size + footer
    return place


def may_be_mpeg(head: bytes) -> bool:
    """Whether a file whose audio begins with `head` (16 bytes) may be an MPEG stream, at once or later."""
    adts = len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0
    return not (adts or head.startswith(_OTHERS) or head[4:8] == b"ftyp" or head[8:12] == b"AVI ")


def first_frame(file: Readable, begin: int, end: int | None = None) -> int | None:
    """The first byte of the first of three frames in a row at byte `begin`, or of eight behind it; None if there are none.

    Two frames are enough where the stream ends after them.
    """
    end = file.seek(0, os.SEEK_END) if end is None else end
    if _is_stream(file, begin, end):
        return begin
    file.seek(begin)
    head = file.read(max(0, min(_JUNK, end - begin)))
    place = head.find(b"\xff")
    while place >= 0:
        if _frame(head[place : place + 4]) is not None and _is_stream(file, begin + place, end, _CONFIRMED_BEHIND_JUNK):
            return begin + place
        place = head.find(b"\xff", place + 1)
    return None


def count_samples(file: Readable, begin: int, end: int) -> int:
    """The samples of the frames from byte `begin` on, up to the first that is incomplete or not a frame."""
    total, place = 0, begin
    while place + 4 <= end:
        file.seek(place)
        frame = _frame(file.read(4))
        if frame is None or place + frame[0] > end:
            break
        place += frame[0]
        total += frame[1]
    return total


def count_adts_samples(file: Readable, begin: int, end: int) -> int:
    """The samples of the AAC frames with ADTS headers from byte `begin` on (ISO 13818-7, section 6.2); 0 if there are none."""
    total, place = 0, begin
    while place + _ADTS_HEADER <= end:
        file.seek(place)
        head = file.read(_ADTS_HEADER)
        if len(head) < _ADTS_HEADER or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
            break
        size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
        if size < _ADTS_HEADER or place + size > end:
            break
        place += size
        total += 1024 * ((head[6] & 3) + 1)
    return total


def delay(file: Readable, place: int) -> int:
    """The samples by which the frame at byte `place` and those after it are late."""
    file.seek(place)
    frame = _frame(file.read(4))
    return 0 if frame is None else DELAYS[frame[2] >> 2 & 3]


def _is_stream(file: Readable, place: int, end: int, confirmed: int = _CONFIRMED) -> bool:
    kind: int | None = None
    for count in range(confirmed):
        file.seek(place)
        head = file.read(4)
        frame = _frame(head)
        if frame is None or (kind is not None and frame[2] != kind):
            return count >= 2 and place + 4 > end
        kind = frame[2]
        place += frame[0]
        if place > end:
            return False
    return True


def _frame(head: bytes) -> tuple[int, int, int] | None:
    """(bytes, samples, kind) of the frame with this header; kind is equal for all frames of a stream."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    bit_rate_code, rate_code, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version == 1 or layer == 4 or bit_rate_code in (0, 15) or rate_code == 3:
        return None
    rate = _RATES[version][rate_code]
    bit_rate = _BIT_RATES[1 if version == 3 else 2, layer][bit_rate_code] * 1000
    if layer == 1:
        return (12 * bit_rate // rate + padding) * 4, 384, version << 4 | layer << 2 | rate_code
    samples = 576 if layer == 3 and version != 3 else 1152
    return samples // 8 * bit_rate // rate + padding, samples, version << 4 | layer << 2 | rate_code


def _rate(head: bytes) -> int:
    return _RATES[head[1] >> 3 & 3][head[2] >> 2 & 3]


def _stated_bytes(head: bytes) -> int | None:
    for name in (b"Xing", b"Info"):
        position = head.find(name)
        if position >= 0 and len(head) >= position + 16:
            flags, frames, size = struct.unpack(">III", head[position + 4 : position + 16])
            return int(size) if flags & _FRAMES and frames and flags & _BYTES else None
    return None
