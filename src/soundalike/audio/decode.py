"""Audio files to waveforms: wav, aiff, flac, ogg, opus, mp3, m4a/aac, wma and a few more.

Conventions: times in seconds, rates in Hz, samples float32 (channels, samples) in the channel order of WAVE
files (L R C LFE ...). The format is detected from the content, not from the file's name. libsndfile decodes what
it can (`sndfile`), FFmpeg the rest (`ffmpeg`); known deviations of containers are corrected first (`sources`), and the
links of a chained Ogg file are joined (`links`). A path may be the address of a part of a file (`file_part`).

Guarantees for unusual files: one sample is a waveform of one sample; silence is a waveform of zeros; a truncated
or damaged file gives what can be decoded of it, a shorter waveform; a file of which nothing can be decoded, with
no samples, or with samples that are not finite raises an AudioError. A header is believed only as far as the bytes of
the file allow: memory grows with the file, and where a header states more than 128 values (frames x channels) for each
byte, the frames are counted by decoding. Nothing is written to stdout or stderr.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.audio import links
from soundalike.audio.byte_view import Source
from soundalike.audio.file_part import FilePart, part_of_address
from soundalike.audio.links import Decoder, Header
from soundalike.audio.sources import sources
from soundalike.audio.waveform import Waveform, resample, to_channels
from soundalike.errors import AudioError, InputError

# Rates outside these come from damaged headers; telephone audio has 8 kHz, DSD converted to PCM 2.8 MHz.
_LOWEST_RATE, _HIGHEST_RATE = 1_000, 3_000_000

# Values (frames x channels) that one read may return: 4 GiB, or 3.4 hours of 44.1 kHz stereo.
_MAX_VALUES = 2**30

# Largest sample accepted: 32-bit integers stored as floats pass, bytes read in the wrong sample format do not.
_MAX_SAMPLE = 2.0**32


@dataclass(frozen=True)
class AudioInfo:
    """What the header of a file states.

    `frames` (and `duration`, seconds) are what it claims: a truncated or damaged file may hold fewer, and formats
    without an exact count (wma, bare aac, mp3 without a Xing header) may be off by one or two frames of the codec.
    """

    duration: float
    sample_rate: int
    channels: int
    frames: int
    codec: str
    decoder: Decoder


def probe(path: str | Path) -> AudioInfo:
    """Length, rate and channels of the file at `path`.

    Raises InputError if there is no such file, AudioError if it is empty, not audio or holds no samples.
    """
    part = part_of_address(Path(path))
    path = _checked(part.file)
    header = _probed(path, part)
    first, last = _frames_of(part, header.sample_rate)
    frames = (header.frames if last is None else min(last, header.frames)) - first
    if frames <= 0:
        raise AudioError(_starts_too_late(path, part.start))
    return AudioInfo(
        frames / header.sample_rate, header.sample_rate, header.channels, frames, header.codec, header.decoder
    )


def read(path: str | Path, start: float = 0.0, duration: float | None = None) -> Waveform:
    """The file, or its region from `start` s that lasts `duration` s, at its own rate and channels.

    A region is the slice [round(start * rate), round(start * rate) + round(duration * rate)) of the whole,
    shorter if the file ends before it does. In formats with exact seeking (libsndfile's formats, m4a) only the
    region is decoded; in the others (wma, bare aac, matroska) everything before it is decoded and dropped. Where AAC states
    noise by its level alone (perceptual noise substitution), its samples are others in every region.

    Raises InputError if there is no such file or the region is not valid, AudioError if the file is empty, not
    audio, without samples, ends before `start`, holds samples that are not finite, or is too long to be held in
    memory.
    """
    part = part_of_address(Path(path))
    path = _checked(part.file)
    if not (start >= 0 and np.isfinite(start)):
        raise InputError(f"a region cannot start at {start} s; it must start at 0 s or later")
    if duration is not None and not (duration > 0 and np.isfinite(duration)):
        raise InputError(f"a region cannot last {duration} s; it must last longer than 0 s")
    if part.is_excerpt:
        start, duration = _within(path, part, start, duration)
    try:
        decoded = links.read(path, _sources(path, part), start, duration, _MAX_VALUES)
    except MemoryError:
        raise AudioError(f"{_printable(path)}: too long to fit in memory; use a region of it") from None
    except AudioError as error:
        raise AudioError(f"{_printable(path)}: {error}") from None
    if decoded is None:
        raise AudioError(_not_audio(path))
    samples, rate = decoded
    _check_rate(path, rate)
    _check_samples(path, samples, rate, start)
    return Waveform(samples, rate)


def load(
    path: str | Path, sample_rate: int, channels: int = 1, start: float = 0.0, duration: float | None = None
) -> Waveform:
    """`read`, then mapped to 1 or 2 channels (see `waveform.to_channels`) and resampled to `sample_rate`.

    Raises as `read` does, and InputError for any other number of channels or a rate that is not positive.
    """
    if channels not in (1, 2):
        raise InputError(f"{channels} channels are not possible; choose 1 or 2")
    if sample_rate <= 0:
        raise InputError(f"a sample rate of {sample_rate} Hz is not possible; it must be above 0")
    native = read(path, start, duration)
    mapped = to_channels(native.samples, channels)
    return Waveform(resample(mapped, native.sample_rate, sample_rate), sample_rate)


def _sources(path: Path, part: FilePart) -> tuple[Source, ...]:
    return (Source(stream=part.stream),) if part.stream else sources(path)


def _probed(path: Path, part: FilePart) -> Header:
    """The header of the file, or of one stream of it."""
    try:
        header = links.probe(path, _sources(path, part))
    except AudioError as error:
        raise AudioError(f"{_printable(path)}: {error}") from None
    if header is None:
        raise AudioError(
            _not_audio(path) if not part.stream else f"{_printable(path)}: has no audio stream {part.stream}"
        )
    _check_rate(path, header.sample_rate)
    if header.frames <= 0 or header.channels <= 0:
        raise AudioError(f"{_printable(path)}: holds no samples ({header.codec})")
    return header


def _frames_of(part: FilePart, rate: int) -> tuple[int, int | None]:
    """The frames of the file at which a part begins and ends."""
    return round(part.start * rate), None if part.end is None else round(part.end * rate)


def _within(path: Path, part: FilePart, start: float, duration: float | None) -> tuple[float, float | None]:
    """Start and duration in the file of a region of a part, which ends with the part at the latest."""
    rate = _probed(path, part).sample_rate
    first, last = _frames_of(part, rate)
    begin = first + round(start * rate)
    length = None if duration is None else round(duration * rate)
    if last is not None:
        length = last - begin if length is None else min(length, last - begin)
        if length <= 0:
            raise AudioError(_starts_too_late(path, begin / rate))
    return begin / rate, None if length is None else length / rate


def _checked(path: Path) -> Path:
    """`path` if it is that of a readable file that is not empty."""
    try:
        status = path.stat()
    except FileNotFoundError:
        raise InputError(f"{_printable(path)}: no such file") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{_printable(path)}: cannot be read ({_reason(error)})") from None
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{_printable(path)}: not a file; give an audio file")
    if status.st_size == 0:
        raise AudioError(f"{_printable(path)}: the file is empty (0 bytes)")
    if not os.access(path, os.R_OK):
        raise AudioError(f"{_printable(path)}: no permission to read it")
    return path


def _printable(path: Path) -> str:
    """The path on one printable line, whatever bytes it consists of."""
    text = os.fsencode(path).decode("utf-8", "replace")
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _not_audio(path: Path) -> str:
    return f"{_printable(path)}: not audio that can be decoded (damaged, protected, or another kind of file)"


def _starts_too_late(path: Path, start: float) -> str:
    return f"{_printable(path)}: has nothing to decode at or after {start:g} s"


def _check_rate(path: Path, rate: int) -> None:
    if not _LOWEST_RATE <= rate <= _HIGHEST_RATE:
        raise AudioError(
            f"{_printable(path)}: its header states a sample rate of {rate} Hz; {_LOWEST_RATE} to {_HIGHEST_RATE} Hz are "
            "supported"
        )


def _check_samples(path: Path, samples: NDArray[np.float32], rate: int, start: float) -> None:
    """Raises AudioError for samples from which nothing can be computed."""
    if samples.shape[1] == 0:
        if start > 0:
            raise AudioError(_starts_too_late(path, start))
        raise AudioError(f"{_printable(path)}: holds no samples")
    if samples.size > _MAX_VALUES:
        hours = _MAX_VALUES / samples.shape[0] / rate / 3600
        raise AudioError(
            f"{_printable(path)}: longer than the {hours:.1f} hours that fit in memory; use a region of it"
        )
    with np.errstate(all="ignore"):
        largest = max(float(samples.max()), -float(samples.min()))  # NaN if any sample is
    if not np.isfinite(largest):
        bad = ~np.isfinite(samples)
        first = start + int(np.argmax(bad.any(axis=0))) / rate
        raise AudioError(
            f"{_printable(path)}: {int(bad.sum())} of {samples.size} samples are not finite numbers (NaN or infinite), "
            f"the first at {first:.3f} s"
        )
    if largest > _MAX_SAMPLE:
        raise AudioError(
            f"{_printable(path)}: samples reach {largest:.1e} where 1 is full scale; the file is damaged or mislabelled"
        )
