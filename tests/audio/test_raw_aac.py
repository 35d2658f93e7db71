"""AAC without headers in pieces, against decoding it as a whole."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from soundalike.audio.raw_aac import PIECE, pieces
from tests.audio.conftest import RATE, write_pyav


def raw(path: Path, level: float, channels: int, rate: str, seconds: float = 4.0) -> tuple[bytes, bytes | None]:
    """AAC frames of a noisy tone, and the configuration of their stream."""
    rng = np.random.default_rng(channels)
    time = np.arange(round(seconds * RATE)) / RATE
    sound = level * (np.sin(2 * np.pi * 440 * time) + 0.1 * rng.normal(size=(channels, time.size)))
    write_pyav(path, sound.astype(np.float32), RATE, "aac", "wav", "fltp", {"b": rate})
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        return b"".join(bytes(packet) for packet in container.demux(stream)), stream.codec_context.extradata


def decoded(contents: list[bytes], extradata: bytes | None) -> np.ndarray:
    """(channels, samples)."""
    decoder = av.CodecContext.create("aac", "r")
    decoder.extradata = extradata
    return np.concatenate(
        [frame.to_ndarray() for content in contents for frame in decoder.decode(av.Packet(content))], axis=1
    )


@pytest.mark.parametrize(
    ("level", "channels", "rate"), [(0.3, 2, "128k"), (0.3, 1, "64k"), (1e-5, 2, "64k"), (0, 2, "64k")]
)
def test_pieces_decode_to_the_same_samples(level: float, channels: int, rate: str, tmp_path: Path) -> None:
    content, extradata = raw(tmp_path / "a.wav", level, channels, rate)
    longest = max(600, len(content) // 7)
    packets = [content[first : first + 1000] for first in range(0, len(content), 1000)]
    found = list(pieces(packets, extradata, longest))
    assert b"".join(found) == content
    assert len(found) > 1
    assert max(map(len, found)) <= longest
    assert np.array_equal(decoded(found, extradata), decoded([content], extradata))


def test_of_near_silence_no_piece_has_many_frames(tmp_path: Path) -> None:
    """A frame of silence has six bytes here, so that few bytes are hours of sound."""
    content, extradata = raw(tmp_path / "a.wav", 0.0, 2, "64k", 1.0)
    silence = content[-6:]
    content += 20_000 * silence
    counts = [decoded([piece], extradata).shape[1] // 1024 for piece in pieces([content], extradata)]
    assert sum(counts) > 20_000
    assert max(counts) <= PIECE // 6 + 1


def test_pieces_end_at_a_damaged_frame(tmp_path: Path) -> None:
    content, extradata = raw(tmp_path / "a.wav", 0.3, 2, "128k")
    middle = len(content) // 2
    damaged = content[:middle] + bytes([0xFF]) * 2000 + content[middle:]
    found = list(pieces([damaged], extradata, 2000))
    good = b"".join(found)
    assert middle - 1000 < len(good) <= middle + 2000
    assert content.startswith(good[: middle - 1000])


@pytest.mark.parametrize("content", [b"", bytes(50_000), b"\xff" * 50_000, bytes(range(256)) * 200])
def test_what_is_no_aac_has_few_pieces(content: bytes) -> None:
    assert len(b"".join(pieces([content], b"\x12\x10", 4000))) <= len(content)
