"""The chunks of RIFF and IFF files, well-formed and as some programs write them."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from soundalike.audio.metadata.chunks import read_chunks
from tests.audio.metadata.test_loop_chunks import acid, aiff, read_loop_chunk, wav

RATE = 8_000
Part = tuple[bytes, bytes]
_FORM = struct.pack("<HHIIHH", 1, 1, RATE, RATE, 1, 8)
_W64 = bytes.fromhex("f3acd3118cd100c04f8edb8a")


def riff(parts: list[Part], *, magic: bytes = b"RIFF", padded: bool = True, ds64: bool = False) -> bytes:
    """A wav file; `ds64`: with the size of `data` in a chunk of that name only."""
    data = dict(parts)[b"data"]
    content = b""
    if ds64:
        table = struct.pack("<QQQI", 0, len(data), len(data), 0)
        content = b"ds64" + struct.pack("<I", len(table)) + table
    for name, chunk in parts:
        size = 0xFFFFFFFF if ds64 and name == b"data" else len(chunk)
        content += name + struct.pack("<I", size) + chunk + bytes(len(chunk) % 2 if padded else 0)
    return magic + struct.pack("<I", 0xFFFFFFFF if ds64 else 4 + len(content)) + b"WAVE" + content


def wave64(parts: list[Part]) -> bytes:
    content = b""
    for name, chunk in parts:
        content += name + _W64 + struct.pack("<Q", 24 + len(chunk)) + chunk + bytes(-len(chunk) % 8)
    head = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000") + struct.pack("<Q", 40 + len(content))
    return head + b"wave" + _W64 + content


def smpl(root: int) -> Part:
    return b"smpl", struct.pack("<9I", 0, 0, 125_000, root, 0, 0, 0, 1, 0) + bytes(24)


@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("odd", [0, 1])
@pytest.mark.parametrize("magic", [b"RIFF", b"RF64", b"BW64"])
@pytest.mark.parametrize("chunk", [acid(0x02, root=57), smpl(57)], ids=["acid", "smpl"])
@pytest.mark.parametrize("first", [True, False], ids=["before-data", "behind-data"])
def test_loop_chunks_are_found_in_every_kind_of_wav(
    first: bool, chunk: Part, magic: bytes, odd: int, padded: bool, tmp_path: Path
) -> None:
    sound = (b"data", bytes([7]) * (2 * RATE + odd))
    extra = (b"bext", bytes(603)) if odd else (b"JUNK", bytes(28))
    parts = [(b"fmt ", _FORM), extra, *((chunk, sound) if first else (sound, chunk))]
    path = tmp_path / "a.wav"
    path.write_bytes(riff(parts, magic=magic, padded=padded, ds64=magic != b"RIFF"))
    found = read_loop_chunk(path)
    assert found is not None
    assert found.key == "A"
    assert found.tempo == (120.0 if chunk[0] == b"acid" else None)


def test_a_tempo_is_computed_from_the_64_bit_size_of_the_audio(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    parts = [
        (b"fmt ", _FORM),
        acid(0, beats=4, tempo=0.0),
        (b"data", bytes(2 * RATE)),
        (b"LIST", b"INFO" + bytes(4000)),
    ]
    path.write_bytes(riff(parts, magic=b"RF64", ds64=True))
    found = read_loop_chunk(path)
    assert found is not None
    assert found.tempo == pytest.approx(120.0)


def test_loop_chunks_of_wave64_and_of_big_endian_wav_are_found(tmp_path: Path) -> None:
    path = tmp_path / "a.w64"
    path.write_bytes(wave64([(b"fmt ", _FORM), (b"data", bytes(2 * RATE + 3)), acid(0x02, root=57)]))
    found = read_loop_chunk(path)
    assert found is not None
    assert (found.tempo, found.key) == (120.0, "A")
    content = b"".join(
        name + struct.pack(">I", len(data)) + data
        for name, data in (
            (b"fmt ", struct.pack(">HHIIHH", 1, 1, RATE, RATE, 1, 8)),
            (b"acid", struct.pack(">IHHfIHHf", 2, 57, 0x8000, 0.0, 4, 4, 4, 120.0)),
            (b"data", bytes(2 * RATE)),
        )
    )
    path.write_bytes(b"RIFX" + struct.pack(">I", 4 + len(content)) + b"WAVE" + content)
    assert read_loop_chunk(path) == found


def test_an_apple_loop_behind_an_odd_chunk_without_a_pad_byte_is_found(tmp_path: Path) -> None:
    whole = aiff(tmp_path / "a.aif", beats=4, root=57, scale=1, loop_type=1).read_bytes()
    wanted = read_loop_chunk(tmp_path / "a.aif")
    assert wanted is not None
    for pad in (b"", b"\0"):
        (tmp_path / "b.aif").write_bytes(whole[:12] + b"NAME" + struct.pack(">I", 5) + b"Title" + pad + whole[12:])
        assert read_loop_chunk(tmp_path / "b.aif") == wanted


def test_sizes_are_bounded_by_the_file(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", seconds=1.0)
    content = path.read_bytes()
    for size in (0x7FFFFFFF, 0xFFFFFFFF):
        path.write_bytes(content[:40] + struct.pack("<I", size) + content[44:])
        chunks = read_chunks(path, {b"data": 10})
        assert chunks is not None
        (data,) = chunks.chunks
        assert (data.size, len(data.content)) == (16_000, 10)


def test_damaged_files_end_the_chunks(tmp_path: Path) -> None:
    parts = [(b"fmt ", _FORM), acid(2), (b"data", bytes(99)), smpl(50)]
    random = np.random.default_rng(3)
    for whole in (riff(parts), riff(parts, magic=b"RF64", ds64=True), wave64(parts)):
        for _ in range(100):
            damaged = bytearray(whole[: random.integers(1, len(whole) + 1)])
            for place in random.integers(0, len(damaged), 5):
                damaged[place] = int(random.integers(256))
            (tmp_path / "a.wav").write_bytes(damaged)
            chunks = read_chunks(tmp_path / "a.wav", {b"acid": 100, b"data": 100})
            assert chunks is None or all(chunk.size <= len(damaged) for chunk in chunks.chunks)


@pytest.mark.parametrize(("name", "tempo", "key"), [("odd_nopad_acid", 120.0, "A"), ("rf64_acid_first", 120.0, None)])
def test_loop_chunks_of_reported_files(name: str, tempo: float, key: str | None, test_data: Path) -> None:
    found = read_loop_chunk(test_data / "reports" / f"{name}.wav")
    assert found is not None
    assert (found.tempo, found.key) == (pytest.approx(tempo), key)
