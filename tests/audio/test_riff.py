from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from soundalike.audio import raw_aac
from soundalike.audio.decode import load, probe, read
from tests.audio.conftest import RATE, make_signal, write_pyav, write_sndfile

Encoded = Callable[[str], Path]

GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
W64_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")


def little_endian(values: NDArray[np.int64], width: int) -> bytes:
    """Integers (channels, samples) as interleaved little-endian bytes."""
    flat = np.ascontiguousarray(values.T).astype("<i8")
    return flat.view(np.uint8).reshape(-1, 8)[:, :width].tobytes()


def wave_file(data: bytes, channels: int, width: int, valid: int, container: str, extensible: bool) -> bytes:
    block = channels * width
    if extensible:
        form = struct.pack("<HHIIHH", 0xFFFE, channels, RATE, RATE * block, block, 8 * width)
        form += struct.pack("<HHI", 22, valid, (1 << channels) - 1) + struct.pack("<H", 1) + GUID_TAIL
    else:
        form = struct.pack("<HHIIHH", 1, channels, RATE, RATE * block, block, valid)
    if container == "W64":
        chunks = b"".join(
            name + W64_TAIL + struct.pack("<Q", 24 + len(content)) + content + bytes(-len(content) % 8)
            for name, content in ((b"fmt ", form), (b"data", data))
        )
        head = bytes.fromhex("726966662e91cf11a5d628db04c10000") + struct.pack("<Q", 40 + len(chunks))
        return head + b"wave" + W64_TAIL + chunks
    size = 0xFFFFFFFF if container != "RIFF" else len(data)
    sizes = b"ds64" + struct.pack("<IQQQI", 28, 72 + len(form) + len(data), len(data), 0, 0)
    body = b"WAVE" + (sizes if container != "RIFF" else b"")
    body += b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", size) + data
    return container.encode() + struct.pack("<I", 0xFFFFFFFF if container != "RIFF" else len(body)) + body


@pytest.mark.parametrize(("width", "valid"), [(4, 24), (4, 20), (4, 16), (3, 20), (3, 16), (2, 12)])
@pytest.mark.parametrize("container", ["RIFF", "RF64", "W64"])
def test_right_justified_integers_have_their_full_level(width: int, valid: int, container: str, tmp_path: Path) -> None:
    signal = make_signal(RATE, 0.5)
    values = np.round(signal.astype(np.float64) * (2 ** (valid - 1) - 1)).astype(np.int64)
    path = tmp_path / "right.wav"
    path.write_bytes(wave_file(little_endian(values, width), 2, width, valid, container, extensible=True))
    sound = read(path)
    assert sound.samples.shape == signal.shape
    assert np.abs(sound.samples - signal).max() < 2.0 ** (2 - valid)
    assert np.array_equal(read(path, 0.2, 0.1).samples, sound.samples[:, 8_820:13_230])


@pytest.mark.parametrize("container", ["RIFF", "RF64", "BW64"])
@pytest.mark.parametrize("name", ["acid", "smpl", "LIST", "PEAK", "fact", "inst", "bext"])
def test_damaged_chunks_before_the_samples_do_no_harm(name: str, container: str, tmp_path: Path) -> None:
    """libsndfile takes these chunks apart before it comes to the samples, and some of them for the end of the file."""
    signal = make_signal(RATE, 0.05)
    values = np.round(signal.astype(np.float64) * 32_767).astype(np.int64)
    whole = wave_file(little_endian(values, 2), 2, 2, 16, container, extensible=False)
    place = whole.index(b"fmt ")
    random = np.random.default_rng(1)
    path = tmp_path / "damaged.wav"
    for size in (0, 1, 2, 3, 4, 7, 23, 24, 35, 36, 37, 60):
        for pad in (b"", b"\0") if size % 2 else (b"",):
            chunk = name.encode() + struct.pack("<I", size) + random.bytes(size) + pad
            path.write_bytes(whole[:place] + chunk + whole[place:])
            found = read(path).samples
            assert found.shape == signal.shape, (size, pad)
            assert np.abs(found - signal).max() < 1e-4, (size, pad)


