"""Decoding by FFmpeg (PyAV): m4a/aac, wma and all else that libsndfile cannot. Use `soundalike.audio.decode`.

Frames are taken as the decoder gives them and converted here: FFmpeg's resampler would scale a downmix by
1.41, so it is never asked for another format, layout or rate.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np
from numpy.typing import NDArray

from soundalike.audio.waveform import resample, to_channels

# The demuxers that may look at a file. Left to itself FFmpeg also takes playlists, subtitles and pictures,
# and a playlist can name other files and addresses.
_DEMUXERS = "mov,mp4,m4a,asf,aac,mp3,ogg,flac,wav,w64,aiff,au,caf,matroska,webm,wv,ac3,ape,tta"

# Seconds decoded and dropped ahead of a region after a seek. AAC needs one frame of overlap (23 ms), its SBR
# some more.
_PRE_ROLL = 0.5

# A decoder's last frame may run over the stated end of the stream by the encoder's padding: up to this many
# samples past it are cut, more mean that the statement is wrong.
_PADDING = 4096

# The most channels whose planes PyAV finds (FFmpeg's AV_NUM_DATA_POINTERS); frames of more are left out.
_MOST_CHANNELS = 8

_DTYPES = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}
_SCALE = {"u8": 2.0**7, "s16": 2.0**15, "s32": 2.0**31, "s64": 2.0**63}


def probe(path: Path) -> tuple[int, int, int, str] | None:
    """(frames, sample_rate, channels, codec) or None where FFmpeg finds no audio that it can decode.

    Frames are those that the container states where it has a table of samples; elsewhere they are counted by
    decoding (bit rates and milliseconds are no count).
    """
    try:
        with path.open("rb") as handle, _container(handle) as container:
            stream = _audio_stream(container)
            frames = _decoded(container, stream)
            first = next(frames, None)
            if first is None:
                return None
            rate = int(first.sample_rate)
            codec = f"{container.format.name.split(',')[0]} {stream.codec_context.name}"
            length = _stated_frames(container, stream, rate)
            if length is None:
                length = int(first.samples) + sum(int(frame.samples) for frame in frames)
            return length, rate, len(first.layout.channels), codec
    except (av.FFmpegError, OSError, ValueError):
        return None


def read(path: Path, start: float, duration: float | None, most: int) -> tuple[NDArray[np.float32], int] | None:
    """(samples float32 (channels, samples), sample_rate) of the region; None where nothing decodes.

    The region is frames round(start * rate) .. + round(duration * rate) of the full decode, cut at the file's
    end. Packets that do not decode are skipped. Reading stops once more than `most` values have been read.
    """
    try:
        with path.open("rb") as handle, _container(handle) as container:
            stream = _audio_stream(container)
            frames = _decoded(container, stream)
            head = next(frames, None)
            if head is None:
                return None
            rate = int(head.sample_rate)
            first = round(start * rate)
            last = None if duration is None else first + round(duration * rate)
            region = _Region(first, last, _stated_frames(container, stream, rate), most)
            if _seek(container, stream, rate, first):
                frames = _decoded(container, stream)
                head = next(frames, None)
                if head is not None:
                    region.position = _position(head, stream, rate)
            _collect(itertools.chain([head] if head is not None else [], frames), region, rate)
            return region.samples(len(head.layout.channels) if head is not None else 1), rate
    except (av.FFmpegError, OSError, ValueError):
        return None


class _Region:
    """Collects the frames of one region as they come, in one layout and at one rate.

    `first` and `last` are sample positions (`last` None: to the end), `stated` the length that the container
    claims.
    """

    def __init__(self, first: int, last: int | None, stated: int | None, most: int) -> None:
        self.first = first
        self.last = last
        self.stated = stated
        self.most = most
        self.position = 0
        self.kept = 0
        self.begin: int | None = None
        self.chunks: list[NDArray[np.float32]] = []

    def wants_more(self) -> bool:
        if self.kept > self.most:
            return False
        if self.last is None:
            return True
        if self.stated is not None and self.last > self.stated:
            return self.position < max(self.last, self.stated + _PADDING + 1)
        return self.position < self.last

    def add(self, chunk: NDArray[np.float32]) -> None:
        length = chunk.shape[1]
        if self.position + length > self.first:
            if self.begin is None:
                self.begin = self.position
            self.chunks.append(chunk)
            self.kept += chunk.size
        self.position += length

    def samples(self, channels: int) -> NDArray[np.float32]:
        end = self.position
        if self.stated is not None and self.stated < end <= self.stated + _PADDING:
            end = self.stated
        if self.last is not None:
            end = min(end, self.last)
        if self.begin is None or end <= self.first:
            return np.zeros((channels, 0), dtype=np.float32)
        joined = np.concatenate(self.chunks, axis=1) if len(self.chunks) > 1 else self.chunks[0]
        return np.ascontiguousarray(joined[:, self.first - self.begin : end - self.begin])


def _collect(frames: Iterable[Any], region: _Region, rate: int) -> None:
    """Feeds `region` with `frames` until it has enough; a change of layout or rate midway is undone."""
    channels = 0
    for frame in frames:
        chunk = _to_float(frame)
        channels = channels or chunk.shape[0]
        if chunk.shape[0] != channels:
            chunk = np.repeat(to_channels(chunk, 1), channels, axis=0)
        if frame.sample_rate != rate:
            chunk = resample(chunk, int(frame.sample_rate), rate)
        region.add(chunk)
        if not region.wants_more():
            return


def _seek(container: Any, stream: Any, rate: int, first: int) -> bool:
    """Seeks to some time before sample `first` where that can be exact and spares something."""
    if not _indexed(container, stream) or stream.start_time is None:
        return False
    seconds = first / rate - _PRE_ROLL
    if seconds <= _PRE_ROLL:
        return False
    container.seek(int(stream.start_time + seconds / stream.time_base), stream=stream, backward=True)
    return True


def _position(frame: Any, stream: Any, rate: int) -> int:
    """The sample position of the first frame after a seek. Raises ValueError where it has no timestamp."""
    if frame.pts is None:
        raise ValueError("a frame without a timestamp")
    position: int = round((frame.pts - stream.start_time) * frame.time_base * rate)
    return position


def _indexed(container: Any, stream: Any) -> bool:
    """Whether timestamps count samples: a container with a table of samples and ticks of whole samples."""
    known = container.format.name.startswith("mov,") and stream.time_base is not None
    return bool(known and stream.time_base <= Fraction(1, 8000))


def _stated_frames(container: Any, stream: Any, rate: int) -> int | None:
    if not _indexed(container, stream) or not stream.duration:
        return None
    frames: int = round((stream.duration - (stream.start_time or 0)) * stream.time_base * rate)
    return frames


def _decoded(container: Any, stream: Any) -> Iterator[Any]:
    """The decoded frames of `stream`: packets that do not decode are skipped, a damaged container ends it."""
    if stream is None:
        return
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.FFmpegError, OSError, ValueError):
            return
        try:
            frames = packet.decode()
        except (av.FFmpegError, ValueError):
            continue
        yield from (frame for frame in frames if _usable(frame))


def _usable(frame: Any) -> bool:
    return bool(frame.samples and frame.sample_rate and 0 < len(frame.layout.channels) <= _MOST_CHANNELS)


def _to_float(frame: Any) -> NDArray[np.float32]:
    """A decoded frame as float32 (channels, samples), integers scaled to -1..1. Raises ValueError for odd formats."""
    kind = frame.format.name.removesuffix("p")
    dtype = _DTYPES.get(kind)
    if dtype is None:
        raise ValueError(f"samples of format {frame.format.name}")
    channels, samples = len(frame.layout.channels), int(frame.samples)
    # Not frame.to_ndarray(): PyAV counts the planes up to a null pointer that FFmpeg does not promise, which for eight
    # channels and more reads memory that is none of the frame's (seen to crash on a damaged file of 37 channels).
    if frame.format.is_planar:
        values = np.stack([np.frombuffer(plane, dtype, samples) for plane in frame.planes[:channels]])
    else:
        values = np.frombuffer(frame.planes[0], dtype, samples * channels).reshape(samples, channels).T
    if kind in _SCALE:
        offset = _SCALE["u8"] if kind == "u8" else 0.0
        return np.asarray((values - offset) / _SCALE[kind], dtype=np.float32)
    with np.errstate(over="ignore"):  # a double beyond float32 becomes infinite, and infinity is refused by name
        return np.array(values, dtype=np.float32)


class _Source:
    """A file for FFmpeg to read: no name from which to guess a format or a protocol.

    A damaged file may send FFmpeg to impossible places; PyAV prints the exception that seeking there raises, so it is
    answered by a negative number, which is FFmpeg's own word for an error.
    """

    def __init__(self, handle: BinaryIO) -> None:
        self._handle = handle
        self.read = handle.read
        self.tell = handle.tell

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return self._handle.seek(offset, whence)
        except (OSError, ValueError, OverflowError):
            return -1


def _container(handle: BinaryIO) -> Any:
    return av.open(_Source(handle), "r", metadata_errors="ignore", container_options={"format_whitelist": _DEMUXERS})


def _audio_stream(container: Any) -> Any:
    for stream in container.streams.audio:
        if stream.codec_context is not None:
            return stream
    return None
