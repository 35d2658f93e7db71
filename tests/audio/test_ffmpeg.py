from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from soundalike.audio import ffmpeg
from soundalike.audio.decode import probe, read
from tests.audio.conftest import RATE, make_signal, write_pyav, write_sndfile

Encoded = Callable[[str], Path]


@pytest.mark.parametrize(
    ("subtype", "step"),
    [("PCM_U8", 2**-7), ("PCM_16", 2**-15), ("PCM_24", 2**-23), ("PCM_32", 2**-24), ("FLOAT", 0), ("DOUBLE", 0)],
)
def test_every_sample_format_keeps_its_level(subtype: str, step: float, tmp_path: Path) -> None:
    samples = make_signal(8_000, 0.5)
    path = write_sndfile(tmp_path / "a.wav", samples, 8_000, "WAV", subtype)
    found = ffmpeg.read(path, 0.0, None, 2**30)
    assert found is not None
    assert found[1] == 8_000
    assert np.abs(found[0] - samples).max() <= step


@pytest.mark.parametrize("name", ["vorbis.ogg", "opus.opus", "pcm.flac", "lame.mp3"])
def test_ffmpeg_agrees_with_libsndfile(name: str, encoded: Encoded) -> None:
    from soundalike.audio import sndfile

    theirs, mine = sndfile.read(encoded(name), 0.0, None, 2**30), ffmpeg.read(encoded(name), 0.0, None, 2**30)
    assert theirs is not None
    assert mine is not None
    assert theirs[0].shape == mine[0].shape
    assert np.abs(theirs[0] - mine[0]).max() < 1e-4


class _Frame:
    """Builds an av.AudioFrame from an array."""

    def __init__(self, values: np.ndarray, form: str, channels: int, rate: int = RATE) -> None:
        layout = {1: "mono", 2: "stereo", 6: "5.1"}[channels]
        self.frame = av.AudioFrame.from_ndarray(values, format=form, layout=layout)
        self.frame.sample_rate = rate