@pytest.mark.parametrize("name", ["acid", "smpl", "LIST", "fact"])
def test_damaged_chunks_do_no_harm_where_the_size_of_the_samples_is_unknown_too(name: str, tmp_path: Path) -> None:
    signal = make_signal(RATE, 0.05)
    values = np.round(signal.astype(np.float64) * 32_767).astype(np.int64)
    whole = wave_file(little_endian(values, 2), 2, 2, 16, "RIFF", extensible=False)
    whole = whole.replace(b"data" + struct.pack("<I", values.size * 2), b"data" + b"\xff" * 4)
    place, path = whole.index(b"fmt "), tmp_path / "damaged.wav"
    for size in (2, 5, 23, 37):
        chunk = name.encode() + struct.pack("<I", size) + np.random.default_rng(2).bytes(size) + bytes(size % 2)
        path.write_bytes(whole[:place] + chunk + b"LIST\x02\0\0\0\xa2\x9a" + whole[place:])
        assert read(path).samples.shape == signal.shape, size


@pytest.mark.parametrize(("width", "valid"), [(4, 24), (4, 20), (3, 20), (2, 12)])
def test_left_justified_integers_keep_their_level_even_if_quiet(width: int, valid: int, tmp_path: Path) -> None:
    for level in (1.0, 1e-3):
        signal = make_signal(RATE, 0.5) * np.float32(level)
        values = np.round(signal.astype(np.float64) * (2 ** (valid - 1) - 1)).astype(np.int64) << 8 * width - valid
        path = tmp_path / "left.wav"
        path.write_bytes(wave_file(little_endian(values, width), 2, width, valid, "RIFF", extensible=True))
        assert np.abs(read(path).samples - signal).max() < 2.0 ** (2 - valid)


def test_integers_that_exceed_the_stated_bits_keep_their_level(tmp_path: Path) -> None:
    signal = make_signal(RATE, 0.5)
    values = np.round(signal.astype(np.float64) * (2**31 - 1)).astype(np.int64)
    path = tmp_path / "full.wav"
    path.write_bytes(wave_file(little_endian(values, 4), 2, 4, 24, "RIFF", extensible=True))
    assert np.abs(read(path).samples - signal).max() < 1e-6


def test_24_bits_in_blocks_of_four_bytes_without_the_extensible_header(tmp_path: Path) -> None:
    signal = make_signal(RATE, 0.5)
    values = np.round(signal.astype(np.float64) * (2**23 - 1)).astype(np.int64)
    for shift in (0, 8):
        path = tmp_path / f"{shift}.wav"
        path.write_bytes(wave_file(little_endian(values << shift, 4), 2, 4, 24, "RIFF", extensible=False))
        assert np.abs(read(path).samples - signal).max() < 1e-6


