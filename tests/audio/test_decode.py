from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from soundalike.audio.decode import load, probe, read
from soundalike.audio.suffixes import AUDIO_SUFFIXES
from soundalike.errors import AudioError, InputError, SoundalikeError
from tests.audio.conftest import FORMATS, LOSSLESS, LOSSY, RATE, SECONDS, make_signal, write_pyav, write_sndfile

Encoded = Callable[[str], Path]

# Samples by which the decoded audio is behind the original: a bare stream cannot state its encoder's delay, and FFmpeg's WMA
# decoder drops the two frames that Microsoft's encoder needs where FFmpeg's own encoder, used here, needs one.
DELAY = {"bare.aac": 1024, "wma2.wma": -2048}


def wav_bytes(samples: NDArray[np.float32], rate: int = 8_000, kind: str = "<f4", code: int = 3) -> bytes:
    """A plain wav file of (channels, samples) with the header written by hand."""
    data = np.ascontiguousarray(samples.T.astype(kind)).tobytes()
    channels, width = len(samples), np.dtype(kind).itemsize
    form = struct.pack("<HHIIHH", code, channels, rate, rate * channels * width, channels * width, 8 * width)
    body = b"WAVE" + b"fmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_formats_return_the_samples(name: str, encoded: Encoded, signal: NDArray[np.float32]) -> None:
    sound = read(encoded(name))
    assert (sound.sample_rate, sound.samples.shape, sound.samples.dtype) == (RATE, signal.shape, np.float32)
    assert np.abs(sound.samples - signal).max() < 4e-5


@pytest.mark.parametrize("name", LOSSY)
def test_lossy_formats_keep_level_channels_and_time(name: str, encoded: Encoded) -> None:
    sound = read(encoded(name))
    original = make_signal(sound.sample_rate)
    delay = DELAY.get(name, 0)
    original, heard = original[:, max(0, -delay) :], sound.samples[:, max(0, delay) :]
    length = min(original.shape[1], heard.shape[1])
    assert length > (SECONDS - 0.1) * sound.sample_rate
    original, heard = original[:, :length], heard[:, :length]
    for channel in range(2):
        correlation = np.corrcoef(original[channel], heard[channel])[0, 1]
        assert correlation > 0.97
        assert np.std(heard[channel]) == pytest.approx(np.std(original[channel]), rel=0.06)


@pytest.mark.parametrize("name", FORMATS)
def test_probe_agrees_with_read(name: str, encoded: Encoded) -> None:
    info, sound = probe(encoded(name)), read(encoded(name))
    assert (info.frames, info.sample_rate, info.channels) == (sound.samples.shape[1], sound.sample_rate, 2)
    assert info.duration == pytest.approx(sound.duration)
    assert info.decoder == ("pyav" if name.endswith((".m4a", ".aac", ".wma")) else "soundfile")


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("start", [0.0, 0.0101, 0.7, 1.30002, 3.25])
def test_a_region_is_a_slice_of_the_whole(name: str, start: float, encoded: Encoded) -> None:
    whole = read(encoded(name))
    region = read(encoded(name), start, 1.0)
    first = round(start * whole.sample_rate)
    assert np.array_equal(region.samples, whole.samples[:, first : first + whole.sample_rate])


def test_a_region_without_a_duration_extends_to_the_end(encoded: Encoded) -> None:
    assert read(encoded("pcm.flac"), start=3.0).samples.shape[1] == RATE


@pytest.mark.parametrize("name", ["pcm.wav", "pcm.flac", "lame.mp3", "aac.m4a", "wma2.wma"])
def test_a_region_after_the_end_is_rejected(name: str, encoded: Encoded) -> None:
    with pytest.raises(AudioError, match="nothing to decode at or after 100 s"):
        read(encoded(name), 100.0, 1.0)


@pytest.mark.parametrize(("start", "duration"), [(-1.0, None), (float("nan"), None), (0.0, 0.0), (0.0, -1.0)])
def test_invalid_regions_are_rejected(start: float, duration: float | None, encoded: Encoded) -> None:
    with pytest.raises(InputError, match="a region"):
        read(encoded("pcm.wav"), start, duration)


@pytest.mark.parametrize("rate", [8_000, 192_000])
def test_extreme_sample_rates(rate: int, tmp_path: Path) -> None:
    path = write_sndfile(tmp_path / "a.wav", make_signal(rate, 0.5), rate, "WAV", "PCM_24")
    assert read(path).sample_rate == rate
    sound = load(path, 32_000, 1, 0.1, 0.2)
    assert abs(sound.samples.shape[1] - 6_400) <= 1
    assert sound.samples.shape[0] == 1


