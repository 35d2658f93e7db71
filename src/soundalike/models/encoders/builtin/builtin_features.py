"""The features of the embedded encoder: one small vector a block, from the spectra of `frontend`.

Every block is a float32 vector of constant length, finite, independent of the level of the waveform and (but for the
number of onsets) of the silence around it. `BLOCKS` names them in order with their sizes.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import scipy.fft

from soundalike.models.encoders.builtin.builtin_spectra import (
    BANDS,
    ENVELOPE_RATE,
    FRAME,
    FRAME_RATE,
    SAMPLE_RATE,
    SLOW_FRAME,
    SLOW_RATE,
    Array,
    Sound,
)

FLOOR = 1e-3
"""Specific loudness under which nothing is told apart: some 46 dB under the mean band of the loudest frame."""

CEPSTRA = 20
ENVELOPE_ORDERS = 13
"""Cepstral orders that describe a spectral envelope; the higher ones follow single harmonics, so the pitch."""

SCALES = ((0, 1), (1, 2), (2, 3), (3, 4), (4, 6), (6, 9), (9, 13), (13, 20))
RATES = tuple(0.5 * 2 ** (0.7 * step) for step in range(9))  # 0.5 to 24 Hz
DELAYS = (0, 1, 2, 3, 4, 6, 9, 14, 22, 36)  # frames of 16 ms
COURSE_BANDS = 16
COURSE_ORDERS = (6, 8)
BROAD_BANDS = 6
RHYTHM_BANDS = 3
RHYTHM_LAGS = 24
ROUGH_RATES = (16.0, 32.0, 64.0, 128.0)
FLATNESS_EDGES = (100.0, 400.0, 1200.0, 3000.0, 6000.0, 12000.0)
LOWEST_PEAK, HIGHEST_PEAK = 55.0, 3000.0

BLOCKS: dict[str, int] = {
    "spectrum": ENVELOPE_ORDERS,
    "attack": ENVELOPE_ORDERS,
    "course": COURSE_ORDERS[0] * COURSE_ORDERS[1] - 1,
    "dynamics": 8,
    "modulation": len(SCALES) * len(RATES),
    "bands": BROAD_BANDS * len(RATES),
    "motion": ENVELOPE_ORDERS,
    "rough": 3 * len(ROUGH_RATES),
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
    """(BANDS, groups): means over neighbouring bands."""
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
    """(13,): a spectrum (BANDS,) of specific loudness as a cepstrum without its level."""
    shape = shape / max(float(shape.sum()), 1e-12)
    cepstrum: Array = np.log(shape + np.float32(1e-3)) @ _cosines(BANDS, ENVELOPE_ORDERS + 1)
    return cepstrum[1:]


def modulation(course_: Array, sounding: float, groups: tuple[tuple[int, int], ...]) -> Array:
    """(rates * groups,): log power of columns of `course_` (T, n) per modulation rate, averaged over groups of columns.

    Spectral scale (order of the cepstrum) against temporal rate is what listeners' dissimilarities of tones follow
    (Patil et al. 2012; Thoret et al. 2021). `sounding` is the effective number of frames, so that silence around
    the sound does not count. The waveform is taken to stand in silence: its beginning and end are modulation too.
    """
    length = scipy.fft.next_fast_len(int(max(len(course_) + FRAME_RATE, 4 * FRAME_RATE)), real=True)
    transform = scipy.fft.rfft(course_, n=length, axis=0)
    power = np.square(transform.real) + np.square(transform.imag)
    rates = _rate_bands(length, FRAME_RATE, RATES) @ power
    grouped = np.stack([rates[:, a:b].mean(axis=1) for a, b in groups], axis=1)
    logs: Array = np.log(grouped / np.float32(length * sounding) + np.float32(1e-4)).ravel()
    return logs


def onset_strength(sound: Sound) -> Array:
    """(T, BANDS): half-wave-rectified growth of specific loudness over two frames; the first grow from silence."""
    strength = sound.loudness.copy()
    strength[2:] -= sound.loudness[:-2]
    return np.maximum(strength, 0, out=strength)


def onset_weights(strength: Array) -> Array:
    """(T,): the summed strength at its local maxima above a tenth of the largest, zero elsewhere; sums to 1."""
    total = strength.sum(axis=1)
    padded = np.concatenate([np.zeros(3, np.float32), total, np.zeros(3, np.float32)])
    near = np.lib.stride_tricks.sliding_window_view(padded, 7).max(axis=1)
    chosen = np.where((total >= near) & (total > 0.1 * total.max()), total, np.float32(0))
    return np.asarray(chosen / max(float(chosen.sum()), 1e-12), dtype=np.float32)


def course(sound: Sound, onsets: Array) -> Array:
    """(47,): log loudness of 16 bands at 10 delays after the onsets, as 2-D cosine coefficients without the level.

    A mean over onsets weighted by their strength: a one-shot and a loop of it give the same picture up to the next hit.
    """
    grouped = sound.loudness @ _grouping(COURSE_BANDS)
    padded = np.concatenate([grouped, np.zeros((DELAYS[-1] + 1, COURSE_BANDS), np.float32)])
    at = np.flatnonzero(onsets)
    picture = np.stack([onsets[at] @ padded[at + delay] for delay in DELAYS])
    logs = np.log(picture / max(float(picture.max()), 1e-9) + np.float32(0.01))
    times, bands = COURSE_ORDERS
    coefficients: Array = _cosines(len(DELAYS), times).T @ logs @ _cosines(COURSE_BANDS, bands)
    return coefficients.ravel()[1:]


def dynamics(sound: Sound, onsets: Array) -> Array:
    """(8,): log attack time, centroid in time, early and late decay, unevenness, onsets a second, length, flutter."""
    envelope = np.sqrt(np.convolve(sound.envelopes[1], np.array([0.25, 0.5, 0.25], np.float32), mode="same"))
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
    total = sound.loudness.sum(axis=1)
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
    """Effective number of onsets: 1 where one of them has all the weight."""
    return 1 / max(float(onsets @ onsets), 1e-9)


def rough(sound: Sound) -> Array:
    """(12,): log modulation power of the low, whole and high envelopes around 16, 32, 64 and 128 Hz."""
    loudness = np.power(sound.envelopes, np.float32(0.3))
    loudness /= np.maximum(np.sqrt(np.mean(loudness**2, axis=1, keepdims=True)), 1e-9)
    length = scipy.fft.next_fast_len(max(loudness.shape[1], 400), real=True)
    transform = scipy.fft.rfft(loudness, n=length, axis=1)
    power = np.square(transform.real) + np.square(transform.imag)
    rates = power @ _rate_bands(length, ENVELOPE_RATE, ROUGH_RATES).T
    logs: Array = np.log(rates / np.float32(length * loudness.shape[1]) + np.float32(1e-5)).ravel()
    return logs


@cache
def _flatness_ranges() -> Array:
    """(bins, ranges): means over the bins of each range of FLATNESS_EDGES."""
    bins = np.arange(FRAME // 2 + 1) * SAMPLE_RATE / FRAME
    edges = pairwise(FLATNESS_EDGES)
    ranges = np.stack([(bins >= low) & (bins < high) for low, high in edges], axis=1).astype(np.float32)
    return np.asarray(ranges / ranges.sum(axis=0), dtype=np.float32)


def tonality(sound: Sound, peaks: Array, total: float) -> Array:
    """(6,): log spectral flatness in five ranges, and log share of the slow spectrum that lies in its peaks."""
    level = sound.power.sum(axis=1)
    floor = np.float32(1e-9 * max(float(level.max()), 1e-12))
    weight = level ** np.float32(0.3)
    weight /= max(float(weight.sum()), 1e-12)
    logs = np.log(sound.power + floor) @ _flatness_ranges()
    flatness = weight @ (logs - np.log(sound.power @ _flatness_ranges() + floor))
    peaked = np.log(float(peaks.sum()) / max(total, 1e-12) + 0.02)
    return np.append(flatness, np.float32(peaked)).astype(np.float32)


def spectral_peaks(sound: Sound) -> tuple[Array, Array, float]:
    """Pitch (MIDI numbers) and weight of the peaks of the slow spectrum that stand out, and the weight of it all."""
    width = 12
    low = int(LOWEST_PEAK * SLOW_FRAME / SLOW_RATE) - 1
    high = int(HIGHEST_PEAK * SLOW_FRAME / SLOW_RATE) + 1
    sums = np.cumsum(sound.slow[:, : high + width + 1], axis=1)
    around = (sums[:, low + width : high + width] - sums[:, low - width : high - width]) / (2 * width)
    here = sound.slow[:, low:high]
    prominent = (here[:, 1:-1] > here[:, :-2]) & (here[:, 1:-1] >= here[:, 2:])
    prominent &= here[:, 1:-1] > 2 * around[:, 1:-1]
    frame, index = np.nonzero(prominent)
    left, centre, right = here[frame, index], here[frame, index + 1], here[frame, index + 2]
    shift = np.clip(0.5 * (left - right) / np.minimum(left - 2 * centre + right, -1e-12), -0.5, 0.5)
    frequency = (low + 1 + index + shift) * (SLOW_RATE / SLOW_FRAME)
    pitch = 69 + 12 * np.log2(frequency / 440)
    return pitch.astype(np.float32), np.sqrt(centre), float(np.sqrt(here).sum()) / 12


def _histogram(position: Array, weight: Array, size: int) -> Array:
    """Weights summed into `size` slots, each shared between the two slots next to its position; the last wraps."""
    slot = np.floor(position).astype(int)
    share = position - slot
    counts = np.bincount(slot % size, weight * (1 - share), size) + np.bincount((slot + 1) % size, weight * share, size)
    return np.asarray(counts, dtype=np.float32)


def chroma(pitch: Array, peaks: Array) -> Array:
    """(12,): share of each pitch class less the mean; its norm says how much harmony there is."""
    shares = _histogram(pitch, peaks, 12)
    shares /= max(float(shares.sum()), 1e-9)
    return np.asarray(shares - shares.mean(), dtype=np.float32)


def register(pitch: Array, peaks: Array, total: float) -> Array:
    """(12,): log weight of peaks in steps of half an octave from 55 Hz up."""
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


def features(sound: Sound) -> tuple[Array, dict[str, float]]:
    """All blocks of a sound in the order of BLOCKS, one vector (sum of their sizes,), and how present some are.

    A single hit has no rhythm and noise has no harmony: `rhythm` is present by 1 - 1/n for n onsets, `chroma` by the
    weight of spectral peaks, from 0 to 1. Blocks that are not named are always there.
    """
    level = sound.loudness.sum(axis=1)
    weight = level / max(float(level.sum()), 1e-12)
    sounding = 1 / max(float(weight @ weight), 1e-9)
    logs = np.log(sound.loudness + np.float32(FLOOR)) - np.float32(np.log(FLOOR))
    cepstra = logs @ _cosines(BANDS, CEPSTRA)
    steps = np.diff(cepstra[:, :ENVELOPE_ORDERS], axis=0, prepend=np.float32(0))
    strength = onset_strength(sound)
    onsets = onset_weights(strength)
    pitch, peaks, total = spectral_peaks(sound)
    each_band = tuple((band, band + 1) for band in range(BROAD_BANDS))
    blocks = {
        "spectrum": spectrum(weight @ sound.loudness),
        "attack": spectrum(strength.sum(axis=0)),
        "course": course(sound, onsets),
        "dynamics": dynamics(sound, onsets),
        "modulation": modulation(cepstra, sounding, SCALES),
        "bands": modulation(logs @ _grouping(BROAD_BANDS), sounding, each_band),
        "motion": np.log(np.sqrt(weight @ steps**2) + np.float32(0.02)),
        "rough": rough(sound),
        "tonality": tonality(sound, peaks, total),
        "register": register(pitch, peaks, total),
        "chroma": chroma(pitch, peaks),
        "rhythm": rhythm(strength),
    }
    present = {
        "chroma": min(1.0, 2 * float(peaks.sum()) / max(total, 1e-12)),
        "rhythm": 1 - 1 / max(onset_count(onsets), 1.0),
    }
    return np.concatenate([blocks[name] for name in BLOCKS]).astype(np.float32), present