def test_a_truncated_right_justified_file_has_its_full_level(tmp_path: Path) -> None:
    signal = make_signal(RATE, 0.5)
    values = np.round(signal.astype(np.float64) * (2**23 - 1)).astype(np.int64)
    content = wave_file(little_endian(values, 4), 2, 4, 24, "RIFF", extensible=True)
    path = tmp_path / "cut.wav"
    path.write_bytes(content[: len(content) // 2 + 3])
    sound = read(path).samples
    assert np.abs(sound - signal[:, : sound.shape[1]]).max() < 1e-6


def click(rate: int = RATE) -> NDArray[np.float32]:
    """One second of silence but for a tone that begins at 0.5 s."""
    samples = np.zeros((2, rate), dtype=np.float32)
    samples[:, rate // 2 : rate // 2 + rate // 8] = 0.5 * np.sin(np.arange(rate // 8) * 2 * np.pi * 500 / rate)
    return samples


def onset(samples: NDArray[np.float32]) -> int:
    return int(np.argmax(np.abs(samples[0]) > 0.1))


def mp3_in_wav(mp3: bytes, rate: int, fact: int | None, channels: int = 2) -> bytes:
    form = struct.pack("<HHIIHHHHIHHH", 0x55, channels, rate, 16_000, 1, 0, 12, 1, 2, 417, 1, 1393)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form
    body += b"" if fact is None else b"fact" + struct.pack("<II", 4, fact)
    body += b"data" + struct.pack("<I", len(mp3)) + mp3
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize("rate", [44_100, 48_000, 22_050])
def test_mp3_in_wav_written_by_ffmpeg_has_its_length_and_onset(rate: int, tmp_path: Path) -> None:
    path = write_pyav(tmp_path / "a.wav", click(rate), rate, "libmp3lame", "wav", "fltp", {})
    sound = read(path)
    assert probe(path).frames == sound.samples.shape[1]
    assert sound.samples.shape[1] == pytest.approx(rate, abs=1)
    assert onset(sound.samples) == pytest.approx(onset(click(rate)), abs=rate // 400)
    region = read(path, 0.4, 0.3).samples
    first = round(0.4 * rate)
    assert np.array_equal(region, sound.samples[:, first : first + region.shape[1]])
    assert region.shape[1] == round(0.3 * rate)


def test_mp2_in_wav_has_its_onset(tmp_path: Path) -> None:
    path = write_pyav(tmp_path / "a.wav", click(), RATE, "mp2", "wav", "s16", {"b": "192000"})
    sound = read(path).samples
    assert onset(sound) == pytest.approx(RATE // 2, abs=RATE // 400)
    assert sound.shape[1] == pytest.approx(RATE, abs=1152)


def aac_in_wav(adts: bytes, code: int, fact: int | None) -> bytes:
    form = struct.pack("<HHIIHHH", code, 2, RATE, 16_000, 1, 16, 0)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form
    body += b"" if fact is None else b"fact" + struct.pack("<II", 4, fact)
    body += b"data" + struct.pack("<I", len(adts)) + adts
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize("code", [0xFF, 0x1600])
@pytest.mark.parametrize(("fact", "frames"), [(RATE, RATE), (None, 44 * 1024), (RATE + 1024, RATE)])
def test_aac_with_headers_in_wav_has_its_length_and_onset(
    code: int, fact: int | None, frames: int, tmp_path: Path
) -> None:
    adts = write_pyav(tmp_path / "a.aac", click(), RATE, "aac", "adts", "fltp", {"b": "192k"}).read_bytes()
    path = tmp_path / "a.wav"
    path.write_bytes(aac_in_wav(adts, code, fact))
    sound = read(path).samples
    assert probe(path).frames == sound.shape[1] == frames
    assert onset(sound) == pytest.approx(RATE // 2, abs=RATE // 400)


def test_raw_aac_in_wav_is_decoded_whole(tmp_path: Path) -> None:
    """FFmpeg reads blocks of 4096 bytes, each of which ends in the middle of a frame."""
    sound = np.tile(click(), 4)
    path = write_pyav(tmp_path / "a.wav", sound, RATE, "aac", "wav", "fltp", {"b": "128k"})
    assert path.stat().st_size > 2 * 4096
    found = read(path).samples
    assert probe(path).frames == found.shape[1] == pytest.approx(4 * RATE, abs=1024)
    assert onset(found) == pytest.approx(RATE // 2, abs=RATE // 400)
    last = found[:, -RATE - 1024 :]
    assert np.abs(last).max() > 0.3


def test_a_region_of_long_raw_aac_in_wav(tmp_path: Path) -> None:
    """It is decoded in pieces that end where frames do, of which this has several."""
    path = write_pyav(tmp_path / "a.wav", np.tile(click(), 16), RATE, "aac", "wav", "fltp", {"b": "256k"})
    assert path.stat().st_size > 3 * raw_aac.PIECE
    whole = read(path).samples
    assert probe(path).frames == whole.shape[1] == pytest.approx(16 * RATE, abs=1024)
    for second in range(16):
        assert onset(whole[:, second * RATE :]) == pytest.approx(RATE // 2, abs=RATE // 400)
    assert np.array_equal(read(path, 6.0, 1.0).samples, whole[:, 6 * RATE : 7 * RATE])


@pytest.mark.parametrize("fact", [None, 0, RATE, 2**32 - 1])
def test_mp3_with_its_own_header_in_wav(fact: int | None, tmp_path: Path) -> None:
    mp3 = write_pyav(tmp_path / "a.mp3", click(), RATE, "libmp3lame", "mp3", "fltp", {}).read_bytes()
    path = tmp_path / "a.wav"
    for junk in (b"", bytes(77)):
        path.write_bytes(mp3_in_wav(junk + mp3, RATE, fact))
        sound = read(path)
        assert np.array_equal(sound.samples, read(tmp_path / "a.mp3").samples)
        assert probe(path).frames == RATE


@pytest.mark.parametrize(("fact", "frames"), [(RATE, RATE), (None, 40 * 1152 - 1105), (2**32 - 1, 40 * 1152 - 1105)])
def test_mp3_frames_without_a_header_in_wav(fact: int | None, frames: int, tmp_path: Path) -> None:
    mp3 = write_pyav(tmp_path / "a.mp3", click(), RATE, "libmp3lame", "mp3", "fltp", {}).read_bytes()
    second = mp3.find(mp3[mp3.find(b"\xff\xfb") :][:2], mp3.find(b"Info"))
    bare = mp3[second:]
    path = tmp_path / "a.wav"
    path.write_bytes(mp3_in_wav(bare, RATE, fact))
    assert probe(path).frames == read(path).samples.shape[1]
    assert onset(read(path).samples) == pytest.approx(RATE // 2, abs=RATE // 400)
    assert probe(path).frames == frames


@pytest.mark.parametrize(("subtype", "channels"), [("MS_ADPCM", 1), ("MS_ADPCM", 2), ("IMA_ADPCM", 1), ("GSM610", 1)])
@pytest.mark.parametrize("frames", [1, 5_000, RATE])
def test_what_fills_the_last_block_up_is_left_out(subtype: str, channels: int, frames: int, tmp_path: Path) -> None:
    signal = make_signal()[:channels, :frames]
    path = write_sndfile(tmp_path / "a.wav", signal, RATE, "WAV", subtype)
    content = path.read_bytes()
    place = content.index(b"fact") + 8  # where libsndfile does not always write the true count

    def stating(count: int) -> Path:
        path.write_bytes(content[:place] + struct.pack("<I", count) + content[place + 4 :])
        return path

    assert probe(stating(frames)).frames == read(path).samples.shape[1] == frames
    for impossible in (0, 4 * RATE, 2**32 - 1):
        assert frames <= read(stating(impossible)).samples.shape[1] < frames + 4_100  # a block


def test_wav_files_without_deviations_are_decoded_as_they_are(encoded: Encoded) -> None:
    assert load(encoded("pcm.wav"), RATE, 2).samples.shape == (2, 4 * RATE)


@pytest.mark.parametrize("extensible", [True, False])
@pytest.mark.parametrize(("width", "valid"), [(4, 24), (3, 20), (4, 32), (3, 24), (2, 16)])
@pytest.mark.parametrize("right", [True, False])
def test_rifx_of_every_width(right: bool, width: int, valid: int, extensible: bool, tmp_path: Path) -> None:
    """libsndfile does not read the extensible format in RIFX, and takes right-justified 24 in 32 bits for floats."""
    signal = make_signal(RATE, 0.3)
    values = np.round(signal.astype(np.float64) * (2 ** (valid - 1) - 1)).astype(np.int64)
    values <<= 0 if right else 8 * width - valid
    data = np.ascontiguousarray(values.T).astype(">i8").view(np.uint8).reshape(-1, 8)[:, 8 - width :].tobytes()
    path = tmp_path / "big.wav"
    path.write_bytes(big_endian(wave_file(data, 2, width, valid, "RIFF", extensible)))
    sound = read(path)
    assert sound.samples.shape == signal.shape
    assert np.abs(sound.samples - signal).max() < 2.0 ** (2 - valid)
    assert probe(path).frames == signal.shape[1]


def test_floats_in_rifx_of_the_extensible_format(tmp_path: Path) -> None:
    signal = make_signal(RATE, 0.3)
    whole = big_endian(wave_file(np.ascontiguousarray(signal.T).astype(">f4").tobytes(), 2, 4, 32, "RIFF", True))
    path = tmp_path / "big.wav"
    path.write_bytes(whole.replace(b"\0\1" + GUID_TAIL, b"\0\3" + GUID_TAIL))
    assert np.array_equal(read(path).samples, signal)


def test_right_justified_integers_without_the_extensible_format(tmp_path: Path) -> None:
    signal = make_signal(RATE, 0.3)
    values = np.round(signal.astype(np.float64) * (2**23 - 1)).astype(np.int64)
    path = tmp_path / "right.wav"
    path.write_bytes(wave_file(little_endian(values, 4), 2, 4, 24, "RIFF", extensible=False))
    assert np.abs(read(path).samples - signal).max() < 1e-6


def test_floats_that_state_24_bits_stay_floats(tmp_path: Path) -> None:
    """As Cool Edit wrote them: full scale is 2^23."""
    signal = make_signal(RATE, 0.3)
    data = np.ascontiguousarray(signal.T * np.float32(2**23)).astype("<f4").tobytes()
    path = tmp_path / "float.wav"
    path.write_bytes(wave_file(data, 2, 4, 24, "RIFF", extensible=False))
    sound = read(path).samples
    assert np.abs(sound / np.abs(sound).max() - signal / np.abs(signal).max()).max() < 1e-5


def big_endian(wave: bytes) -> bytes:
    """A file of `wave_file` as RIFX; its samples must be big-endian already."""
    assert wave[12:16] == b"fmt "
    size = int.from_bytes(wave[16:20], "little")
    form = struct.unpack("<HHIIHH" + ("HHIH" if size > 16 else ""), wave[20 : 36 + (10 if size > 16 else 0)])
    head = struct.pack(">HHIIHH" + ("HHIH" if size > 16 else ""), *form) + (GUID_TAIL if size > 16 else b"")
    place = 20 + size
    data = wave[place + 8 :]
    body = b"WAVEfmt " + struct.pack(">I", size) + head + b"data" + struct.pack(">I", len(data)) + data
    return b"RIFX" + struct.pack(">I", len(body)) + body


@pytest.mark.parametrize("stated", [1_000, 60_001, 100_000])
@pytest.mark.parametrize("container", ["RIFF", "RF64", "BW64"])
def test_samples_go_on_behind_a_size_that_is_too_small(container: str, stated: int, tmp_path: Path) -> None:
    """The header states the length of the file, and no chunk is where the samples are said to end."""
    signal = make_signal(RATE, 2.0)
    values = np.round(signal.astype(np.float64) * 32_767).astype(np.int64)
    whole = wave_file(little_endian(values, 2), 2, 2, 16, container, extensible=False)
    true, wrong = values.size * 2, stated
    if container == "RIFF":
        content = whole.replace(b"data" + struct.pack("<I", true), b"data" + struct.pack("<I", wrong))
    else:
        content = whole.replace(struct.pack("<Q", true), struct.pack("<Q", wrong), 1)
        place = content.index(b"ds64") + 8
        content = content[:place] + struct.pack("<Q", len(content) - 8) + content[place + 8 :]
    path = tmp_path / "small.wav"
    path.write_bytes(content)
    assert np.abs(read(path).samples - signal).max() < 1e-4
    behind = b"LIST" + struct.pack("<I", 70_000) + bytes(70_000)
    kept = content[: content.index(b"data") + 8 + stated + stated % 2]
    path.write_bytes(kept + behind)
    assert read(path).samples.shape[1] == stated // 4, "a chunk follows"
    path.write_bytes(content[: content.index(b"data") + 8 + stated] + bytes(len(content) - len(kept)))
    assert read(path).samples.shape[1] == stated // 4, "zeros follow"


def test_a_short_ds64_chunk(tmp_path: Path) -> None:
    signal = make_signal(RATE, 0.1)
    values = np.round(signal.astype(np.float64) * 32_767).astype(np.int64)
    whole = wave_file(little_endian(values, 2), 2, 2, 16, "RF64", extensible=False)
    place = whole.index(b"ds64")
    path = tmp_path / "short.wav"
    path.write_bytes(
        whole[:place] + b"ds64" + struct.pack("<I", 16) + whole[place + 8 : place + 24] + whole[place + 36 :]
    )
    assert np.abs(read(path).samples - signal).max() < 1e-4


@pytest.mark.parametrize("order", ["<", ">"])
def test_formats_that_libsndfile_refuses_are_restated(order: str, tmp_path: Path) -> None:
    signal = make_signal(RATE, 0.1)
    values = np.round(signal.astype(np.float64) * 32_767).astype(np.int64)
    path = tmp_path / "a.wav"
    for extensible in (True, False):
        data = np.ascontiguousarray(values.T).astype(f"{order}i2").tobytes()
        whole = wave_file(data, 2, 2, 16, "RIFF", extensible)
        whole = big_endian(whole) if order == ">" else whole
        bits = whole.index(b"fmt ") + 8 + 14
        damaged = whole.replace(GUID_TAIL, bytes(14)) if extensible else whole[:bits] + b"\0\0" + whole[bits + 2 :]
        path.write_bytes(damaged)
        assert np.abs(read(path).samples - signal).max() < 1e-4, extensible
