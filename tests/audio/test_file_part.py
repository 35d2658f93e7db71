"""Addresses of parts of files, and decoding by them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from soundalike.audio import decode
from soundalike.audio.file_part import FilePart, part_of_address, seconds_address, stream_address
from soundalike.audio.metadata.tags import read_tags
from soundalike.errors import AudioError, InputError


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("a/b.flac", FilePart(Path("a/b.flac"))),
        ("a/b.flac#t=75,150.5", FilePart(Path("a/b.flac"), 75.0, 150.5)),
        ("a/b.flac#t=1", FilePart(Path("a/b.flac"), 1.0)),
        ("a/b.flac#stream=2", FilePart(Path("a/b.flac"), stream=2)),
        ("a/b #1.flac#t=0,2", FilePart(Path("a/b #1.flac"), 0.0, 2.0)),
        ("a/b.flac#t=", FilePart(Path("a/b.flac#t="))),
        ("a/b.flac#t=-1,2", FilePart(Path("a/b.flac#t=-1,2"))),
        ("a/#t=1,2", FilePart(Path("a/#t=1,2"))),
        ("a/b.flac#02", FilePart(Path("a/b.flac#02"))),
    ],
)
def test_addresses_are_read(address: str, expected: FilePart) -> None:
    assert part_of_address(Path(address)) == expected


def test_addresses_are_written_exactly() -> None:
    assert seconds_address("a.flac", 0, 1 / 3) == "a.flac#t=0,0.333333"
    assert seconds_address("a.flac", 2.5, None) == "a.flac#t=2.5"
    assert stream_address(Path("x/a.m4a"), 3) == Path("x/a.m4a#stream=3")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.flac"
    sf.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, (44_100 * 4, 2)), 44_100)
    return path


def test_a_part_is_decoded_like_a_file_of_its_own(file: Path) -> None:
    whole = decode.read(file).samples
    part = Path(seconds_address(str(file), 77 / 75, 225 / 75))
    first, last = 588 * 77, 588 * 225
    info = decode.probe(part)
    assert (info.frames, info.channels) == (last - first, 2)
    np.testing.assert_array_equal(decode.read(part).samples, whole[:, first:last])
    np.testing.assert_array_equal(decode.read(part, 0.5, 0.25).samples, whole[:, first + 22_050 : first + 33_075])
    np.testing.assert_array_equal(decode.read(part, 1.9, 60).samples, whole[:, first + 83_790 : last])
    np.testing.assert_array_equal(decode.read(Path(f"{file}#t=3.5")).samples, whole[:, 154_350:])
    assert decode.probe(Path(f"{file}#t=3,90")).duration == 1.0


def test_a_part_outside_the_file_is_an_error(file: Path) -> None:
    for address in (f"{file}#t=4", f"{file}#t=9,10", f"{file}#t=2,2"):
        with pytest.raises(AudioError, match="nothing to decode at or after"):
            decode.probe(Path(address))
        with pytest.raises(AudioError, match="nothing to decode at or after"):
            decode.read(Path(address))
    with pytest.raises(AudioError, match="nothing to decode at or after"):
        decode.read(Path(f"{file}#t=1,2"), 1.0, 1.0)
    with pytest.raises(AudioError, match="no audio stream 1"):
        decode.probe(Path(f"{file}#stream=1"))
    with pytest.raises(InputError, match="no such file"):
        decode.probe(Path(f"{file}x#t=1,2"))


def test_a_file_that_has_such_a_name_is_that_file(file: Path) -> None:
    other = file.with_name("a.flac#t=1,2")
    sf.write(other, np.full((1000, 1), 0.25), 44_100, format="WAV")
    assert decode.probe(other).frames == 1000


def test_a_part_has_no_title_tempo_or_key_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    with sf.SoundFile(path, "w", 44_100, 1) as out:
        out.title, out.artist, out.album = "Everything", "Somebody", "The album"
        out.write(np.zeros(100))
    tags = read_tags(Path(f"{path}#t=0,0.001"))
    assert (tags.title, tags.artist, tags.album) == (None, "Somebody", "The album")
    assert read_tags(path).title == "Everything"
