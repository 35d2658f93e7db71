"""What is reported about a file, sound or broken."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from soundalike.errors import AudioError, InputError
from soundalike.library.maintenance.diagnosis import SECTIONS, Section, diagnose, warnings
from tests.flac_blocks import comments, flac_with
from tests.models.separators.stems.test_stem_container import TONES, write_container

RATE = 44_100


def _loop(path: Path, offset: float = 0.0, acid: bytes = b"") -> Path:
    times = np.arange(RATE * 2) / RATE
    beats = 0.1 * np.random.default_rng(0).standard_normal((len(times), 2)) * np.exp(-20 * (times % 0.5))[:, np.newaxis]
    sf.write(path, beats + offset, RATE, subtype="FLOAT", format="WAV")
    if acid:
        data = path.read_bytes() + acid
        path.write_bytes(data[:4] + struct.pack("<I", len(data) - 8) + data[8:])
    return path


def _sections(path: Path) -> dict[str, Section]:
    return {name: section(path) for name, section in SECTIONS.items()}


def test_all_readers_of_a_file_report(tmp_path: Path) -> None:
    one_shot = struct.pack("<4sIIHHfIHHf", b"acid", 24, 1, 60, 0, 0.0, 0, 4, 4, 0.0)
    path = _loop(tmp_path / "beat_90bpm_Am.wav", offset=0.1, acid=one_shot)
    report = _sections(path)
    stated = {"sample_rate": RATE, "channels": 2}
    assert report["libsndfile"] == {"format": "WAV FLOAT", "frames": 2 * RATE, "used": True, **stated}
    assert report["ffmpeg"]["streams"] == [{"codec": "pcm_f32le", "seconds": 2.0, **stated}]
    header = report["header"]
    assert (header["decoder"], header["codec"], header["seconds"]) == ("libsndfile", "wav float", 2.0)
    assert (header["frames"], header["links"], header["corrected"]) == (2 * RATE, 1, False)
    assert report["sound"]["mean"] == pytest.approx([0.1, 0.1], abs=2e-3)
    samples = sf.read(path)[0]
    assert report["sound"]["peak_db"] == pytest.approx(20 * np.log10(np.abs(samples).max()), abs=0.01)
    assert report["sound"]["rms_db"] == pytest.approx(10 * np.log10(np.square(samples).mean()), abs=0.01)
    assert (report["tags"]["name_tempo"], report["tags"]["name_key"]) == (90.0, "A minor")
    assert report["tags"]["loop_chunk"]["one_shot"] is True
    assert (report["indexing"]["kind"], report["indexing"]["windows"]) == ("loop", 1)
    assert report["indexing"]["key"] == {"value": "A minor", "source": "name", "confidence": 1.0}
    found = warnings({"file": {"suffix_known": True, "readable": True}, **report})
    assert any("DC offset" in text for text in found)
    assert any("acid chunk marks a one-shot" in text for text in found)


def test_antiphase_a_wrong_header_and_an_unknown_suffix_are_unusual(tmp_path: Path) -> None:
    times = np.arange(RATE) / RATE
    tone = 1.2 * np.sin(2 * np.pi * 220 * times)
    path = tmp_path / "a.data"
    sf.write(path, np.stack([tone, -tone], axis=1), RATE, subtype="FLOAT", format="WAV")
    report = {"file": {"suffix_known": False, "suffix": ".data", "readable": True}, **_sections(path)}
    report["header"]["frames"] += 10_000
    found = " ".join(warnings(report))
    for expected in ("not known as audio", "can be decoded", "channels cancel", "exceed full scale by 1.6 dB"):
        assert expected in found


def test_a_cue_sheet_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "album.cue").write_text('FILE "album.flac" WAVE\n')
    (found,) = diagnose(tmp_path / "album.cue")["indexing"]["warnings"]
    assert "it is a cue sheet" in found


def test_an_ordinary_file_has_no_warnings(tmp_path: Path) -> None:
    report = {"file": {"suffix_known": True, "readable": True}, **_sections(_loop(tmp_path / "a.wav"))}
    assert warnings(report) == []


def test_of_a_broken_file_each_reader_gives_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "broken.flac"
    path.write_bytes(b"fLaC" + bytes(range(256)) * 8)
    report = diagnose(path)
    assert "error" in report["libsndfile"]
    assert "error" in report["ffmpeg"]
    for name in ("header", "sound", "indexing"):
        assert report[name]["error"].startswith("not audio that can be decoded")
    assert report["tags"]["artist"] is None
    assert report["file"]["begins_with"].startswith("fLaC")
    assert report["versions"]["libsndfile"]


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 1000, b"ID3" + b"\xff" * 40, b"RIFF\xff\xff\xff\xffWAVE", b"a text\n"]
)
@pytest.mark.parametrize("suffix", [".wav", ".mp3", ".raw", ".m4a"])
def test_no_section_fails_in_an_unexpected_way(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    path.write_bytes(content)
    for name, section in SECTIONS.items():
        if name == "tags":
            assert section(path)["artist"] is None
        else:
            with pytest.raises((AudioError, InputError, ValueError)):
                section(path)


def test_the_tracks_of_a_cue_sheet_and_a_stretch_of_the_file(tmp_path: Path) -> None:
    path = _loop(tmp_path / "a.wav")
    (tmp_path / "a.cue").write_text(
        'FILE "a.wav" WAVE\nTRACK 1 AUDIO\nTITLE "One"\nINDEX 1 0:0:0\nTRACK 2 AUDIO\nINDEX 1 0:1:0'
    )
    tracks = SECTIONS["indexing"](path)["tracks"]
    assert [(track["number"], track["start"], track["end"], track["title"]) for track in tracks] == [
        (1, 0.0, 1.0, "One"),
        (2, 1.0, None, None),
    ]
    part = Path(f"{path}#t=0.5,1.5")
    assert SECTIONS["header"](part)["seconds"] == 1.0
    assert SECTIONS["indexing"](part)["tracks"] == []


def test_the_tracks_of_a_sheet_inside_a_file_and_of_one_in_the_folder_above(tmp_path: Path) -> None:
    sheet = 'FILE "CD1/a.wav" WAVE\nTRACK 1 AUDIO\nINDEX 1 0:0:0\nTRACK 2 AUDIO\nINDEX 1 0:{}:0'
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, (8 * RATE, 2))
    path = tmp_path / "CD1" / "a.flac"
    path.parent.mkdir()
    path.write_bytes(flac_with((4, comments(CUESHEET=sheet.format(2))), sound=noise))
    assert [track["start"] for track in SECTIONS["indexing"](path)["tracks"]] == [0.0, 2.0]
    (tmp_path / "a.cue").write_text(sheet.format(3))
    assert [track["start"] for track in SECTIONS["indexing"](path)["tracks"]] == [0.0, 3.0]


@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_stem_file_whose_stems_are_unknown_is_indexed_as_its_mixture(count: int, tmp_path: Path) -> None:
    report = diagnose(write_container(tmp_path / "a.stem.m4a", TONES[:count]))
    assert report["indexing"]["stems"] == {}
    assert report["indexing"]["seconds"] == report["header"]["seconds"] > 0
    assert any("no stems for `--separator stems`" in text for text in report["indexing"]["warnings"])


def test_what_is_no_file_raises(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        diagnose(tmp_path / "nothing.wav")
    with pytest.raises(InputError, match="not a file"):
        diagnose(tmp_path)
