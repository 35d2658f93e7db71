"""Making a test from a library of real audio."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from soundalike.audio import decode
from soundalike.audio.waveform import Waveform
from soundalike.errors import InputError, LibraryError
from soundalike.library.storage.store import Library
from soundalike.listening.clip_levels import MAX_PEAK, measure_level
from soundalike.listening.design import ActiveGoal, Design, folder_of_tests, read_design
from soundalike.listening.excerpt_vectors import read_vectors
from soundalike.listening.instructions import default_text
from soundalike.listening.new_test import NewTest, make_test


@pytest.fixture(scope="module")
def own_library(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(library, tmp_path_factory.mktemp("own") / "library"))


@pytest.fixture(scope="module")
def made(own_library: Path) -> tuple[Path, Design]:
    return make_test(own_library, NewTest("mixes", count=12, seed=3))


def clip_of(folder: Path, clip: str) -> Waveform:
    samples, rate = soundfile.read(folder / "clips" / clip, dtype="float32", always_2d=True)
    return Waveform(samples.T, rate)


def test_a_test_has_its_files(made: tuple[Path, Design]) -> None:
    folder, design = made
    assert read_design(folder) == design
    assert sorted(place.name for place in folder.iterdir()) == [
        "clips",
        "design.json",
        "instructions.md",
        "vectors.npz",
    ]
    assert (folder / "instructions.md").read_text(encoding="utf-8") == default_text()
    assert {place.relative_to(folder / "clips").as_posix() for place in folder.rglob("*.flac")} == {
        one.clip for one in design.excerpts
    }
    assert (len(design.triplets), design.questions, design.presentation) == (12, ("overall",), "mix")


def test_all_clips_have_one_loudness_and_none_clips(made: tuple[Path, Design]) -> None:
    folder, design = made
    for excerpt in design.excerpts:
        level = measure_level(clip_of(folder, excerpt.clip))
        assert level is not None
        assert level.loudness == pytest.approx(design.loudness, abs=0.05)
        assert level.peak <= MAX_PEAK + 0.05


def test_a_clip_is_the_window_of_its_song_at_its_gain(made: tuple[Path, Design]) -> None:
    folder, design = made
    excerpt = design.excerpts[0]
    original = decode.read(Path(excerpt.path), excerpt.start, excerpt.seconds)
    clip = clip_of(folder, excerpt.clip)
    assert clip.sample_rate == original.sample_rate
    middle = slice(original.sample_rate, 2 * original.sample_rate)
    expected = original.samples[:, middle] * 10 ** (excerpt.gain / 20)
    assert np.abs(clip.samples[:, middle] - expected).max() < 2 / 32768


def test_the_vectors_are_those_of_the_library(own_library: Path, made: tuple[Path, Design]) -> None:
    folder, design = made
    vectors = read_vectors(folder, design)
    library = Library.open(own_library)
    contents = {row["id"]: row["content"] for row in library.items().to_pylist()}
    excerpt = design.excerpts[-1]
    rows = library.windows(["start", "drums"], content=contents[excerpt.item])
    row = rows["start"].to_pylist().index(pytest.approx(excerpt.start))
    stored = library.as_vectors(rows["drums"])[row]
    assert np.array_equal(vectors.vectors[-1, vectors.parts.index("drums")], stored)


def test_windows_of_one_song_do_not_overlap(made: tuple[Path, Design]) -> None:
    _, design = made
    by_song: dict[str, list[tuple[float, float]]] = {}
    for one in design.excerpts:
        by_song.setdefault(one.item, []).append((one.start, one.start + one.seconds))
    assert len(by_song) == 4
    for spans in by_song.values():
        spans.sort()
        assert len(spans) == 2
        assert spans[0][1] <= spans[1][0]


def test_the_same_seed_gives_the_same_design(own_library: Path, made: tuple[Path, Design]) -> None:
    _, again = make_test(own_library, NewTest("again", count=12, seed=3))
    assert again.triplets == made[1].triplets
    assert again.excerpts == made[1].excerpts


def test_stems_are_heard_alone_and_at_equal_loudness(own_library: Path) -> None:
    folder, design = make_test(
        own_library, NewTest("stems", presentation="stems", parts=("drums", "bass"), count=6, xyc_share=0.5, seed=1)
    )
    assert {one.part for one in design.excerpts} <= {"drums", "bass"}
    assert {one.part for one in design.triplets} <= {"drums", "bass"}
    for excerpt in design.excerpts:
        assert excerpt.clip.startswith(f"{excerpt.part}/")
        level = measure_level(clip_of(folder, excerpt.clip))
        assert level is not None
        assert level.loudness == pytest.approx(design.loudness, abs=0.05)


def test_a_goal_is_part_of_the_design(own_library: Path) -> None:
    goal = ActiveGoal("drums", "bass", 0.8)
    _, design = make_test(own_library, NewTest("active", count=4, goal=goal, seed=1))
    assert design.goal == goal


def test_a_name_that_is_taken_is_refused_and_the_test_kept(own_library: Path, made: tuple[Path, Design]) -> None:
    with pytest.raises(LibraryError, match="already"):
        make_test(own_library, NewTest("mixes", count=5))
    assert read_design(made[0]) == made[1]


def test_a_test_that_cannot_be_made_leaves_nothing(own_library: Path) -> None:
    before = sorted(folder_of_tests(own_library).glob("*"))
    with pytest.raises(InputError, match="can be drawn"):
        make_test(own_library, NewTest("too-many", count=500, cap=2))
    with pytest.raises(InputError, match="0 usable songs"):
        make_test(own_library, NewTest("none", paths=("no such song",)))
    assert sorted(folder_of_tests(own_library).glob("*")) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"per_song": 1}, "two windows of a song"),
        ({"songs": 0}, "use 1 or more"),
        ({"presentation": "stems", "goal": ActiveGoal("drums")}, "must hear whole mixes"),
    ],
)
def test_options_that_exclude_each_other_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        NewTest("x", **options)  # type: ignore[arg-type]


def test_a_part_that_the_library_lacks_is_refused(own_library: Path) -> None:
    with pytest.raises(InputError, match="no part 'piano'"):
        make_test(own_library, NewTest("piano", presentation="stems", parts=("piano",)))
    with pytest.raises(InputError, match="no part 'piano'"):
        make_test(own_library, NewTest("piano", goal=ActiveGoal("piano", "drums")))
