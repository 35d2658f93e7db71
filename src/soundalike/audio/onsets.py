"""Onset detection: when sounds begin in a mono waveform.

Conventions: samples float32 (samples,), rates in Hz, times in seconds from the first sample. Detection is by
spectral flux after SuperFlux (Böck & Widmer, "Maximum filter vibrato suppression for onset detection", DAFx
2013): the increase of log-compressed band magnitudes over an earlier frame, maximum-filtered across bands so that
a vibrato is not an increase. Each onset is then moved to the start of its attack on the waveform's 1 ms envelope.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import scipy
from numpy.typing import NDArray

from soundalike.errors import InputError

_Float = NDArray[np.float32]

_FRAME = 0.0232  # s per frame
_HOP = 0.0058
_LAG = 2  # hops between the frames compared
_BANDS = 40
_LOWEST, _HIGHEST = 40.0, 16_000.0  # Hz
_COMPRESSION = 300.0  # log10(1 + this * magnitude / loudest): what is 50 dB below the loudest band hardly counts

_NEIGHBOURHOOD = 0.1  # s either side for the local mean that a peak must exceed
_GAP = 0.03  # s; of two onsets closer than this the stronger is kept
_THRESHOLD = 0.065  # least excess over the local mean, in mean log10 units per band
_LOCAL = 0.25  # ... and as a share of the strongest excess nearby
_LOCAL_REACH = 1.0  # s

_ENVELOPE = 0.001  # s per value of the envelope on which the start of the attack is located
_BEFORE, _AFTER = 0.035, 0.015  # s around a peak of the flux searched for the attack
_SHARE = 0.08  # of the rise from the level before to the peak of the attack: where the attack starts

_BLOCK = 512  # frames transformed at once: bounds memory, fits the cache


def onset_times(samples: _Float, sample_rate: int) -> NDArray[np.float64]:
    """Onset times (s, ascending, float64 (n,)) of mono `samples`.

    Accurate to about 3 ms for percussive attacks and 20 ms for slow ones. Independent of gain. Empty for silence. A
    sound that is present at the first sample has its onset at 0.

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
    """Onset strength, >= 0, every `hop` samples, (frames,): the curve from which tempo is estimated."""
    samples = _checked(samples, sample_rate)
    if samples.size == 0:
        return np.zeros(0, dtype=np.float32)
    return _flux(samples, sample_rate, hop)


def onset_strengths(samples: _Float, sample_rate: int, hop: int, ranges: Sequence[tuple[float, float]]) -> list[_Float]:
    """`onset_strength`, then that of each of the `ranges` (lowest, highest frequency in Hz) alone; zeros for a range without
    bands."""
    samples = _checked(samples, sample_rate)
    if samples.size == 0:
        return [np.zeros(0, dtype=np.float32)] * (1 + len(ranges))
    increases = _increases(samples, sample_rate, hop)
    edges = _band_edges(_frame_length(sample_rate), sample_rate) * sample_rate / _frame_length(sample_rate)
    centres = (edges[:-1] + edges[1:]) / 2
    inside = [(low <= centres) & (centres < high) for low, high in ranges]
    strengths = [
        increases[:, bands].mean(axis=1) if bands.any() else np.zeros_like(increases[:, 0]) for bands in inside
    ]
    return [increases.mean(axis=1), *strengths]


def snap_to_onset(samples: _Float, sample_rate: int, start: float, tolerance: float = 0.05) -> float:
    """The onset nearest to `start` (s) if it is at most `tolerance` s away, else `start` itself.

    Only the second either side of `start` is analysed. Raises InputError as `onset_times` does.
    """
    samples = _checked(samples, sample_rate)
    first = max(0, round((start - 1.0) * sample_rate))
    last = max(first, round((start + 1.0) * sample_rate))
    onsets = onset_times(samples[first:last], sample_rate) + first / sample_rate
    if first > 0:
        onsets = onsets[onsets > (first + 1) / sample_rate]  # the edge of the excerpt is not an onset
    if onsets.size == 0:
        return start
    nearest = float(onsets[np.argmin(np.abs(onsets - start))])
    return nearest if abs(nearest - start) <= tolerance else start


def _checked(samples: _Float, sample_rate: int) -> _Float:
    if samples.ndim != 1:
        raise InputError(f"samples of shape {samples.shape} are not possible; give one channel, (samples,)")
    if sample_rate <= 0:
        raise InputError(f"a sample rate of {sample_rate} Hz is not possible; it must be above 0")
    return np.asarray(samples, dtype=np.float32)


def _flux(samples: _Float, sample_rate: int, hop: int) -> _Float:
    """Mean increase of the log band magnitudes per frame, (frames,); frame i is centred on sample i * hop."""
    return np.asarray(_increases(samples, sample_rate, hop).mean(axis=1), dtype=np.float32)