def test_frames_of_another_layout_or_rate_are_converted() -> None:
    region = ffmpeg._Region(0, None, None, 2**30)
    tone = np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE).astype(np.float32)
    frames = [
        _Frame(np.stack([tone, -tone]), "fltp", 2).frame,
        _Frame(tone[np.newaxis], "fltp", 1).frame,
        _Frame(np.stack([tone[::2]] * 2), "fltp", 2, RATE // 2).frame,
    ]
    ffmpeg._collect(frames, region, RATE)
    samples = region.samples(2)
    assert samples.shape == (2, 3 * RATE)
    assert np.allclose(samples[0, RATE : 2 * RATE], tone, atol=1e-6)
    assert np.allclose(samples[1, RATE : 2 * RATE], tone, atol=1e-6)
    middle = slice(RATE // 4, RATE // 2)
    assert np.abs(samples[0, 2 * RATE :][middle] - tone[middle]).max() < 1e-2


@pytest.mark.parametrize(("form", "scale"), [("s16", 2**15), ("s32", 2**31), ("u8", 2**7)])
def test_packed_integers_are_separated_and_scaled(form: str, scale: int) -> None:
    kind = {"s16": np.int16, "s32": np.int32, "u8": np.uint8}[form]
    offset = scale if form == "u8" else 0
    packed = (np.array([[scale // 2, -scale // 2, scale // 4, 0]]) + offset).astype(kind)
    values = ffmpeg._to_float(_Frame(packed, form, 2).frame)
    assert values.tolist() == [[0.5, 0.25], [-0.5, 0.0]]


def test_eight_channels_are_read_and_more_are_skipped(tmp_path: Path) -> None:
    """PyAV's own conversion reads a ninth plane that does not exist."""
    time = np.arange(RATE) / RATE
    tones = [300 + 150 * channel for channel in range(8)]
    samples = np.stack([0.3 * np.sin(2 * np.pi * tone * time) for tone in tones]).astype(np.float32)
    path = tmp_path / "eight.m4a"
    with av.open(str(path), "w", format="ipod") as output:
        stream = output.add_stream("aac", rate=RATE, layout="7.1")
        stream.bit_rate = 512_000
        for first in range(0, RATE, 1024):
            block = samples[:, first : first + 1024]
            frame = av.AudioFrame(format="fltp", layout="7.1", samples=block.shape[1])
            for plane, channel in zip(frame.planes[:8], block, strict=True):
                plane.update(channel.tobytes().ljust(plane.buffer_size, b"\0"))
            frame.sample_rate, frame.pts, frame.time_base = RATE, first, Fraction(1, RATE)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    found = ffmpeg.read(path, 0.0, None, 2**30)
    assert found is not None
    loudest = [int(np.argmax(np.abs(np.fft.rfft(channel)))) for channel in found[0]]
    assert loudest[:3] + loudest[4:] == tones[:3] + tones[4:]  # the fourth is the LFE
    nine = av.AudioFrame(format="flt", layout="9 channels", samples=64)
    nine.sample_rate = RATE
    assert not ffmpeg._usable(nine)


def test_seeking_to_an_impossible_position_returns_an_error_code(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    with (tmp_path / "a").open("rb") as handle:
        source = ffmpeg._Readable(handle)
        assert source.seek(-5) == -1
        assert source.seek(2**80) == -1
        assert source.seek(1) == 1
        assert source.read(1) == b"b"


def test_the_stated_end_cuts_padding_unless_it_is_wrong() -> None:
    def collected(stated: int | None, last: int | None = None) -> int:
        region = ffmpeg._Region(0, last, stated, 2**30)
        frames = (_Frame(np.zeros((1, 1024), dtype=np.float32), "fltp", 1).frame for _ in range(20))
        ffmpeg._collect(frames, region, RATE)
        return region.samples(1).shape[1]

    assert collected(20_000) == 20_000
    assert collected(20_000, last=30_000) == 20_000
    assert collected(3_000) == 20_480
    assert collected(3_000, last=9_000) == 9_000
    assert collected(None) == 20_480


def test_the_frames_of_a_bare_stream_are_counted(encoded: Encoded) -> None:
    for name in ("bare.aac", "wma2.wma"):
        info, found = ffmpeg.probe(encoded(name)), ffmpeg.read(encoded(name), 0.0, None, 2**30)
        assert info is not None
        assert found is not None
        assert info[0] == found[0].shape[1]


@pytest.mark.parametrize(("codec", "delay"), [("aac", 1024), ("libmp3lame", 1105), ("ac3", 256)])
def test_a_delay_that_matroska_states_is_removed(codec: str, delay: int, tmp_path: Path) -> None:
    """Without its statement (the element CodecDelay) nothing tells the encoder's silence from that of the music."""
    samples = np.zeros((2, RATE), dtype=np.float32)
    samples[:, RATE // 2 :] = 0.5 * np.sin(2 * np.pi * 500 * np.arange(RATE - RATE // 2) / RATE)
    path = write_pyav(tmp_path / "a.mka", samples, RATE, codec, "matroska", "fltp", {"b": "192k"})
    content = path.read_bytes()
    place = content.index(b"\x56\xaa") + 2
    size = content[place] & 0x7F
    (tmp_path / "unstated.mka").write_bytes(content[: place + 1] + bytes(size) + content[place + 1 + size :])
    for name, late in (("a.mka", 0), ("unstated.mka", delay)):
        found = ffmpeg.read(tmp_path / name, 0.0, None, 2**30)
        assert found is not None
        assert int(np.argmax(np.abs(found[0][0]) > 0.1)) == pytest.approx(RATE // 2 + late, abs=64)


@pytest.mark.parametrize("length", [4_096, 4_097, 10_000])
def test_alac_in_caf_is_decoded_to_its_end(length: int, tmp_path: Path) -> None:
    """As FFmpeg and Apple write it, with a cookie that libsndfile does not read."""
    signal = make_signal(RATE, 0.5)[:, :length]
    path = tmp_path / "a.caf"
    with av.open(str(path), "w", format="caf") as output:
        stream = output.add_stream("alac", rate=RATE, layout="stereo")
        values = np.round(signal.astype(np.float64) * 32_767).astype(np.int16)
        for begin in range(0, length, 4_096):
            block = np.ascontiguousarray(values[:, begin : begin + 4_096])
            frame = av.AudioFrame.from_ndarray(block, format="s16p", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = RATE, begin, Fraction(1, RATE)
            output.mux(stream.encode(frame))  # type: ignore[union-attr, arg-type]
        output.mux(stream.encode(None))  # type: ignore[union-attr]
    sound = read(path)
    assert probe(path).decoder == "pyav"
    assert (probe(path).frames, sound.samples.shape[1]) == (length, length)
    assert np.abs(sound.samples - signal).max() < 1e-4
