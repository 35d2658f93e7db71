"""Where sounds begin: transient starts of a mono waveform.

Conventions: samples float32 (samples,), rates in Hz, times in seconds from the first sample. Detection is by
spectral flux in the manner of SuperFlux (Boeck & Widmer, "Maximum filter vibrato suppression for onset
detection", DAFx 2013): the rise of log-compressed band magnitudes against the frame before, which has been
widened by one band so that a vibrato is no rise. Each onset is then moved to the beginning of its attack on
the waveform's own 1 ms envelope.
"""

from __future__ import annotations

import itertools

import numpy as np
import scipy.fft
import scipy.ndimage
from numpy.typing import NDArray

from soundalike.errors import InputError

_Float = NDArray[np.float32]

_FRAME = 0.0232  # s of signal a frame sees
_HOP = 0.0058
_LAG = 2  # hops between the frames compared
_BANDS = 40
_LOWEST, _HIGHEST = 40.0, 16_000.0  # Hz
_COMPRESSION = 300.0  # log10(1 + this * magnitude / loudest): what lies 50 dB under the loudest band hardly counts

_NEIGHBOURHOOD = 0.1  # s either side for the local mean that a peak must stand out from
_GAP = 0.03  # s; of two onsets nearer than this the stronger is kept
_THRESHOLD = 0.065  # least rise over the local mean, in mean log10 units a band
_LOCAL = 0.25  # ... and a share of the strongest rise nearby
_LOCAL_REACH = 1.0  # s

_ENVELOPE = 0.001  # s a value of the envelope that the attack's beginning is read from
_BEFORE, _AFTER = 0.035, 0.015  # s around a peak of the flux that are searched for the attack
_SHARE = 0.08  # of the rise from the level before to the attack's top: where the attack begins

_BLOCK = 512  # frames transformed at once: bounds memory, stays in cache


def onset_times(samples: _Float, sample_rate: int) -> NDArray[np.float64]:
    """Times (s, ascending, float64 (n,)) at which a sound begins in mono `samples`.

    Precise to some 3 ms for percussive attacks, some 20 ms for slow ones. Independent of gain. Empty for
    silence. A sound that is there with the first sample begins at 0.

    Raises InputError for samples that are not one-dimensional or a rate that is not positive.
    """
    samples = _checked(samples, sample_rate)
    if samples.size == 0 or not np.any(samples):
        return np.zeros(0)
    hop = max(1, round(_HOP * sample_rate))
    flux = _flux(samples, sample_rate, hop)
    peaks = _peaks(flux, hop / sample_rate)
    if peaks.size == 0:
        return np.zeros(0)
    return _attack_starts(samples, sample_rate, peaks * hop / sample_rate)


def onset_strength(samples: _Float, sample_rate: int, hop: int) -> _Float:
    """How much begins at each moment, >= 0, every `hop` samples, (frames,): the curve that tempo is read from."""
    samples = _checked(samples, sample_rate)
    if samples.size == 0:
        return np.zeros(0, dtype=np.float32)
    return _flux(samples, sample_rate, hop)


def snap_to_onset(samples: _Float, sample_rate: int, start: float, tolerance: float = 0.05) -> float:
    """The onset nearest to `start` (s) and at most `tolerance` s away, else `start` itself.

    Only the second either side of `start` is looked at. Raises InputError as `onset_times` does.
    """
    samples = _checked(samples, sample_rate)
    first = max(0, round((start - 1.0) * sample_rate))
    last = max(first, round((start + 1.0) * sample_rate))
    onsets = onset_times(samples[first:last], sample_rate) + first / sample_rate
    if first > 0:
        onsets = onsets[onsets > (first + 1) / sample_rate]  # the cut is no onset
    if onsets.size == 0:
        return start
    nearest = float(onsets[np.argmin(np.abs(onsets - start))])
    return nearest if abs(nearest - start) <= tolerance else start


def _checked(samples: _Float, sample_rate: int) -> _Float:
    if samples.ndim != 1:
        raise InputError(f"samples of shape {samples.shape}; give one channel, (samples,)")
    if sample_rate <= 0:
        raise InputError(f"sample rate {sample_rate} Hz; it must be above 0")
    return np.asarray(samples, dtype=np.float32)


def _flux(samples: _Float, sample_rate: int, hop: int) -> _Float:
    """Mean rise of the log band magnitudes a frame, (frames,); frame i is centred on sample i * hop."""
    bands = _band_magnitudes(samples, sample_rate, hop)
    loudest = float(bands.max())
    if loudest <= 0:
        return np.zeros(len(bands), dtype=np.float32)
    bands *= _COMPRESSION / loudest
    np.log10(bands + np.float32(1.0), out=bands)
    before = np.zeros_like(bands)
    before[_LAG:] = scipy.ndimage.maximum_filter1d(bands[:-_LAG], 3, axis=1)
    bands -= before
    return np.asarray(np.maximum(bands, 0.0, out=bands).mean(axis=1), dtype=np.float32)


