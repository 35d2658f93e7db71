"""What is found out about a file without a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from soundalike.analysis import segments
from soundalike.analysis.preparation import UNKNOWN, confident_tempo, prepare

RATE = 8_000


def clicks(seconds: float, every: float = 0.5) -> np.ndarray:
    samples = np.zeros(round(seconds * RATE), np.float32)
    click = np.random.default_rng(0).standard_normal(400).astype(np.float32) * np.exp(-np.arange(400) / 80)
    for start in np.arange(0, seconds - 0.1, every):
        samples[round(start * RATE) :][:400] += click[: len(samples) - round(start * RATE)].astype(np.float32)
    return samples


def test_a_file_is_prepared_with_its_kind_tempo_and_first_segment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soundfile.write(tmp_path / "a.wav", clicks(32.0), RATE)
    whole = prepare(tmp_path / "a.wav")
    assert (whole.kind, whole.complete, whole.beginning.duration) == ("song", True, 32)
    assert whole.tempo.value == pytest.approx(120, rel=0.01)
    monkeypatch.setattr(segments, "SEGMENT_SECONDS", 20.0)
    part = prepare(tmp_path / "a.wav", "loop")
    assert (part.kind, part.complete, part.beginning.duration) == ("loop", False, 20)
    assert (part.tempo.value, part.tempo.confidence) == (120, 0.9), "64 beats in the 32 s of the whole file"


def test_facts_can_be_left_out(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", clicks(10.0), RATE)
    prepared = prepare(tmp_path / "a.wav", with_facts=False)
    assert (prepared.tempo, prepared.key) == (UNKNOWN, UNKNOWN)


def test_only_confident_tempos_count() -> None:
    assert confident_tempo(clicks(4.0), RATE, "one-shot", 4.0) == UNKNOWN
    assert confident_tempo(np.zeros(30 * RATE, np.float32), RATE, "song", 30.0) == UNKNOWN
    assert confident_tempo(clicks(8.0), RATE, "loop", 8.0).value == pytest.approx(120)
