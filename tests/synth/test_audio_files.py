import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tinytag import TinyTag

from soundalike.errors import InputError
from soundalike.synth.audio_files import write_audio, write_loop

TONE = (0.5 * np.sin(np.arange(44_100) / 20.0)).astype(np.float32)


@pytest.mark.parametrize(("suffix", "tolerance"), [(".flac", 1e-4), (".wav", 1e-4), (".ogg", 0.05)])
def test_written_audio_reads_back(tmp_path: Path, suffix: str, tolerance: float) -> None:
    path = tmp_path / f"tone{suffix}"
    stereo = np.stack([TONE, -TONE])
    write_audio(path, stereo, "A Title", "An Artist", "An Album")
    samples, rate = soundfile.read(path, dtype="float32")
    assert rate == 44_100
    assert samples.shape == (44_100, 2)
    np.testing.assert_allclose(samples.T, stereo, atol=tolerance)
    tags = TinyTag.get(path)
    assert (tags.title, tags.artist, tags.album) == ("A Title", "An Artist", "An Album")


def test_mono_and_unknown_suffix(tmp_path: Path) -> None:
    write_audio(tmp_path / "tone.wav", TONE)
    assert soundfile.info(tmp_path / "tone.wav").channels == 1
    with pytest.raises(InputError, match=r"tone\.mp3.*\.flac"):
        write_audio(tmp_path / "tone.mp3", TONE)


def _chunks(data: bytes) -> dict[bytes, bytes]:
    found, at = {}, 12
    while at < len(data):
        name, size = data[at : at + 4], struct.unpack("<I", data[at + 4 : at + 8])[0]
        found[name] = data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    return found


@pytest.mark.parametrize("root", [57, None])
def test_loops_carry_tempo_and_root_in_chunks(tmp_path: Path, root: int | None) -> None:
    path = tmp_path / "loop.wav"
    write_loop(path, TONE, 118.0, 8, root)
    samples, rate = soundfile.read(path, dtype="float32")
    assert rate == 44_100
    np.testing.assert_allclose(samples, TONE, atol=1e-4)
    data = path.read_bytes()
    assert struct.unpack("<I", data[4:8])[0] == len(data) - 8
    chunks = _chunks(data)
    flags, note, _, _, beats, low, high, tempo = struct.unpack("<IHHfIHHf", chunks[b"acid"])
    assert (flags & 2 > 0, beats, low, high, tempo) == (root is not None, 8, 4, 4, 118.0)
    assert root is None or note == root
    sampler = struct.unpack("<15I", chunks[b"smpl"])
    assert sampler[7] == 1
    assert sampler[11:13] == (0, TONE.size - 1)
