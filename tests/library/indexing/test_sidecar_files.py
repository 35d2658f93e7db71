"""Libraries of mixtures with their true stems: what is an item, and when it is stale."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from soundalike.analysis.analyser import Analysis
from soundalike.analysis.recipe import Recipe, make_recipe
from soundalike.config import Runtime
from soundalike.library.indexing.content_digest import content_digest
from soundalike.library.indexing.scan import scan
from soundalike.library.indexing.scopes import Scope
from soundalike.library.indexing.sidecar_files import sidecars_for, stat_with
from soundalike.models.separators.stems.true_stems import StemsSeparator
from soundalike.search.finder import Finder
from soundalike.search.query import query_from_file
from tests.made_up_library import InlineBackend, LibraryFolder
from tests.made_up_rows import RECIPE, made_up_analyser

OF_STEMS = replace(RECIPE, separator="stems")
STEMS = StemsSeparator()


def fill(folder: Path, *names: str) -> None:
    for name in names:
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(name)


@pytest.fixture
def track(tmp_path: Path) -> Path:
    """A mixture with three stems, one of them in Slakh's layout with metadata."""
    fill(tmp_path / "track", "mix.wav", "metadata.yaml", "stems/S00.wav", "stems/S01.wav", "stems/S02.wav")
    return tmp_path / "track" / "mix.wav"


def test_only_libraries_of_stems_have_companions() -> None:
    assert sidecars_for(RECIPE) is None
    assert sidecars_for(make_recipe()) is None
    assert isinstance(sidecars_for(OF_STEMS), StemsSeparator)


def test_the_digest_changes_if_and_only_if_a_byte_or_a_name_does(track: Path) -> None:
    before = content_digest(track, STEMS)
    assert before != content_digest(track)
    assert content_digest(track.parent / "stems" / "S00.wav", STEMS) == content_digest(
        track.parent / "stems" / "S00.wav"
    )
    for file in [track, *STEMS.sidecars(track)]:
        kept = file.read_bytes()
        file.write_bytes(kept + b"!")
        changed = content_digest(track, STEMS)
        assert changed != before, file.name
        file.write_bytes(kept)
        assert content_digest(track, STEMS) == before
    stems = track.parent / "stems"
    (stems / "S00.wav").rename(stems / "S09.wav")  # another part, maybe
    assert content_digest(track, STEMS) != before
    (stems / "S09.wav").rename(stems / "S00.wav")
    fill(track.parent, "stems/S03.wav")
    assert content_digest(track, STEMS) != before
    (stems / "S03.wav").unlink()
    fill(track.parent, "all_src.mid", "stems/notes.txt", "stems/band/residuals.wav")  # of no effect
    assert content_digest(track, STEMS) == before
    moved = track.parent.rename(track.parent.parent / "elsewhere")
    assert content_digest(moved / "mix.wav", STEMS) == before


def test_the_same_bytes_are_a_stem_file_only_under_its_name(tmp_path: Path) -> None:
    """A copy for players, which has no stems, must not keep the stem file out."""
    fill(tmp_path, "a.mp4")
    shutil.copy(tmp_path / "a.mp4", tmp_path / "a.stem.mp4")
    plain, stems = (content_digest(tmp_path / name, STEMS) for name in ("a.mp4", "a.stem.mp4"))
    assert plain != stems
    assert content_digest(tmp_path / "a.mp4") == content_digest(tmp_path / "a.stem.mp4") == plain


def test_stems_that_change_places_change_the_digest(track: Path) -> None:
    before = content_digest(track, STEMS)
    stems = track.parent / "stems"
    one, other = (stems / "S00.wav").read_bytes(), (stems / "S01.wav").read_bytes()
    (stems / "S00.wav").write_bytes(other)
    (stems / "S01.wav").write_bytes(one)
    assert content_digest(track, STEMS) != before


def test_size_and_time_tell_every_change_that_a_file_system_tells(
    track: Path, touch_later: Callable[[Path], None]
) -> None:
    before = stat_with(STEMS, track, track.stat())
    assert before[0] == sum(file.stat().st_size for file in [track, *STEMS.sidecars(track)])
    assert 0 <= before[1] < 2**63
    for file in [track, *STEMS.sidecars(track)]:
        facts = file.stat()
        touch_later(file)
        assert stat_with(STEMS, track, track.stat()) != before, file.name
        os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns - 10**9))
        assert stat_with(STEMS, track, track.stat()) != before, file.name  # an older file in its place
        os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))
        assert stat_with(STEMS, track, track.stat()) == before
    lone = track.parent / "stems" / "S00.wav"
    assert stat_with(None, track, track.stat()) == (track.stat().st_size, track.stat().st_mtime_ns)
    assert stat_with(STEMS, lone, lone.stat()) == (lone.stat().st_size, lone.stat().st_mtime_ns)


