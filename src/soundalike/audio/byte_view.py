"""A file-like object over pieces of a file, so that a decoder sees a corrected or shorter file without a copy of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import BinaryIO, Protocol

Piece = bytes | tuple[int, int]
"""Bytes as they are, or the range (begin, end) of the file."""


class Readable(Protocol):
    """An open file, or a view of one."""

    def read(self, size: int = ..., /) -> bytes: ...

    def seek(self, offset: int, whence: int = ..., /) -> int: ...


@dataclass(frozen=True)
class Source:
    """One stream of a file, as a decoder reads it.

    pieces: its bytes (see `ByteView`), None for the file as it is; skip: samples to drop at the beginning (the
    encoder's delay); length: the samples that follow, None if unknown; gain: factor for the samples; stream: which of the
    audio streams of a container.
    """

    pieces: tuple[Piece, ...] | None = None
    skip: int = 0
    length: int | None = None
    gain: float = 1.0
    stream: int = 0


WHOLE_FILE = Source()


class ByteView:
    """Read-only and seekable: the concatenated `pieces` of the open file `handle`.

    Invalid positions do not raise, because exceptions inside the callbacks of libsndfile and FFmpeg would be printed:
    `seek` clamps to 0 and to the end.
    """

    def __init__(self, handle: BinaryIO, pieces: tuple[Piece, ...]) -> None:
        self._handle = handle
        self.pieces = tuple(piece for piece in pieces if _size(piece) > 0)
        self.size = sum(map(_size, self.pieces))
        self._position = 0

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}.get(whence, 0)
        self._position = min(max(0, base + offset), self.size)
        return self._position

    def read(self, size: int = -1) -> bytes:
        wanted = self.size - self._position if size < 0 else min(size, self.size - self._position)
        result = []
        begin = 0  # of the piece, in the view
        for piece in self.pieces:
            length = _size(piece)
            if wanted > 0 and begin <= self._position < begin + length:
                inside = self._position - begin
                content = self._content(piece, inside, min(wanted, length - inside))
                result.append(content)
                self._position += len(content)
                wanted -= len(content)
                if len(content) == 0:  # the file became shorter
                    break
            begin += length
        return b"".join(result)

    def readinto(self, buffer: bytearray | memoryview) -> int:
        view = memoryview(buffer).cast("B")
        content = self.read(len(view))
        view[: len(content)] = content
        return len(content)

    def write(self, data: bytes) -> int:
        """Refuses: soundfile requires the method of every file-like object."""
        return 0

    def _content(self, piece: Piece, inside: int, size: int) -> bytes:
        if isinstance(piece, bytes):
            return piece[inside : inside + size]
        self._handle.seek(piece[0] + inside)
        return self._handle.read(size)


def _size(piece: Piece) -> int:
    return len(piece) if isinstance(piece, bytes) else max(0, piece[1] - piece[0])
