"""Stem files of Native Instruments: several audio streams in one file, named by the stem atom."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import pytest

from soundalike.analysis.analyser import Analyser
from soundalike.analysis.recipe import make_recipe
from soundalike.audio import decode, ffmpeg
from soundalike.errors import AudioError
from soundalike.models.separators.stems.stem_container import contained_stems, stem_names
from soundalike.models.separators.stems.true_stems import StemsSeparator
from soundalike.parts import STEMS

RATE = 44_100
TONES = (300.0, 3000.0, 60.0, 500.0, 900.0)
"""Of the mixture, drums, bass, other and vocals."""


def write_container(path: Path, tones: Sequence[float] = TONES, seconds: float = 2.0) -> Path:
    """A file with an audio stream for each tone."""
    times = np.arange(round(seconds * RATE)) / RATE
    form = {".m4a": "ipod", ".mp4": "mp4", ".mka": "matroska"}[path.suffix.lower()]
    with av.open(str(path), "w", format=form) as container:
        streams = [container.add_stream("aac", rate=RATE, bit_rate=128_000) for _ in tones]
        for stream in streams:
            stream.layout = "stereo"  # type: ignore[attr-defined]
        for stream, tone in zip(streams, tones, strict=True):
            samples = np.float32(0.4 * np.sin(2 * np.pi * tone * times))
            for begin in range(0, len(samples), 1024):
                frame = av.AudioFrame.from_ndarray(np.stack([samples[begin : begin + 1024]] * 2), "fltp", "stereo")
                frame.sample_rate, frame.pts = RATE, begin
                container.mux(stream.encode(frame))  # type: ignore[attr-defined]
            container.mux(stream.encode(None))  # type: ignore[attr-defined]
    return path


def add_names(path: Path, names: Sequence[str] | bytes) -> Path:
    """Add the atom moov/udta/stem; bytes: its content. The atom moov is the last one, so that no offsets change."""
    content = names
    if not isinstance(names, bytes):
        content = json.dumps({"version": 1, "stems": [{"name": name, "color": "#FF0000"} for name in names]}).encode()
    data = path.read_bytes()
    moov = data.rindex(b"moov") - 4
    atom = struct.pack(">I4s", 8 + len(content), b"stem") + content  # type: ignore[operator,arg-type]
    inside = data[moov + 8 :]
    udta = inside.find(b"udta") - 4
    if udta >= 0:
        size = int.from_bytes(inside[udta : udta + 4], "big")
        inside = (
            inside[:udta]
            + struct.pack(">I", size + len(atom))
            + inside[udta + 4 : udta + size]
            + atom
            + inside[udta + size :]
        )
    else:
        inside += struct.pack(">I4s", 8 + len(atom), b"udta") + atom
    path.write_bytes(data[:moov] + struct.pack(">I4s", 8 + len(inside), b"moov") + inside)
    return path


def loudest(path: Path) -> float:
    """The frequency of the loudest partial, in Hz."""
    samples = decode.read(path).mono()
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * RATE / len(samples))


def tones_of(mixture: Path) -> dict[str, list[float]]:
    return {
        part: [min(TONES, key=lambda tone: abs(tone - loudest(file))) for file in files]
        for part, files in contained_stems(mixture).items()
    }


USUAL = {"bass": [60.0], "drums": [3000.0], "residuals": [500.0], "vocals": [900.0]}


@pytest.mark.parametrize("name", ["a.stem.m4a", "a.stem.mp4", "A.STEM.M4A"])
def test_the_streams_after_the_first_are_stems_in_the_usual_order(tmp_path: Path, name: str) -> None:
    path = write_container(tmp_path / name)
    assert tones_of(path) == USUAL
    assert loudest(path) == pytest.approx(300, abs=5)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("Drums", "Bass", "Other", "Vox"), USUAL),
        (
            ("Acapella", "Kick & Hats", "Sub", "Synths"),
            {"bass": [500.0], "drums": [60.0], "residuals": [900.0], "vocals": [3000.0]},
        ),
        (("Piano", "Lead Guitar", "Pads", "FX"), {"guitar": [60.0], "piano": [3000.0], "residuals": [500.0, 900.0]}),
        (("Percussion", "DRUMS", "", ""), {"drums": [3000.0, 60.0], "residuals": [500.0], "vocals": [900.0]}),
        (b"no JSON {", USUAL),
        (b'{"stems": [1, {"name": null}]}', USUAL),
        (b"[" * 100_000, USUAL),
    ],
)
def test_the_names_in_the_atom_count(
    tmp_path: Path, names: Sequence[str] | bytes, expected: dict[str, list[float]]
) -> None:
    assert tones_of(add_names(write_container(tmp_path / "a.stem.m4a"), names)) == expected


def test_fewer_streams_need_names(tmp_path: Path) -> None:
    path = write_container(tmp_path / "a.stem.mp4", TONES[:3])
    with pytest.raises(AudioError, match="names none of its 2 stems"):
        contained_stems(path)
    add_names(path, ("Drums", "Vox"))
    assert tones_of(path) == {"drums": [3000.0], "vocals": [60.0]}
    assert stem_names(path) == ("Drums", "Vox")
    with pytest.raises(AudioError, match="no audio streams besides"):
        contained_stems(write_container(tmp_path / "b.stem.m4a", TONES[:1]))
    assert stem_names(tmp_path / "b.stem.m4a") == ()


@pytest.mark.parametrize("name", ["a.m4a", "a.mka", "a.mp4"])
def test_of_other_files_with_several_streams_the_first_is_decoded(tmp_path: Path, name: str) -> None:
    path = write_container(tmp_path / name, TONES[:2])
    assert ffmpeg.audio_streams(path) == 2
    assert loudest(path) == pytest.approx(300, abs=5)
    with pytest.raises(AudioError, match="no stems beside it"):
        StemsSeparator().files(path)


def test_a_stem_file_is_analysed_with_its_true_stems(tmp_path: Path) -> None:
    path = write_container(tmp_path / "a.stem.m4a")
    separator = StemsSeparator()
    assert separator.sidecars(path) == ()
    assert not separator.belongs(path)
    sounds = separator.read(path, 0.5, 1.0, STEMS)
    assert set(sounds) == {"drums", "bass", "vocals", "residuals"}
    times = np.arange(RATE) / RATE + 0.5
    np.testing.assert_allclose(sounds["drums"].samples[0], 0.4 * np.sin(2 * np.pi * 3000 * times), atol=0.05)
    analysis = Analyser(make_recipe(separator="stems", window=2.0)).analyse(path, "song")
    assert [part for part, there in zip(analysis.parts, analysis.present[0], strict=True) if there] == [
        "bass",
        "drums",
        "vocals",
        "residuals",
        "mix",
    ]
    plain = Analyser(make_recipe(window=2.0)).analyse(path, "song")
    mix = plain.parts.index("mix")
    np.testing.assert_array_equal(plain.vectors[:, mix], analysis.vectors[:, analysis.parts.index("mix")])
