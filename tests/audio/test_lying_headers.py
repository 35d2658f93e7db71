"""No number in a header makes a decoder use more memory or state more frames than the bytes of the file allow."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.audio.conftest import make_signal, write_pyav, write_sndfile
from tests.audio.test_riff import mp3_in_wav
from tests.shared_folder import shared_folder

RATE = 22_050
MEGABYTES = 96
TRIALS = (12, pytest.param(150, marks=pytest.mark.long))
"""Wrong copies of each file; the few are for every run of the tests."""

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


NAMES = (*SNDFILE, *PYAV, "opus", "info.wav", "chain.ogg")


@pytest.fixture(scope="module", params=TRIALS)
def printed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the process that reads all the files prints."""

    def make(folder: Path) -> None:
        files = [str(write(folder, name)) for name in NAMES]
        run = subprocess.run(
            [
                sys.executable,
                "-m",
                "tests.audio.lying_headers",
                str(folder),
                str(MEGABYTES),
                str(request.param),
                *files,
            ],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            cwd=Path(__file__).parents[2],
            env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        (folder / "printed.txt").write_text(f"{run.stdout}{run.stderr}exit code {run.returncode}\n")

    return (shared_folder(tmp_path_factory, f"lying-headers-{request.param}", make) / "printed.txt").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_wrong_numbers_in_headers_take_no_memory_and_no_frames(name: str, printed: str) -> None:
    lines = printed.splitlines()
    assert [line for line in lines if line.startswith(f"original.{name}: ")] == [f"original.{name}: done"], lines[-3:]


def test_the_process_that_reads_them_says_nothing_else(printed: str) -> None:
    assert printed.splitlines() == [*(f"original.{name}: done" for name in NAMES), "exit code 0"]