@pytest.mark.parametrize(
    ("suffix", "container", "subtype"), [("wav", "WAV", "PCM_16"), ("flac", "FLAC", "PCM_16"), ("ogg", "OGG", "VORBIS")]
)
def test_six_channels_are_in_wave_order(suffix: str, container: str, subtype: str, tmp_path: Path) -> None:
    rate, tones = 48_000, (300, 600, 900, 60, 1500, 1800)
    time = np.arange(rate) / rate
    by_file = tones if suffix != "ogg" else (300, 900, 600, 1500, 1800, 60)  # Vorbis: L C R Ls Rs LFE
    samples = np.stack([0.5 * np.sin(2 * np.pi * tone * time) for tone in by_file]).astype(np.float32)
    sound = read(write_sndfile(tmp_path / f"six.{suffix}", samples, rate, container, subtype))
    loudest = [int(np.argmax(np.abs(np.fft.rfft(channel)))) for channel in sound.samples]
    assert loudest[:3] == list(tones[:3])
    assert loudest[4:] == list(tones[4:])
    assert loudest[3] == pytest.approx(60, abs=3)
    assert load(tmp_path / f"six.{suffix}", rate, 2).samples.shape == (2, rate)


def test_six_channels_of_aac_are_not_downmixed(tmp_path: Path) -> None:
    tones = (300, 600, 900, 60, 1500, 1800)
    time = np.arange(RATE) / RATE
    samples = np.stack([0.5 * np.sin(2 * np.pi * tone * time) for tone in tones]).astype(np.float32)
    sound = read(write_pyav(tmp_path / "six.m4a", samples, RATE, "aac", "ipod", "fltp", {}))
    assert [int(np.argmax(np.abs(np.fft.rfft(channel)))) for channel in sound.samples] == list(tones)
    assert np.std(sound.samples[:, 5_000:40_000], axis=1) == pytest.approx(0.5 / np.sqrt(2), rel=0.06)


def test_load_maps_channels_without_gain(encoded: Encoded, signal: NDArray[np.float32]) -> None:
    mono = load(encoded("pcm.wav"), RATE, 1)
    assert np.allclose(mono.samples[0], signal.mean(axis=0), atol=4e-5)
    assert load(encoded("pcm.wav"), 32_000, 2).samples.shape == (2, round(SECONDS * 32_000))


def test_load_rejects_invalid_channels_and_rates(encoded: Encoded) -> None:
    with pytest.raises(InputError, match="3 channels"):
        load(encoded("pcm.wav"), 32_000, 3)
    with pytest.raises(InputError, match="0 Hz"):
        load(encoded("pcm.wav"), 0)


def test_silence_and_one_sample_are_waveforms(tmp_path: Path) -> None:
    (tmp_path / "silent.wav").write_bytes(wav_bytes(np.zeros((1, 800), dtype=np.float32)))
    (tmp_path / "one.wav").write_bytes(wav_bytes(np.full((1, 1), 0.5, dtype=np.float32)))
    assert not read(tmp_path / "silent.wav").samples.any()
    assert read(tmp_path / "one.wav").samples.tolist() == [[0.5]]
    assert load(tmp_path / "one.wav", 32_000).sample_rate == 32_000
    assert probe(tmp_path / "one.wav").frames == 1


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_finite_are_counted_and_located(value: float, tmp_path: Path) -> None:
    samples = np.zeros((2, 8_000), dtype=np.float32)
    samples[1, 4_000] = samples[0, 6_000] = value
    (tmp_path / "bad.wav").write_bytes(wav_bytes(samples))
    with pytest.raises(AudioError, match=r"2 of 16000 samples are not finite .* the first at 0\.500 s"):
        read(tmp_path / "bad.wav")
    with pytest.raises(AudioError, match=r"1 of 4000 .* the first at 0\.750 s"):
        read(tmp_path / "bad.wav", 0.7, 0.25)
    assert read(tmp_path / "bad.wav", 0.0, 0.4).duration == 0.4


def test_doubles_beyond_float32_and_misread_formats_are_rejected(tmp_path: Path) -> None:
    (tmp_path / "double.wav").write_bytes(wav_bytes(np.array([[0.0, 1e300]]), kind="<f8"))
    with pytest.raises(AudioError, match="not finite"):
        read(tmp_path / "double.wav")
    (tmp_path / "huge.wav").write_bytes(wav_bytes(np.array([[0.0, 1e30]])))
    with pytest.raises(AudioError, match=r"samples reach 1\.0e\+30"):
        read(tmp_path / "huge.wav")


