"""Files with cue sheets are indexed track by track, from scan to search."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given
from hypothesis import strategies as st

from soundalike.audio.embedded_cue_sheet import SMALLEST
from soundalike.audio.file_names import fold
from soundalike.errors import InputError
from soundalike.library.indexing.analysis_tasks import load_analyser
from soundalike.library.indexing.cue_tracks import AudioNames, tracks_in
from soundalike.library.indexing.index_report import IndexReport
from soundalike.library.indexing.library_update import index
from soundalike.library.indexing.sidecar_files import SidecarFiles
from soundalike.library.maintenance.audit import audit
from soundalike.library.maintenance.roots import relocate, remove
from soundalike.library.storage.location import Location
from soundalike.library.storage.store import Library
from soundalike.search.filters import Filters
from soundalike.search.finder import Finder
from tests.flac_blocks import comments, flac_with
from tests.made_up_library import InlineBackend

RATE = 22_050
SECONDS = 3

AUDIO = frozenset({".flac", ".wav"})

_NAMES = st.builds(
    str.__add__, st.sampled_from(["a", "A", "b", "é", "e\u0301", "a.wav"]), st.sampled_from(["", ".wav", ".FLAC"])
)


def _meant(listed: str, names: list[str], own_name: str | None) -> str | None:
    """The audio file that a sheet means, by comparing name after name."""
    stems = [fold(os.path.splitext(name)[0]) for name in names]
    if listed in names:
        return listed
    for name in names:
        if fold(name) == fold(listed):
            return name
    for wanted in [fold(os.path.splitext(listed)[0])] + ([] if own_name is None else [fold(own_name)]):
        same = [name for name, stem in zip(names, stems, strict=True) if wanted in (stem, fold(name))]
        if len(same) == 1:
            return same[0]
    return None


@given(_NAMES, st.lists(_NAMES, max_size=6, unique=True), st.none() | _NAMES)
def test_the_file_that_a_sheet_means_is_found_as_by_comparing_all(
    listed: str, names: list[str], own_name: str | None
) -> None:
    audio = AudioNames.among(names, AUDIO)
    assert audio.meant_by(listed, own_name) == _meant(listed, list(audio.names), own_name)


class CountingBackend(InlineBackend):
    """Analyses in this process, and counts how often each file is read for its digest."""

    def __init__(self) -> None:
        super().__init__(load_analyser)
        object.__setattr__(self, "read", [])

    def digest(self, place: Location, sidecars: SidecarFiles | None) -> str:
        self.read.append(place.name)  # type: ignore[attr-defined]
        return super().digest(place, sidecars)


@dataclass
class Album:
    """A folder with `album.flac`, three sounds of 3 s, and a library of it."""

    folder: Path
    library: Path

    def sheet(self, *titles: str, file: str = "album.flac", seconds: int = SECONDS, name: str = "album.cue") -> None:
        lines = ['PERFORMER "The Band"', 'TITLE "The Album"', f'FILE "{file}" WAVE']
        for number, title in enumerate(titles):
            start = number * seconds
            lines += [
                f"TRACK {number + 1:02d} AUDIO",
                f'TITLE "{title}"',
                f"INDEX 01 {start // 60:02d}:{start % 60:02d}:00",
            ]
        (self.folder / name).write_text("\n".join(lines))

    def index(self, *paths: Path, backend: CountingBackend | None = None, **options: Any) -> IndexReport:
        report = index(
            self.library, paths or [self.folder], backend=backend or CountingBackend(), parts=["mix"], jobs=1, **options
        )
        library = Library.open(self.library)
        assert audit(library).problems == ()
        assert audit(library).orphans == 0
        return report

    def items(self) -> dict[str, dict[str, Any]]:
        return {row["path"]: row for row in Library.open(self.library).items().to_pylist()}


def _sound(seed: int, seconds: float = SECONDS) -> np.ndarray:
    times = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(seed).standard_normal(len(times))
    return 0.1 * noise * np.exp(-3 * (times % (0.5 + seed / 10))) + 0.2 * np.sin(2 * np.pi * 200 * (seed + 1) * times)


@pytest.fixture
def album(tmp_path: Path) -> Album:
    folder = tmp_path / "music"
    folder.mkdir()
    sf.write(folder / "album.flac", np.concatenate([_sound(seed) for seed in range(3)]), RATE)
    made = Album(folder, tmp_path / "library")
    made.sheet("One", "Two 95bpm", "Three")
    return made


NAMES = ["album.flac#01", "album.flac#02", "album.flac#03"]


def test_each_track_is_an_item_with_its_texts_and_seconds(album: Album) -> None:
    backend = CountingBackend()
    report = album.index(backend=backend)
    assert (report.found, report.new, report.skipped) == (3, 3, [])
    assert report.other == {}
    items = album.items()
    assert list(items) == NAMES or sorted(items) == NAMES
    assert [items[name]["title"] for name in NAMES] == ["One", "Two 95bpm", "Three"]
    assert {(row["artist"], row["album"], row["duration"]) for row in items.values()} == {
        ("The Band", "The Album", 3.0)
    }
    assert (items[NAMES[1]]["tempo"], items[NAMES[1]]["tempo_source"]) == (95.0, "name")
    assert backend.read == ["album.flac"]  # type: ignore[attr-defined]


def test_a_track_has_the_vectors_of_a_file_of_its_own(album: Album, tmp_path: Path) -> None:
    album.index()
    other = Album(tmp_path / "single", tmp_path / "other")
    other.folder.mkdir()
    samples = sf.read(album.folder / "album.flac")[0]
    sf.write(other.folder / "two.flac", samples[SECONDS * RATE : 2 * SECONDS * RATE], RATE)
    other.index()
    (alone,) = other.items().values()
    track = album.items()[NAMES[1]]
    for name in ("kind", "duration", "loudness", "windows", "key"):
        assert track[name] == alone[name], name
    one, two = Library.open(album.library), Library.open(other.library)
    read = (one.clips, two.clips) if alone["kind"] != "song" else (one.windows, two.windows)
    rows = [r(["mix"], content=item["content"])["mix"] for r, item in zip(read, (track, alone), strict=True)]
    np.testing.assert_array_equal(one.as_vectors(rows[0]), two.as_vectors(rows[1]))


def test_an_unchanged_album_is_not_read_again(album: Album) -> None:
    album.index()
    version = Library.open(album.library).version
    backend = CountingBackend()
    report = album.index(backend=backend)
    assert (report.unchanged, report.indexed, backend.read) == (3, 0, [])  # type: ignore[attr-defined]
    assert Library.open(album.library).version == version


def test_a_new_title_needs_no_analysis(album: Album) -> None:
    album.index()
    before = album.items()
    album.sheet("Uno", "Two 95bpm", "Three")
    report = album.index()
    assert (report.unchanged, report.indexed) == (3, 0)
    after = album.items()
    assert [after[name]["title"] for name in NAMES] == ["Uno", "Two 95bpm", "Three"]
    assert [after[name]["id"] for name in NAMES] == [before[name]["id"] for name in NAMES]


def test_new_times_change_the_tracks_that_they_concern(album: Album) -> None:
    album.index()
    before = album.items()
    album.sheet("One", "Two", "Three", seconds=2)
    report = album.index()
    assert (report.changed, report.new, report.replaced) == (3, 0, 0)
    assert [album.items()[name]["duration"] for name in NAMES] == [2.0, 2.0, 5.0]
    assert album.items()[NAMES[0]]["id"] == before[NAMES[0]]["id"]


def test_fewer_tracks_leave_no_item_behind(album: Album) -> None:
    album.index()
    album.sheet("One", "Two and Three")
    report = album.index()
    assert (report.unchanged, report.changed, report.replaced) == (1, 1, 1)
    assert sorted(album.items()) == NAMES[:2]


def test_without_its_sheet_the_album_is_one_item(album: Album) -> None:
    album.index()
    (album.folder / "album.cue").unlink()
    report = album.index()
    assert (report.new, report.replaced, report.missing) == (1, 3, 0)
    assert list(album.items()) == ["album.flac"]
    album.sheet("One", "Two", "Three")
    report = album.index()
    assert (report.new, report.replaced) == (3, 1)
    assert sorted(album.items()) == NAMES


def test_no_cue_keeps_files_whole_and_is_remembered(album: Album) -> None:
    album.index(cue=False)
    assert list(album.items()) == ["album.flac"]
    report = album.index()
    assert (report.unchanged, report.other) == (1, {})
    album.index(cue=True)
    assert sorted(album.items()) == NAMES
    album.index()
    assert sorted(album.items()) == NAMES


def test_a_moved_album_keeps_its_items_and_a_copy_gets_its_own(album: Album) -> None:
    album.index()
    before = album.items()
    deeper = album.folder / "deeper"
    deeper.mkdir()
    for name in ("album.flac", "album.cue"):
        (album.folder / name).rename(deeper / name)
    report = album.index()
    assert (report.moved, report.indexed, report.missing, report.replaced) == (3, 0, 0, 0)
    assert {row["id"] for row in album.items().values()} == {row["id"] for row in before.values()}
    shutil.copytree(deeper, album.folder / "copy")
    report = album.index()
    assert (report.copied, report.unchanged) == (3, 3)
    assert album.items()["copy/album.flac#02"]["title"] == "Two 95bpm"


def test_a_deleted_album_is_missing_and_can_be_removed(album: Album) -> None:
    album.index()
    (album.folder / "album.flac").rename(album.folder.parent / "album.flac")
    sf.write(album.folder / "x.flac", _sound(7, 1.0), RATE)
    report = album.index()
    assert report.missing == 3
    assert [reason for _, reason in report.skipped] == ["refers to album.flac, which is not beside it"]
    (album.folder.parent / "album.flac").rename(album.folder / "album.flac")
    report = album.index()
    assert (report.returned, report.missing) == (3, 0)
    assert remove(album.library, [album.folder / "album.flac"]).items == 3
    assert list(album.items()) == ["x.flac"]


def test_a_track_after_the_end_of_the_file_is_skipped_and_not_tried_again(album: Album) -> None:
    album.sheet("One", "Two", "Three", "Four")
    for _ in range(3):
        report = album.index()
        assert [(Path(path).name, reason) for path, reason in report.skipped] == [
            ("album.flac#04", "has nothing to decode at or after 9 s")
        ]
        assert len(album.items()) == 3
    assert report.unchanged == 3
    album.sheet("One", "Two", "Three")
    assert album.index().skipped == []
    assert Library.open(album.library).skipped().num_rows == 0


def test_a_silent_track_does_not_keep_the_others_out(album: Album) -> None:
    sf.write(album.folder / "album.flac", np.concatenate([_sound(0), np.zeros(SECONDS * RATE), _sound(2)]), RATE)
    report = album.index()
    assert report.indexed == 2
    assert report.skipped[0][1].startswith("is silent")


def test_a_file_or_a_sheet_may_be_named_itself(album: Album) -> None:
    album.index(album.folder / "album.flac")
    assert sorted(album.items()) == NAMES
    again = Album(album.folder, album.folder.parent / "again")
    again.index(album.folder / "album.cue")
    assert sorted(again.items()) == NAMES


def test_the_root_of_an_album_may_move(album: Album) -> None:
    album.index()
    moved = album.folder.rename(album.folder.parent / "elsewhere")
    assert relocate(album.library, "music", moved).there == 3


def test_in_a_library_of_true_stems_files_stay_whole(album: Album) -> None:
    (album.folder / "album.stems").mkdir()
    shutil.copy(album.folder / "album.flac", album.folder / "album.stems" / "drums.flac")
    album.index(separator="stems")
    assert list(album.items()) == ["album.flac"]


class TestSearch:
    @pytest.fixture
    def finder(self, album: Album) -> Finder:
        album.index(kind="loop")
        return Finder.open(album.library)

    def test_hits_name_the_file_and_where_the_track_begins(self, album: Album, finder: Finder) -> None:
        result = finder.similar(album.folder / "album.flac#02", n=5)
        assert result.same == (str(album.folder / "album.flac#02"),)
        assert sorted((Path(hit.path).name, hit.offset, hit.title) for hit in result.hits) == [
            ("album.flac#01", 0.0, "One"),
            ("album.flac#03", 6.0, "Three"),
        ]
        assert {hit.file for hit in result.hits} == {str(album.folder / "album.flac")}
        assert all((hit.start, hit.end) == (0.0, 3.0) for hit in result.hits)

    def test_a_track_is_decoded_again_for_a_region_or_another_kind(self, album: Album, finder: Finder) -> None:
        track, loops = album.folder / "album.flac#02", Filters(kinds=("loop",))
        result = finder.similar(track, kind="one-shot", filters=loops)
        assert result.query.ends[-1] == 3.0
        assert len(result.hits) == 2
        result = finder.similar(track, region=(0.5, 2.0), filters=loops)
        assert result.query.ends[-1] == 2.0

    def test_a_changed_file_is_not_answered_by_old_vectors(self, album: Album, finder: Finder) -> None:
        sf.write(album.folder / "album.flac", np.concatenate([_sound(seed) for seed in (4, 5, 6)]), RATE)
        with pytest.raises(InputError, match="has changed since its tracks were indexed"):
            finder.similar(album.folder / "album.flac#02")

    def test_the_whole_file_is_a_copy_of_its_tracks(self, album: Album, finder: Finder) -> None:
        result = finder.similar(album.folder / "album.flac", kind="loop")
        assert len(result.same) == 3
        assert result.hits == ()


@pytest.mark.parametrize(
    ("listed", "there", "expected"),
    [
        ("album.flac", ["album.flac", "b.flac"], "album.flac"),
        ("ALBUM.FLAC", ["album.flac"], "album.flac"),
        ("album.wav", ["album.flac", "b.flac"], "album.flac"),
        ("Bj\u00f6rk.wav", ["Bjo\u0308rk.flac"], "Bjo\u0308rk.flac"),
        ("CDImage.wav", ["x.flac", "b.flac"], "x.flac"),
        ("CDImage.wav", ["album.flac", "b.flac"], None),
        ("album.flac", ["album.txt"], None),
        ("album.mp3", ["album.flac", "album.wav"], None),
    ],
)
def test_the_file_of_a_sheet_is_found(tmp_path: Path, listed: str, there: list[str], expected: str | None) -> None:
    Album(tmp_path, tmp_path).sheet("One", "Two", file=listed, name="x.cue")
    found = tracks_in(tmp_path, ["x.cue", *there], AUDIO)
    assert list(found.tracks) == ([] if expected is None else [expected])
    assert len(found.problems) == (1 if expected is None else 0)


def test_a_file_with_one_track_stays_whole(tmp_path: Path) -> None:
    Album(tmp_path, tmp_path).sheet("One", file="a.flac", name="a.CUE")
    found = tracks_in(tmp_path, ["a.CUE", "a.flac"], AUDIO)
    assert (found.tracks, found.problems, found.files) == ({"a.flac": ()}, [], {"a.CUE": ["a.flac"]})


def test_of_two_sheets_the_one_with_the_name_of_the_file_counts(tmp_path: Path) -> None:
    for name, titles in (("a fixed.cue", ("X", "Y", "Z")), ("album.cue", ("One", "Two"))):
        Album(tmp_path, tmp_path).sheet(*titles, name=name)
    tracks = tracks_in(tmp_path, ["a fixed.cue", "album.cue", "album.flac"], AUDIO).tracks["album.flac"]
    assert [track.title for track in tracks] == ["One", "Two"]


def test_a_sheet_that_cannot_be_used_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty.cue").write_bytes(b"")
    (tmp_path / "folder.cue").mkdir()
    problems = tracks_in(tmp_path, ["empty.cue", "folder.cue", "a.flac"], AUDIO).problems
    assert problems[0] == ("empty.cue", "is not used as a cue sheet: it lists no tracks")
    assert problems[1][0] == "folder.cue"


Touch = Callable[[Path], None]


def test_a_touched_file_is_read_once_and_keeps_its_tracks(album: Album, touch_later: Touch) -> None:
    album.index()
    touch_later(album.folder / "album.flac")
    backend = CountingBackend()
    report = album.index(backend=backend)
    assert (report.unchanged, report.indexed, backend.read) == (3, 0, ["album.flac"])  # type: ignore[attr-defined]


def _embed(album: Album, *titles: str, seconds: int = SECONDS) -> None:
    """Put a sheet into the album's file in place of the one beside it; the file becomes large enough for an album."""
    album.sheet(*titles, file="CDImage.wav", seconds=seconds)
    sheet = (album.folder / "album.cue").read_text()
    (album.folder / "album.cue").unlink()
    noise = np.random.default_rng(9).uniform(-0.3, 0.3, (RATE * 9, 4))
    path = album.folder / "album.flac"
    path.write_bytes(flac_with((4, comments(CUESHEET=sheet)), sound=noise, rate=RATE))
    assert path.stat().st_size > SMALLEST


