"""`soundalike doctor`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from soundalike.library.maintenance.diagnosis import SECTIONS
from tests.cli.command_line import run


def test_a_report_is_text_or_json(tmp_path: Path) -> None:
    path = tmp_path / "hit\x07.wav"
    noise = np.random.default_rng(0).standard_normal(22_050) * np.exp(-np.arange(22_050) / 3000) * 0.2
    sf.write(path, noise, 44_100)
    text = run("doctor", str(path))
    assert text.code == 0
    assert [line.split()[0] for line in text.stdout.splitlines() if not line.startswith(" ")] == [
        *("file", "libsndfile", "FFmpeg", "decoding", "sound", "tags", "indexing", "versions"),
    ]
    assert "one-shot, 0.500 s, 1 window" in text.stdout
    assert "hit\\x07.wav" in text.stdout
    report = json.loads(run("doctor", str(path), "--format", "json").stdout)
    assert list(report) == ["versions", "file", *SECTIONS]
    assert report["indexing"]["kind"] == "one-shot"
    assert next(iter(report["versions"])) == "soundalike"


def test_levels_are_in_the_units_of_sound_engineers(tmp_path: Path) -> None:
    times = np.arange(44_100) / 44_100
    sf.write(tmp_path / "tone.wav", 0.5 * np.sin(2 * np.pi * 441 * times) + 0.01, 44_100, subtype="FLOAT")
    text = run("doctor", str(tmp_path / "tone.wav")).stdout
    assert "peak -5.8 dBFS, RMS -9.0 dBFS, loudness " in text
    assert ", DC offset +0.01000\n" in text


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_broken_file_is_reported_by_each_reader(tmp_path: Path, form: str) -> None:
    path = tmp_path / "broken.wav"
    path.write_bytes(b"RIFF and nothing else")
    result = run("doctor", str(path), "--format", form)
    assert result.code == 3
    assert "would be skipped: not audio that can be decoded" in result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    if form == "json":
        assert "error" in json.loads(result.stdout)["ffmpeg"]
    else:
        assert sum("failed:" in line for line in result.stdout.splitlines()) == 5


def test_a_missing_file_is_an_invalid_argument(tmp_path: Path) -> None:
    result = run("doctor", str(tmp_path / "nothing.wav"))
    assert (result.code, result.stdout) == (2, "")
    assert "no such file" in result.stderr