def test_files_without_audio_are_rejected_in_one_line(tmp_path: Path, encoded: Encoded) -> None:
    noise = np.random.default_rng(3).bytes(20_000)
    cases = {
        "empty.wav": (b"", "empty"),
        "header.wav": (wav_bytes(np.zeros((1, 0), dtype=np.float32)), "holds no samples"),
        "text.mp3": (b"These are words and no music.\n" * 200, "not audio"),
        "text.wav": (b"#EXTM3U\n/etc/passwd\n", "not audio"),
        "noise.flac": (noise, "not audio"),
        "riff.wav": (b"RIFF", "not audio"),
        "start.ogg": (encoded("vorbis.ogg").read_bytes()[:100], "not audio"),
        "start.m4a": (encoded("aac.m4a").read_bytes()[:1000], "not audio"),
    }
    for name, (content, message) in cases.items():
        path = tmp_path / name
        path.write_bytes(content)
        for function in (read, probe):
            with pytest.raises(AudioError, match=message) as caught:
                function(path)
            assert name in str(caught.value)
            assert "\n" not in str(caught.value)


def test_a_playlist_cannot_refer_to_other_files(tmp_path: Path, encoded: Encoded) -> None:
    for name, content in {
        "list.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{encoded('aac.m4a')}\n#EXT-X-ENDLIST\n",
        "list.wav": f"ffconcat version 1.0\nfile '{encoded('pcm.wav')}'\n",
    }.items():
        (tmp_path / name).write_text(content)
        with pytest.raises(AudioError, match="not audio"):
            read(tmp_path / name)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("lame.mp3", "wrong.wav"),
        ("aac.m4a", "wrong.mp3"),
        ("pcm.flac", "wrong.raw"),
        ("vorbis.ogg", "wrong"),
        ("wma2.wma", "w.ogg"),
    ],
)
def test_the_format_is_detected_from_the_content(content: str, name: str, tmp_path: Path, encoded: Encoded) -> None:
    (tmp_path / name).write_bytes(encoded(content).read_bytes())
    assert np.array_equal(read(tmp_path / name).samples, read(encoded(content)).samples) or name == "wrong.raw"


