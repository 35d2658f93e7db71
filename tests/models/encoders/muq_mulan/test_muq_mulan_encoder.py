"""MuQ-MuLan gives what its own package gives, and each way in which it could be missed is seen."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch", reason="needs the extra: neural")

import librosa  # noqa: E402

from benchmarks.parity_muq_mulan import CASES, RATE, cases, random_ids, spread, unit  # noqa: E402
from soundalike.config import Runtime  # noqa: E402
from soundalike.errors import CheckpointError, InputError  # noqa: E402
from soundalike.models.encoders import Encoder, TextEncoder  # noqa: E402
from soundalike.models.encoders.muq_mulan import muq_mulan_encoder  # noqa: E402
from soundalike.models.encoders.muq_mulan.muq_frontend import FRAME, LogMel  # noqa: E402
from soundalike.models.encoders.muq_mulan.muq_mulan_encoder import MuqMulanEncoder  # noqa: E402
from soundalike.models.neural.device import cpu_has_bfloat16  # noqa: E402
from tests.models.neural.clips import clip  # noqa: E402
from tests.models.neural.narrow_muq_mulan import GOLDEN, muq_checkpoint, narrow_muq_mulan  # noqa: E402

pytestmark = pytest.mark.neural

Float32 = NDArray[np.float32]

NEAR = 1e-6
SPECTRA = 2e-3
"""For what goes through a spectrum: in bands that are nearly silent only the FFT's rounding is left, which differs between
processors, and the narrow network with random weights makes much of it (1e-7 on the one that the golden values are from, 6e-4 on
another, by torch as by OpenVINO)."""
VOCABULARY = 60


@cache
def sounds() -> list[Float32]:
    """The clips of CASES."""
    return cases()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for checkpoint and conversions."""
    folder = tmp_path_factory.mktemp("muq-mulan")
    with patch.dict(os.environ, SOUNDALIKE_CACHE=str(folder / "cache")):
        yield folder


@pytest.fixture(scope="module")
def encoder(folder: Path) -> MuqMulanEncoder:
    return narrow_muq_mulan(folder, Runtime("cpu"))


@pytest.fixture(scope="module")
def golden() -> dict[str, Float32]:
    """The vectors of the original."""
    with np.load(GOLDEN) as arrays:
        return {name: arrays[name] for name in ("audio", "texts", "padded")}


def test_it_implements_both_protocols(folder: Path, encoder: MuqMulanEncoder) -> None:
    assert isinstance(encoder, Encoder)
    assert isinstance(encoder, TextEncoder)
    assert (encoder.name, encoder.version) == (
        "muq-mulan",
        f"{muq_mulan_encoder.CODE_VERSION}+{muq_checkpoint(folder).digest}",
    )
    assert (encoder.sample_rate, encoder.dimension, encoder.clip_seconds) == (RATE, 24, 10.0)


def test_the_golden_vectors_differ_from_each_other(golden: dict[str, Float32]) -> None:
    assert spread(golden["audio"]) < 0.9
    assert spread(golden["texts"]) < 0.9


def test_audio_vectors_equal_the_original(encoder: MuqMulanEncoder, golden: dict[str, Float32]) -> None:
    rows, expected = encoder.embed(sounds()), unit(golden["audio"])
    np.testing.assert_allclose(rows, expected, atol=SPECTRA)
    assert np.median(np.abs(rows - expected)) < 1e-5


def test_the_original_does_not_normalise_means(encoder: MuqMulanEncoder, golden: dict[str, Float32]) -> None:
    lengths = np.linalg.norm(golden["audio"], axis=1)
    several = np.array([seconds > 10 for seconds, _, _ in CASES])
    np.testing.assert_allclose(lengths[~several], 1, atol=NEAR)
    assert (lengths[several] < 1 - 10 * NEAR).all()
    np.testing.assert_allclose(encoder._means(sounds()), golden["audio"], atol=SPECTRA)


def test_text_vectors_equal_the_original(encoder: MuqMulanEncoder, golden: dict[str, Float32]) -> None:
    rows = [encoder.embed_ids(ids[None])[0] for ids in random_ids(VOCABULARY)]
    np.testing.assert_allclose(rows, golden["texts"], atol=NEAR)


