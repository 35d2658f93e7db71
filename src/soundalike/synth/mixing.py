"""Mixing: placing, panning, room and levels. Whatever changes the mixture is one gain for all stems, so that the stems still
add up to it.

Signals are float32 of shape (2, samples).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft
from scipy.ndimage import minimum_filter1d, uniform_filter1d

from soundalike.audio.metadata.loudness import LoudnessMeter
from soundalike.synth import dsp

CEILING = 0.95
"""Highest absolute sample of a mixture."""
LOUDNESS = -16.0
"""Integrated loudness of a mixture in LUFS, before peaks are caught."""

_BLOCK = 64
_FFT = 2**17  # a room is at most half of this


def place(bus: dsp.Stereo, signal: NDArray[np.float32], start: int, left: float, right: float) -> None:
    """Add mono `signal` to `bus` in place from sample `start` on; what lies beyond the end is dropped."""
    stop = min(bus.shape[1], start + signal.size)
    if stop > start:
        bus[0, start:stop] += np.float32(left) * signal[: stop - start]
        bus[1, start:stop] += np.float32(right) * signal[: stop - start]


def room(rng: np.random.Generator, fall: float) -> dsp.Stereo:
    """The impulse response of a room without its direct sound: two decorrelated noises that fall by 60 dB in
    `fall` seconds.
    """
    count = round(0.7 * fall * dsp.SAMPLE_RATE)
    silence = round(0.009 * dsp.SAMPLE_RATE)
    sides = [dsp.bandpass(rng.standard_normal(count), 180.0, 5200.0, 1) * dsp.decay(count, fall) for _ in range(2)]
    tail = np.stack(sides) * dsp.gate(count, 0.004, 0.05)
    tail /= np.sqrt(np.sum(tail**2, axis=1, keepdims=True))
    return np.pad(tail, ((0, 0), (silence, 0))).astype(np.float32)


def add_room(bus: dsp.Stereo, response: dsp.Stereo, level: float) -> dsp.Stereo:
    """`bus` with its mono sum through `response` added at `level` (linear)."""
    if level <= 0.0:
        return bus
    # Overlap-add with one forward transform for both sides.
    samples, extra = bus.shape[1], response.shape[1] - 1
    hop = _FFT - extra
    blocks = -(-samples // hop)
    frames = np.zeros((blocks, _FFT), dtype=np.float32)
    padded = np.zeros(blocks * hop, dtype=np.float32)
    padded[:samples] = bus.mean(axis=0) * np.float32(level)
    frames[:, :hop] = padded.reshape(blocks, hop)
    spectra = rfft(frames, axis=1, overwrite_x=True)
    wet = np.zeros((2, blocks * hop + extra), dtype=np.float32)
    for side, spectrum in enumerate(rfft(response, _FFT, axis=1)):
        for block, tail in enumerate(irfft(spectra * spectrum, axis=1, overwrite_x=True)):
            wet[side, block * hop : block * hop + _FFT] += tail
    return np.asarray(bus + wet[:, :samples], dtype=np.float32)


def active_level(bus: dsp.Stereo) -> float:
    """Root mean square of a stem where it plays (its louder frames); 0 for silence."""
    frame = 4096
    mono = bus.mean(axis=0)
    if mono.size < frame:
        return float(np.sqrt(np.mean(mono**2)))
    power = np.mean(mono[: mono.size // frame * frame].reshape(-1, frame) ** 2, axis=1)
    loud = power[power > 1e-3 * float(power.max(initial=0.0))]
    return float(np.sqrt(loud.mean())) if loud.size else 0.0


def master(stems: Mapping[str, dsp.Stereo]) -> tuple[dict[str, dsp.Stereo], dsp.Stereo]:
    """The stems at their final level, and their mixture: exactly their sum, in the order given.

    One gain brings the mixture to `LOUDNESS`; a second one that moves over time keeps it under `CEILING`.
    Both are the same for all stems.
    """
    mixture = total(stems)
    gain = np.float32(10 ** ((LOUDNESS - loudness(mixture)) / 20))
    curve = (_limiter(mixture * gain) * gain).astype(np.float32)
    final = {part: stem * curve for part, stem in stems.items()}
    return final, total(final)


def total(stems: Mapping[str, dsp.Stereo]) -> dsp.Stereo:
    """The sum of the stems in float32, added one after the other in the order given."""
    mixture = np.zeros_like(next(iter(stems.values())))
    for stem in stems.values():
        mixture += stem
    return mixture


def loudness(signal: dsp.Stereo) -> float:
    """Integrated loudness in LUFS (ITU-R BS.1770); -70 for silence."""
    meter = LoudnessMeter(dsp.SAMPLE_RATE)
    meter.add(signal)
    measured = meter.integrated()
    return -70.0 if measured is None else max(measured, -70.0)


def _limiter(mixture: dsp.Stereo) -> NDArray[np.float32]:
    """A gain for each sample, at most 1, that keeps `mixture` within `CEILING`, moving over about 40 ms."""
    samples = mixture.shape[1]
    blocks = -(-samples // _BLOCK)
    padded = np.zeros((2, blocks * _BLOCK), dtype=np.float32)
    padded[:, :samples] = np.abs(mixture)
    peaks = padded.reshape(2, blocks, _BLOCK).max(axis=(0, 2))
    needed = np.minimum(1.0, CEILING / np.maximum(peaks, 1e-9))
    # The lowest gain within a window, averaged over a shorter one, never exceeds what any block in reach
    # needs; two blocks more cover the interpolation between blocks.
    width = 29
    smooth = uniform_filter1d(minimum_filter1d(needed, width + 4), width)
    centres = (np.arange(blocks) + 0.5) * _BLOCK
    return np.asarray(np.interp(np.arange(samples), centres, smooth), dtype=np.float32)