LAYOUTS = (
    "slakh/Track00001/mix.wav",
    "musdb/A - B/mixture.wav",
    "named/one.wav",
    "named/two.wav",
    "bare/song.wav",
)


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Every layout, and what lies around it."""
    root = tmp_path / "many"
    fill(root, *LAYOUTS, "slakh/Track00001/metadata.yaml")
    fill(root / "slakh/Track00001/stems", "S00.wav", "S01.wav", "band/residuals.wav")
    fill(root / "musdb/A - B", "drums.wav", "bass.wav", "other.wav", "vocals.wav")
    fill(root / "named/one.stems", "drums.wav", "odd name.wav")
    fill(root / "named/stems/two", "drums.wav", "bass.wav")
    return root


@pytest.mark.parametrize("inside", ["", "slakh", "slakh/Track00001/stems", "musdb/A - B/drums.wav", "named/stems/two"])
def test_stems_are_never_items(many: Path, inside: str) -> None:
    found = scan({"r": many}, [Scope("r", inside)], extensions=frozenset({".wav"}), known={}, sidecars=STEMS)
    scope = Scope("r", inside)
    assert [file.path for file in found.files] == sorted(path for path in LAYOUTS if scope.covers("r", path))
    assert (found.unusable, found.unreadable) == ([], [])
    for file in found.files:
        place = many / file.path
        assert (file.size, file.mtime_ns) == stat_with(STEMS, place, place.stat())


def test_a_root_within_a_folder_of_stems_has_no_items(many: Path) -> None:
    root = many / "slakh/Track00001/stems"
    assert scan({"r": root}, [Scope("r")], extensions=frozenset({".wav"}), known={}, sidecars=STEMS).files == []


def test_a_scan_lists_each_folder_once(many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from soundalike.models.separators.stems import stem_files

    listed: list[Path] = []

    def look(folder: Path) -> stem_files.Listing:
        listed.append(folder)
        return stem_files.list_folder(folder)

    scan({"r": many}, [Scope("r")], extensions=frozenset({".wav"}), known={}, sidecars=StemsSeparator(look))
    assert len(listed) == len(set(listed)) > 0


@pytest.fixture
def folder_of_stems(library_folder: LibraryFolder) -> LibraryFolder:
    """Two mixtures with stems, in a library of stems."""
    library_folder.write(a="song 3 1", b__mixture="song 2 2")
    fill(library_folder.music, "a.stems/drums.wav", "a.stems/bass.wav", "b/drums.wav", "b/vocals.wav")
    report = library_folder.index(recipe=OF_STEMS)
    assert (report.found, report.new, report.skipped) == (2, 2, [])
    assert library_folder.analysed() == ["a.wav", "mixture.wav"]
    return library_folder


def test_mixtures_are_the_items_and_a_second_run_does_nothing(folder_of_stems: LibraryFolder) -> None:
    assert set(folder_of_stems.items()) == {"a", "b/mixture"}
    report = folder_of_stems.index(recipe=None)
    assert (report.found, report.unchanged, report.indexed, report.missing) == (2, 2, 0, 0)
    assert folder_of_stems.analysed() == []


@pytest.mark.parametrize("change", ["write", "touch", "add", "remove", "rename"])
def test_a_mixture_is_done_again_when_its_stems_change(
    folder_of_stems: LibraryFolder, touch_later: Callable[[Path], None], change: str
) -> None:
    library_folder = folder_of_stems
    stem = library_folder.music / "a.stems" / "drums.wav"
    match change:
        case "write":
            stem.write_text("other drums")
        case "touch":
            touch_later(stem)
        case "add":
            fill(library_folder.music, "a.stems/vocals.wav")
        case "remove":
            stem.unlink()
        case "rename":
            stem.rename(stem.with_name("guitar.wav"))
    report = library_folder.index(recipe=None)
    expected = 0 if change == "touch" else 1  # the same bytes are the same stems
    assert (report.found, report.changed, report.unchanged) == (2, expected, 2 - expected)
    assert library_folder.analysed() == ["a.wav"] * expected
    assert library_folder.index(recipe=None).unchanged == 2
    assert library_folder.analysed() == []


def test_a_moved_folder_costs_nothing(folder_of_stems: LibraryFolder) -> None:
    library_folder = folder_of_stems
    before = {row["id"] for row in library_folder.items().values()}
    (library_folder.music / "b").rename(library_folder.music / "c")
    report = library_folder.index(recipe=None)
    assert (report.moved, report.indexed, report.missing) == (1, 0, 0)
    assert library_folder.analysed() == []
    assert set(library_folder.items()) == {"a", "c/mixture"}
    assert {row["id"] for row in library_folder.items().values()} == before


def test_a_copy_with_other_stems_is_analysed(folder_of_stems: LibraryFolder) -> None:
    library_folder = folder_of_stems
    shutil.copytree(library_folder.music / "b", library_folder.music / "same")
    shutil.copytree(library_folder.music / "b", library_folder.music / "other")
    (library_folder.music / "other" / "drums.wav").write_text("other drums")
    report = library_folder.index(recipe=None)
    assert (report.copied, report.new) == (1, 1)
    assert library_folder.analysed() == ["mixture.wav"]


def test_an_item_that_becomes_a_stem_is_no_item_any_more(library_folder: LibraryFolder) -> None:
    library_folder.write(b__drums="loop 3")
    library_folder.index(recipe=OF_STEMS)
    assert set(library_folder.items()) == {"b/drums"}
    library_folder.write(b__mixture="song 2 2")
    report = library_folder.index(recipe=None)
    assert (report.new, report.missing, report.found) == (1, 1, 1)
    assert {name: row["status"] for name, row in library_folder.items().items()} == {
        "b/drums": "missing",
        "b/mixture": "present",
    }


def test_a_mixture_whose_stems_change_while_it_is_read_is_skipped(folder_of_stems: LibraryFolder) -> None:
    stem = folder_of_stems.music / "a.stems" / "drums.wav"
    stem.write_text("second drums")

    def load(recipe: Recipe, runtime: Runtime) -> Callable[[Any], Analysis]:
        analyse = made_up_analyser(recipe, runtime)

        def change_stem(task: Any) -> Analysis:
            made = analyse(task)
            stem.write_text("third drums, longer")
            return made

        return change_stem

    report = folder_of_stems.index(recipe=None, backend=InlineBackend(load))
    assert [reason for _, reason in report.skipped] == ["it changed while it was being read; run it again"]


def test_other_libraries_have_stems_as_items(library_folder: LibraryFolder) -> None:
    library_folder.write(a="song 3 1")
    (library_folder.music / "a.stems").mkdir()
    (library_folder.music / "a.stems" / "drums.wav").write_text("loop 5")
    assert library_folder.index().found == 2


@pytest.fixture(scope="module")
def slakh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A track with the true stems of a generated song, a song without stems, and a library of both."""
    from soundalike.library.indexing.library_update import index
    from soundalike.synth import dsp
    from soundalike.synth.songs import render_song
    from soundalike.synth.specs import song_specs
    from tests.models.separators.slakh import tone, write_named, write_slakh

    folder = tmp_path_factory.mktemp("slakh")
    song = render_song(song_specs(3, 1, 22.0)[0])
    classes = {"drums": "Drums", "bass": "Bass"}
    stems = {
        f"S{number:02}": (classes.get(part, "Organ"), stem.mean(axis=0))
        for number, (part, stem) in enumerate(song.stems.items())
    }
    write_slakh(folder / "music" / "Track00001", stems, sample_rate=dsp.SAMPLE_RATE)
    write_named(folder / "music" / "bare", {"song.wav": tone(300, 22.0)})
    report = index(folder / "library", [folder / "music"], separator="stems", window=5.0, jobs=1)
    assert report.new == 1
    [(path, reason)] = report.skipped
    assert path.endswith("bare/song.wav")
    assert "no stems beside it" in reason
    return folder


