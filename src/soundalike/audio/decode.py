"""Audio files to waveforms: wav, aiff, flac, ogg, opus, mp3, m4a/aac, wma and a few more.

Conventions: times in seconds, rates in Hz, samples float32 (channels, samples) in the channel order of WAVE
files (L R C LFE ...). A file is known by its content; its name says nothing here. libsndfile decodes what it
can (`sndfile`), FFmpeg the rest (`ffmpeg`).

What is promised of odd files: one sample is a waveform of one sample; silence is a waveform of zeros; a
truncated or damaged file gives what can be decoded of it, a shorter waveform; a file of which nothing can be
decoded, with no samples, or with samples that are not finite numbers raises one AudioError. Nothing is
written to stdout or stderr.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from soundalike.audio import sndfile
from soundalike.audio.waveform import Waveform, resample, to_channels
from soundalike.errors import AudioError, InputError

EXTENSIONS = frozenset(
    f".{suffix}"
    for suffix in (
        *("wav", "wave", "bwf", "rf64", "w64", "aif", "aiff", "aifc", "caf", "au", "flac"),
        *("ogg", "oga", "opus", "mp3", "m4a", "m4b", "aac", "wma", "wv", "mka"),
    )
)
"""Suffixes (lower case) that a folder scan takes for audio. Any file may be given by name."""

# Rates outside these come from damaged headers; the lowest telephone rate is 8 kHz, DSD converted to PCM 2.8
# MHz.
_LOWEST_RATE, _HIGHEST_RATE = 1_000, 3_000_000

# Values (frames x channels) that one read may give: 4 GiB, or 3.4 hours of 44.1 kHz stereo.
_MOST_VALUES = 2**30

# Loudest sample taken: 32-bit integers stored as floats pass, bytes read in the wrong sample format do not.
_LOUDEST = 2.0**32

Decoder = Literal["soundfile", "pyav"]


@dataclass(frozen=True)
class AudioInfo:
    """What a file says of itself, without being decoded.

    `frames` (and `duration`, seconds) are the header's claim: a truncated or damaged file may hold fewer, and
    formats without an exact count (wma, bare aac, mp3 without a Xing header) may be off by a frame or two of
    their codec.
    """

    duration: float
    sample_rate: int
    channels: int
    frames: int
    codec: str
    decoder: Decoder


def probe(path: str | Path) -> AudioInfo:
    """Length, rate and channels of the file at `path`.

    Raises InputError where there is no such file, AudioError where it is empty, not audio or holds no
    samples.
    """
    path = _checked(path)
    decoder: Decoder = "soundfile"
    found = sndfile.probe(path)
    if found is None or found[0] <= 0:
        from soundalike.audio import ffmpeg

        decoder = "pyav"
        found = ffmpeg.probe(path) or found
    if found is None:
        raise AudioError(_not_audio(path))
    frames, rate, channels, codec = found
    _check_rate(path, rate)
    if frames <= 0 or channels <= 0:
        raise AudioError(f"{_shown(path)}: holds no samples ({codec})")
    return AudioInfo(frames / rate, rate, channels, frames, codec, decoder)


def read(path: str | Path, start: float = 0.0, duration: float | None = None) -> Waveform:
    """The file, or its region from `start` s that lasts `duration` s, at its own rate and channels.

    A region is the slice [round(start * rate), round(start * rate) + round(duration * rate)) of the whole,
    shorter where the file ends before it does. It is decoded without reading the rest where the format has
    exact seeking (libsndfile's formats, m4a); in the others (wma, bare aac, matroska) everything before it is
    decoded and dropped.

    Raises InputError where there is no such file or the region is no region, AudioError where the file is
    empty, not audio, without samples, ends before `start`, holds samples that are not finite, or is too long
    to be held at once.
    """
    path = _checked(path)
    if not (start >= 0 and np.isfinite(start)):
        raise InputError(f"a region that starts at {start} s; it must start at 0 or later")
    if duration is not None and not (duration > 0 and np.isfinite(duration)):
        raise InputError(f"a region of {duration} s; it must last longer than 0 s")
    found = sndfile.read(path, start, duration, _MOST_VALUES)
    if found is None or found[0].shape[1] == 0:
        from soundalike.audio import ffmpeg

        found = ffmpeg.read(path, start, duration, _MOST_VALUES) or found
    if found is None:
        raise AudioError(_not_audio(path))
    samples, rate = found
    _check_rate(path, rate)
    _check_samples(path, samples, rate, start)
    return Waveform(samples, rate)


def load(
    path: str | Path, sample_rate: int, channels: int = 1, start: float = 0.0, duration: float | None = None
) -> Waveform:
    """`read`, then mapped to 1 or 2 channels (see `waveform.to_channels`) and resampled to `sample_rate`.

    Raises what `read` raises, and InputError for other channels or a rate that is not positive.
    """
    if channels not in (1, 2):
        raise InputError(f"{channels} channels asked for; 1 or 2 are possible")
    if sample_rate <= 0:
        raise InputError(f"sample rate {sample_rate} Hz; it must be above 0")
    native = read(path, start, duration)
    mapped = to_channels(native.samples, channels)
    return Waveform(resample(mapped, native.sample_rate, sample_rate), sample_rate)


def _checked(path: str | Path) -> Path:
    """`path` as a Path of a readable file with something in it."""
    path = Path(path)
    try:
        status = path.stat()
    except FileNotFoundError:
        raise InputError(f"{_shown(path)}: no such file") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{_shown(path)}: cannot be reached ({_reason(error)})") from None
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{_shown(path)}: not a file; give an audio file")
    if status.st_size == 0:
        raise AudioError(f"{_shown(path)}: the file is empty (0 bytes)")
    if not os.access(path, os.R_OK):
        raise AudioError(f"{_shown(path)}: no permission to read it")
    return path


def _shown(path: Path) -> str:
    """The path on one printable line, whatever bytes its name has."""
    text = os.fsencode(path).decode("utf-8", "replace")
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _not_audio(path: Path) -> str:
    return f"{_shown(path)}: not audio that can be decoded (damaged from the start, protected, or of another kind)"


def _check_rate(path: Path, rate: int) -> None:
    if not _LOWEST_RATE <= rate <= _HIGHEST_RATE:
        raise AudioError(
            f"{_shown(path)}: claims a sample rate of {rate} Hz; {_LOWEST_RATE} to {_HIGHEST_RATE} Hz can be used"
        )


def _check_samples(path: Path, samples: NDArray[np.float32], rate: int, start: float) -> None:
    """Refuses what would poison all that is computed from it."""
    if samples.shape[1] == 0:
        where = f"has nothing to decode at or after {start:g} s" if start > 0 else "holds no samples"
        raise AudioError(f"{_shown(path)}: {where}")
    if samples.size > _MOST_VALUES:
        hours = _MOST_VALUES / samples.shape[0] / rate / 3600
        raise AudioError(
            f"{_shown(path)}: longer than the {hours:.1f} hours that fit in memory at once; use a region of it"
        )
    with np.errstate(all="ignore"):
        loudest = max(float(samples.max()), -float(samples.min()))  # NaN if any sample is
    if not np.isfinite(loudest):
        bad = ~np.isfinite(samples)
        first = start + int(np.argmax(bad.any(axis=0))) / rate
        raise AudioError(
            f"{_shown(path)}: {int(bad.sum())} of {samples.size} samples are not finite numbers (NaN or infinite), "
            f"the first at {first:.3f} s"
        )
    if loudest > _LOUDEST:
        raise AudioError(
            f"{_shown(path)}: samples reach {loudest:.1e} where 1 is full scale; the file is damaged or mislabelled"
        )
