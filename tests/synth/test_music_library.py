import hashlib
from pathlib import Path

import numpy as np
import pytest
import soundfile

from soundalike.audio.metadata.filename_metadata import metadata_from_filename
from soundalike.errors import InputError
from soundalike.synth.music_library import MusicOptions, write_library
from soundalike.synth.truth import Truth, read_truth

Made = tuple[Path, Truth]


def _digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_truth_names_every_file_and_no_other(library: Made) -> None:
    folder, truth = library
    stems = {file for song in truth.songs for file in song.stems.values()}
    assert set(_digests(folder)) == {*truth.files, *stems, "truth.json"}
    assert len(set(truth.files)) == len(truth.files) == 3 + 10 + 76
    assert read_truth(folder) == truth


def test_same_seed_same_bytes(library: Made, tmp_path: Path) -> None:
    folder, _ = library
    again = MusicOptions(seed=3, songs=3, loops=10, one_shots=76, length=10.0, stems=True)
    write_library(tmp_path / "again", again)
    assert _digests(tmp_path / "again") == _digests(folder)
    other = write_library(tmp_path / "other", MusicOptions(seed=4, songs=1, loops=0, one_shots=0, length=10.0))
    assert other.songs[0].title != library[1].songs[0].title
    assert other.loops == other.one_shots == ()


def test_songs_and_their_true_stems(library: Made) -> None:
    folder, truth = library
    for song in truth.songs:
        mixture, rate = soundfile.read(folder / song.file)
        assert len(mixture) / rate == pytest.approx(song.duration, abs=1e-3)
        assert np.abs(mixture).max() < 0.98
        assert set(song.stems) == {"drums", *song.patches}
        stems = [soundfile.read(folder / file)[0] for file in song.stems.values()]
        # Each file is rounded to 16 bits by itself.
        assert np.abs(sum(stems) - mixture).max() <= (len(stems) + 1) / 2**15
        assert all(0.0 <= time < song.duration for times in song.hits.values() for time in times)


def test_loops_say_tempo_and_key_in_their_names(library: Made) -> None:
    folder, truth = library
    assert {Path(loop.file).suffix for loop in truth.loops} == {".wav", ".flac"}
    for loop in truth.loops:
        info = soundfile.info(folder / loop.file)
        assert info.duration == pytest.approx(loop.bars * 240.0 / loop.tempo, abs=1e-3)
        words = Path(loop.file).stem.split("_")
        assert f"{loop.tempo}bpm" in words
        assert loop.part in words
        assert (loop.key is None) == (loop.part == "drums")
        assert metadata_from_filename(Path(loop.file).stem) == (loop.tempo, loop.key)
        if loop.song is not None:
            song = truth.song(loop.song)
            assert loop.tempo == song.tempo
            assert loop.kit in (None, song.kit)
            assert loop.patch == song.patches.get(loop.part)


def test_some_loops_belong_to_no_song(library: Made) -> None:
    _, truth = library
    strangers = [loop for loop in truth.loops if loop.song is None]
    assert strangers
    for loop in strangers:
        assert any(song.groove == loop.groove for song in truth.songs)
        assert not any(song.groove == loop.groove and song.kit == loop.kit for song in truth.songs)


def test_one_shots_are_short_mono_and_of_known_origin(library: Made) -> None:
    folder, truth = library
    for shot in truth.one_shots:
        info = soundfile.info(folder / shot.file)
        assert info.channels == 1
        assert info.duration < 3.0
        assert (shot.kit is None) == (shot.voice is None) != (shot.patch is None)
    song = truth.songs[0]
    inside = truth.one_shots_in(song.file)
    assert inside
    assert all(song.kit in file for file in inside)


@pytest.mark.parametrize("arguments", [{"loops": -1}, {"one_shots": -1}, {"song_format": "mp3"}, {"songs": 0}])
def test_arguments_out_of_range(tmp_path: Path, arguments: dict[str, object]) -> None:
    with pytest.raises(InputError):
        write_library(tmp_path / "x", MusicOptions(**arguments))  # type: ignore[arg-type]
    assert not (tmp_path / "x").exists()


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(InputError, match="is a file"):
        write_library(tmp_path / "taken")