def test_texts_in_one_batch_would_have_other_vectors(encoder: MuqMulanEncoder, golden: dict[str, Float32]) -> None:
    """The padding up to the longest text changes the vectors of the others."""
    deviations = np.abs(golden["padded"] - golden["texts"]).max(axis=1)
    assert (deviations[:-1] > 0.1).all()
    assert deviations[-1] < NEAR


def case(seconds: float) -> int:
    """The index of the first case of that length."""
    return [length for length, _, _ in CASES].index(seconds)


def deviation(encoder: MuqMulanEncoder, golden: dict[str, Float32], seconds: float) -> float:
    """Largest difference between our unit vector and the original's for the first case of that length."""
    row = case(seconds)
    return float(np.abs(encoder.embed([sounds()[row]])[0] - unit(golden["audio"])[row]).max())


def zeros_at_the_end(samples: Float32, size: int) -> list[Float32]:
    return [np.resize(np.append(samples[at : at + size], np.zeros(size)), size) for at in range(0, len(samples), size)]


def rest_dropped(samples: Float32, size: int) -> list[Float32]:
    return [samples[at : at + size] for at in range(0, len(samples) - size + 1, size)]


def rest_kept_short(samples: Float32, size: int) -> list[Float32]:
    return [samples[at : at + size] for at in range(0, len(samples), size)]


def repeated(samples: Float32, size: int) -> list[Float32]:
    return [np.resize(samples, size)]


@pytest.mark.parametrize(
    ("seconds", "wrong"),
    [
        (12.3, zeros_at_the_end),
        (12.3, rest_dropped),
        (12.3, rest_kept_short),
        (7.3, zeros_at_the_end),
        (4.0, zeros_at_the_end),
        (4.0, rest_kept_short),
        (4.0, repeated),
        (0.3, repeated),
    ],
)
def test_other_clips_change_the_vectors(
    encoder: MuqMulanEncoder,
    golden: dict[str, Float32],
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
    wrong: Callable[[Float32, int], list[Float32]],
) -> None:
    right = deviation(encoder, golden, seconds)
    assert right < SPECTRA
    monkeypatch.setattr(
        muq_mulan_encoder, "split_clips", lambda samples, size: [c.astype(np.float32) for c in wrong(samples, size)]
    )
    assert deviation(encoder, golden, seconds) > max(1e-4, 2 * right)


class ChangedLogMel(LogMel):
    """A spectrogram with one thing changed."""

    def __init__(self, encoder: MuqMulanEncoder, change: str) -> None:
        super().__init__(encoder._settings.muq)
        self.change = change
        htk, norm = change != "slaney", "slaney" if change == "area" else None
        bands = librosa.filters.mel(sr=RATE, n_fft=FRAME, n_mels=128, htk=htk, norm=norm)
        self.bands = torch.from_numpy(bands.T.copy())

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        if self.change == "last frame kept":
            waveforms = torch.cat([waveforms, waveforms[:, -241:-1].flip(1)], dim=1)  # mirrored, as in the last frame
        spectrograms = super().forward(waveforms)
        if self.change == "not scaled":
            return spectrograms * self._settings.deviation + self._settings.mean
        return spectrograms


@pytest.mark.parametrize("change", ["slaney", "area", "last frame kept", "not scaled"])
def test_other_spectrograms_change_the_vectors(
    encoder: MuqMulanEncoder, golden: dict[str, Float32], monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    monkeypatch.setitem(encoder.__dict__, "_log_mel", ChangedLogMel(encoder, "nothing"))
    right = deviation(encoder, golden, 10.0)  # librosa computes the bands in float64 and rounds them
    assert right < SPECTRA
    monkeypatch.setitem(encoder.__dict__, "_log_mel", ChangedLogMel(encoder, change))
    assert deviation(encoder, golden, 10.0) > max(1e-4, 2 * right)


def test_vectors_are_independent_of_the_batch(encoder: MuqMulanEncoder) -> None:
    clips = [clip(seconds, RATE, seed) for seed, seconds in enumerate([10.0, 0.2, 25.0, 3.0, 0.2, 110.0, 10.0])]
    together = encoder.embed(clips)
    alone = np.concatenate([encoder.embed([sound]) for sound in clips])
    np.testing.assert_allclose(together, alone, atol=NEAR)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=NEAR)
    batches = list(muq_mulan_encoder._batches(clips, 240_000))
    assert max(len(rows) for rows, _ in batches) == muq_mulan_encoder._BATCH
    assert sum(len(rows) for rows, _ in batches) == 1 + 1 + 3 + 1 + 1 + 11 + 1


