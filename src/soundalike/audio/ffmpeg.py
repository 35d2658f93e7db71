"""Decoding by FFmpeg (PyAV): m4a/aac, wma and whatever libsndfile cannot decode. Use `soundalike.audio.decode`.

Frames are converted here, not by FFmpeg's resampler, which would scale a downmix by 1.41: it is never used for
another format, layout or rate.
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

from soundalike.audio import raw_aac
from soundalike.audio.byte_view import WHOLE_FILE, ByteView, Source
from soundalike.audio.waveform import resample, to_channels

DEMUXERS = ",".join(
    (
        "mov,mp4,m4a,asf,aac,mp3,ogg,flac,wav,w64,aiff,au,caf,matroska,webm,wv",
        "ac3,eac3,dts,ape,tta,tak,shn,mpc,mpc8,dsf,voc,amr,avi,flv,mpegts,nistsphere,iff",
    )
)
"""The demuxers allowed. By default FFmpeg also accepts playlists, subtitles and pictures, and a playlist can refer to other
files and addresses."""

# Seconds decoded and dropped before a region after a seek. AAC needs one frame of overlap (23 ms), SBR some more.
_PRE_ROLL = 0.5

# A decoder's last frame may exceed the stated end of the stream by the encoder's padding: up to this many samples
# are cut; more mean that the stated end is wrong.
_PADDING = 4096

# The most channels whose planes PyAV handles (FFmpeg's AV_NUM_DATA_POINTERS); frames with more are skipped.
_MAX_CHANNELS = 8

_READ_AT_ONCE = 1 << 20  # bytes

# Values for each byte of the file up to which a stated length is believed; beyond it the frames are counted.
_BELIEVED = 128

_DTYPES = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}
_SCALE = {"u8": 2.0**7, "s16": 2.0**15, "s32": 2.0**31, "s64": 2.0**63}


def probe(path: Path, source: Source = WHOLE_FILE) -> tuple[int, int, int, str] | None:
    """(frames, sample_rate, channels, codec), or None if FFmpeg finds no audio that it can decode.

    frames: as the container states if it has a sample table; otherwise counted by decoding (a bit rate or
    milliseconds are not exact).
    """
    try:
        with path.open("rb") as handle, _container(handle, source) as container:
            stream = _audio_stream(container, source.stream)
            frames = _decoded(container, stream)
            first = next(frames, None)
            if first is None:
                return None
            rate = int(first.sample_rate)
            codec = f"{container.format.name.split(',')[0]} {stream.codec_context.name}"
            length = _stated_frames(container, stream, rate)
            if length is None or length * len(first.layout.channels) > _BELIEVED * path.stat().st_size:
                length = int(first.samples) + sum(int(frame.samples) for frame in frames)
            length = max(0, length - source.skip)
            if source.length is not None:
                length = min(length, source.length)
            return length, rate, len(first.layout.channels), codec
    except (av.FFmpegError, OSError, ValueError):
        return None


def audio_streams(path: Path) -> int:
    """How many audio streams a container has whose codecs are known; 0 if FFmpeg does not recognise it."""
    try:
        with path.open("rb") as handle, _container(handle, WHOLE_FILE) as container:
            return sum(stream.codec_context is not None for stream in container.streams.audio)
    except (av.FFmpegError, OSError, ValueError):
        return 0


def texts(path: Path) -> list[tuple[str, str]]:
    """(name in lower case, text) of the tags of a container, then of those of its first audio stream without the title, which
    names the stream; none if FFmpeg does not recognise it.

    Names of Matroska's tags may have the level that they are about before a slash: "album/title".
    """
    try:
        with path.open("rb") as handle, _container(handle, WHOLE_FILE) as container:
            stream = _audio_stream(container, 0)
            of_stream = {} if stream is None else dict(stream.metadata)
            of_stream.pop("title", None)
            return [
                (str(name).lower(), str(text)) for one in (container.metadata, of_stream) for name, text in one.items()
            ]
    except (av.FFmpegError, OSError, ValueError):
        return []


def describe(path: Path) -> dict[str, Any]:
    """What FFmpeg reports of a file: container, duration (s) and audio streams. Raises ValueError with its reason if it does
    not open it, or finds no audio stream."""
    try:
        with path.open("rb") as handle, _container(handle, WHOLE_FILE) as container:
            streams = [
                {
                    "codec": stream.codec_context.name if stream.codec_context is not None else "unknown",
                    "sample_rate": stream.sample_rate if stream.codec_context is not None else None,
                    "channels": stream.channels if stream.codec_context is not None else None,
                    "seconds": None if not stream.duration else float(stream.duration * stream.time_base),
                }
                for stream in container.streams.audio
            ]
            seconds = None if not container.duration else container.duration / av.time_base
            name = str(container.format.name)
    except av.FFmpegError as error:
        raise ValueError(str(error.strerror or error)) from None
    if not streams:
        raise ValueError(f"opens it as {name}, but finds no audio in it")
    return {"container": name, "seconds": seconds, "streams": streams}


def read(
    path: Path, start: float, duration: float | None, max_values: int, source: Source = WHOLE_FILE
) -> tuple[NDArray[np.float32], int] | None:
    """(samples float32 (channels, samples), sample_rate) of a region; None if nothing can be decoded.

    The region is frames round(start * rate) .. + round(duration * rate) of the whole file, cut at its end. Packets
    that cannot be decoded are skipped. Reading stops once more than `max_values` values have been read.
    """
    try:
        with path.open("rb") as handle, _container(handle, source) as container:
            stream = _audio_stream(container, source.stream)
            frames = _decoded(container, stream)
            head = next(frames, None)
            if head is None:
                return None
            rate = int(head.sample_rate)
            first = round(start * rate) + source.skip
            last = None if duration is None else first + round(duration * rate)
            if source.length is not None:
                end = source.skip + source.length
                last = end if last is None else min(last, end)
            region = _Region(first, last, _stated_frames(container, stream, rate), max_values)
            if _seek(container, stream, rate, first):
                frames = _decoded(container, stream)
                head = next(frames, None)
                if head is not None:
                    region.position = _position(head, stream, rate)
            _collect(itertools.chain([head] if head is not None else [], frames), region, rate)
            samples = region.samples(len(head.layout.channels) if head is not None else 1)
            return samples if source.gain == 1.0 else samples * np.float32(source.gain), rate
    except (av.FFmpegError, OSError, ValueError):
        return None


class _Region:
    """Collects the frames of one region in order, in one layout and at one rate.

    first, last: sample positions (last None: to the end); stated: the length that the container states.
    """

    def __init__(self, first: int, last: int | None, stated: int | None, max_values: int) -> None:
        self.first = first
        self.last = last
        self.stated = stated
        self.max_values = max_values
        self.position = 0
        self.kept = 0
        self.begin: int | None = None
        self.chunks: list[NDArray[np.float32]] = []

    def wants_more(self) -> bool:
        if self.kept > self.max_values:
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
    """Adds `frames` to `region` until it is complete; frames of another layout or rate than the first are converted."""
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
    """Seeks to some time before sample `first`, if that is exact and saves decoding; returns whether it did."""
    if not _indexed(container, stream) or stream.start_time is None:
        return False
    seconds = first / rate - _PRE_ROLL
    if seconds <= _PRE_ROLL:
        return False
    container.seek(int(stream.start_time + seconds / stream.time_base), stream=stream, backward=True)
    return True


def _position(frame: Any, stream: Any, rate: int) -> int:
    """The sample position of the first frame after a seek. Raises ValueError if it has no timestamp."""
    if frame.pts is None:
        raise ValueError("the frame has no timestamp")
    position: int = round((frame.pts - stream.start_time) * frame.time_base * rate)
    return position


def _indexed(container: Any, stream: Any) -> bool:
    """Whether timestamps are exact: a container with a sample table and ticks of whole samples."""
    exact = container.format.name.startswith("mov,") and stream.time_base is not None
    return bool(exact and stream.time_base <= Fraction(1, 8000))


def _stated_frames(container: Any, stream: Any, rate: int) -> int | None:
    if not _indexed(container, stream) or not stream.duration:
        return None
    frames: int = round((stream.duration - (stream.start_time or 0)) * stream.time_base * rate)
    return frames


def _decoded(container: Any, stream: Any) -> Iterator[Any]:
    """The decoded frames of `stream`; packets that cannot be decoded are skipped, a damaged container ends it."""
    if stream is None:
        return
    packets = _whole_frames(container, stream) if _is_cut(container, stream) else container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.FFmpegError, OSError, ValueError, MemoryError):
            return
        try:
            frames = packet.decode()
        except (av.FFmpegError, ValueError, MemoryError):  # of a size that a damaged header states
            continue
        yield from (frame for frame in frames if _usable(frame))


def _is_cut(container: Any, stream: Any) -> bool:
    """Whether packets end in the middle of frames: FFmpeg cuts WAV at a fixed size, and raw AAC frames have no headers."""
    return container.format.name in ("wav", "w64") and stream.codec_context.name == "aac"


def _whole_frames(container: Any, stream: Any) -> Iterator[Any]:
    """The packets of a stream, cut where frames end."""
    contents = (bytes(packet) for packet in container.demux(stream) if packet.size)
    for content in raw_aac.pieces(contents, stream.codec_context.extradata):
        packet = av.Packet(content)
        packet.stream = stream
        yield packet


def _usable(frame: Any) -> bool:
    return bool(frame.samples and frame.sample_rate and 0 < len(frame.layout.channels) <= _MAX_CHANNELS)


def _to_float(frame: Any) -> NDArray[np.float32]:
    """A decoded frame as float32 (channels, samples), integers scaled to -1..1. Raises ValueError for other formats."""
    kind = frame.format.name.removesuffix("p")
    dtype = _DTYPES.get(kind)
    if dtype is None:
        raise ValueError(f"unsupported sample format {frame.format.name}")
    channels, samples = len(frame.layout.channels), int(frame.samples)
    # Not frame.to_ndarray(): PyAV counts the planes up to a null pointer that FFmpeg does not guarantee, and from eight
    # channels on reads memory outside the frame (it crashed on a damaged file of 37 channels).
    if frame.format.is_planar:
        values = np.stack([np.frombuffer(plane, dtype, samples) for plane in frame.planes[:channels]])
    else:
        values = np.frombuffer(frame.planes[0], dtype, samples * channels).reshape(samples, channels).T
    if kind in _SCALE:
        offset = _SCALE["u8"] if kind == "u8" else 0.0
        return np.asarray((values - offset) / _SCALE[kind], dtype=np.float32)
    with np.errstate(over="ignore"):  # a double beyond float32 becomes infinite, which `decode` rejects
        return np.array(values, dtype=np.float32)


class _Readable:
    """A file for FFmpeg to read, without a name from which to guess a format or a protocol.

    A damaged file may make FFmpeg seek to impossible positions. PyAV would print the exception, so `seek` returns a
    negative number instead, which is FFmpeg's code for an error. FFmpeg may ask for as many bytes as a header states, and
    Python would allocate them before it reads: `read` returns fewer at once.
    """

    def __init__(self, handle: BinaryIO) -> None:
        self._handle = handle
        self.tell = handle.tell

    def read(self, size: int) -> bytes:
        return self._handle.read(min(size, _READ_AT_ONCE))

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return self._handle.seek(offset, whence)
        except (OSError, ValueError, OverflowError):
            return -1


def _container(handle: BinaryIO, source: Source) -> Any:
    readable = _Readable(handle) if source.pieces is None else ByteView(handle, source.pieces)
    return av.open(readable, "r", metadata_errors="ignore", container_options={"format_whitelist": DEMUXERS})


def _audio_stream(container: Any, number: int) -> Any:
    """The audio stream of this number among those that can be decoded; None if there is none."""
    streams = [stream for stream in container.streams.audio if stream.codec_context is not None]
    if number >= len(streams):
        return None
    stream = streams[number]
    if container.format.name == "caf" and stream.codec_context.name == "alac":
        # The last packet holds fewer samples than the others, and FFmpeg would take off again what it lacks.
        stream.codec_context.options = {"flags2": "+skip_manual"}
    return stream