@pytest.mark.parametrize("name", [name for name in FORMATS if not name.endswith(".m4a")])
def test_a_truncated_file_returns_its_beginning(name: str, tmp_path: Path, encoded: Encoded) -> None:
    content = encoded(name).read_bytes()
    path = tmp_path / name
    path.write_bytes(content[: len(content) // 2])
    sound, whole = read(path), read(encoded(name))
    assert 0.3 * SECONDS < sound.duration < 0.7 * SECONDS
    length = round(0.25 * SECONDS * sound.sample_rate)
    assert np.allclose(sound.samples[:, :length], whole.samples[:, :length], atol=1e-4)
    region = read(path, 0.5, 0.25)
    first = round(0.5 * sound.sample_rate)
    assert np.allclose(region.samples, sound.samples[:, first : first + region.samples.shape[1]], atol=1e-4)


def test_a_truncated_m4a_without_its_index_is_rejected(tmp_path: Path, encoded: Encoded) -> None:
    content = encoded("aac.m4a").read_bytes()
    (tmp_path / "cut.m4a").write_bytes(content[: len(content) // 2])
    with pytest.raises(AudioError, match="not audio that can be decoded"):
        read(tmp_path / "cut.m4a")


def test_a_header_with_endless_frames_takes_no_memory(tmp_path: Path) -> None:
    content = bytearray(wav_bytes(make_signal(8_000, 0.5), 8_000))
    content[4:8] = content[40:44] = b"\xff\xff\xff\xff"
    (tmp_path / "endless.wav").write_bytes(content)
    assert read(tmp_path / "endless.wav").samples.shape == (2, 4_000)
    flac = bytearray(write_sndfile(tmp_path / "a.flac", make_signal(8_000, 0.5), 8_000, "FLAC", "PCM_16").read_bytes())
    flac[21] |= 0x0F  # the 36 bits of the number of frames
    flac[22:26] = b"\xff\xff\xff\xff"
    (tmp_path / "endless.flac").write_bytes(flac)
    assert read(tmp_path / "endless.flac").samples.shape == (2, 4_000)
    au = b".snd" + struct.pack(">5I", 24, 0x7FFFFFF0, 3, 44_100, 1) + bytes(2_000)
    (tmp_path / "endless.au").write_bytes(au)
    assert read(tmp_path / "endless.au").samples.shape == (1, 1_000)


def test_an_impossible_sample_rate_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "slow.wav").write_bytes(wav_bytes(np.zeros((1, 100), dtype=np.float32), rate=3))
    with pytest.raises(AudioError, match="sample rate of 3 Hz"):
        read(tmp_path / "slow.wav")


def test_more_than_fits_in_memory_is_rejected(monkeypatch: pytest.MonkeyPatch, encoded: Encoded) -> None:
    monkeypatch.setattr("soundalike.audio.decode._MAX_VALUES", 100_000)
    monkeypatch.setattr("soundalike.audio.sndfile._CHUNK_VALUES", 30_000)
    for name in ("pcm.flac", "aac.m4a"):
        with pytest.raises(AudioError, match="use a region"):
            read(encoded(name))
        assert read(encoded(name), 1.0, 0.5).duration == 0.5


def test_chunks_are_joined_without_a_seam(monkeypatch: pytest.MonkeyPatch, encoded: Encoded) -> None:
    for name in ("vorbis.ogg", "opus.opus", "lame.mp3", "pcm.flac"):
        whole = read(encoded(name)).samples
        with monkeypatch.context() as patch:
            patch.setattr("soundalike.audio.sndfile._CHUNK_VALUES", 25_001)
            assert np.array_equal(read(encoded(name)).samples, whole)


def test_paths_that_are_not_files_are_rejected(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "absent.wav")
    with pytest.raises(InputError, match="not a file"):
        read(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        probe(tmp_path / ("x" * 300))
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(InputError, match="not a file"):
        read(tmp_path / "pipe.wav")


@pytest.mark.parametrize("name", ["pcm.wav", "aac.m4a"])
def test_unusual_file_names_are_opened(name: str, tmp_path: Path, encoded: Encoded) -> None:
    for stem in ("ünïcode 音", "concat:a|b", "http:--x", "%d [1]", os.fsdecode(b"latin-\xe9")):
        path = tmp_path / f"{stem}{Path(name).suffix}"
        path.write_bytes(encoded(name).read_bytes())
        assert read(path).duration == pytest.approx(SECONDS)


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_files_raise_readable_errors_and_nothing_is_printed(
    name: str, tmp_path: Path, encoded: Encoded, capfd: pytest.CaptureFixture[str]
) -> None:
    content = encoded(name).read_bytes()
    random = np.random.default_rng(7)
    path = tmp_path / name
    decoded = []
    for trial in range(8):
        damaged = bytearray(content)
        for place in random.integers(0, len(content) if trial % 2 else 600, 30):
            damaged[place] ^= 1 << int(random.integers(8))
        path.write_bytes(damaged)
        for start, duration in ((0.0, None), (1.5, 0.5)):
            with contextlib.suppress(SoundalikeError):
                decoded.append(read(path, start, duration))
    assert decoded
    assert all(np.isfinite(sound.samples).all() for sound in decoded)
    assert capfd.readouterr() == ("", "")


def test_warnings_of_the_mp3_decoder_are_silenced(
    tmp_path: Path, encoded: Encoded, capfd: pytest.CaptureFixture[str]
) -> None:
    content = encoded("lame.mp3").read_bytes()
    (tmp_path / "cut.mp3").write_bytes(content[: len(content) // 2])
    soundfile.read(tmp_path / "cut.mp3")
    assert "Warning" in capfd.readouterr().err  # else silencing is no longer needed
    read(tmp_path / "cut.mp3")
    assert capfd.readouterr().err == ""


def test_extensions_are_lower_case_suffixes() -> None:
    assert {".wav", ".aiff", ".flac", ".ogg", ".opus", ".mp3", ".m4a", ".aac", ".wma"} <= AUDIO_SUFFIXES
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in AUDIO_SUFFIXES)


def test_real_songs_decode_and_their_regions_agree(test_data: Path) -> None:
    for name in ("Software-Entwicklungskit - Caesium.m4a", "icy_wind.ogg"):
        path = test_data / "songs" / name
        whole, region = read(path), read(path, 20.0, 3.0)
        first = round(20.0 * whole.sample_rate)
        assert np.array_equal(region.samples, whole.samples[:, first : first + region.samples.shape[1]])
        assert probe(path).frames == whole.samples.shape[1]


def test_the_reported_antiphase_file_is_as_loud_in_mono_as_in_stereo(test_data: Path) -> None:
    path = test_data / "reports" / "antiphase.flac"
    mono, stereo = load(path, RATE, 1).samples, read(path).samples
    assert np.array_equal(mono[0], stereo[0])
    assert np.sqrt(np.mean(mono**2)) > 0.05
