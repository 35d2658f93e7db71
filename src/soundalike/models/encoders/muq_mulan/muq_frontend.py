"""Front end of MuQ: log-mel spectrograms of clips of ten seconds.

Follows muq 0.1.0: `muq_mulan.py` (`_get_all_clips`), `modules/features.py` and `models/muq_model.py` (`preprocessing`,
`normalize`), with MelSpectrogram and AmplitudeToDB of torchaudio as used there.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from soundalike.models.encoder_protocol import Samples
from soundalike.models.encoders.muq_mulan.muq_settings import ConformerSettings

SAMPLE_RATE = 24_000
"""Sample rate of the mel bands in Hz."""

FRAME = 2048
SHORTEST = FRAME // 2 + 1
"""The fewest samples that can be mirrored at both ends."""

_FLOOR = 1e-10


def split_clips(samples: Samples, clip: int) -> list[Samples]:
    """Consecutive clips of `clip` samples of `samples` (T,), none if T is 0.

    The last clip is filled up from the beginning of `samples`. If that is not enough (T below half of `clip`), it is
    `samples` repeated once, as in the original. So every clip has `clip` samples, except the only one of a short waveform.
    The original fails below SHORTEST / 2 samples; here such a waveform is repeated up to SHORTEST samples.
    """
    end = len(samples) // clip * clip
    clips = [samples[start : start + clip] for start in range(0, end, clip)]
    if end < len(samples):
        rest = samples[end:]
        last = np.concatenate([rest, samples[: clip - len(rest)]])
        clips.append(np.resize(last, max(len(last), SHORTEST)))
    return clips


class LogMel(nn.Module):
    """From waveforms (B, T), T >= SHORTEST, to standardised mel bands in dB (B, bands, T // hop)."""

    def __init__(self, settings: ConformerSettings) -> None:
        super().__init__()
        self._settings = settings
        self.register_buffer("window", torch.hann_window(FRAME))
        self.register_buffer("bands", mel_bands(settings.bands))

    def forward(self, waveforms: Tensor) -> Tensor:
        spectra = torch.stft(
            waveforms,
            FRAME,
            self._settings.hop,
            window=self.window,
            center=True,
            pad_mode="reflect",
            return_complex=True,
        )
        # The original drops the last frame, so that ten seconds have 1000 frames.
        power = spectra[..., :-1].abs().square()
        bands = (power.transpose(1, 2) @ self.bands).transpose(1, 2)
        return (10 * bands.clamp(min=_FLOOR).log10() - self._settings.mean) / self._settings.deviation


def mel_bands(count: int) -> Tensor:
    """(FRAME // 2 + 1, count): triangles of height 1 and equal width on HTK's mel scale, from 0 Hz to half the sample rate.

    As `melscale_fbanks` of torchaudio with its defaults, also in float32.
    """
    top = 2595 * math.log10(1 + SAMPLE_RATE / 2 / 700)
    edges = 700 * (10 ** (torch.linspace(0, top, count + 2) / 2595) - 1)
    distance = edges[None, :] - torch.linspace(0, SAMPLE_RATE // 2, FRAME // 2 + 1)[:, None]
    width = edges.diff()
    return torch.minimum(-distance[:, :-2] / width[:-1], distance[:, 2:] / width[1:]).clamp(min=0)