def _increases(samples: _Float, sample_rate: int, hop: int) -> _Float:
    """Increase of the log magnitude of each band per frame, (frames, bands)."""
    bands = _band_magnitudes(samples, sample_rate, hop)
    loudest = float(bands.max())
    if loudest <= 0:
        return np.zeros_like(bands)
    bands *= _COMPRESSION / loudest
    np.log10(bands + np.float32(1.0), out=bands)
    before = np.zeros_like(bands)
    before[_LAG:] = bands[:-_LAG]  # the loudest of three adjacent bands
    np.maximum(before[_LAG:, 1:], bands[:-_LAG, :-1], out=before[_LAG:, 1:])
    np.maximum(before[_LAG:, :-1], bands[:-_LAG, 1:], out=before[_LAG:, :-1])
    bands -= before
    return np.maximum(bands, 0.0, out=bands)


def _band_magnitudes(samples: _Float, sample_rate: int, hop: int) -> _Float:
    """Root mean power in logarithmic bands, (frames, bands).

    The waveform is padded with silence before its first sample, and no frame extends past its end (the edge would
    count as a click).
    """
    length = _frame_length(sample_rate)
    count = max(1, (samples.size - length // 2) // hop + 1)
    padded = np.pad(samples, (length // 2, max(0, length - samples.size)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, length)[::hop][:count]
    window = np.hanning(length + 1)[:-1].astype(np.float32)
    pooling = np.repeat(_pooling(length, sample_rate), 2, axis=0)  # real and imaginary parts are adjacent
    pooled = np.empty((len(frames), pooling.shape[1]), dtype=np.float32)
    for first in range(0, len(frames), _BLOCK):
        parts = scipy.fft.rfft(frames[first : first + _BLOCK] * window, axis=1).view(np.float32)
        np.square(parts, out=parts)
        np.matmul(parts, pooling, out=pooled[first : first + _BLOCK])
    return np.sqrt(pooled, out=pooled)


def _frame_length(sample_rate: int) -> int:
    return int(scipy.fft.next_fast_len(max(16, round(_FRAME * sample_rate)), real=True))


def _band_edges(length: int, sample_rate: int) -> NDArray[np.int64]:
    """The bins at which logarithmic bands begin, and the end of the last."""
    highest = min(_HIGHEST, sample_rate / 2)
    edges = np.geomspace(_LOWEST, highest, _BANDS + 1) * length / sample_rate
    whole = np.unique(np.round(edges).astype(np.int64))
    whole = whole[whole >= 1]
    return whole if whole.size >= 2 else np.array([0, length // 2 + 1])


def _pooling(length: int, sample_rate: int) -> _Float:
    """(bins, bands): each bin belongs to one logarithmic band; a band's value is the mean of its bins."""
    whole = _band_edges(length, sample_rate)
    matrix = np.zeros((length // 2 + 1, whole.size - 1), dtype=np.float32)
    for band, (low, high) in enumerate(itertools.pairwise(whole)):
        matrix[low:high, band] = 1.0 / (high - low)
    return matrix


def _peaks(flux: _Float, hop: float) -> NDArray[np.int64]:
    """Frames at which `flux` has a peak that exceeds its surroundings; `hop` in seconds."""
    reach = max(1, round(_NEIGHBOURHOOD / hop))
    local_mean = scipy.ndimage.uniform_filter1d(flux, 2 * reach + 1, mode="constant")
    excess = flux - local_mean
    strongest = scipy.ndimage.maximum_filter1d(excess, 2 * round(_LOCAL_REACH / hop) + 1, mode="nearest")
    around = 2 * max(1, round(_GAP / hop)) + 1
    is_peak = flux == scipy.ndimage.maximum_filter1d(flux, around, mode="nearest")
    candidates: NDArray[np.int64] = np.flatnonzero(is_peak & (excess > _THRESHOLD) & (excess > _LOCAL * strongest))
    if candidates.size == 0:
        return candidates
    first = np.concatenate([[True], np.diff(candidates) > 1])  # of a plateau
    return np.asarray(candidates[first], dtype=np.int64)


def _attack_starts(samples: _Float, sample_rate: int, peaks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each peak time (s) moved to the start of its attack; ascending, without repetition."""
    step = max(1, round(_ENVELOPE * sample_rate))
    # The first difference emphasises high frequencies, where an attack is sharper than sustained sounds below it.
    differences = np.abs(np.diff(samples, prepend=np.float32(0.0)))
    count = -(-differences.size // step)
    envelope = np.pad(differences, (0, count * step - differences.size)).reshape(count, step).max(axis=1)
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
