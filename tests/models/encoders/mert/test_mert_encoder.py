"""MERT gives what the original gives with the recipe of CLaMP 3, and each way in which it could be missed is seen."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch", reason="needs the extra: neural")

from benchmarks.parity_mert import CASES, RATE, cases  # noqa: E402
from soundalike.config import Runtime  # noqa: E402
from soundalike.errors import CheckpointError, InputError  # noqa: E402
from soundalike.models.encoders import Encoder  # noqa: E402
from soundalike.models.encoders.mert import mert_encoder  # noqa: E402
from soundalike.models.encoders.mert.mert_encoder import MertEncoder, windows  # noqa: E402
from soundalike.models.encoders.mert.mert_network import load_network, new_network  # noqa: E402
from tests.models.neural.narrow_mert import GOLDEN, NARROW, mert_checkpoint, narrow_mert, write_narrow  # noqa: E402

pytestmark = pytest.mark.neural

Float32 = NDArray[np.float32]

NEAR = 1e-5
"""Tolerance for unit vectors of 32 values; the network is computed by OpenVINO, the original by torch."""


@cache
def sounds() -> list[Float32]:
    """The clips of CASES."""
    return cases()


@cache
def golden() -> Float32:
    """The mean hidden states (clips, layers + 1, D) of the original."""
    with np.load(GOLDEN) as arrays:
        states: Float32 = arrays["states"]
    return states


def unit(rows: Float32) -> Float32:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for checkpoint and conversions."""
    folder = tmp_path_factory.mktemp("mert")
    with patch.dict(os.environ, SOUNDALIKE_CACHE=str(folder / "cache")):
        yield folder


@pytest.fixture(scope="module")
def encoder(folder: Path) -> MertEncoder:
    return narrow_mert(folder, Runtime("cpu"))


def test_it_implements_the_protocol(folder: Path, encoder: MertEncoder) -> None:
    assert isinstance(encoder, Encoder)
    assert encoder.version == f"{mert_encoder.CODE_VERSION}+{mert_checkpoint(folder).digest}"
    assert (encoder.sample_rate, encoder.dimension, encoder.clip_seconds) == (RATE, 32, 5)


def test_the_golden_vectors_differ_from_each_other() -> None:
    rows = unit(golden().mean(1))
    cosines = rows @ rows.T
    assert cosines[~np.eye(len(rows), dtype=bool)].min() < 0.95
    layers = unit(golden())[:, 1:]
    assert float(np.einsum("nld,nmd->nlm", layers, layers).min()) < 0.9


def test_vectors_equal_the_original(encoder: MertEncoder) -> None:
    np.testing.assert_allclose(encoder.embed(sounds()), unit(golden().mean(1)), atol=NEAR)


@pytest.mark.parametrize("layer", range(4))
def test_each_layer_equals_the_original(folder: Path, encoder: MertEncoder, layer: int) -> None:
    chosen = MertEncoder(f"mert:{layer}", mert_checkpoint(folder), Runtime("cpu"), layer)
    chosen.__dict__["_network"] = encoder._network
    assert chosen.name == f"mert:{layer}"
    np.testing.assert_allclose(chosen.embed(sounds()), unit(golden()[:, layer]), atol=NEAR)


def deviation(rows: Float32, expected: Float32) -> float:
    return float(np.abs(rows - expected).max())


def test_without_scaling_the_vectors_would_differ(encoder: MertEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mert_encoder, "windows", lambda samples, rate: [samples[: 5 * rate]])
    assert deviation(encoder.embed(sounds()[:4]), unit(golden()[:4].mean(1))) > 100 * NEAR


def test_the_whole_waveform_is_scaled_and_not_each_window() -> None:
    """With group normalisation in the first convolution the level of a window would not matter; with layers it does."""
    random = np.random.default_rng(0)
    samples = np.concatenate([random.standard_normal(5 * RATE), 3 + 0.1 * random.standard_normal(5 * RATE)])
    first, second = windows(samples.astype(np.float32), RATE)
    scaled = np.concatenate([first, second])
    assert float(scaled.mean()) == pytest.approx(0, abs=1e-5)
    assert float(scaled.std()) == pytest.approx(1, abs=1e-5)
    assert float(first.std()) > 5 * float(second.std())


