"""Versions in a library of generated songs that was really indexed: among hits, of the reference, and in groups."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from soundalike.audio.waveform import resample
from soundalike.errors import InputError
from soundalike.library.indexing.library_update import index
from soundalike.search.finder import Finder
from soundalike.search.version_folding import version_groups
from soundalike.synth.songs import render_song
from soundalike.synth.specs import song_specs
from soundalike.synth.theory import Key
from tests.cli.command_line import run

RATE = 44_100


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two songs of 40 s; of the first a shifted version, one that is cut, and a quieter copy."""
    folder = tmp_path_factory.mktemp("versions")
    for name, spec in zip("ab", song_specs(4, 2, 40.0), strict=True):
        song = render_song(spec).mixture
        soundfile.write(folder / f"{name}.wav", song.T, RATE)
        if name == "a":
            soundfile.write(folder / "a later.wav", song[:, round(2.2 * RATE) :].T, RATE)
            soundfile.write(folder / "a cut.wav", song[:, 11 * RATE : 33 * RATE].T, RATE)
            soundfile.write(folder / "a quiet.flac", 0.5 * song.T, RATE)
    return folder


@pytest.fixture(scope="module")
def place(music: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("versions-library") / "library"
    index(path, [music], parts=("mix",), window=5.0, kind="song", jobs=1)
    return path


@pytest.fixture(scope="module")
def finder(place: Path) -> Finder:
    return Finder.open(place)


@pytest.fixture(scope="module")
def band(tmp_path_factory: pytest.TempPathFactory) -> Finder:
    """A song, the same in another key, another one with the same instruments, groove and tempo, a copy of the first that is 3 %
    faster, and a song of others."""
    folder = tmp_path_factory.mktemp("band")
    spec, others = song_specs(4, 2, 40.0)
    song = render_song(spec).mixture
    key, chords = spec.key, spec.progression
    songs = {
        "song": song,
        "in another key": render_song(replace(spec, key=Key((key.tonic + 3) % 12, key.mode))).mixture,
        "another": render_song(
            replace(
                spec,
                key=Key((key.tonic + 5) % 12, key.mode),
                progression=(*chords[1:], chords[0]),
                seed=spec.seed + 1,
            )
        ).mixture,
        "faster": resample(song, RATE, round(RATE / 1.03)),
        "others": render_song(others).mixture,
    }
    for title, samples in songs.items():
        soundfile.write(folder / f"{title}.wav", samples.T, RATE)
    path = folder / "library"
    index(path, [folder], parts=("mix",), window=5.0, kind="song", jobs=1)
    return Finder.open(path)


def name(path: str) -> str:
    return Path(path).name


def test_versions_of_a_hit_are_listed_under_it(finder: Finder, music: Path) -> None:
    result = finder.similar(music / "b.wav")
    (hit,) = result.hits
    assert not result.versions
    listed = {name(hit.path)} | {name(version.path) for version in hit.versions}
    assert listed == {"a.wav", "a later.wav", "a cut.wav", "a quiet.flac"}
    near = {name(version.path) for version in hit.versions if version.near_identical}
    assert near == {"a.wav", "a quiet.flac"} - {name(hit.path)} or name(hit.path) in ("a cut.wav", "a later.wav")
    scores = [hit.score, *(version.score for version in hit.versions)]
    assert scores == sorted(scores, reverse=True)


def test_shown_versions_are_hits(finder: Finder, music: Path) -> None:
    folded, shown = finder.similar(music / "b.wav"), finder.similar(music / "b.wav", versions="show")
    assert len(shown.hits) == 4
    assert not any(hit.versions for hit in shown.hits)
    assert (folded.hits[0].path, folded.hits[0].score) == (shown.hits[0].path, shown.hits[0].score)


def test_versions_of_the_reference_are_left_out(finder: Finder, music: Path, tmp_path: Path) -> None:
    for reference in (music / "a.wav", music / "a cut.wav"):
        result = finder.similar(reference)
        assert [name(hit.path) for hit in result.hits] == ["b.wav"]
        left_out = {name(path) for path in result.same} | {name(version.path) for version in result.versions}
        assert left_out == {"a.wav", "a later.wav", "a cut.wav", "a quiet.flac"}
    region = finder.similar(music / "a.wav", region=(5.0, 15.0))
    assert [name(hit.path) for hit in region.hits] == ["b.wav"]
    with_self = finder.similar(music / "a.wav", include_self=True)
    first, last = with_self.hits
    assert {name(path) for path in (first.path, *(one.path for one in first.versions))} == left_out
    assert name(last.path) == "b.wav"
    samples, rate = soundfile.read(music / "a.wav")
    soundfile.write(tmp_path / "not in the library.wav", samples[3 * rate :], rate)
    new = finder.similar(tmp_path / "not in the library.wav", kind="song")
    assert [name(hit.path) for hit in new.hits] == ["b.wav"]
    assert len(new.versions) + len(new.same) == 4


def test_songs_of_one_band_are_hits_of_their_own(band: Finder) -> None:
    """They sound alike, so that they would be folded if their harmony did not count; the faster copy still is."""
    (others,) = [item for item in band.opened.catalogue.items(range(5)) if item["path"].endswith("others.wav")]
    result = band.similar(others["id"])
    assert {name(hit.path) for hit in result.hits} >= {"in another key.wav", "another.wav"}
    assert len(result.hits) == 3
    (first,) = [hit for hit in result.hits if hit.versions]
    assert {name(first.path), *(name(version.path) for version in first.versions)} == {"song.wav", "faster.wav"}
    groups = [paths for kind, paths in band.duplicates(versions=True) if kind == "versions"]
    assert [[name(path) for path in paths] for paths in groups] == [["faster.wav", "song.wav"]]


def test_as_many_hits_as_requested_are_left(finder: Finder, music: Path) -> None:
    samples = np.random.default_rng(0).normal(size=30 * RATE) * 0.1
    query = music.parent / "noise.wav"
    soundfile.write(query, samples, RATE)
    for count in (1, 2):
        assert len(finder.similar(query, kind="song", n=count).hits) == count
    assert len(finder.similar(query, kind="song", n=5, diverse=True).hits) == 2


def test_a_library_of_another_encoder_has_no_versions(finder: Finder, music: Path) -> None:
    recipe = replace(finder.library.recipe, encoder_version="1")
    other = Finder.open(finder.library.path)
    object.__setattr__(other.opened.library, "recipe", recipe)
    with pytest.raises(InputError, match="leave out --versions"):
        version_groups(other.opened)
    assert len(other.similar(other.find_item(music / "b.wav")["id"]).hits) == 4  # type: ignore[index]


def test_groups_of_versions(finder: Finder, place: Path) -> None:
    groups = finder.duplicates(versions=True)
    assert [(kind, [name(path) for path in paths]) for kind, paths in groups if kind == "versions"] == [
        ("versions", ["a cut.wav", "a later.wav", "a quiet.flac", "a.wav"])
    ]
    assert ("near-identical", 2) in {(kind, len(paths)) for kind, paths in groups}
    assert "versions" not in {kind for kind, _ in finder.duplicates()}
    printed = run("duplicates", "--versions", library=place).stdout
    assert printed.splitlines()[0] in ("versions:", "near-identical:")
    assert "a cut.wav" in printed
    assert "a cut.wav" not in run("duplicates", library=place).stdout


def test_the_command_line_lists_versions(place: Path, music: Path) -> None:
    table = run("similar", music / "b.wav", library=place).stdout
    assert table.count("+ another version") + table.count("+ a near-identical copy") == 3
    assert run("similar", music / "b.wav", "--versions", "show", library=place).stdout.count("+ ") == 0
    own = run("similar", music / "a.wav", library=place)
    assert "another version of the reference (--versions show)" in own.stderr
    lines = run("similar", music / "b.wav", "--format", "m3u8", library=place).stdout.splitlines()
    assert len([line for line in lines if not line.startswith("#")]) == 1
    assert ";" in run("similar", music / "b.wav", "--format", "csv", library=place).stdout
