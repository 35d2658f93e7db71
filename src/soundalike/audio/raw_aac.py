"""AAC frames without headers (as in some WAV files), divided into pieces that end where a frame does.

Nothing but decoding them shows where such frames end, and PyAV returns all frames of a packet at once: of near silence a megabyte
can be 175,000 frames, 3 GB. FFmpeg's decoder takes several frames from one packet and stops at one that is incomplete. A frame
therefore ends at a byte exactly if the bytes up to it hold one frame more than those without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import av

PIECE = 16 << 10
"""Bytes of a piece at most."""

_AHEAD = 12 << 10
"""Bytes that hold two frames whatever they are: 768 bytes for each of eight channels at most (ISO 13818-7, section 8.2.2)."""


def pieces(packets: Iterable[bytes], extradata: bytes | None, longest: int = PIECE) -> Iterator[bytes]:
    """The joined `packets` in pieces of whole frames of at most `longest` bytes; ends at a frame that cannot be decoded.

    extradata: the AudioSpecificConfig of the stream, None if there is none.
    """
    buffer = b""
    source = iter(packets)
    ended = False
    while True:
        while not ended and len(buffer) < longest + _AHEAD:
            packet = next(source, None)
            ended = packet is None
            buffer += packet or b""
        if ended and len(buffer) <= longest:
            if buffer:
                yield buffer  # with what may follow the last frame
            return
        end = _last_end(buffer, min(longest, len(buffer)), extradata)
        if end is None:
            return
        yield buffer[:end]
        buffer = buffer[end:]


def _last_end(buffer: bytes, longest: int, extradata: bytes | None) -> int | None:
    """The last byte up to `longest` at which a frame ends; None if the first frame cannot be decoded or is longer."""
    scout = _decoder(extradata)
    for only_likely in (True, False):
        for end in range(longest, 0, -1):
            if only_likely and not _may_end(buffer, end):
                continue
            if _count(scout, buffer[end : end + _AHEAD]) and _ends(buffer, end, extradata):
                return end
    return None


def _may_end(buffer: bytes, end: int) -> bool:
    """Whether the bits before byte `end` are those of most frames' ends: three ones, then zeros up to the byte."""
    last = int.from_bytes(buffer[max(0, end - 2) : end], "big")
    zeros = (last & -last).bit_length() - 1
    return 0 <= zeros < 8 and last >> zeros & 7 == 7


def _ends(buffer: bytes, end: int, extradata: bytes | None) -> bool:
    """Whether a frame ends at byte `end`; a new decoder each time, because wrong bytes may have changed what it expects."""
    return _count(_decoder(extradata), buffer[:end]) > _count(_decoder(extradata), buffer[: end - 1])


def _decoder(extradata: bytes | None) -> av.AudioCodecContext:
    decoder = av.CodecContext.create("aac", "r")
    if extradata:
        decoder.extradata = extradata
    return decoder


def _count(decoder: av.AudioCodecContext, content: bytes) -> int:
    """How many whole frames are at the beginning of some bytes."""
    try:
        return len(decoder.decode(av.Packet(content))) if content else 0
    except (av.FFmpegError, ValueError, MemoryError):
        return 0
    finally:
        decoder.flush_buffers()