def _band_magnitudes(samples: _Float, sample_rate: int, hop: int) -> _Float:
    """Root mean power in logarithmic bands, (frames, bands).

    The waveform is taken to be silent before its first sample, and no frame reaches over its end (the cut
    would be heard as a click).
    """
    length = scipy.fft.next_fast_len(max(16, round(_FRAME * sample_rate)), real=True)
    count = max(1, (samples.size - length // 2) // hop + 1)
    padded = np.pad(samples, (length // 2, max(0, length - samples.size)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, length)[::hop][:count]
    window = np.hanning(length + 1)[:-1].astype(np.float32)
    pooling = np.repeat(_pooling(length, sample_rate), 2, axis=0)  # real and imaginary parts stand side by side
    pooled = np.empty((len(frames), pooling.shape[1]), dtype=np.float32)
    for first in range(0, len(frames), _BLOCK):
        parts = scipy.fft.rfft(frames[first : first + _BLOCK] * window, axis=1).view(np.float32)
        np.square(parts, out=parts)
        np.matmul(parts, pooling, out=pooled[first : first + _BLOCK])
    return np.sqrt(pooled, out=pooled)


def _pooling(length: int, sample_rate: int) -> _Float:
    """(bins, bands): each bin belongs to one logarithmic band; a band's value is the mean of its bins."""
    highest = min(_HIGHEST, sample_rate / 2)
    edges = np.geomspace(_LOWEST, highest, _BANDS + 1) * length / sample_rate
    whole = np.unique(np.round(edges).astype(int))
    whole = whole[whole >= 1]
    if whole.size < 2:
        whole = np.array([0, length // 2 + 1])
    matrix = np.zeros((length // 2 + 1, whole.size - 1), dtype=np.float32)
    for band, (low, high) in enumerate(itertools.pairwise(whole)):
        matrix[low:high, band] = 1.0 / (high - low)
    return matrix


def _peaks(flux: _Float, hop: float) -> NDArray[np.int64]:
    """Frames at which `flux` peaks and stands out from its surroundings; `hop` in seconds."""
    reach = max(1, round(_NEIGHBOURHOOD / hop))
    local_mean = scipy.ndimage.uniform_filter1d(flux, 2 * reach + 1, mode="constant")
    excess = flux - local_mean
    strongest = scipy.ndimage.maximum_filter1d(excess, 2 * round(_LOCAL_REACH / hop) + 1, mode="nearest")
    around = 2 * max(1, round(_GAP / hop)) + 1
    is_top = flux == scipy.ndimage.maximum_filter1d(flux, around, mode="nearest")
    candidates: NDArray[np.int64] = np.flatnonzero(is_top & (excess > _THRESHOLD) & (excess > _LOCAL * strongest))
    if candidates.size == 0:
        return candidates
    apart = np.concatenate([[True], np.diff(candidates) > 1])  # of a plateau the first
    return np.asarray(candidates[apart], dtype=np.int64)


def _attack_starts(samples: _Float, sample_rate: int, peaks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each peak time (s) moved to the beginning of its attack; ascending, without repetition."""
    step = max(1, round(_ENVELOPE * sample_rate))
    # The first difference favours the high end, where an attack is sharper than what rings on underneath it.
    edged = np.abs(np.diff(samples, prepend=np.float32(0.0)))
    count = -(-edged.size // step)
    envelope = np.pad(edged, (0, count * step - edged.size)).reshape(count, step).max(axis=1)
    before, after = round(_BEFORE * sample_rate / step), round(_AFTER * sample_rate / step)
    silence = before + 10
    padded = np.pad(envelope, (silence, after + 1))
    centres = np.round(peaks * sample_rate / step).astype(int) + silence
    spans = padded[centres[:, np.newaxis] + np.arange(-before - 5, after + 1)]
    smooth = scipy.ndimage.uniform_filter1d(spans, 5, axis=1, mode="nearest", origin=2)  # the 5 ms before
    rise = spans[:, 5:] - smooth[:, 4:-1]
    tops = np.argmax(rise, axis=1)
    rows = np.arange(len(peaks))
    level, top = smooth[:, 4:-1][rows, tops], spans[:, 5:][rows, tops]
    threshold = level + _SHARE * (top - level)
    columns = np.arange(rise.shape[1])
    quiet = (spans[:, 5:] <= threshold[:, np.newaxis]) & (columns < tops[:, np.newaxis])
    last_quiet = np.where(quiet.any(axis=1), rise.shape[1] - 1 - np.argmax(quiet[:, ::-1], axis=1), -1)
    begins = np.where(quiet.any(axis=1), last_quiet + 1, tops)
    starts = (centres - silence - before + begins) * step / sample_rate
    starts = np.unique(np.clip(starts, 0.0, None))
    return np.asarray(starts[np.concatenate([[True], np.diff(starts) >= _GAP / 2])], dtype=np.float64)
