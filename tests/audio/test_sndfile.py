from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

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
