"""No number in a header makes a decoder use more memory or state more frames than the bytes of the file allow."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.audio.conftest import make_signal, write_pyav, write_sndfile
from tests.audio.test_riff import mp3_in_wav

RATE = 22_050
MEGABYTES = 96
TRIALS = 150

SNDFILE = {
    "wav": ("WAV", "PCM_16"),
    "wavex.wav": ("WAVEX", "PCM_24"),
    "adpcm.wav": ("WAV", "IMA_ADPCM"),
    "rf64": ("RF64", "PCM_16"),
    "w64": ("W64", "PCM_16"),
    "aiff": ("AIFF", "PCM_16"),
    "ima.aifc": ("AIFF", "IMA_ADPCM"),
    "au": ("AU", "PCM_16"),
    "caf": ("CAF", "PCM_16"),
    "alac.caf": ("CAF", "ALAC_16"),
    "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}
PYAV = {
    "m4a": ("aac", "ipod", "fltp"),
    "alac.m4a": ("alac", "ipod", "s16p"),
    "flac.mp4": ("flac", "mp4", "s16"),
    "pcm.mov": ("pcm_s16le", "mov", "s16"),
    "aac": ("aac", "adts", "fltp"),
    "wma": ("wmav2", "asf", "fltp"),
    "mka": ("flac", "matroska", "s16"),
    "oga": ("flac", "ogg", "s16"),
    "wv": ("wavpack", "wv", "fltp"),
    "tta": ("tta", "tta", "s16"),
    "bare.mp3": ("libmp3lame", "mp3", "fltp"),
    "mp3.wav": ("libmp3lame", "wav", "fltp"),
    "ac3": ("ac3", "ac3", "fltp"),
}


def write(folder: Path, name: str) -> Path:
    path = folder / f"original.{name}"
    signal = make_signal(RATE, 0.7)
    if name == "opus":
        return write_sndfile(path, make_signal(48_000, 0.7), 48_000, "OGG", "OPUS")
    if name == "info.wav":
        mp3 = write_pyav(folder / "a.mp3", signal, RATE, "libmp3lame", "mp3", "fltp", {})
        path.write_bytes(mp3_in_wav(mp3.read_bytes(), RATE, signal.shape[1]))
        return path
    if name == "chain.ogg":
        link = write_sndfile(folder / "link.ogg", signal, RATE, "OGG", "VORBIS").read_bytes()
        path.write_bytes(link + link)
        return path
    if name in SNDFILE:
        return write_sndfile(path, signal, RATE, *SNDFILE[name])
    rate = 48_000 if name == "ac3" else RATE
    return write_pyav(path, make_signal(rate, 0.7), rate, *PYAV[name], {})


@pytest.mark.parametrize("name", [*SNDFILE, *PYAV, "opus", "info.wav", "chain.ogg"])
def test_wrong_numbers_in_headers_take_no_memory_and_no_frames(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.audio.lying_headers", str(write(tmp_path, name)), str(tmp_path)]
    run = subprocess.run(
        [*command, str(MEGABYTES), str(TRIALS)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "done\n", "")
