from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from soundalike.audio.metadata.loop_chunks import LoopChunk
from soundalike.audio.metadata.tags import read_tags


def read_loop_chunk(path: Path) -> LoopChunk | None:
    return read_tags(path).loop


def wav(path: Path, *chunks: tuple[bytes, bytes], seconds: float = 2.0, rate: int = 8_000) -> Path:
    form = struct.pack("<HHIIHH", 1, 1, rate, 2 * rate, 2, 16)
    parts = [(b"fmt ", form), (b"data", bytes(2 * round(seconds * rate))), *chunks]
    body = b"WAVE" + b"".join(name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2) for name, data in parts)
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


def acid(flags: int, root: int = 60, beats: int = 4, tempo: float = 120.0) -> tuple[bytes, bytes]:
    return b"acid", struct.pack("<IHHfIHHf", flags, root, 0x8000, 0.0, beats, 4, 4, tempo)


def aiff(path: Path, beats: int, root: int, scale: int, loop_type: int, seconds: float = 2.0) -> Path:
    rate = 8_000
    extended = struct.pack(">HQ", 16383 + 12, int(rate) << (63 - 12))
    comm = struct.pack(">hIh", 1, round(seconds * rate), 16) + extended
    basc = struct.pack(">IIHHHHH", 1, beats, root, scale, 4, 4, loop_type) + bytes(66)
    sound = bytes(8) + bytes(2 * round(seconds * rate))
    body = b"AIFF" + b"".join(
        name + struct.pack(">I", len(data)) + data
        for name, data in ((b"COMM", comm), (b"basc", basc), (b"SSND", sound))
    )
    path.write_bytes(b"FORM" + struct.pack(">I", len(body)) + body)
    return path


def test_an_acid_loop_states_tempo_beats_and_root(tmp_path: Path) -> None:
    chunk = read_loop_chunk(wav(tmp_path / "a.wav", acid(0x02, root=57)))
    assert chunk == LoopChunk("acid", 120.0, 4, 57, None, one_shot=False, looped=True)
    assert chunk.key == "A"


def test_an_acid_root_counts_only_if_marked_as_set(tmp_path: Path) -> None:
    chunk = read_loop_chunk(wav(tmp_path / "a.wav", acid(0x00)))
    assert chunk is not None
    assert (chunk.root, chunk.key) == (None, None)


def test_an_acid_one_shot_has_no_tempo(tmp_path: Path) -> None:
    chunk = read_loop_chunk(wav(tmp_path / "a.wav", acid(0x01)))
    assert chunk is not None
    assert (chunk.one_shot, chunk.tempo, chunk.beats) == (True, None, None)


@pytest.mark.parametrize("tempo", [0.0, float("nan"), -1.0, 1e30, 1e-30, 900.0])
def test_an_impossible_acid_tempo_is_computed_from_the_beats(tempo: float, tmp_path: Path) -> None:
    chunk = read_loop_chunk(wav(tmp_path / "a.wav", acid(0x00, tempo=tempo), seconds=2.0))
    assert chunk is not None
    assert chunk.tempo == pytest.approx(120.0)


def test_smpl_states_loops_and_a_root_that_is_not_the_default(tmp_path: Path) -> None:
    def smpl(root: int, loops: int) -> tuple[bytes, bytes]:
        return b"smpl", struct.pack("<9I", 0, 0, 125_000, root, 0, 0, 0, loops, 0) + bytes(24 * loops)

    assert read_loop_chunk(wav(tmp_path / "a.wav", smpl(45, 1))) == LoopChunk("smpl", root=45, looped=True)
    assert read_loop_chunk(wav(tmp_path / "b.wav", smpl(60, 0))) == LoopChunk("smpl", looped=False)


def test_inst_states_the_root(tmp_path: Path) -> None:
    chunk = read_loop_chunk(wav(tmp_path / "a.wav", (b"inst", bytes([43, 0, 0, 0, 127, 1, 127]))))
    assert chunk == LoopChunk("inst", root=43)
    assert chunk.key == "G"


def test_an_apple_loop_states_tempo_and_key(tmp_path: Path) -> None:
    chunk = read_loop_chunk(aiff(tmp_path / "a.aif", beats=4, root=57, scale=1, loop_type=1))
    assert chunk is not None
    assert (chunk.tempo, chunk.key, chunk.looped, chunk.beats) == (pytest.approx(120.0), "A minor", True, 4)


def test_an_apple_one_shot_has_no_tempo(tmp_path: Path) -> None:
    chunk = read_loop_chunk(aiff(tmp_path / "a.aif", beats=0, root=0, scale=0, loop_type=0))
    assert chunk is not None
    assert (chunk.tempo, chunk.key, chunk.one_shot) == (None, None, True)


def test_plain_and_damaged_files_have_no_loop_chunk(tmp_path: Path) -> None:
    assert read_loop_chunk(wav(tmp_path / "plain.wav")) is None
    assert read_loop_chunk(wav(tmp_path / "short.wav", (b"acid", b"abc"))) is None
    assert read_loop_chunk(tmp_path / "absent.wav") is None
    whole = wav(tmp_path / "whole.wav", acid(0x02), seconds=0.01).read_bytes()
    random = np.random.default_rng(0)
    for trial in range(200):
        damaged = bytearray(whole[: random.integers(1, len(whole) + 1)])
        for place in random.integers(0, len(damaged), 5):
            damaged[place] = int(random.integers(256))
        (tmp_path / "damaged.wav").write_bytes(damaged)
        chunk = read_loop_chunk(tmp_path / "damaged.wav")
        assert chunk is None or chunk.tempo is None or 20 <= chunk.tempo <= 400, trial
