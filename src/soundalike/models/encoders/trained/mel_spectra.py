"""Spectra of D-CSN and Cascade in torch: magnitudes at 44.1 kHz, and mel bands in dB that are standardised clip by clip.

From Imamura et al. 2025 (arXiv 2503.18486): 44.1 kHz mono, frames of 2,048 samples every 512, 259 mel bands in dB. Ours: the
range of 80 dB, and Slaney's mel scale from 0 Hz to half the sample rate.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from soundalike.audio.spectral import mel_filters

SAMPLE_RATE = 44_100
FRAME = 2_048
HOP = 512
BINS = FRAME // 2 + 1
BANDS = 259

_RANGE_DB = 80.0
"""Bands further below the loudest one of the clip are raised to that."""

_FLOOR = 1e-10


def magnitudes(waveforms: Tensor) -> Tensor:
    """Magnitudes (B, BINS, frames) of waveforms (B, samples): Hann windows centred on every HOP-th sample."""
    window = torch.hann_window(FRAME, device=waveforms.device)
    spectra = torch.stft(waveforms, FRAME, HOP, window=window, pad_mode="constant", return_complex=True)
    return spectra.abs()


class StandardisedMel(nn.Module):
    """Magnitudes (B, BINS, frames) -> mel bands in dB, of zero mean and unit variance in each clip (B, 1, BANDS, frames)."""

    filters: Tensor

    def __init__(self) -> None:
        super().__init__()
        filters = torch.from_numpy(mel_filters(SAMPLE_RATE, FRAME, BANDS, 0.0, SAMPLE_RATE / 2))
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, magnitudes: Tensor) -> Tensor:
        """See the class. A silent clip gives zeros."""
        return standardised(self.power(magnitudes))

    def power(self, magnitudes: Tensor) -> Tensor:
        """The power (B, BANDS, frames) in each band."""
        return self.filters @ magnitudes.square()


def standardised(power: Tensor) -> Tensor:
    """Power in mel bands (B, BANDS, frames) -> dB, of zero mean and unit variance in each clip (B, 1, BANDS, frames)."""
    loudest = power.amax((1, 2), keepdim=True).clamp(min=_FLOOR)
    bands = 10 / math.log(10) * (power / loudest).clamp(min=10 ** (-_RANGE_DB / 10)).log()
    deviation, mean = torch.std_mean(bands, (1, 2), keepdim=True, correction=0)
    return ((bands - mean) / deviation.clamp(min=1e-3))[:, None]
