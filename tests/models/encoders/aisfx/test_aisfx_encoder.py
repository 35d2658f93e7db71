"""aiSFX gives what the original gives, with random weights and, where an index of packages is reachable, with its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch", reason="needs the extra: neural")

from benchmarks.parity_aisfx import RATE, cases  # noqa: E402
from soundalike.config import Runtime  # noqa: E402
from soundalike.errors import CheckpointError  # noqa: E402
from soundalike.models.checkpoints import CHECKPOINTS  # noqa: E402
from soundalike.models.checkpoints.fetch import fetch  # noqa: E402
from soundalike.models.checkpoints.local_files import verify  # noqa: E402
from soundalike.models.encoders import Encoder  # noqa: E402
from soundalike.models.encoders.aisfx import aisfx_encoder, aisfx_frontend  # noqa: E402
from soundalike.models.encoders.aisfx.aisfx_encoder import AisfxEncoder  # noqa: E402
from soundalike.models.encoders.aisfx.aisfx_frontend import BANDS, BLOCK, blocks, log_mel  # noqa: E402
from soundalike.models.encoders.aisfx.aisfx_network import read_wheel  # noqa: E402
from tests.models.neural.narrow_aisfx import GOLDEN, WHEEL, WIDTH, aisfx_checkpoint, narrow_aisfx, write_wheel  # noqa: E402

pytestmark = pytest.mark.neural

Float32 = NDArray[np.float32]

NEAR = 1e-5
"""Tolerance for unit vectors."""


def golden(name: str) -> Float32:
    """Vectors of the original, scaled to unit norm."""
    with np.load(GOLDEN) as arrays:
        rows: Float32 = arrays[name]
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AisfxEncoder]:
    folder = tmp_path_factory.mktemp("aisfx")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOUNDALIKE_CACHE", str(folder / "cache"))
        yield narrow_aisfx(folder, Runtime("cpu"))


def test_it_implements_the_protocol(encoder: AisfxEncoder) -> None:
    assert isinstance(encoder, Encoder)
    assert encoder.version.startswith(f"{aisfx_encoder.CODE_VERSION}+")
    assert (encoder.sample_rate, encoder.dimension, encoder.clip_seconds) == (RATE, 8 * WIDTH, None)


def test_the_golden_vectors_differ_from_each_other() -> None:
    for name in ("narrow", "published"):
        cosines = golden(name) @ golden(name).T
        assert cosines[~np.eye(len(cosines), dtype=bool)].max() < 0.999


def test_vectors_equal_the_original(encoder: AisfxEncoder) -> None:
    np.testing.assert_allclose(encoder.embed(cases()), golden("narrow"), atol=NEAR)


def test_with_another_front_end_they_would_differ(encoder: AisfxEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aisfx_frontend, "_HIGHEST", 9.4)
    assert deviation(encoder) > 10 * NEAR
    monkeypatch.undo()
    monkeypatch.setattr(aisfx_frontend, "BLOCK_HOP", BLOCK)
    assert deviation(encoder) > 10 * NEAR


def deviation(encoder: AisfxEncoder) -> float:
    """Of the vectors from those of the original."""
    return float(np.abs(encoder.embed(cases()) - golden("narrow")).max())


@pytest.mark.parametrize(("seconds", "count"), [(0.0, 1), (0.05, 1), (2.3, 1), (3.4, 1), (3.5, 2), (10.0, 7)])
def test_blocks_begin_every_1_2_seconds(seconds: float, count: int) -> None:
    samples = np.full(round(seconds * RATE), 0.1, np.float32)
    assert blocks(samples).shape == (count, BLOCK, BANDS)


def test_a_tone_lies_in_its_band() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE).astype(np.float32)
    mel = 2595 * np.log10(1 + 1000 / 700) / (2595 * np.log10(1 + RATE / 2 / 700)) * (BANDS + 1)
    assert abs(log_mel(tone)[20].argmax() + 1 - mel) < 1


def test_the_weights_are_read_and_no_code(tmp_path: Path) -> None:
    found = read_wheel(write_wheel(tmp_path))
    assert {"embedding_net.conv_block4.bn2.running_var", "fc.0.0.weight"} <= set(found)
    with pytest.raises(CheckpointError, match="is damaged or not the wheel of aiSFX"):
        read_wheel(write_wheel(tmp_path, extra=print))
    (tmp_path / WHEEL).write_bytes(b"PK\x03\x04")
    with pytest.raises(CheckpointError, match="models fetch aisfx"):
        read_wheel(tmp_path / WHEEL)


def test_a_wheel_of_another_width_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOUNDALIKE_CACHE", str(tmp_path / "cache"))
    write_wheel(tmp_path)
    wide = AisfxEncoder(aisfx_checkpoint(tmp_path), Runtime("cpu"), 2 * WIDTH)
    with pytest.raises(CheckpointError, match="is not a checkpoint of aiSFX: "):
        wide.embed(cases()[:1])


@pytest.mark.network
def test_the_published_weights_give_the_published_vectors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole way: the wheel from the index of packages, verified, read, compiled and run."""
    monkeypatch.setenv("SOUNDALIKE_CACHE", str(tmp_path / "cache"))
    row = CHECKPOINTS["aisfx"]
    try:
        fetch(row, tmp_path)
    except CheckpointError as error:
        pytest.skip(f"no index of packages that has the wheel: {error}")
    original = AisfxEncoder(verify(row, tmp_path), Runtime("cpu"))
    assert original.dimension == 512
    np.testing.assert_allclose(original.embed(cases()), golden("published"), atol=NEAR)