def test_a_sheet_inside_a_file_divides_it(album: Album) -> None:
    _embed(album, "One", "Two", "Three")
    report = album.index()
    assert (report.found, report.new, report.skipped) == (3, 3, [])
    items = album.items()
    assert [(items[name]["title"], items[name]["artist"]) for name in NAMES] == [
        ("One", "The Band"),
        ("Two", "The Band"),
        ("Three", "The Band"),
    ]
    backend = CountingBackend()
    report = album.index(backend=backend)
    assert (report.unchanged, report.indexed, backend.read) == (3, 0, [])  # type: ignore[attr-defined]
    _embed(album, "One", "Two")
    album.index()
    assert sorted(album.items()) == NAMES[:2]
    assert sorted(album.index(cue=False) and album.items()) == ["album.flac"]
    assert sorted(album.index() and album.items()) == ["album.flac"]
    assert sorted(album.index(cue=True) and album.items()) == NAMES[:2]


def test_a_sheet_beside_a_file_counts_more_than_the_one_inside(album: Album) -> None:
    _embed(album, "One", "Two", "Three")
    album.sheet("A", "B")
    album.index()
    assert [row["title"] for _, row in sorted(album.items().items())] == ["A", "B"]
    album.sheet("All of it")
    album.index()
    assert sorted(album.items()) == ["album.flac"]


