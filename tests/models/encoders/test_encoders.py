"""Contract tests for every encoder in the table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from soundalike.config import Runtime
from soundalike.errors import InputError
from soundalike.models.encoders import ENCODERS, Encoder, Samples, TextEncoder, load_encoder


def _narrow(name: str, folder: Path) -> Encoder:
    """The encoder with random weights of a narrow architecture."""
    pytest.importorskip("torch", reason="needs the extra: neural")
    if name == "muq-mulan":
        from tests.models.neural.narrow_muq_mulan import narrow_muq_mulan

        return narrow_muq_mulan(folder, Runtime("cpu"))
    if name.startswith("mert"):
        from tests.models.neural.narrow_mert import narrow_mert

        return narrow_mert(folder, Runtime("cpu"))
    if name == "aisfx":
        from tests.models.neural.narrow_aisfx import narrow_aisfx

        return narrow_aisfx(folder, Runtime("cpu"))
    if ENCODERS[name].trained:
        from tests.models.encoders.trained.narrow_trained import narrow_trained

        return narrow_trained(folder, name, Runtime("cpu"))
    from tests.models.neural.narrow_clap import narrow_clap

    return narrow_clap(folder, Runtime("cpu"))


PARAMETERS = [pytest.param(name, marks=[pytest.mark.neural] if row.extra else []) for name, row in ENCODERS.items()]


@pytest.fixture(params=PARAMETERS, scope="module")
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Encoder]:
    if ENCODERS[request.param].extra is None:
        yield load_encoder(request.param)
        return
    folder = tmp_path_factory.mktemp("checkpoint")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOUNDALIKE_CACHE", str(folder / "cache"))
        yield _narrow(request.param, folder)


def sounds(encoder: Encoder) -> list[Samples]:
    """Noise, a decaying tone, a click and silence, of different lengths."""
    rng = np.random.default_rng(0)
    time = np.arange(encoder.sample_rate) / encoder.sample_rate
    tone = np.sin(2 * np.pi * 330 * time) * np.exp(-3 * time)
    click = np.zeros(encoder.sample_rate // 2)
    click[100] = 1
    noise = 0.1 * rng.standard_normal(2 * encoder.sample_rate)
    return [clip.astype(np.float32) for clip in (noise, tone, click, np.zeros(999))]


def test_it_implements_the_protocol(encoder: Encoder) -> None:
    assert isinstance(encoder, Encoder)
    assert encoder.name in ENCODERS
    assert encoder.version
    assert encoder.dimension > 0
    assert ENCODERS[encoder.name].text == isinstance(encoder, TextEncoder)


def test_rows_have_unit_norm_except_for_silence(encoder: Encoder) -> None:
    rows = encoder.embed(sounds(encoder))
    assert rows.shape == (4, encoder.dimension)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), [1, 1, 1, 0], atol=1e-5)


def test_no_waveforms_give_no_rows(encoder: Encoder) -> None:
    assert encoder.embed([]).shape == (0, encoder.dimension)


def test_vectors_are_deterministic_and_inputs_are_not_changed(encoder: Encoder) -> None:
    clips = sounds(encoder)
    copies = [clip.copy() for clip in clips]
    first, second = encoder.embed(clips), encoder.embed(clips)
    np.testing.assert_array_equal(first, second)
    for clip, copy in zip(clips, copies, strict=True):
        np.testing.assert_array_equal(clip, copy)


def test_rows_are_independent_of_the_batch(encoder: Encoder) -> None:
    clips = sounds(encoder)
    together = encoder.embed(clips)
    for row, clip in zip(together, clips, strict=True):
        np.testing.assert_allclose(row, encoder.embed([clip])[0], atol=1e-5)


def test_different_sounds_differ(encoder: Encoder) -> None:
    rows = encoder.embed(sounds(encoder))[:3]
    similarity = rows @ rows.T
    limit = 0.9 if ENCODERS[encoder.name].extra is None else 0.99  # random weights hardly distinguish sounds
    assert similarity[~np.eye(3, dtype=bool)].max() < limit


def test_the_error_for_an_unknown_name_lists_the_encoders() -> None:
    with pytest.raises(InputError, match="builtin"):
        load_encoder("nonesuch")


def test_a_layer_is_part_of_the_name() -> None:
    row = ENCODERS["mert:7"]
    assert row.checkpoint == "mert"
    assert "mert-330m:24" in ENCODERS
    assert list(ENCODERS) == [name for name in ENCODERS if ":" not in name]


@pytest.mark.parametrize(
    "name", ["mert:", "mert:x", "mert:-1", "mert:07", "mert:9999", "builtin:1", "clap:3", "nothing:1", ":1"]
)
def test_other_names_with_a_layer_are_unknown(name: str) -> None:
    assert name not in ENCODERS
    assert ENCODERS.get(name) is None
    with pytest.raises(InputError, match="unknown encoder"):
        load_encoder(name)
