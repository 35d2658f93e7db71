"""Clips and spectrograms of MuQ, compared with hand-computed cases, NumPy and librosa."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra: neural")

import librosa  # noqa: E402

from soundalike.models.encoders.muq_mulan.muq_frontend import SHORTEST, LogMel, mel_bands, split_clips  # noqa: E402
from soundalike.models.encoders.muq_mulan.muq_settings import ConformerSettings  # noqa: E402
from tests.models.neural.clips import clip  # noqa: E402

pytestmark = pytest.mark.neural

SETTINGS = ConformerSettings(240, 128, 6.5, 18.5, 4, (2, 2), 32, 2, 4, 48, "swish", 7, 1e-5)
CLIP = 4000


@pytest.mark.parametrize(
    ("length", "pieces"),
    [
        (0, []),
        (3999, [[*range(3999), 0]]),
        (4000, [[*range(4000)]]),
        (4001, [[*range(4000)], [4000, *range(3999)]]),
        (9000, [[*range(4000)], [*range(4000, 8000)], [*range(8000, 9000), *range(3000)]]),
        (2000, [[*range(2000), *range(2000)]]),
        (1999, [[*range(1999), *range(1999)]]),  # repeated once, not filled up
        (600, [[*range(600), *range(600)]]),
        (513, [[*range(513), *range(513)]]),  # the shortest that the original supports
        (512, [[*range(512), *range(512), 0]]),
        (1, [[0] * SHORTEST]),
    ],
)
def test_clips_wrap_around(length: int, pieces: list[list[int]]) -> None:
    found = split_clips(np.arange(length, dtype=np.float32), CLIP)
    assert [piece.tolist() for piece in found] == pieces


def test_bands_are_htk_triangles_of_height_one() -> None:
    expected = librosa.filters.mel(sr=24_000, n_fft=2048, n_mels=128, htk=True, norm=None)
    np.testing.assert_allclose(mel_bands(128).numpy().T, expected, atol=2e-4)
    slaney = librosa.filters.mel(sr=24_000, n_fft=2048, n_mels=128, htk=False, norm=None)
    assert np.abs(mel_bands(128).numpy().T - slaney).max() > 0.5


@pytest.mark.parametrize("length", [SHORTEST, 5000, 24_000])
def test_spectrograms_equal_those_of_numpy(length: int) -> None:
    samples = clip(length / 24_000, 24_000, 4, 0.3)
    padded = np.pad(samples.astype(np.float64), 1024, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(2048) / 2048)
    frames = np.stack([padded[240 * n : 240 * n + 2048] for n in range(length // 240)])
    power = np.abs(np.fft.rfft(frames * window)) ** 2
    bands = power @ librosa.filters.mel(sr=24_000, n_fft=2048, n_mels=128, htk=True, norm=None).T
    expected = (10 * np.log10(np.maximum(bands, 1e-10)) - 6.5) / 18.5
    found = LogMel(SETTINGS)(torch.from_numpy(samples)[None])[0].numpy()
    assert found.shape == (128, length // 240)
    np.testing.assert_allclose(found.T, expected, atol=1e-3)


def test_silence_is_at_the_floor() -> None:
    found = LogMel(SETTINGS)(torch.zeros(2, 4800))
    assert found.shape == (2, 128, 20)
    torch.testing.assert_close(found, torch.full_like(found, (-100 - 6.5) / 18.5))
