from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from soundalike.audio.decode import probe, read
from tests.audio.conftest import make_signal, write_pyav, write_sndfile


def link(folder: Path, seconds: float, rate: int = 44_100, channels: int = 2, codec: str = "VORBIS") -> bytes:
    path = folder / f"{seconds}-{rate}-{channels}-{codec}.ogg"
    samples = np.resize(make_signal(rate, seconds), (channels, round(rate * seconds)))
    if codec == "FLAC":
        write_pyav(path, samples, rate, "flac", "ogg", "s16", {})
    else:
        write_sndfile(path, samples, rate, "OGG", codec)
    return path.read_bytes()


def decoded(folder: Path, content: bytes) -> NDArray[np.float32]:
    (folder / "one.ogg").write_bytes(content)
    return read(folder / "one.ogg").samples


@pytest.mark.parametrize(("codec", "rate"), [("VORBIS", 22_050), ("OPUS", 48_000), ("FLAC", 44_100)])
@pytest.mark.parametrize("seconds", [(1.0, 2.0), (0.5, 14.0, 0.3), (12.5, 12.5)])
def test_links_of_one_kind_are_joined_without_a_seam(
    codec: str, rate: int, seconds: tuple[float, ...], tmp_path: Path
) -> None:
    links = [link(tmp_path, length, rate, 2, codec) for length in seconds]
    path = tmp_path / "chain.ogg"
    path.write_bytes(b"".join(links))
    whole = np.concatenate([decoded(tmp_path, content) for content in links], axis=1)
    assert probe(path).frames == whole.shape[1] == round(sum(seconds) * rate)
    assert np.array_equal(read(path).samples, whole)
    ends = list(itertools.accumulate(seconds))
    # Not later: libsndfile's seeking into the last page of a Vorbis stream (some 0.2 s) is not exact.
    for start in (0.1, ends[0] - 0.25, ends[0], ends[0] + 0.17):
        first = round(start * rate)
        assert np.array_equal(read(path, start, 0.4).samples, whole[:, first : first + round(0.4 * rate)])


def test_links_with_equal_serial_numbers_are_joined(tmp_path: Path) -> None:
    content = link(tmp_path, 1.0)
    path = tmp_path / "twice.ogg"
    path.write_bytes(content + content)
    once = decoded(tmp_path, content)
    assert np.array_equal(read(path).samples, np.concatenate([once, once], axis=1))


@pytest.mark.parametrize(
    ("rate", "channels", "codec"),
    [(22_050, 2, "VORBIS"), (48_000, 2, "OPUS"), (44_100, 1, "VORBIS"), (32_000, 1, "FLAC"), (48_000, 6, "VORBIS")],
)
def test_links_of_another_kind_are_converted_to_the_first(rate: int, channels: int, codec: str, tmp_path: Path) -> None:
    path = tmp_path / "mixed.ogg"
    path.write_bytes(link(tmp_path, 1.0) + link(tmp_path, 2.0, rate, channels, codec) + link(tmp_path, 1.0))
    info, sound = probe(path), read(path)
    assert (info.frames, info.sample_rate, info.channels) == (4 * 44_100, 44_100, 2)
    assert sound.samples.shape == (2, 4 * 44_100)
    once = decoded(tmp_path, link(tmp_path, 1.0))
    assert np.array_equal(sound.samples[:, :44_100], once)
    assert np.array_equal(sound.samples[:, -44_100:], once)
    region = read(path, 1.3, 2.0)
    assert np.array_equal(region.samples, sound.samples[:, round(1.3 * 44_100) : round(3.3 * 44_100)])
    level = np.sqrt(np.mean(sound.samples[0, 50_000:120_000] ** 2))
    assert 0.1 < level < 0.4


def test_a_mono_first_link_makes_the_file_mono(tmp_path: Path) -> None:
    path = tmp_path / "mono.ogg"
    path.write_bytes(link(tmp_path, 1.0, channels=1) + link(tmp_path, 1.0))
    assert read(path).samples.shape == (1, 2 * 44_100)


def test_a_damaged_link_is_left_out_and_a_truncated_one_is_shorter(tmp_path: Path) -> None:
    first, last = link(tmp_path, 1.0), link(tmp_path, 2.0)
    path = tmp_path / "damaged.ogg"
    path.write_bytes(first + last[:200] + last)
    assert read(path).duration == pytest.approx(3.0, abs=1e-3)
    path.write_bytes(first + last[: len(last) * 2 // 3])
    assert 1.3 < read(path).duration < 2.9
    assert probe(path).frames == read(path).samples.shape[1]


def test_hundreds_of_short_links_are_joined(tmp_path: Path) -> None:
    content = link(tmp_path, 0.2, 22_050, 1)
    path = tmp_path / "many.ogg"
    path.write_bytes(content * 300)
    assert probe(path).frames == 300 * 4_410
    assert read(path, 59.0).samples.shape == (1, 22_050)


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    content = link(tmp_path, 1.0)
    path = tmp_path / "grows.ogg"
    for count in (1, 3, 2):
        path.write_bytes(content * count)
        assert probe(path).duration == count


@pytest.mark.parametrize(
    ("name", "rate", "seconds"), [("chain_same.ogg", 44_100, 3.0), ("chain_long.ogg", 22_050, 26.5)]
)
def test_the_reported_chains_have_all_links(name: str, rate: int, seconds: float, test_data: Path) -> None:
    sound = read(test_data / "reports" / name)
    assert (sound.sample_rate, sound.duration) == (rate, seconds)
