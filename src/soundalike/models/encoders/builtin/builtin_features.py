"""The features of the built-in encoder: one small vector per block, computed from `builtin_spectra.Spectra`.

Every block is a finite float32 vector of constant length that is independent of the level of the waveform and, except for
the number of onsets, of the silence around it. `BLOCKS` lists them in order with their sizes.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import scipy

from soundalike.models.encoders.builtin.builtin_spectra import (
    BANDS,
    ENVELOPE_RATE,
    FRAME,
    FRAME_RATE,
    SAMPLE_RATE,
    SLOW_FRAME,
    SLOW_RATE,
    Array,
    Spectra,
)

FLOOR = 1e-3
"""Specific loudness below which differences do not count: about 46 dB below the mean band of the loudest frame."""

CEPSTRA = 20
ENVELOPE_ORDERS = 13
"""Cepstral orders that describe a spectral envelope; higher orders resolve single harmonics, and so the pitch."""

SCALES = ((0, 1), (1, 2), (2, 3), (3, 4), (4, 6), (6, 9), (9, 13), (13, 20))
RATES = tuple(0.5 * 2 ** (0.7 * step) for step in range(9))  # 0.5 to 24 Hz
DELAYS = (0, 1, 2, 3, 4, 6, 9, 14, 22, 36)  # frames of 16 ms
EVOLUTION_BANDS = 16
EVOLUTION_ORDERS = (6, 8)
BROAD_BANDS = 6
RHYTHM_BANDS = 3
RHYTHM_LAGS = 24
ROUGHNESS_RATES = (16.0, 32.0, 64.0, 128.0)
FLATNESS_EDGES = (100.0, 400.0, 1200.0, 3000.0, 6000.0, 12000.0)
LOWEST_PEAK, HIGHEST_PEAK = 55.0, 3000.0
_LEAST_PEAKED = 0.02

BLOCKS: dict[str, int] = {
    "spectrum": ENVELOPE_ORDERS,
    "attack": ENVELOPE_ORDERS,
    "evolution": EVOLUTION_ORDERS[0] * EVOLUTION_ORDERS[1] - 1,
    "dynamics": 8,
    "modulation": len(SCALES) * len(RATES),
    "bands": BROAD_BANDS * len(RATES),
    "motion": ENVELOPE_ORDERS,
    "roughness": 3 * len(ROUGHNESS_RATES),
    "tonality": 6,
    "register": 12,
    "chroma": 12,
    "rhythm": RHYTHM_BANDS * RHYTHM_LAGS,
}


@cache
def _cosines(length: int, orders: int) -> Array:
    """(length, orders): the DCT-II basis, orthonormal."""
    basis = scipy.fft.dct(np.eye(length), type=2, norm="ortho", axis=1)[:, :orders]
    return np.asarray(basis, dtype=np.float32)


@cache
def _grouping(groups: int) -> Array:
    """(BANDS, groups): means over groups of neighbouring bands."""
    matrix = np.zeros((BANDS, groups), dtype=np.float32)
    for index, group in enumerate(np.array_split(np.arange(BANDS), groups)):
        matrix[group, index] = 1 / len(group)
    return matrix


@cache
def _rate_bands(length: int, rate: float, centres: tuple[float, ...]) -> Array:
    """(centres, length // 2 + 1): raised-cosine bands, log-spaced, over the frequencies of an FFT of `length`."""
    frequency = np.fft.rfftfreq(length, 1 / rate)
    step = np.log2(centres[1] / centres[0])
    distance = np.log2(np.maximum(frequency, 1e-3)[None, :] / np.array(centres)[:, None]) / step
    return np.where(np.abs(distance) < 1, 0.5 + 0.5 * np.cos(np.pi * distance), 0).astype(np.float32)


def spectrum(shape: Array) -> Array:
    """(13,): the cepstrum of a spectrum (BANDS,) of specific loudness, without the level."""
    shape = shape / max(float(shape.sum()), 1e-12)
    cepstrum: Array = np.log(shape + np.float32(1e-3)) @ _cosines(BANDS, ENVELOPE_ORDERS + 1)
    return cepstrum[1:]


def modulation(series: Array, effective_frames: float, groups: tuple[tuple[int, int], ...]) -> Array:
    """(rates * groups,): log power of the columns of `series` (T, n) per modulation rate, averaged over groups of columns.

    Spectral scale (order of the cepstrum) by temporal rate explains listeners' dissimilarities of tones (Patil et al.
    2012; Thoret et al. 2021). effective_frames: the effective number of frames, so that silence around the sound does not
    count. Before and after the waveform there is silence, so its beginning and end count as modulation.
    """
    length = scipy.fft.next_fast_len(int(max(len(series) + FRAME_RATE, 4 * FRAME_RATE)), real=True)
    transform = scipy.fft.rfft(series, n=length, axis=0)
    power = np.square(transform.real) + np.square(transform.imag)
    rates = _rate_bands(length, FRAME_RATE, RATES) @ power
    grouped = np.stack([rates[:, a:b].mean(axis=1) for a, b in groups], axis=1)
    logs: Array = np.log(grouped / np.float32(length * effective_frames) + np.float32(1e-4)).ravel()
    return logs


def onset_strength(spectra: Spectra) -> Array:
    """(T, BANDS): half-wave-rectified increase of specific loudness over two frames; before the first there is silence."""
    strength = spectra.loudness.copy()
    strength[2:] -= spectra.loudness[:-2]
    return np.maximum(strength, 0, out=strength)


def onset_weights(strength: Array) -> Array:
    """(T,): the summed strength at its local maxima above a tenth of the largest, zero elsewhere; scaled to a sum of 1."""
    total = strength.sum(axis=1)
    padded = np.concatenate([np.zeros(3, np.float32), total, np.zeros(3, np.float32)])
    near = np.lib.stride_tricks.sliding_window_view(padded, 7).max(axis=1)
    chosen = np.where((total >= near) & (total > 0.1 * total.max()), total, np.float32(0))
    return np.asarray(chosen / max(float(chosen.sum()), 1e-12), dtype=np.float32)


def evolution(spectra: Spectra, onsets: Array) -> Array:
    """(47,): log loudness of 16 bands at 10 delays after the onsets, as 2-D cosine coefficients without the level.

    It is a mean over onsets weighted by their strength: a one-shot and a loop of it agree up to the next onset.
    """
    grouped = spectra.loudness @ _grouping(EVOLUTION_BANDS)
    padded = np.concatenate([grouped, np.zeros((DELAYS[-1] + 1, EVOLUTION_BANDS), np.float32)])
    at = np.flatnonzero(onsets)
    image = np.stack([onsets[at] @ padded[at + delay] for delay in DELAYS])
    logs = np.log(image / max(float(image.max()), 1e-9) + np.float32(0.01))
    times, bands = EVOLUTION_ORDERS
    coefficients: Array = _cosines(len(DELAYS), times).T @ logs @ _cosines(EVOLUTION_BANDS, bands)
    return coefficients.ravel()[1:]


def dynamics(spectra: Spectra, onsets: Array) -> Array:
    """(8,): logs of attack time, temporal centroid, early and late decay, crest, onsets per second, length, and flutter."""
    envelope = np.sqrt(np.convolve(spectra.envelopes[1], np.array([0.25, 0.5, 0.25], np.float32), mode="same"))
    at = np.flatnonzero(onsets)
    at = at[np.argsort(-onsets[at], kind="stable")[:64]]
    share = onsets[at] / max(float(onsets[at].sum()), 1e-12)
    before, after = 20, 200  # envelope hops around an onset: 50 ms and 500 ms
    padded = np.concatenate([np.zeros(before, np.float32), envelope, np.zeros(after, np.float32)])
    start = np.minimum((at * (ENVELOPE_RATE / FRAME_RATE)).astype(int), len(envelope) - 1)
    pieces = padded[start[:, None] + np.arange(before + after)[None, :]]
    head = pieces[:, :100]
    top = head.max(axis=1, keepdims=True) + np.float32(1e-9)
    rising = np.arange(100)[None, :] <= head.argmax(axis=1)[:, None]
    rise = ((head > 0.1 * top) & (head < 0.9 * top) & rising).sum(axis=1) + 1
    tail = pieces[:, before:] / top
    centroid = (tail @ np.arange(after, dtype=np.float32) + 1) / (tail.sum(axis=1) + 1e-9)
    total = spectra.loudness.sum(axis=1)
    square = float(np.sum(total**2))
    sounding = float(total.sum()) / FRAME_RATE
    values = (
        share @ np.log(rise),
        share @ np.log(centroid + 1),
        share @ np.log(tail[:, 20:60].mean(axis=1) + 0.01),
        share @ np.log(tail[:, 100:180].mean(axis=1) + 0.01),
        np.log(float(total.max()) * float(total.sum()) / max(square, 1e-9)),
        np.log(onset_count(onsets) / max(sounding, 0.05)),
        np.log(sounding + 0.03),
        np.log(float(np.sum(np.diff(total, prepend=0) ** 2)) / max(square, 1e-9) + 1e-4),
    )
    return np.array(values, dtype=np.float32)


def onset_count(onsets: Array) -> float:
    """Effective number of onsets: 1 if one of them has all the weight."""
    return 1 / max(float(onsets @ onsets), 1e-9)


def roughness(spectra: Spectra) -> Array:
    """(12,): log modulation power of the low, full and high envelopes around 16, 32, 64 and 128 Hz."""
    loudness = np.power(spectra.envelopes, np.float32(0.3))
    loudness /= np.maximum(np.sqrt(np.mean(loudness**2, axis=1, keepdims=True)), 1e-9)
    length = scipy.fft.next_fast_len(max(loudness.shape[1], 400), real=True)
    transform = scipy.fft.rfft(loudness, n=length, axis=1)
    power = np.square(transform.real) + np.square(transform.imag)
    rates = power @ _rate_bands(length, ENVELOPE_RATE, ROUGHNESS_RATES).T
    logs: Array = np.log(rates / np.float32(length * loudness.shape[1]) + np.float32(1e-5)).ravel()
    return logs


@cache
def _flatness_ranges() -> Array:
    """(bins, ranges): means over the bins of each range of FLATNESS_EDGES."""
    bins = np.arange(FRAME // 2 + 1) * SAMPLE_RATE / FRAME
    edges = pairwise(FLATNESS_EDGES)
    ranges = np.stack([(bins >= low) & (bins < high) for low, high in edges], axis=1).astype(np.float32)
    return np.asarray(ranges / ranges.sum(axis=0), dtype=np.float32)


def tonality(spectra: Spectra, peaks: Array, total: float) -> Array:
    """(6,): log spectral flatness in five ranges, and log share of the peaks in the slow spectrum."""
    level = spectra.power.sum(axis=1)
    floor = np.float32(1e-9 * max(float(level.max()), 1e-12))
    weight = level ** np.float32(0.3)
    weight /= max(float(weight.sum()), 1e-12)
    logs = np.log(spectra.power + floor) @ _flatness_ranges()
    flatness = weight @ (logs - np.log(spectra.power @ _flatness_ranges() + floor))
    peaked = np.log(float(peaks.sum()) / max(total, 1e-12) + _LEAST_PEAKED)
    return np.append(flatness, np.float32(peaked)).astype(np.float32)


def spectral_peaks(spectra: Spectra) -> tuple[Array, Array, float]:
    """Pitch (MIDI numbers) and weight of the prominent peaks of the slow spectrum, and the weight of the whole spectrum."""
    width = 12
    low = int(LOWEST_PEAK * SLOW_FRAME / SLOW_RATE) - 1
    high = int(HIGHEST_PEAK * SLOW_FRAME / SLOW_RATE) + 1
    sums = np.cumsum(spectra.slow[:, : high + width + 1], axis=1)
    around = (sums[:, low + width : high + width] - sums[:, low - width : high - width]) / (2 * width)
    here = spectra.slow[:, low:high]
    prominent = (here[:, 1:-1] > here[:, :-2]) & (here[:, 1:-1] >= here[:, 2:])
    prominent &= here[:, 1:-1] > 2 * around[:, 1:-1]
    frame, index = np.nonzero(prominent)
    left, centre, right = here[frame, index], here[frame, index + 1], here[frame, index + 2]
    shift = np.clip(0.5 * (left - right) / np.minimum(left - 2 * centre + right, -1e-12), -0.5, 0.5)
    frequency = (low + 1 + index + shift) * (SLOW_RATE / SLOW_FRAME)
    pitch = 69 + 12 * np.log2(frequency / 440)
    return pitch.astype(np.float32), np.sqrt(centre), float(np.sqrt(here).sum()) / 12


def _histogram(position: Array, weight: Array, size: int) -> Array:
    """Weights summed into `size` circular slots, each split linearly between the two slots next to its position."""
    slot = np.floor(position).astype(int)
    share = position - slot
    counts = np.bincount(slot % size, weight * (1 - share), size) + np.bincount((slot + 1) % size, weight * share, size)
    return np.asarray(counts, dtype=np.float32)


def chroma(pitch: Array, peaks: Array) -> Array:
    """(12,): share of each pitch class minus the mean; its norm is the amount of harmony."""
    shares = _histogram(pitch, peaks, 12)
    shares /= max(float(shares.sum()), 1e-9)
    return np.asarray(shares - shares.mean(), dtype=np.float32)


def register(pitch: Array, peaks: Array, total: float) -> Array:
    """(12,): log weight of the peaks in steps of half an octave from 55 Hz."""
    shares = _histogram(np.clip((pitch - 33) / 6, 0, 10.99).astype(np.float32), peaks, 12)
    return np.asarray(np.log(shares / max(total, 1e-9) + 0.01), dtype=np.float32)


@cache
def _lags(count: int) -> Array:
    """(RHYTHM_LAGS, count): Gaussian windows of 0.11 octaves on lags from 0.1 to 3.2 s: a tempo 4 % off still fits."""
    lags = np.arange(count) / FRAME_RATE
    centres = 0.1 * 2 ** np.linspace(0, 5, RHYTHM_LAGS)
    octaves = np.log2(np.maximum(lags, 1e-3)[None, :] / centres[:, None])
    windows = np.exp(-0.5 * (octaves / 0.11) ** 2)
    return np.asarray(windows / windows.sum(axis=1, keepdims=True), dtype=np.float32)


def rhythm(strength: Array) -> Array:
    """(72,): autocorrelation of the onset strength in three ranges, on a logarithmic axis of lags."""
    groups: Array = strength @ _grouping(RHYTHM_BANDS)
    groups -= groups.mean(axis=0)
    longest = int(4 * FRAME_RATE)
    length = scipy.fft.next_fast_len(len(groups) + longest, real=True)
    transform = scipy.fft.rfft(groups, n=length, axis=0)
    power = np.square(transform.real) + np.square(transform.imag)
    correlation = scipy.fft.irfft(power, n=length, axis=0)[:longest]
    correlation /= np.maximum(correlation[:1], 1e-9)
    return np.asarray((_lags(longest) @ correlation).T.ravel(), dtype=np.float32)


def features(spectra: Spectra) -> tuple[Array, dict[str, float]]:
    """All blocks in the order of BLOCKS as one vector (sum of their sizes,), and the presence of some, from 0 to 1.

    A single hit has no rhythm and noise has no harmony: the presence of `rhythm` is 1 - 1/n for n onsets, that of `chroma`
    the weight of spectral peaks. Blocks that are not named are always present.
    """
    level = spectra.loudness.sum(axis=1)
    weight = level / max(float(level.sum()), 1e-12)
    effective_frames = 1 / max(float(weight @ weight), 1e-9)
    logs = np.log(spectra.loudness + np.float32(FLOOR)) - np.float32(np.log(FLOOR))
    cepstra = logs @ _cosines(BANDS, CEPSTRA)
    steps = np.diff(cepstra[:, :ENVELOPE_ORDERS], axis=0, prepend=np.float32(0))
    strength = onset_strength(spectra)
    onsets = onset_weights(strength)
    pitch, peaks, total = spectral_peaks(spectra)
    each_band = tuple((band, band + 1) for band in range(BROAD_BANDS))
    blocks = {
        "spectrum": spectrum(weight @ spectra.loudness),
        "attack": spectrum(strength.sum(axis=0)),
        "evolution": evolution(spectra, onsets),
        "dynamics": dynamics(spectra, onsets),
        "modulation": modulation(cepstra, effective_frames, SCALES),
        "bands": modulation(logs @ _grouping(BROAD_BANDS), effective_frames, each_band),
        "motion": np.log(np.sqrt(weight @ steps**2) + np.float32(0.02)),
        "roughness": roughness(spectra),
        "tonality": tonality(spectra, peaks, total),
        "register": register(pitch, peaks, total),
        "chroma": chroma(pitch, peaks),
        "rhythm": rhythm(strength),
    }
    present = {
        "chroma": min(1.0, 2 * float(peaks.sum()) / max(total, 1e-12)),
        "rhythm": 1 - 1 / max(onset_count(onsets), 1.0),
    }
    return np.concatenate([blocks[name] for name in BLOCKS]).astype(np.float32), present