def test_silence_has_a_zero_row_and_one_sample_a_unit_row(encoder: MuqMulanEncoder) -> None:
    rows = encoder.embed([np.zeros(999, dtype=np.float32), np.zeros(0, dtype=np.float32), np.ones(1, dtype=np.float32)])
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), [0, 0, 1], atol=NEAR)
    assert encoder.embed([]).shape == (0, 24)


def test_other_than_mono_finite_waveforms_are_refused(encoder: MuqMulanEncoder) -> None:
    with pytest.raises(InputError, match=r"shape \(2, 100\)"):
        encoder.embed([np.zeros((2, 100), dtype=np.float32)])
    with pytest.raises(InputError, match="not finite"):
        encoder.embed([np.array([0, np.nan], dtype=np.float32)])


def test_texts_are_tokenized(encoder: MuqMulanEncoder) -> None:
    rows = encoder.embed_text(["dry funk snare", "piano", "dry funk snare"])
    np.testing.assert_array_equal(rows[0], encoder.embed_ids(np.array([[0, 4, 5, 6, 2]]))[0])
    np.testing.assert_array_equal(rows[0], rows[2])
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=NEAR)
    assert rows[0] @ rows[1] < 0.99
    assert encoder.embed_text([]).shape == (0, 24)


def test_empty_and_too_long_texts_are_refused(encoder: MuqMulanEncoder) -> None:
    for empty in ("", " \n"):
        with pytest.raises(InputError, match="is empty"):
            encoder.embed_text(["piano", empty])
    encoder.embed_text(["piano " * 36])
    with pytest.raises(InputError, match=r"a text has 39 tokens \('piano .*at most 38"):
        encoder.embed_text(["piano " * 37])


def test_each_tower_is_loaded_when_it_is_first_used(folder: Path) -> None:
    (folder / "fresh").mkdir()
    fresh = narrow_muq_mulan(folder / "fresh", Runtime("cpu"))
    assert not {"_audio", "_text"} & set(vars(fresh))
    fresh.embed_text(["piano"])
    assert "_audio" not in vars(fresh)


@pytest.mark.parametrize(
    "text", ["{}", '{"version": "1.0", "model": {"type": "WordLevel", "vocab": {}, "unk_token": ""}}']
)
def test_another_tokenizer_is_refused(tmp_path: Path, text: str) -> None:
    encoder = narrow_muq_mulan(tmp_path, Runtime("cpu"))
    (tmp_path / "tokenizer.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"tokenizer.json is (damaged or )?not") as caught:
        encoder.embed_text(["piano"])
    assert "\n" not in str(caught.value)


def test_a_damaged_checkpoint_is_refused_when_it_is_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = folder / "damaged"
    damaged.mkdir()
    encoder = narrow_muq_mulan(damaged, Runtime("cpu"))
    monkeypatch.setenv("SOUNDALIKE_CACHE", str(damaged / "cache"))
    (damaged / "pytorch_model.bin").write_bytes(b"PK\x03\x04")
    with pytest.raises(CheckpointError, match="damaged"):
        encoder.embed(sounds()[:1])
    with pytest.raises(CheckpointError, match="damaged"):
        encoder.embed_text(["piano"])


def test_fast_is_close_but_not_equal(folder: Path, encoder: MuqMulanEncoder, golden: dict[str, Float32]) -> None:
    if not cpu_has_bfloat16():
        pytest.skip("this processor has no bfloat16")
    rows = MuqMulanEncoder.load(muq_checkpoint(folder), Runtime("cpu", "fast")).embed(sounds())
    cosines = (rows * unit(golden["audio"])).sum(axis=1)
    assert cosines.min() > 0.999
    assert np.abs(rows - unit(golden["audio"])).max() > 1e-4


def test_missing_devices_are_refused(folder: Path, encoder: MuqMulanEncoder) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    with pytest.raises(InputError, match="'cuda' is not available"):
        MuqMulanEncoder.load(muq_checkpoint(folder), Runtime("cuda"))
