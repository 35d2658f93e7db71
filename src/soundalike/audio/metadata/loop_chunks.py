"""The loop chunks that audio editors write: `acid`, `smpl` and `inst` of wav, `basc` of aiff (Apple Loops).

Read from every kind of wav: RIFF, RIFX, RF64, BW64 and Wave64. Damaged files and other formats have none. Layouts: acid and
inst as in libsndfile's wav.c, smpl in the Multimedia Programming Interface and Data Specifications 1.0 (IBM, Microsoft
1991), basc as in libsndfile's aiff.c.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from soundalike.audio.metadata.chunks import ChunkedFile
from soundalike.audio.metadata.keys import Key, Mode

_ACID_ONE_SHOT, _ACID_ROOT_VALID = 0x01, 0x02
_MAX_BYTES = 4096  # of a chunk that are read
LIMITS = dict.fromkeys((b"acid", b"smpl", b"inst", b"fmt ", b"basc", b"COMM"), _MAX_BYTES) | {b"data": 0}
"""What `chunks.read_chunks` has to read for `loop_chunk`."""

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


def loop_chunk(file: ChunkedFile) -> LoopChunk | None:
    """The loop chunk of a wav or aiff file with the chunks of `LIMITS` (acid before smpl before inst), or None."""
    return _from_wav(file) if file.form == "WAVE" else _from_aiff(file)


def _content(file: ChunkedFile, name: bytes, least: int) -> bytes | None:
    """The content of a chunk, None if it has fewer than `least` bytes."""
    chunk = file.last(name)
    return chunk.content if chunk is not None and len(chunk.content) >= least else None


def _from_wav(file: ChunkedFile) -> LoopChunk | None:
    if (acid := _content(file, b"acid", 24)) is not None:
        flags, root, _, _, beats, _, _, tempo = struct.unpack_from(file.order + "IHHfIHHf", acid)
        one_shot = bool(flags & _ACID_ONE_SHOT)
        duration = _wav_duration(file)
        if _tempo(tempo) is None and duration:
            tempo = 60.0 * beats / duration
        return LoopChunk(
            source="acid",
            tempo=_tempo(tempo) if not one_shot and beats else None,
            beats=beats or None if not one_shot else None,
            root=_root(root) if flags & _ACID_ROOT_VALID else None,
            one_shot=one_shot,
            looped=not one_shot,
        )
    if (smpl := _content(file, b"smpl", 36)) is not None:
        fields = struct.unpack_from(file.order + "9I", smpl)
        return LoopChunk(source="smpl", root=_explicit_root(fields[3]), looped=fields[7] > 0)
    if inst := _content(file, b"inst", 1):
        return LoopChunk(source="inst", root=_explicit_root(inst[0]))
    return None


def _from_aiff(file: ChunkedFile) -> LoopChunk | None:
    basc = _content(file, b"basc", 20)
    if basc is None:
        return None
    _, beats, root, scale, _, denominator, loop_type = struct.unpack_from(">IIHHHHH", basc)
    duration = _aiff_duration(file)
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


def _wav_duration(file: ChunkedFile) -> float | None:
    form = _content(file, b"fmt ", 16)
    size = sum(chunk.size for chunk in file.chunks if chunk.name == b"data")
    if form is None:
        return None
    (bytes_per_second,) = struct.unpack_from(file.order + "I", form, 8)
    return size / bytes_per_second if bytes_per_second and size else None


def _aiff_duration(file: ChunkedFile) -> float | None:
    common = _content(file, b"COMM", 18)
    if common is None:
        return None
    _, frames, _, exponent, mantissa = struct.unpack_from(">hIhHQ", common)
    rate = float(mantissa) * 2.0 ** (exponent - 16383 - 63) if 0 < exponent < 16500 else 0.0  # 80-bit extended
    return frames / rate if rate > 0 and frames else None


def _tempo(value: float) -> float | None:
    return round(float(value), 3) if 20.0 <= value <= 400.0 else None


def _root(note: int) -> int | None:
    return note if 12 <= note <= 120 else None


def _explicit_root(note: int) -> int | None:
    return None if note == _DEFAULT_ROOT else _root(note)
