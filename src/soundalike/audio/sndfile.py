"""Decoding by libsndfile: wav, aiff, flac, ogg, opus, mp3. Use `soundalike.audio.decode`.

Its seeking is sample-exact in all of these formats (a region equals the slice of the whole file) except some kinds of
ADPCM, which are read from the beginning, and MP3, which is read from some frames before; and it opens files without decoding
them. For files that it cannot open, would truncate (mp3 without a frame count) or fails to decode (damaged flac), the
functions return None, and `soundalike.audio.ffmpeg` takes over.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from soundalike.audio.byte_view import WHOLE_FILE, ByteView, Source
from soundalike.audio.mpeg import is_free_format, states_its_length
from soundalike.audio.stderr_silencing import silenced_stderr

# The formats of libsndfile that are used. The others are either not for music or detected by so little (HTK,
# headerless RAW by the file's name) that a damaged file or a text would pass as audio.
FORMATS = frozenset({"WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC", "OGG", "MP3"})

# First bytes of the formats whose decoders never write to stderr; CAF may reach the ALAC decoder, which does, and
# anything else libmpg123.
_SILENT_MAGIC = (b"RIFF", b"RF64", b"riff", b"FORM", b".snd", b"fLaC", b"OggS")

# libsndfile returns Vorbis and Opus channels in their own order (L C R Ls Rs LFE); these indices reorder them as
# in WAVE files (L R C LFE ...). Vorbis I specification, section 4.3.9; RFC 7845, section 5.1.1.2.
_OGG_TO_WAVE_ORDER = {
    3: (0, 2, 1),
    5: (0, 2, 1, 3, 4),
    6: (0, 2, 1, 5, 3, 4),
    7: (0, 2, 1, 6, 5, 3, 4),
    8: (0, 2, 1, 7, 5, 6, 3, 4),
}

# Subtypes whose decoder keeps its state when libsndfile seeks, so that what follows is wrong.
_INEXACT_SEEKING = ("G721", "G723", "NMS_ADPCM", "VOX_ADPCM")

# Samples of an MP3 that are decoded and dropped before a region: a frame may begin up to 511 bytes before itself (the bit
# reservoir), which of the smallest frames is further back than libsndfile's decoder goes after it has sought.
_MP3_PRE_ROLL = 40_000

# Values read at once: whole songs, but not the memory that a header which states too much would take.
_CHUNK_VALUES = 2**25
_SMALL_CHUNK_VALUES = 2**18

# Values for each byte of a file of whose header nothing is believed beyond it: PCM has 1 at most, lossy codecs at low
# rates some 60; only digital silence has more.
_BELIEVED = 128


def probe(path: Path, source: Source = WHOLE_FILE) -> tuple[int, int, int, str] | None:
    """(frames, sample_rate, channels, codec) by the header; None if libsndfile cannot be used for the file.

    The frames are counted by decoding if the header states more than the bytes are likely to hold.
    """
    with _open(path, source) as file:
        if file is None:
            return None
        frames = file.frames
        if frames > 0 and _doubtful(path, file):
            frames = _count_frames(file)
        return _within(frames, source), file.samplerate, file.channels, f"{file.format} {file.subtype}".lower()


def describe(path: Path) -> dict[str, Any]:
    """What libsndfile reports of a file as it is: format, subtype, frames, rate, channels, and whether it is used. Raises
    ValueError with its reason if it does not open it."""
    with silenced_stderr():
        try:
            with soundfile.SoundFile(str(path) if os.name == "nt" else os.fsencode(path)) as file:
                found = {
                    "format": f"{file.format} {file.subtype}",
                    "frames": file.frames,
                    "sample_rate": file.samplerate,
                    "channels": file.channels,
                }
        except (soundfile.SoundFileError, TypeError) as error:  # TypeError: a suffix of headerless files
            raise ValueError(str(getattr(error, "error_string", error))) from None
    with _open(path, WHOLE_FILE) as used:
        return {**found, "used": used is not None}


def read(
    path: Path, start: float, duration: float | None, max_values: int, source: Source = WHOLE_FILE
) -> tuple[NDArray[np.float32], int] | None:
    """(samples float32 (channels, samples), sample_rate) of a region; None if libsndfile fails.

    The region is frames round(start * rate) .. + round(duration * rate), cut at the file's end; it has no samples if
    it begins after the end. Reading stops once more than `max_values` values (frames x channels) have been read.
    """
    with _open(path, source) as file:
        if file is None:
            return None
        first = round(start * file.samplerate)
        wanted = _within(file.frames, source) - first
        if duration is not None:
            wanted = min(round(duration * file.samplerate), wanted)
        if wanted <= 0:
            return np.zeros((file.channels, 0), dtype=np.float32), file.samplerate
        # libsndfile crashes if it seeks in a Vorbis stream whose setup header is damaged.
        if first > 0 and file.subtype == "VORBIS" and not _has_first_frame(path, source, path.stat().st_mtime_ns):
            return None
        chunk_values = _SMALL_CHUNK_VALUES if _doubtful(path, file) else _CHUNK_VALUES
        try:
            frames = _read_frames(file, first + source.skip, wanted, max_values, chunk_values)
        except soundfile.SoundFileError:
            return None
        samples = frames.T
        if file.format == "OGG" and file.channels in _OGG_TO_WAVE_ORDER:
            samples = samples[list(_OGG_TO_WAVE_ORDER[file.channels])]
        if source.gain != 1.0:
            samples = samples * np.float32(source.gain)
        return np.ascontiguousarray(samples), file.samplerate


@functools.lru_cache(maxsize=64)
def _has_first_frame(path: Path, source: Source, modified: int) -> bool:
    """Whether the first frame can be decoded. Another open file, because a read before a seek changes what it returns."""
    with _open(path, source) as file:
        return file is not None and len(file.read(1)) == 1


def _within(frames: int, source: Source) -> int:
    """The frames of the source in a stream of `frames`."""
    left = max(0, frames - source.skip)
    return left if source.length is None else min(left, source.length)


def _doubtful(path: Path, file: soundfile.SoundFile) -> bool:
    return bool(file.frames * file.channels > _BELIEVED * path.stat().st_size)


def _count_frames(file: soundfile.SoundFile) -> int:
    """The frames that can be decoded."""
    step = max(1, _SMALL_CHUNK_VALUES // file.channels)
    buffer = np.empty((step, file.channels), dtype=np.float32)
    count = 0
    try:
        while (length := len(file.read(out=buffer))) > 0:
            count += length
    except soundfile.SoundFileError:
        pass
    return count


def _read_frames(
    file: soundfile.SoundFile, first: int, wanted: int, max_values: int, chunk_values: int
) -> NDArray[np.float32]:
    """Up to `wanted` frames from frame `first`, (frames, channels); fewer if the file ends early."""
    step = max(1, chunk_values // file.channels)
    sought = first
    if file.subtype.startswith(_INEXACT_SEEKING):
        sought = 0
    elif file.format == "MP3":
        sought = max(0, first - _MP3_PRE_ROLL)
    if sought > 0:
        file.seek(sought)
    for begin in range(sought, first, step):
        file.read(min(step, first - begin), dtype="float32")
    chunks: list[NDArray[np.float32]] = []
    count = 0
    while count < wanted and count * file.channels <= max_values:
        size = min(step, wanted - count)
        chunk: NDArray[np.float32] = file.read(size, dtype="float32", always_2d=True)
        chunks.append(chunk)
        count += len(chunk)
        if len(chunk) < size:
            break
    return chunks[0] if len(chunks) == 1 else np.concatenate(chunks)


class _SequentialFile(soundfile.SoundFile):  # type: ignore[misc]
    """Reads what follows what was read before, where `SoundFile` would seek to it: that takes time, and in MP3 the samples after
    it are wrong. `seek` works as usual."""

    def seekable(self) -> bool:
        return False


@contextlib.contextmanager
def _open(path: Path, source: Source) -> Iterator[soundfile.SoundFile | None]:
    """The open source, or None if libsndfile does not recognise it or its format is not in FORMATS."""
    with path.open("rb") as handle:
        view = ByteView(handle, source.pieces or ((0, path.stat().st_size),))
        head = view.read(12)
        silent = head[:4] in _SILENT_MAGIC and (head[:4] != b"RIFF" or head[8:] == b"WAVE")  # RMP3 is MP3 in RIFF
        view.seek(0)
        if source.stream > 0:  # none of its containers has several
            yield None
            return
        if source.pieces is None and path.suffix.lower() == ".raw":  # soundfile would require rate and channels
            yield None
            return
        # Bytes, because soundfile cannot encode a name that is not UTF-8 (on Windows there are none, and bytes are not
        # accepted).
        name = str(path) if os.name == "nt" else os.fsencode(path)
        with contextlib.nullcontext() if silent else silenced_stderr():
            try:
                file = _SequentialFile(name if source.pieces is None else view)
            except soundfile.SoundFileError:
                yield None
                return
            with file:
                yield file if file.format in FORMATS and _is_whole(file, ByteView(handle, view.pieces)) else None


def _is_whole(file: soundfile.SoundFile, view: ByteView) -> bool:
    """Whether libsndfile reads the file to its end."""
    return file.format != "MP3" or states_its_length(view) or is_free_format(view)