def test_a_short_tail_that_is_kept_would_differ(encoder: MertEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    (row,) = (number for number, (seconds, _, _) in enumerate(CASES) if seconds == 5.7)
    monkeypatch.setattr(mert_encoder, "TAIL_SECONDS", 0)
    assert deviation(encoder.embed([sounds()[row]]), unit(golden()[row : row + 1].mean(1))) > 100 * NEAR


def test_the_last_layer_alone_would_differ() -> None:
    assert deviation(unit(golden()[:, -1]), unit(golden().mean(1))) > 100 * NEAR


@pytest.mark.parametrize(
    ("seconds", "lengths"),
    [(0.01, [1200]), (0.9, [21600]), (5.0, [120_000]), (5.9, [120_000]), (6.0, [120_000, 24_000])],
)
def test_windows_have_five_seconds_and_short_tails_are_left_out(seconds: float, lengths: list[int]) -> None:
    samples = np.random.default_rng(0).standard_normal(round(seconds * RATE)).astype(np.float32)
    assert [len(window) for window in windows(samples, RATE)] == lengths


def test_level_and_offset_do_not_matter(encoder: MertEncoder) -> None:
    sound = sounds()[1]
    rows = encoder.embed([sound, 0.1 * sound + 0.05])
    np.testing.assert_allclose(rows[0], rows[1], atol=1e-3)


def test_very_short_and_silent_waveforms(encoder: MertEncoder) -> None:
    rows = encoder.embed([np.array([0.5], np.float32), np.zeros(100, np.float32), np.zeros(0, np.float32)])
    assert np.isfinite(rows).all()
    assert not rows[1:].any()


def test_normalisation_before_the_layers_is_supported(folder: Path, tmp_path: Path) -> None:
    """Other settings of the published configuration: normalisation first, in each convolution too."""
    settings = NARROW | {"do_stable_layer_norm": True, "feat_extract_norm": "layer", "conv_bias": True}
    torch.manual_seed(0)
    network = new_network(settings)
    state = {}
    for name, value in network.state_dict().items():
        name = name.replace("parametrizations.weight.original0", "weight_g")
        state[name.replace("parametrizations.weight.original1", "weight_v")] = value
    (tmp_path / "config.json").write_text(json.dumps(settings))
    torch.save(state, tmp_path / "pytorch_model.bin")
    waveform = torch.from_numpy(next(windows(sounds()[1], RATE))[None])
    with torch.inference_mode():
        expected = torch.stack(network.eval()(waveform, output_hidden_states=True).hidden_states)[:, 0].mean(1)
        states = load_network(mert_checkpoint(tmp_path).paths, "mert")(waveform)[0]
    np.testing.assert_allclose(states, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"feature_extractor_cqt": True}, "feature_extractor_cqt = True; only False"),
        ({"deepnorm": True}, "deepnorm = True; only False"),
        ({"sample_rate": 16000}, "sample_rate = 16000; only 24000"),
        ({"model_type": "hubert"}, "is not the configuration of MERT"),
    ],
)
def test_other_settings_are_refused(tmp_path: Path, changed: dict[str, object], words: str) -> None:
    write_narrow(tmp_path, NARROW | changed)
    with pytest.raises(CheckpointError, match=words):
        MertEncoder("mert", mert_checkpoint(tmp_path), Runtime("cpu"))


def test_a_damaged_configuration_is_refused(tmp_path: Path) -> None:
    write_narrow(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(CheckpointError, match="models fetch"):
        MertEncoder("mert", mert_checkpoint(tmp_path), Runtime("cpu"))


def test_weights_of_another_size_are_refused(tmp_path: Path) -> None:
    write_narrow(tmp_path, NARROW | {"intermediate_size": 64})
    encoder = MertEncoder("mert", mert_checkpoint(tmp_path), Runtime("cpu"))
    with (
        patch.dict(os.environ, SOUNDALIKE_CACHE=str(tmp_path / "cache")),
        pytest.raises(CheckpointError, match=r"is not a checkpoint of mert: .*intermediate_dense"),
    ):
        encoder.embed([sounds()[0]])


def test_a_layer_that_does_not_exist_is_refused(folder: Path) -> None:
    write_narrow(folder)
    with pytest.raises(InputError, match=r"mert:4: there is no layer 4; choose 0 .* to 3"):
        MertEncoder("mert:4", mert_checkpoint(folder), Runtime("cpu"), 4)


def test_waveforms_are_checked(encoder: MertEncoder) -> None:
    with pytest.raises(InputError, match="mono"):
        encoder.embed([np.zeros((2, 100), np.float32)])
    with pytest.raises(InputError, match="finite"):
        encoder.embed([np.full(100, np.nan, np.float32)])