def test_a_library_of_true_stems_is_made_and_asked(slakh: Path) -> None:
    finder = Finder.open(slakh / "library")
    [item] = finder.items
    rows = finder.library.windows(["drums", "drums_present", "bass_present", "vocals_present", "residuals_present"])
    assert rows["drums_present"].to_pylist().count(True) > 0
    assert not any(rows["vocals_present"].to_pylist())
    mixture = slakh / "music" / "Track00001" / "mix.flac"
    assert finder.find_item(mixture) == item
    query = query_from_file(finder.analyser, mixture)
    assert query.digests == {item["content"]}
    stored = finder.library.as_vectors(rows["drums"])
    made = query.vectors[:, query.parts.index("drums")]
    assert stored.astype(float) == pytest.approx(made.astype(float), abs=2e-3)
    found = finder.similar(mixture, weights={"drums": 1.0}, raw=True, include_self=True)
    assert [hit.id for hit in found.hits] == [item["id"]]
    assert finder.similar(mixture, weights={"drums": 1.0}).same == (str(mixture),)


def test_an_item_whose_stems_have_changed_is_not_used_for_a_query(slakh: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(slakh, folder)
    finder = Finder.open(folder / "library")
    finder.library.roots["music"] = folder / "music"
    mixture = folder / "music" / "Track00001" / "mix.flac"
    assert finder.find_item(mixture) is not None
    (mixture.parent / "stems" / "S00.flac").touch()
    assert finder.find_item(mixture) is None
