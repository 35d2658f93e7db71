"""Version 2 of the built-in separator: what it promises, and what is better than in version 1."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from numpy.typing import NDArray

from soundalike.models.separators import SEPARATORS, Separator, load_separator
from soundalike.models.separators.builtin.builtin_separator import BuiltinSeparator
from soundalike.models.separators.builtin.signal_separator import SignalSeparator
from tests.models.separators.builtin.test_signal_separator import RATE, drum_track, noise, sdr, tones

Samples = NDArray[np.float32]


@pytest.fixture(scope="module")
def separator() -> BuiltinSeparator:
    return BuiltinSeparator()


def pad(seconds: float) -> Samples:
    """A chord that swells and falls."""
    swell = 1 + 0.5 * np.sin(2 * np.pi * np.arange(int(seconds * RATE)) / RATE / 3)
    return (tones(seconds, (330.0, 415.3, 493.9), 5) * swell).astype(np.float32)


def level(stem: Samples, mixture: Samples) -> float:
    """dB above the mixture."""
    return 10 * float(np.log10((np.sum(stem**2) + 1e-20) / np.sum(mixture**2)))


def test_it_agrees_with_its_row_in_the_table(separator: BuiltinSeparator) -> None:
    assert isinstance(separator, Separator)
    assert isinstance(load_separator("builtin"), BuiltinSeparator)
    assert separator.parts == SEPARATORS["builtin"].parts == ("bass", "drums", "vocals", "residuals")
    assert separator.licence == SEPARATORS["builtin"].licence
    assert (separator.name, separator.sample_rate, separator.channels) == ("builtin", RATE, 1)


def test_both_versions_can_be_loaded() -> None:
    assert [load_separator("builtin", version=version).version for version in ("1", "2")] == ["1", "2"]
    assert load_separator("builtin").version == "2"
    assert isinstance(load_separator("builtin", version="1"), SignalSeparator)


def test_stems_are_those_that_version_2_always_gave(separator: BuiltinSeparator) -> None:
    """Values from before; if they change, the version has to."""
    assert separator.version == "2"
    expected = {
        "bass": [-0.0431879, -0.2083392, 0.0700416, 0.1202571, 0.1105324, -0.1870375, -0.0391688],
        "drums": [-0.0284741, -0.0052623, 0.0036679, 0.0211374, -0.0512877, -0.252808, -0.0002687],
        "vocals": [-0.0002737, -0.0003986, 0.0001277, -0.0000001, 0.0001452, -0.000123, -0.0001094],
        "residuals": [-0.2320919, -0.3679098, 0.1060452, 0.0982544, 0.1605919, -0.1386258, -0.3007434],
    }
    mixture = drum_track(2) + tones(2, (49.0,), 3) + tones(2, (330.0, 415.3), 5)
    for part, stem in separator.separate(mixture[None]).items():
        np.testing.assert_allclose(stem[0, 4000::9000], expected[part], rtol=0, atol=1e-5)


@pytest.mark.parametrize("block", [5, 64, 4096])
def test_the_block_size_does_not_change_the_stems(separator: BuiltinSeparator, block: int) -> None:
    drums = drum_track(70000 / RATE)
    mixture = noise((2, 70000)) + np.stack([drums, drums])
    expected = separator.separate(mixture)
    for part, stem in BuiltinSeparator(block=block).separate(mixture).items():
        np.testing.assert_allclose(stem, expected[part], rtol=0, atol=1e-5)


def test_the_number_of_threads_does_not_change_the_stems(separator: BuiltinSeparator, tmp_path: Path) -> None:
    mixture = (drum_track(4) + tones(4, (49.0,), 3) + pad(4))[None]
    np.save(tmp_path / "mixture.npy", mixture)
    program = (
        "import sys, numpy as np\n"
        "from soundalike.models.separators.builtin.builtin_separator import BuiltinSeparator\n"
        "stems = BuiltinSeparator().separate(np.load(sys.argv[1]))\n"
        "np.save(sys.argv[2], np.stack(list(stems.values())))\n"
    )
    found = []
    for threads in ("1", "4"):
        out = tmp_path / f"{threads}.npy"
        threading = {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
        command = [sys.executable, "-c", program, str(tmp_path / "mixture.npy"), str(out)]
        subprocess.run(command, check=True, timeout=120, env={**os.environ, **threading})
        found.append(np.load(out))
    np.testing.assert_allclose(found[0], found[1], rtol=0, atol=1e-5)


@pytest.mark.parametrize("gain", [1e-3, 0.1, 8.0])
def test_stems_scale_with_the_mixture(separator: BuiltinSeparator, gain: float) -> None:
    mixture = (drum_track(2) + tones(2, (220.0, 277.0), 4))[None] + noise((1, 2 * RATE)) * np.float32(0.01)
    expected, found = separator.separate(mixture), separator.separate(mixture * np.float32(gain))
    for part in separator.parts:
        np.testing.assert_allclose(found[part] / gain, expected[part], rtol=0, atol=2e-3)


def test_channels_share_one_mask(separator: BuiltinSeparator) -> None:
    mixture = noise((1, RATE))
    alone = separator.separate(mixture)
    both = separator.separate(np.concatenate([mixture, mixture * np.float32(2)]))
    for part in separator.parts:
        np.testing.assert_allclose(both[part][0], alone[part][0], atol=1e-5)
        np.testing.assert_allclose(both[part][1], 2 * both[part][0], atol=1e-5)


def test_stems_depend_on_no_more_than_the_context(separator: BuiltinSeparator) -> None:
    """Changes further away than `context` do not change the stems."""
    middle = slice(int((2 + separator.context) * RATE), int(5 * RATE))
    mixture = noise((1, 8 * RATE))
    changed = mixture.copy()
    changed[:, : 2 * RATE] = noise((1, 2 * RATE), seed=9)
    changed[:, int((5 + separator.context) * RATE) :] = 0
    for part, stem in separator.separate(mixture).items():
        np.testing.assert_allclose(separator.separate(changed)[part][:, middle], stem[:, middle], atol=1e-5)


def test_drums_bass_and_chords_are_separated(separator: BuiltinSeparator) -> None:
    drums, bass, chords = drum_track(8), tones(8, (49.0,), 3), pad(8)
    stems = separator.separate((drums + bass + chords)[None])
    assert sdr(drums, stems["drums"][0]) > 3
    assert sdr(bass, stems["bass"][0]) > 5
    assert sdr(chords, stems["residuals"][0]) > 10


def test_drums_that_are_absent_are_below_the_level_gate(separator: BuiltinSeparator) -> None:
    """In version 1 they were not: notes that begin sounded like drums."""
    mixture = (melody(8) + tones(8, (49.0,), 3))[None]
    assert level(SignalSeparator().separate(mixture)["drums"], mixture) > -40
    assert level(separator.separate(mixture)["drums"], mixture) < -40


def melody(seconds: float) -> Samples:
    """Four notes a second with a fast attack."""
    out = np.zeros(int(seconds * RATE), np.float32)
    length = RATE // 4
    fall = np.exp(-np.arange(length) / RATE / 0.1)
    for index, frequency in enumerate((330.0, 440.0, 494.0, 392.0) * int(seconds)):
        out[index * length :][:length] = tones(0.25, (frequency,), 6) * fall
    return out


def test_the_sdr_of_real_music_is_better_than_that_of_version_1(separator: BuiltinSeparator, test_data: Path) -> None:
    """On a multitrack that the network was not trained on."""
    stems = {}
    for name in ("mixture.flac", "drums.ogg", "bass.ogg"):
        path = test_data / "multitracks" / "lithium" / name
        samples, rate = soundfile.read(path, dtype="float32")
        stems[name.partition(".")[0]] = soxr.resample(samples.mean(axis=1), rate, RATE).astype(np.float32)
    mixture = stems["mixture"][None]
    before, now = SignalSeparator().separate(mixture), separator.separate(mixture)
    for part, gain in (("drums", 0.2), ("bass", 1.0)):
        assert sdr(stems[part], now[part][0]) > sdr(stems[part], before[part][0]) + gain
