"""Every suffix that a folder scan recognises is of a format that can be decoded."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
import pytest

from soundalike.audio import decode, ffmpeg
from soundalike.audio.sources import ogg_checksum
from soundalike.audio.suffixes import AUDIO_SUFFIXES
from tests.audio.conftest import make_signal, write_pyav


def dsf(path: Path, seconds: float = 0.5) -> Path:
    """A DSD file of alternating bits (silence)."""
    data = bytes([0x55]) * (round(seconds * 2_822_400 / 8) // 4096 * 4096)
    form = struct.pack("<QIIIIIIQII", 52, 1, 0, 1, 1, 2_822_400, 1, 8 * len(data), 4096, 0)
    head = b"DSD " + struct.pack("<QQQ", 28, 92 + len(data), 0)
    path.write_bytes(head + b"fmt " + form + b"data" + struct.pack("<Q", 12 + len(data)) + data)
    return path


@pytest.mark.parametrize(
    ("suffix", "codec", "container", "form", "rate"),
    [
        (".mp2", "mp2", "mp2", "s16", 44_100),
        (".tta", "tta", "tta", "s16", 44_100),
        (".ac3", "ac3", "ac3", "fltp", 44_100),
        (".eac3", "eac3", "eac3", "fltp", 44_100),
        (".wv", "wavpack", "wv", "s16p", 44_100),
        (".mp4", "aac", "mp4", "fltp", 44_100),
        (".m4v", "aac", "mp4", "fltp", 44_100),
        (".mov", "alac", "mov", "s16p", 44_100),
        (".3gp", "aac", "3gp", "fltp", 44_100),
        (".mka", "aac", "matroska", "fltp", 44_100),
        (".mkv", "aac", "matroska", "fltp", 44_100),
        (".avi", "libmp3lame", "avi", "fltp", 44_100),
        (".avi", "pcm_s16le", "avi", "s16", 44_100),
        (".m2ts", "aac", "mpegts", "fltp", 44_100),
        (".wmv", "wmav2", "asf", "fltp", 44_100),
        (".flv", "aac", "flv", "fltp", 44_100),
        (".flv", "libmp3lame", "flv", "fltp", 44_100),
        (".f4v", "aac", "f4v", "fltp", 44_100),
        (".3g2", "aac", "3g2", "fltp", 44_100),
        (".ogv", "flac", "ogv", "s16", 44_100),
        (".ogx", "flac", "ogg", "s16", 44_100),
        (".bw64", "pcm_s16le", "wav", "s16", 44_100),
        (".m2ts", "mp2", "mpegts", "s16", 44_100),
    ],
)
def test_formats_are_decoded(suffix: str, codec: str, container: str, form: str, rate: int, tmp_path: Path) -> None:
    assert suffix in AUDIO_SUFFIXES
    path = write_pyav(tmp_path / f"a{suffix}", make_signal(rate, 1.0), rate, codec, container, form, {"b": "256k"})
    sound = decode.read(path)
    assert sound.duration == pytest.approx(1.0, abs=0.1)
    assert np.std(sound.samples[0]) == pytest.approx(0.28, abs=0.03)
    assert decode.probe(path).duration == pytest.approx(sound.duration, abs=0.05)


def test_transport_streams_are_decoded_where_they_are_named(tmp_path: Path) -> None:
    """Folder scans leave .ts out, which is also the suffix of programs in TypeScript."""
    assert ".ts" not in AUDIO_SUFFIXES
    path = write_pyav(tmp_path / "a.ts", make_signal(44_100, 1.0), 44_100, "aac", "mpegts", "fltp", {"b": "256k"})
    assert decode.read(path).duration == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(("order", "dtype"), [("01", "<i2"), ("10", ">i2")])
def test_sphere_is_decoded(order: str, dtype: str, tmp_path: Path) -> None:
    assert ".sph" in AUDIO_SUFFIXES
    samples = np.round(make_signal(16_000, 0.5)[0] * 32_767)
    fields = (
        *("NIST_1A", "   1024", "channel_count -i 1", "sample_rate -i 16000", "sample_n_bytes -i 2"),
        *(
            f"sample_byte_format -s2 {order}",
            "sample_coding -s3 pcm",
            f"sample_count -i {len(samples)}",
            "end_head",
            "",
        ),
    )
    path = tmp_path / "a.sph"
    path.write_bytes("\n".join(fields).encode().ljust(1024) + samples.astype(dtype).tobytes())
    np.testing.assert_allclose(decode.read(path).samples[0], samples / 32_768, atol=1e-6)


def test_dsd_is_decoded(tmp_path: Path) -> None:
    assert ".dsf" in AUDIO_SUFFIXES
    assert decode.read(dsf(tmp_path / "a.dsf")).duration == pytest.approx(0.5, abs=0.02)


def iff(name: bytes, content: bytes, large: bool = False) -> bytes:
    return name + struct.pack(">Q" if large else ">I", len(content)) + content + bytes(len(content) % 2)


def test_dsdiff_is_decoded(tmp_path: Path) -> None:
    assert ".dff" in AUDIO_SUFFIXES
    fields = (
        *((b"FS  ", struct.pack(">I", 2_822_400)), (b"CHNL", struct.pack(">H4s", 1, b"C   "))),
        (b"CMPR", b"DSD \x0enot compressed"),
    )
    form = iff(b"PROP", b"SND " + b"".join(iff(*one, large=True) for one in fields), large=True)
    data = iff(b"DSD ", bytes([0x55]) * 352_800, large=True)
    content = b"DSD " + iff(b"FVER", bytes([1, 5, 0, 0]), large=True) + form + data
    (tmp_path / "a.dff").write_bytes(iff(b"FRM8", content, large=True))
    assert decode.read(tmp_path / "a.dff").duration == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("suffix", [".iff", ".8svx"])
def test_samples_of_the_amiga_are_decoded(suffix: str, tmp_path: Path) -> None:
    assert (suffix in AUDIO_SUFFIXES) is (suffix == ".8svx")  # .iff is more often a picture
    samples = np.int8(100 * np.sin(np.arange(8_000) / 7))
    header = iff(b"VHDR", struct.pack(">IIIHBBI", 8_000, 0, 0, 8_000, 1, 0, 65_536))
    (tmp_path / f"a{suffix}").write_bytes(iff(b"FORM", b"8SVX" + header + iff(b"BODY", samples.tobytes())))
    sound = decode.read(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(sound.samples[0] * 2**7, samples)
    assert (decode.probe(tmp_path / f"a{suffix}").frames, sound.sample_rate) == (8_000, 8_000)


class Bits:
    """Writes bits and the variable-length numbers of Shorten."""

    def __init__(self) -> None:
        self.bits: list[int] = []

    def add(self, value: int, count: int) -> None:
        self.bits += [value >> place & 1 for place in reversed(range(count))]

    def unsigned(self, value: int, low: int) -> None:
        self.bits += [0] * (value >> low) + [1]
        self.add(value & (1 << low) - 1, low)

    def signed(self, value: int, low: int) -> None:
        self.unsigned(value << 1 if value >= 0 else (~value << 1) | 1, low + 1)

    def long(self, value: int) -> None:
        low = max(0, value.bit_length() - 1)
        self.unsigned(low, 2)
        self.unsigned(value, low)

    def data(self) -> bytes:
        return np.packbits(np.array(self.bits, dtype=np.uint8)).tobytes()


def shorten(path: Path, samples: np.ndarray) -> Path:
    """A Shorten file (version 2) of 16-bit mono samples, in blocks of 256, as plain Rice codes."""
    header = b"RIFF" + struct.pack("<I", 36 + 2 * len(samples)) + b"WAVEfmt "
    header += struct.pack("<IHHIIHH4sI", 16, 1, 1, 44_100, 88_200, 2, 16, b"data", 2 * len(samples))
    out = Bits()
    for value in (5, 1, 256, 0, 0, 0):  # 16 bit little endian, channels, block, no prediction, no mean, nothing skipped
        out.long(value)
    out.unsigned(9, 2)  # verbatim
    out.unsigned(len(header), 5)
    for byte in header:
        out.unsigned(byte, 8)
    for begin in range(0, len(samples), 256):
        out.unsigned(0, 2)  # no difference
        out.unsigned(10, 3)  # low bits
        for value in samples[begin : begin + 256].tolist():
            out.signed(value, 10)
    out.unsigned(4, 2)  # end
    path.write_bytes(b"ajkg\x02" + out.data() + bytes(64))
    return path


def test_shorten_is_decoded(tmp_path: Path) -> None:
    assert ".shn" in AUDIO_SUFFIXES
    samples = np.int16(9000 * np.sin(np.arange(44_032) / 20))
    sound = decode.read(shorten(tmp_path / "a.shn", samples))
    np.testing.assert_array_equal(sound.samples[0] * 2**15, samples)
    assert decode.probe(tmp_path / "a.shn").frames == len(samples)


def test_amr_wideband_is_decoded(tmp_path: Path) -> None:
    assert ".awb" in AUDIO_SUFFIXES
    frames = np.random.default_rng(0).integers(0, 256, (50, 17), dtype=np.uint8)
    (tmp_path / "a.awb").write_bytes(b"#!AMR-WB\n" + b"".join(b"\x04" + frame.tobytes() for frame in frames))
    sound = decode.read(tmp_path / "a.awb")
    assert (sound.sample_rate, sound.duration) == (16_000, 1.0)


def test_speex_is_decoded(tmp_path: Path) -> None:
    assert ".spx" in AUDIO_SUFFIXES
    fields = struct.pack("<13I", 1, 80, 8_000, 0, 4, 1, 0xFFFFFFFF, 160, 0, 1, 0, 0, 0)
    packets = [b"Speex   " + b"1.2".ljust(20, b"\0") + fields, struct.pack("<II", 0, 0)]
    rows = np.random.default_rng(0).integers(0, 256, (50, 20), dtype=np.uint8)
    rows[:, 0] = 0b00011000 | rows[:, 0] & 0b111  # narrow band, 8 kbit/s
    packets += [row.tobytes() for row in rows]
    (tmp_path / "a.spx").write_bytes(ogg(packets, samples=160))
    sound = decode.read(tmp_path / "a.spx")
    assert (sound.sample_rate, sound.channels) == (8_000, 1)
    assert sound.duration == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(
    ("suffix", "decoder", "demuxer"),
    [
        (".ape", "ape", "ape"),
        (".tak", "tak", "tak"),
        (".mpc", "mpc7", "mpc"),
        (".mpc", "mpc8", "mpc8"),
        (".dts", "dca", "dts"),
    ],
)
def test_formats_that_nothing_here_can_write_have_a_decoder(suffix: str, decoder: str, demuxer: str) -> None:
    assert suffix in AUDIO_SUFFIXES
    assert av.codec.Codec(decoder, "r").type == "audio"
    assert demuxer in ffmpeg.DEMUXERS.split(",")
    assert av.ContainerFormat(demuxer, "r").is_input


def ogg(packets: list[bytes], samples: int) -> bytes:
    """An Ogg stream with one packet of `samples` a page, after two headers."""
    pages = []
    for number, packet in enumerate(packets):
        flags = 2 if number == 0 else 4 if number == len(packets) - 1 else 0
        position = max(0, number - 1) * samples
        head = struct.pack("<4sBBQIIIB", b"OggS", 0, flags, position, 1, number, 0, 1) + bytes([len(packet)])
        page = head + packet
        pages.append(page[:22] + ogg_checksum(page) + page[26:])
    return b"".join(pages)


def test_suffixes_are_lower_case_and_begin_with_a_dot() -> None:
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in AUDIO_SUFFIXES)
    assert not {".rx2", ".mid", ".jpg", ".txt"} & AUDIO_SUFFIXES
