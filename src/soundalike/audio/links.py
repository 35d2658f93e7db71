"""Decoding of the sources of a file: one, or the links of a chained Ogg file joined in time.

Links of another sample rate or channel count than the first are converted to its. A link that cannot be decoded is left
out.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from soundalike.audio import sndfile
from soundalike.audio.byte_view import Source
from soundalike.audio.waveform import resample, to_channels

_TRIED_SECONDS, _TRIED_VALUES = 0.01, 2**16  # decoded of each link to see whether it can be

Decoder = Literal["soundfile", "pyav"]
Decoded = tuple[NDArray[np.float32], int]


@dataclass(frozen=True)
class Header:
    """What the header of one source states, in frames and Hz."""

    frames: int
    sample_rate: int
    channels: int
    codec: str
    decoder: Decoder


def probe(path: Path, sources: tuple[Source, ...]) -> Header | None:
    """The header of the joined sources; None if none can be decoded."""
    if len(sources) == 1:
        return _probe_source(path, sources[0])
    links = _links(path, sources)
    if not links:
        return None
    first = links[0][1]
    frames = sum(_frames_at(header, first.sample_rate) for _, header in links)
    return Header(frames, first.sample_rate, first.channels, first.codec, first.decoder)


def read(
    path: Path, sources: tuple[Source, ...], start: float, duration: float | None, max_values: int
) -> Decoded | None:
    """(samples float32 (channels, samples), sample_rate) of a region of the joined sources; None if none can be decoded.

    The region is frames round(start * rate) .. + round(duration * rate), cut at the end.
    """
    if len(sources) == 1:
        return _read_source(path, sources[0], start, duration, max_values)
    links = _links(path, sources)
    if not links:
        return None
    rate, channels = links[0][1].sample_rate, links[0][1].channels
    first = round(start * rate)
    last = None if duration is None else first + round(duration * rate)
    pieces = [np.zeros((channels, 0), dtype=np.float32)]
    begin = 0
    for source, header in links:
        end = begin + _frames_at(header, rate)
        inside = max(0, first - begin), (end if last is None else min(last, end)) - begin
        if inside[1] > inside[0]:
            pieces.append(_read_link(path, source, header, inside, (rate, channels), max_values))
        begin = end
        if (last is not None and begin >= last) or sum(piece.size for piece in pieces) > max_values:
            break
    return np.concatenate(pieces, axis=1), rate


def _probe_source(path: Path, source: Source) -> Header | None:
    header = sndfile.probe(path, source)
    decoder: Decoder = "soundfile"
    if header is None or header[0] <= 0:
        from soundalike.audio import ffmpeg

        decoder = "pyav"
        header = ffmpeg.probe(path, source) or header
    return None if header is None else Header(*header, decoder)


def _read_source(path: Path, source: Source, start: float, duration: float | None, max_values: int) -> Decoded | None:
    decoded = sndfile.read(path, start, duration, max_values, source)
    if decoded is None or decoded[0].shape[1] == 0:
        from soundalike.audio import ffmpeg

        decoded = ffmpeg.read(path, start, duration, max_values, source) or decoded
    return decoded


def _links(path: Path, sources: tuple[Source, ...]) -> tuple[tuple[Source, Header], ...]:
    return _probed_links(path, sources, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=16)
def _probed_links(path: Path, sources: tuple[Source, ...], modified: int) -> tuple[tuple[Source, Header], ...]:
    """The sources that can be decoded, with their headers."""
    headers = ((source, _probe_source(path, source)) for source in sources)
    return tuple(
        (source, header)
        for source, header in headers
        if header is not None and header.frames > 0 and header.sample_rate > 0 and _can_be_decoded(path, source)
    )


def _can_be_decoded(path: Path, source: Source) -> bool:
    decoded = _read_source(path, source, 0.0, _TRIED_SECONDS, _TRIED_VALUES)
    return decoded is not None and decoded[0].shape[1] > 0


def _frames_at(header: Header, rate: int) -> int:
    return round(header.frames * rate / header.sample_rate)


def _read_link(
    path: Path, source: Source, header: Header, inside: tuple[int, int], target: tuple[int, int], max_values: int
) -> NDArray[np.float32]:
    """Frames `inside` (first, last) of one link at the rate and channel count of `target`.

    A link of another rate is decoded and resampled whole, so that a region is a slice of the whole. What cannot be
    decoded of a damaged link is silence, so that the later links keep their places.
    """
    (first, last), (rate, channels) = inside, target
    result = np.zeros((channels, last - first), dtype=np.float32)
    if header.sample_rate == rate:
        decoded = _read_source(path, source, first / rate, (last - first) / rate, max_values)
        samples = None if decoded is None else decoded[0]
    else:
        decoded = _read_source(path, source, 0.0, None, max_values)
        samples = None if decoded is None else resample(decoded[0], decoded[1], rate)[:, first:last]
    if samples is not None:
        samples = _with_channels(samples, channels)[:, : last - first]
        result[:, : samples.shape[1]] = samples
    return result


def _with_channels(samples: NDArray[np.float32], channels: int) -> NDArray[np.float32]:
    if samples.shape[0] == channels:
        return samples
    if channels <= 2:
        return to_channels(samples, channels)
    return np.repeat(to_channels(samples, 1), channels, axis=0)
