"""What MuQ hears: clips of ten seconds as log-mel spectrograms.

After muq 0.1.0: `muq_mulan.py` (`_get_all_clips`), `modules/features.py` and `models/muq_model.py` (`preprocessing`,
`normalize`), with torchaudio's MelSpectrogram and AmplitudeToDB as they call them.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from soundalike.models.encoders import Samples
from soundalike.models.encoders.muq_mulan.muq_settings import ConformerSettings

SAMPLE_RATE = 24_000
"""Hz that the mel bands are laid for."""

FRAME = 2048
SHORTEST = FRAME // 2 + 1
"""Samples below which the spectrogram cannot be mirrored at its ends."""

_FLOOR = 1e-10


def cut(samples: Samples, clip: int) -> list[Samples]:
    """Consecutive clips of `clip` samples of `samples` (T,), none where T is 0.

    The last one is filled up from the beginning of `samples`; where that does not suffice (T below half of `clip`)
    it is just `samples` twice, as in the original. So all have `clip` samples, but for the only one of a short sound.
    The original fails below SHORTEST / 2 samples; here such a sound is repeated until there are SHORTEST.
    """
    whole = len(samples) // clip * clip
    clips = [samples[start : start + clip] for start in range(0, whole, clip)]
    if whole < len(samples):
        rest = samples[whole:]
        last = np.concatenate([rest, samples[: clip - len(rest)]])
        clips.append(np.resize(last, max(len(last), SHORTEST)))
    return clips


class LogMel(nn.Module):
    """Waveforms (B, T), T from SHORTEST on, to mel bands in dB (B, bands, T // hop), centred and scaled."""

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
        # The original leaves out the last frame, so that ten seconds are 1000 frames.
        power = spectra[..., :-1].abs().square()
        bands = (power.transpose(1, 2) @ self.bands).transpose(1, 2)
        return (10 * bands.clamp(min=_FLOOR).log10() - self._settings.mean) / self._settings.deviation


def mel_bands(count: int) -> Tensor:
    """(FRAME // 2 + 1, count): triangles of height 1, evenly wide on the mel scale of HTK, from 0 Hz to half the rate.

    As torchaudio's `melscale_fbanks` with its defaults, in float32 like it.
    """
    top = 2595 * math.log10(1 + SAMPLE_RATE / 2 / 700)
    edges = 700 * (10 ** (torch.linspace(0, top, count + 2) / 2595) - 1)
    distance = edges[None, :] - torch.linspace(0, SAMPLE_RATE // 2, FRAME // 2 + 1)[:, None]
    width = edges.diff()
    return torch.minimum(-distance[:, :-2] / width[:-1], distance[:, 2:] / width[1:]).clamp(min=0)