def test_a_file_known_to_have_no_sheet_is_not_opened_again(album: Album, monkeypatch: pytest.MonkeyPatch) -> None:
    _embed(album, "One")
    album.index()
    assert sorted(album.items()) == ["album.flac"]

    def opened(path: Path) -> tuple[()]:
        raise AssertionError(path)

    monkeypatch.setattr("soundalike.library.indexing.cue_tracks.embedded_tracks", opened)
    assert album.index().unchanged == 1


@pytest.mark.parametrize("listed", ["CD1\\album.wav", "cd1/album.flac", ".\\CD1\\album.flac"])
def test_a_sheet_may_refer_to_a_folder_below(album: Album, listed: str) -> None:
    inside = album.folder / "CD1"
    inside.mkdir()
    (album.folder / "album.flac").rename(inside / "album.flac")
    album.sheet("One", "Two", "Three", file=listed)
    wanted = [f"CD1/{name}" for name in NAMES]
    report = album.index()
    assert (sorted(album.items()), report.skipped) == (wanted, [])
    for path in (album.folder, inside, inside / "album.flac", album.folder / "album.cue"):
        report = album.index(path)
        assert (report.unchanged, report.found, sorted(album.items())) == (3, 3, wanted), path
    album.sheet("A", "B", file="album.flac")
    (album.folder / "album.cue").rename(inside / "album.cue")
    album.index()
    assert [row["title"] for _, row in sorted(album.items().items())] == ["A", "B"], "the nearest sheet counts"


def test_two_discs_with_the_same_names(album: Album) -> None:
    for disc in ("CD1", "CD2"):
        (album.folder / disc).mkdir()
        sf.write(album.folder / disc / "01.wav", np.concatenate([_sound(5), _sound(6)]), RATE)
    (album.folder / "album.flac").unlink()
    lines = []
    for disc in (1, 2):
        lines.append(f'FILE "CD{disc}\\01.wav" WAVE')
        lines += [f"TRACK {2 * disc + n:02d} AUDIO\nINDEX 01 00:{3 * n:02d}:00" for n in (0, 1)]
    (album.folder / "album.cue").write_text("\n".join(lines))
    album.index()
    assert sorted(album.items()) == ["CD1/01.wav#02", "CD1/01.wav#03", "CD2/01.wav#04", "CD2/01.wav#05"]
