"""Files whose header states no size of their samples, or a wrong one, have the length that their bytes give."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from soundalike.audio.decode import probe, read
from soundalike.errors import AudioError

RATE = 8_000
UNKNOWN = 2**32 - 1
SIGNAL = np.random.default_rng(0).integers(-(2**14), 2**14, (RATE, 2)).astype("<i2")
LITTLE, BIG = SIGNAL.tobytes(), SIGNAL.astype(">i2").tobytes()
FORM = struct.pack("<HHIIHH", 1, 2, RATE, 4 * RATE, 4, 16)
COMM = struct.pack(">hIh", 2, RATE, 16) + bytes.fromhex("400bfa00000000000000")
W64_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")
INFO = b"INFOIART" + struct.pack("<I", 6) + b"A band"


def chunk(name: bytes, content: bytes, size: int | None = None, order: str = "<", pad: bool = True) -> bytes:
    stated = len(content) if size is None else size
    return name + struct.pack(order + "I", stated) + content + bytes(len(content) % 2 if pad else 0)


def wav(size: int | None, riff_size: int = 0, before: bytes = b"", samples: bytes = LITTLE) -> bytes:
    return (
        b"RIFF" + struct.pack("<I", riff_size) + b"WAVE" + before + chunk(b"fmt ", FORM) + chunk(b"data", samples, size)
    )


def rf64(kind: bytes, sizes: tuple[int, int] | None, size: int) -> bytes:
    ds64 = b"" if sizes is None else chunk(b"ds64", struct.pack("<QQQI", *sizes, 0, 0))
    body = ds64 + chunk(b"fmt ", FORM) + chunk(b"data", LITTLE, size)
    return kind + struct.pack("<I", UNKNOWN) + b"WAVE" + body


def w64(size: int) -> bytes:
    head = bytes.fromhex("726966662e91cf11a5d628db04c10000") + bytes(8) + b"wave" + W64_TAIL
    return (
        head + b"fmt " + W64_TAIL + struct.pack("<Q", 40) + FORM + b"data" + W64_TAIL + struct.pack("<Q", size) + LITTLE
    )


def aiff(kind: bytes, size: int, before: bytes = b"") -> bytes:
    comm = COMM + (b"NONE\0\0" if kind == b"AIFC" else b"")
    body = kind + before + chunk(b"COMM", comm, order=">") + chunk(b"SSND", bytes(8) + BIG, size, ">")
    return b"FORM" + bytes(4) + body


def au(size: int) -> bytes:
    return b".snd" + struct.pack(">IIIII", 24, size, 3, RATE, 2) + BIG


def caf(size: int) -> bytes:
    form = struct.pack(">d4sIIIII", RATE, b"lpcm", 2, 4, 1, 2, 16)
    return (
        b"caff"
        + struct.pack(">HH4sq", 1, 0, b"desc", 32)
        + form
        + b"data"
        + struct.pack(">q", size)
        + bytes(4)
        + LITTLE
    )


FILES = {
    **{f"wav {size:x} {riff:x}": wav(size, riff) for size in (0, UNKNOWN, 2**31 - 1, 0x7FFFF000) for riff in (0, UNKNOWN)},
    "wav behind id3": b"ID3\4\0\0\0\0\0\x0a" + bytes(10) + wav(0),
    "empty data before": wav(None, before=chunk(b"data", b"")),
    **{
        f"samples in chunks of {step}": wav(None, samples=LITTLE[:step])
        + b"".join(chunk(b"LIST", INFO) + chunk(b"data", LITTLE[at : at + step]) for at in range(step, len(LITTLE), step))
        for step in (400, 6_004, len(LITTLE) - 400)
    },
    "ds64 in RIFF": b"RIFF" + rf64(b"RF64", (0, len(LITTLE)), UNKNOWN)[4:] + chunk(b"acid", bytes(24)),
    "odd chunk without pad": wav(None, before=chunk(b"JUNK", b"abc", pad=False)),
    "odd INFO without pad": wav(None, before=chunk(b"LIST", INFO + b"x", pad=False)),
    "rifx": b"RIFX" + bytes(4) + b"WAVE" + chunk(b"fmt ", struct.pack(">HHIIHH", 1, 2, RATE, 4 * RATE, 4, 16), order=">")
    + chunk(b"data", BIG, 0, ">"),
    **{
        f"{kind.decode()} {sizes} {size:x}": rf64(kind, sizes, size)
        for kind in (b"RF64", b"BW64")
        for sizes, size in (
            ((0, 0), UNKNOWN),
            ((0, 0), 0),
            ((0, 0), len(LITTLE)),
            ((2**64 - 1, 2**64 - 1), UNKNOWN),
            ((2**63 - 1, 2**63 - 1), UNKNOWN),
            ((72 + len(LITTLE), len(LITTLE)), 0),
            (None, UNKNOWN),
        )
    },
    **{f"w64 {size:x}": w64(size) for size in (0, 24, 2**63 - 1, 2**64 - 1)},
    **{f"{kind.decode()} {size:x}": aiff(kind, size) for kind in (b"AIFF", b"AIFC") for size in (0, 8, 2**31 - 1, UNKNOWN)},
    "aiff, odd chunk without pad": aiff(b"AIFF", 8 + len(BIG), chunk(b"NAME", b"abc", order=">", pad=False)),
    **{f"au {size:x}": au(size) for size in (0, UNKNOWN, len(LITTLE) + 1, 2**31)},
    **{f"caf {size:x}": caf(size) for size in (-1, 0, 4, 2**63 - 1)},
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_the_length_is_that_of_the_bytes(name: str, tmp_path: Path) -> None:
    path = tmp_path / "file.wav"
    path.write_bytes(FILES[name])
    sound = read(path).samples
    assert np.array_equal(np.round(sound.T * 2**15), SIGNAL)
    assert probe(path).frames == RATE
    assert np.array_equal(read(path, 0.5, 0.25).samples, sound[:, RATE // 2 : RATE * 3 // 4])


@pytest.mark.parametrize(
    "content",
    [
        wav(None, samples=b""),
        wav(None, samples=b"") + chunk(b"LIST", INFO),
        wav(None, samples=b"") + chunk(b"abcd", bytes(400)),
        aiff(b"AIFF", 8)[: -len(BIG)] + chunk(b"NAME", b"A name", order=">"),
    ],
)
def test_a_file_without_samples_has_none_of_its_other_chunks(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "empty.wav"
    path.write_bytes(content)
    for function in (probe, read):
        with pytest.raises(AudioError, match="holds no samples"):
            function(path)


def test_right_justified_samples_without_a_size_have_their_full_level(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(-(2**23), 2**23, RATE).astype("<i4")
    form = struct.pack("<HHIIHHHHIH", 0xFFFE, 1, RATE, 4 * RATE, 4, 32, 22, 24, 4, 1)
    form += bytes.fromhex("000000001000800000aa00389b71")
    path = tmp_path / "right.wav"
    for size in (0, UNKNOWN):
        path.write_bytes(b"RIFF" + bytes(4) + b"WAVE" + chunk(b"fmt ", form) + chunk(b"data", values.tobytes(), size))
        assert np.allclose(read(path).samples[0], values / 2**23)


def test_more_than_4_gib_with_a_size_of_32_bits(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    frames = 2**30 + RATE
    head = wav(4 * RATE, samples=b"")
    with path.open("wb") as file:
        file.write(head)
        file.truncate(len(head) + 4 * frames)  # without blocks on disk
        file.seek(len(head) + 4 * (frames - RATE))
        file.write(LITTLE)
    assert probe(path).frames == frames
    assert np.array_equal(np.round(read(path, (frames - RATE) / RATE).samples.T * 2**15), SIGNAL)


@pytest.mark.parametrize("stated", [4, 1_000, 60_000])
def test_au_with_a_size_that_is_much_too_small(stated: int, tmp_path: Path) -> None:
    signal = np.tile(SIGNAL, (6, 1))
    path = tmp_path / "a.au"
    path.write_bytes(b".snd" + struct.pack(">5I", 24, stated, 3, RATE, 2) + signal.astype(">i2").tobytes())
    assert np.array_equal(read(path).samples.T * 2**15, signal)
    assert probe(path).frames == len(signal)


@pytest.mark.parametrize(("width", "bits"), [(4, 24), (4, 20), (3, 20), (2, 12)])
@pytest.mark.parametrize("size", [None, -1])
def test_caf_with_fewer_bits_than_its_containers_have(width: int, bits: int, size: int | None, tmp_path: Path) -> None:
    values = (SIGNAL.astype(np.int64) >> max(0, 16 - bits)) << 8 * width - min(16, bits)
    data = np.ascontiguousarray(values).astype("<i8").view(np.uint8).reshape(-1, 8)[:, :width].tobytes()
    form = struct.pack(">d4s5I", RATE, b"lpcm", 2, 2 * width, 1, 2, bits)
    stated = len(data) + 4 if size is None else size
    path = tmp_path / "a.caf"
    path.write_bytes(
        b"caff\0\1\0\0desc" + struct.pack(">q", 32) + form + b"data" + struct.pack(">q", stated) + bytes(4) + data
    )
    found = read(path).samples.T
    assert found.shape == SIGNAL.shape
    assert np.abs(found - SIGNAL / 2**15).max() < 2.0 ** (1 - min(16, bits))
