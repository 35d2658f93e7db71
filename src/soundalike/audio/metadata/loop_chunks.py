"""The loop chunks that audio editors write: `acid`, `smpl` and `inst` of wav, `basc` of aiff (Apple Loops).

Damaged files and other formats have none. Layouts: acid and inst as in
libsndfile's wav.c, smpl in the Multimedia Programming Interface and Data Specifications 1.0 (IBM, Microsoft
1991), basc as in libsndfile's aiff.c.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from soundalike.audio.metadata.keys import Key, Mode

_ACID_ONE_SHOT, _ACID_ROOT_VALID = 0x01, 0x02
_WAV_CHUNKS = (b"acid", b"smpl", b"inst", b"fmt ", b"data")
_AIFF_CHUNKS = (b"basc", b"COMM")
_MAX_CHUNKS = 1000
_MAX_BYTES = 4096  # of a chunk that are read
_DEFAULT_ROOT = 60  # what editors write if no note was set: no evidence of C


@dataclass(frozen=True)
class LoopChunk:
    """What a loop chunk states; None for what it does not.

    source: the chunk's name; tempo in BPM; beats: the length in beats; root: a MIDI note; one_shot, looped: as marked.
    """

    source: str
    tempo: float | None = None
    beats: int | None = None
    root: int | None = None
    mode: Mode | None = None
    one_shot: bool | None = None
    looped: bool | None = None

    @property
    def key(self) -> str | None:
        """The root, with the mode if it is known: "A minor", "A"."""
        return None if self.root is None else str(Key(self.root % 12, self.mode))


def read_loop_chunk(path: str | Path) -> LoopChunk | None:
    """The loop chunk of a wav or aiff file (acid before smpl before inst), or None."""
    try:
        with Path(path).open("rb") as file:
            head = file.read(12)
            if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
                return _from_wav(dict(_chunks(file, "<", _WAV_CHUNKS)))
            if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
                return _from_aiff(dict(_chunks(file, ">", _AIFF_CHUNKS)))
    except (OSError, struct.error):
        return None
    return None


def _chunks(file: BinaryIO, order: str, wanted: tuple[bytes, ...]) -> Iterator[tuple[bytes, bytes]]:
    """(name, size as 4 bytes + beginning of the content) of each wanted chunk."""
    for _ in range(_MAX_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            return
        name = head[:4]
        (size,) = struct.unpack(order + "I", head[4:])
        following = file.tell() + size + size % 2
        if name in wanted:
            yield name, head[4:] + file.read(min(size, _MAX_BYTES))
        file.seek(following)


def _from_wav(chunks: dict[bytes, bytes]) -> LoopChunk | None:
    if len(chunks.get(b"acid", b"")) >= 28:
        flags, root, _, _, beats, _, _, tempo = struct.unpack("<IHHfIHHf", chunks[b"acid"][4:28])
        one_shot = bool(flags & _ACID_ONE_SHOT)
        duration = _wav_duration(chunks)
        if not 0 < tempo < 1000 and duration:
            tempo = 60.0 * beats / duration
        return LoopChunk(
            source="acid",
            tempo=_tempo(tempo) if not one_shot and beats else None,
            beats=beats or None if not one_shot else None,
            root=_root(root) if flags & _ACID_ROOT_VALID else None,
            one_shot=one_shot,
            looped=not one_shot,
        )
    if len(chunks.get(b"smpl", b"")) >= 40:
        fields = struct.unpack("<9I", chunks[b"smpl"][4:40])
        return LoopChunk(source="smpl", root=_explicit_root(fields[3]), looped=fields[7] > 0)
    if len(chunks.get(b"inst", b"")) >= 5:
        return LoopChunk(source="inst", root=_explicit_root(chunks[b"inst"][4]))
    return None


def _from_aiff(chunks: dict[bytes, bytes]) -> LoopChunk | None:
    if len(chunks.get(b"basc", b"")) < 24:
        return None
    _, beats, root, scale, _, denominator, loop_type = struct.unpack(">IIHHHHH", chunks[b"basc"][4:22])
    duration = _aiff_duration(chunks)
    modes: dict[int, Mode] = {1: "minor", 2: "major"}
    looped = loop_type != 0
    tempo = 240.0 * beats / denominator / duration if duration and denominator else None
    return LoopChunk(
        source="basc",
        tempo=_tempo(tempo) if looped and tempo else None,
        beats=beats or None,
        root=_root(root) if root else None,
        mode=modes.get(scale),
        one_shot=not looped,
        looped=looped,
    )


def _wav_duration(chunks: dict[bytes, bytes]) -> float | None:
    if len(chunks.get(b"fmt ", b"")) < 20 or b"data" not in chunks:
        return None
    (bytes_per_second,) = struct.unpack("<I", chunks[b"fmt "][12:16])
    (size,) = struct.unpack("<I", chunks[b"data"][:4])
    return size / bytes_per_second if bytes_per_second and size else None


def _aiff_duration(chunks: dict[bytes, bytes]) -> float | None:
    if len(chunks.get(b"COMM", b"")) < 22:
        return None
    _, frames, _, exponent, mantissa = struct.unpack(">hIhHQ", chunks[b"COMM"][4:22])
    rate = float(mantissa) * 2.0 ** (exponent - 16383 - 63) if 0 < exponent < 16500 else 0.0  # 80-bit extended
    return frames / rate if rate > 0 and frames else None


def _tempo(value: float) -> float | None:
    return round(float(value), 3) if 20.0 <= value <= 400.0 else None


def _root(note: int) -> int | None:
    return note if 12 <= note <= 120 else None


def _explicit_root(note: int) -> int | None:
    return None if note == _DEFAULT_ROOT else _root(note)
