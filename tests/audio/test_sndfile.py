from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from soundalike.audio import sndfile
from tests.audio.conftest import RATE, make_signal, write_sndfile

Encoded = Callable[[str], Path]


@pytest.mark.parametrize("name", ["aac.m4a", "bare.aac", "wma2.wma"])
def test_unsupported_formats_return_none(name: str, encoded: Encoded) -> None:
    assert sndfile.probe(encoded(name)) is None
    assert sndfile.read(encoded(name), 0.0, None, 2**30) is None


def test_probe_returns_codec_and_size(encoded: Encoded) -> None:
    assert sndfile.probe(encoded("pcm.aiff")) == (4 * RATE, RATE, 2, "aiff pcm_24")


def test_formats_not_for_music_are_not_used(tmp_path: Path) -> None:
    path = write_sndfile(tmp_path / "a.htk", np.zeros((1, 800), dtype=np.float32), 16_000, "HTK", "PCM_16")
    assert sndfile.read(path, 0.0, None, 2**30) is None


def test_a_damaged_flac_returns_none(tmp_path: Path, encoded: Encoded) -> None:
    content = encoded("pcm.flac").read_bytes()
    (tmp_path / "cut.flac").write_bytes(content[: len(content) // 2])
    assert sndfile.probe(tmp_path / "cut.flac") is not None
    assert sndfile.read(tmp_path / "cut.flac", 0.0, None, 2**30) is None
    before = sndfile.read(tmp_path / "cut.flac", 0.5, 0.5, 2**30)
    assert before is not None
    assert before[0].shape == (2, RATE // 2)


def test_a_region_after_the_end_has_no_samples(encoded: Encoded) -> None:
    found = sndfile.read(encoded("pcm.wav"), 50.0, 1.0, 2**30)
    assert found is not None
    assert found[0].shape == (2, 0)


@pytest.mark.parametrize(
    ("container", "subtype"),
    [
        *(("WAV", "G721_32"), ("WAV", "NMS_ADPCM_16"), ("WAV", "IMA_ADPCM"), ("WAV", "MS_ADPCM")),
        *(("AU", "G721_32"), ("AU", "G723_24"), ("AU", "G723_40"), ("AIFF", "IMA_ADPCM"), ("W64", "IMA_ADPCM")),
    ],
)
def test_regions_of_adpcm_are_slices_of_the_whole(container: str, subtype: str, tmp_path: Path) -> None:
    path = write_sndfile(tmp_path / "a", make_signal(8_000, 3.0)[:1], 8_000, container, subtype)
    whole = sndfile.read(path, 0.0, None, 2**30)
    for start in (0.1, 1.0, 2.5):
        region = sndfile.read(path, start, 0.3, 2**30)
        assert whole is not None
        assert region is not None
        first = round(start * 8_000)
        assert np.array_equal(region[0], whole[0][:, first : first + 2_400])


@pytest.mark.parametrize("rate", [8_000, 24_000, 44_100])
@pytest.mark.parametrize(
    ("level", "mode"), [(0.9, "VARIABLE"), (0.1, "VARIABLE"), (0.99, "AVERAGE"), (0.5, "CONSTANT")]
)
def test_regions_of_mp3_with_small_frames_are_slices_of_the_whole(
    level: float, mode: str, rate: int, tmp_path: Path
) -> None:
    """Small frames begin many frames before themselves."""
    times = np.arange(5 * rate) / rate
    sound = 0.5 * np.sin(2 * np.pi * 440 * times) * np.exp(-3 * (times % 0.5))
    sound += np.random.default_rng(0).uniform(-0.3, 0.3, len(times)) * (times % 2 < 0.2)
    path = tmp_path / "a.mp3"
    with sf.SoundFile(path, "w", rate, 1, format="MP3", compression_level=level, bitrate_mode=mode) as file:
        file.write(sound)
    whole, _ = sndfile.read(path, 0.0, None, 2**30) or pytest.fail("not read")
    assert np.abs(whole).max() > 0.2
    for start in (0.1, 0.7, 1.5, 3.1):
        found, _ = sndfile.read(path, start, 0.3, 2**30) or pytest.fail("not read")
        first = round(start * rate)
        np.testing.assert_allclose(found, whole[:, first : first + found.shape[1]], atol=1e-6)


@pytest.mark.parametrize("name", ["a.mp3", "a.ogg", "a.flac", "a.wav"])
def test_a_file_read_in_pieces_is_the_whole(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / name
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, 3 * 44_100)
    options = {"compression_level": 0.9, "bitrate_mode": "VARIABLE"} if name == "a.mp3" else {}
    sf.write(path, noise * np.exp(-6 * (np.arange(len(noise)) / 44_100 % 0.7)), 44_100, **options)
    whole, _ = sndfile.read(path, 0.0, None, 2**30) or pytest.fail("not read")
    monkeypatch.setattr(sndfile, "_CHUNK_VALUES", 10_000)
    found, _ = sndfile.read(path, 0.0, None, 2**30) or pytest.fail("not read")
    np.testing.assert_array_equal(found, whole)
