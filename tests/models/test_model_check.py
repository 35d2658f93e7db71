"""The check of a model on fixed inputs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from soundalike.config import Runtime
from soundalike.errors import InputError
from soundalike.models.encoders import ENCODERS, load_encoder
from soundalike.models.model_check import TEXT, check_model, noise, tone
from soundalike.models.separators import SEPARATORS

CPU = Runtime("cpu")


def without_times(facts: dict[str, Any]) -> dict[str, Any]:
    """`facts` without what differs between runs."""
    return {
        key: without_times(value) if isinstance(value, dict) else value
        for key, value in facts.items()
        if "seconds" not in key
    }


def test_the_check_of_the_builtin_models_is_reproducible() -> None:
    first, second = check_model("builtin", CPU), check_model("builtin", CPU)
    assert without_times(first) == without_times(second)
    assert set(first["encoder"]["results"]) == {"tone", "noise"}
    assert len(first["separator"]["results"]) == len(SEPARATORS["builtin"].parts)
    for model in (first["encoder"], first["separator"]):
        assert model["digest"] is None
        assert all(len(result["first_values"]) == 8 for result in model["results"].values())
    assert first["packages"]["numpy"] == np.__version__


def test_the_values_are_those_of_the_encoder() -> None:
    encoder = load_encoder("builtin")
    results = check_model("builtin", CPU)["encoder"]["results"]
    for name, sound in (("tone", tone(encoder.sample_rate)), ("noise", noise(encoder.sample_rate))):
        (row,) = encoder.embed([sound])
        np.testing.assert_allclose(results[name]["first_values"], row[:8], atol=1e-6)
        assert results[name]["norm"] == pytest.approx(1, abs=1e-5)


@pytest.mark.neural
def test_encoders_of_texts_are_checked_on_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="needs the extra: neural")
    from tests.models.neural.narrow_clap import narrow_clap

    monkeypatch.setenv("SOUNDALIKE_CACHE", str(tmp_path / "cache"))
    row = replace(ENCODERS["clap"], load=lambda runtime: narrow_clap(tmp_path, runtime))
    monkeypatch.setitem(ENCODERS, "clap", row)
    facts = check_model("clap", CPU)
    assert set(facts["encoder"]["results"]) == {"tone", "noise", f"text {TEXT!r}"}
    assert (facts["encoder"]["version"], facts["encoder"]["digest"]) == ("1", "0123456789abcdef")
    assert "torch" in facts["packages"]
    assert "separator" not in facts


@pytest.mark.parametrize("name", ["nope", "stems"])
def test_models_that_cannot_be_checked_are_refused(name: str) -> None:
    with pytest.raises(InputError, match=name):
        check_model(name, CPU)
