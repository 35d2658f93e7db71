from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra: train")

from soundalike.config import Runtime  # noqa: E402
from soundalike.errors import CheckpointError, InputError  # noqa: E402
from soundalike.models.encoders import PartEncoder, load_encoder  # noqa: E402
from soundalike.models.encoders.trained.trained_encoder import TrainedEncoder  # noqa: E402
from soundalike.models.encoders.trained.trained_file import Architecture, read_trained  # noqa: E402
from tests.models.encoders.trained.narrow_trained import narrow_trained, write_narrow_trained  # noqa: E402

pytestmark = pytest.mark.neural

RATE = 44_100


@pytest.fixture(scope="module", params=["dcsn", "cascade"])
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TrainedEncoder:
    return narrow_trained(tmp_path_factory.mktemp("trained"), request.param, Runtime("cpu"))


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    samples = 0.1 * np.random.default_rng(seed).standard_normal(round(seconds * RATE))
    return samples.astype(np.float32)


def test_parts_have_values_of_their_own_and_the_mix_all_of_them(encoder: TrainedEncoder) -> None:
    assert isinstance(encoder, PartEncoder)
    assert encoder.dimension == 128 * (len(encoder.parts) - 1)
    rows = encoder.embed_parts([noise(2), np.zeros(RATE, np.float32)])
    assert rows.shape == (2, len(encoder.parts), encoder.dimension)
    np.testing.assert_allclose(rows[0, :-1].sum(0), rows[0, -1], atol=1e-6)
    assert (np.count_nonzero(rows[0, :-1], axis=0) <= 1).all()
    assert not rows[1].any()
    np.testing.assert_allclose(encoder.embed([noise(2)])[0], rows[0, -1] / np.linalg.norm(rows[0, -1]), atol=1e-6)


def test_vectors_are_those_of_the_network(encoder: TrainedEncoder) -> None:
    samples = noise(2)
    with torch.inference_mode():
        expected = encoder._network(torch.from_numpy(samples)[None])[0]
    for part, values in zip(encoder._own, expected.numpy(), strict=True):
        row = encoder.embed_parts([samples])[0, encoder.parts.index(part)]
        np.testing.assert_allclose(row[row != 0], values, atol=1e-6)


def test_a_long_mixture_has_the_mean_of_its_clips(encoder: TrainedEncoder) -> None:
    samples = noise(4.5)
    starts = (0, 1, 2) if encoder.name == "dcsn" else (0, 2)
    clips = [samples[start * RATE : (start + 2) * RATE] for start in starts]
    np.testing.assert_allclose(encoder.embed_parts([samples])[0], encoder.embed_parts(clips).mean(0), atol=1e-5)


def test_a_missing_file_names_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOUNDALIKE_CHECKPOINTS", str(tmp_path))
    with pytest.raises(CheckpointError, match="soundalike train cascade-paft"):
        load_encoder("cascade-paft")


def test_a_trained_file_is_loaded_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOUNDALIKE_CHECKPOINTS", str(tmp_path))
    write_narrow_trained(tmp_path / "cascade-paft" / "cascade-paft.pt", "cascade-paft", tuned=frozenset({"Track01876"}))
    first = load_encoder("cascade-paft", Runtime("cpu"))
    assert isinstance(first, TrainedEncoder)
    assert first.tuned_tracks == {"Track01876"}
    write_narrow_trained(tmp_path / "cascade-paft" / "cascade-paft.pt", "cascade-paft", seed=1)
    assert load_encoder("cascade-paft", Runtime("cpu")).version != first.version


def test_damaged_and_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "dcsn.pt"
    path.write_bytes(b"not weights")
    with pytest.raises(CheckpointError):
        read_trained(path, "dcsn")
    torch.save({"facts": '{"format": 1, "system": "dcsn"}', "weights": {}}, path)
    with pytest.raises(CheckpointError, match="not written by `soundalike train`"):
        read_trained(path, "dcsn")
    write_narrow_trained(path, "dcsn")
    contents = torch.load(path, weights_only=True)
    contents["weights"].pop("network.linear.weight")
    torch.save(contents, path)
    with pytest.raises(CheckpointError, match="linear"):
        read_trained(path, "dcsn")


@pytest.mark.parametrize("width", [0.0, 1e6, float("nan")])
def test_a_file_cannot_ask_for_networks_of_any_size(width: float) -> None:
    with pytest.raises(ValueError, match="out of range"):
        Architecture("dcsn", ("bass",), width, 3.0, 1.5)


def test_mixtures_are_checked(encoder: TrainedEncoder) -> None:
    with pytest.raises(InputError, match="not finite"):
        encoder.embed_parts([np.array([np.nan], np.float32)])
