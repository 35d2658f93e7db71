"""Equal loudness of clips: one target that all of them reach without clipping (ITU-R BS.1770-4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from soundalike.audio.metadata.loudness import LoudnessMeter
from soundalike.audio.waveform import Waveform

MAX_LOUDNESS = -18.0
"""LUFS of the clips where peaks allow it; they are quieter if one of them has higher peaks."""
MAX_PEAK = -1.0
"""dB of full scale that no true peak exceeds (EBU R 128)."""
OVERSAMPLING = 4
FADE_SECONDS = 0.02


@dataclass(frozen=True)
class Level:
    """loudness: integrated, in LUFS; peak: true peak in dB of full scale."""

    loudness: float
    peak: float


def measure_level(waveform: Waveform) -> Level | None:
    """Loudness and true peak; None for silence. A quiet clip has the loudness that it has when it is made loud: below -70
    LUFS the meter hears nothing, so that it is measured again at `MAX_LOUDNESS`."""
    loudness = _integrated(waveform.samples, waveform.sample_rate)
    if loudness is None:
        return None
    gain = MAX_LOUDNESS - loudness
    loudness = (_integrated(at_gain(waveform.samples, gain), waveform.sample_rate) or MAX_LOUDNESS) - gain
    oversampled = signal.resample_poly(waveform.samples, OVERSAMPLING, 1, axis=1)
    return Level(loudness, 20 * float(np.log10(np.abs(oversampled).max())))


def _integrated(samples: NDArray[np.float32], sample_rate: int) -> float | None:
    meter = LoudnessMeter(sample_rate)
    meter.add(samples)
    return meter.integrated()


def common_loudness(levels: Sequence[Level]) -> float:
    """The loudness that all clips can have without clipping, at most `MAX_LOUDNESS`."""
    return min([MAX_LOUDNESS, *(level.loudness + MAX_PEAK - level.peak for level in levels)])


def faded(waveform: Waveform) -> Waveform:
    """The waveform faded in and out, so that it starts and ends without a click. Levels are measured after that."""
    samples = waveform.samples.copy()
    fade = min(round(FADE_SECONDS * waveform.sample_rate), samples.shape[1] // 2)
    if fade:
        ramp = (0.5 - 0.5 * np.cos(np.pi * (np.arange(fade) + 0.5) / fade)).astype(np.float32)
        samples[:, :fade] *= ramp
        samples[:, -fade:] *= ramp[::-1]
    return Waveform(samples, waveform.sample_rate)


def at_gain(samples: NDArray[np.float32], gain: float) -> NDArray[np.float32]:
    """Samples with `gain` in dB."""
    return np.asarray(samples * np.float32(10 ** (gain / 20)))
