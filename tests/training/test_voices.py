"""Sung and spoken lines."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from training import voices

FLITE = f"""#!{sys.executable}
import sys
import numpy as np
import soundfile
options = sys.argv[1:]
settings = dict(text.split("=") for flag, text in zip(options, options[1:]) if flag == "--setf")
assert options[-3] == "-t" and options[-2]
time = np.arange(round(4000 * float(settings["duration_stretch"]))) / 16_000
sound = 0.5 * np.sin(2 * np.pi * float(settings["int_f0_target_mean"]) * time)
soundfile.write(options[-1], np.pad(sound, 800), 16_000)
"""
"""Takes flite's options; gives a tone of the pitch, with silence on either side."""


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A folder with a program that takes flite's options."""
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "usr/lib/x").mkdir(parents=True)
    (tmp_path / "usr/lib/x/libflite.so.1").touch()
    (tmp_path / "usr/bin/flite").write_text(FLITE)
    (tmp_path / "usr/bin/flite").chmod(0o755)
    return tmp_path


def test_lines_are_words_at_notes_and_depend_on_the_seed(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voices, "SECONDS", 3.0)
    first, again, other = (list(voices.lines(packages, seed, 1)) for seed in (1, 1, 2))
    ((voice, samples),) = first
    assert voice in voices.VOICES
    assert samples.shape == (round(voices.SECONDS * voices.RATE),)
    assert 0.3 < np.abs(samples).max() <= 0.7
    np.testing.assert_array_equal(samples, again[0][1])
    assert not np.array_equal(samples, other[0][1])


@pytest.mark.parametrize("speed", [0.8, 1.25])
def test_a_line_is_played_at_another_speed_and_pitch(speed: float) -> None:
    line = np.sin(2 * np.pi * 300 * np.arange(round(voices.SECONDS * 16_000 * speed)) / 16_000).astype(np.float32)
    played = voices.played(line, speed, np.random.default_rng(0))
    assert len(played) == round(voices.SECONDS * voices.RATE)
    spectrum = np.abs(np.fft.rfft(played * np.hanning(len(played))))
    assert abs(spectrum.argmax() / voices.SECONDS - 300 * speed) < 5


def test_above_the_voice_is_a_quieter_mirror_image() -> None:
    line = np.sin(2 * np.pi * 300 * np.arange(round(voices.SECONDS * 16_000 * 0.8)) / 16_000).astype(np.float32)
    played = voices.played(line, 0.8, np.random.default_rng(0))
    energy = np.abs(np.fft.rfft(played)) ** 2
    middle = round(0.8 * 8000 * voices.SECONDS)
    assert 0.001 < energy[middle:].sum() / energy.sum() < 0.1
