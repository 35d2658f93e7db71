"""Patterns of what a library keeps out, and runs with them."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest

from soundalike.errors import InputError
from soundalike.library.indexing.exclusions import Exclusions, checked_patterns, pattern_of_path, refuse_whole_paths
from soundalike.library.maintenance.roots import remove
from soundalike.library.storage.manifest import FILE_NAME, read_manifest
from soundalike.library.storage.store import Library
from tests.made_up_library import LibraryFolder
from tests.made_up_rows import RECIPE

CASES = [
    ("Backup", ["Backup", "Backup/a.wav", "Live/Backup/deep/a.wav", "backup", "BACKUP/a.wav"]),
    ("Backup", ["!Backup vocals.wav", "!My Backup/a.wav", "!Backups/a.wav", "!a/Backup.wav"]),
    ("*.tmp", ["x.tmp", "a/x.TMP", "a.tmp/x.wav", "!x.tmp.wav"]),
    ("Ableton Project Info", ["Set Project/Ableton Project Info/a.wav", "!Ableton Project/Info/a.wav"]),
    ("take ?.wav", ["a/take 1.wav", "!take 12.wav", "!take/1.wav"]),
    ("Live/Samples", ["Live/Samples", "x/live/samples/a.wav", "!Live/x/Samples/a.wav", "!Live", "!Samples/a.wav"]),
    ("Live/*/Old", ["Live/x/Old/a.wav", "y/Live/x/Old", "!Live/Old/a.wav", "!Live/x/y/Old"]),
    ("Live/*", ["Live/a.wav", "Live/x/a.wav", "!Live", "!Alive/a.wav"]),
    ("/Old", ["Old", "Old/a.wav", "!x/Old/a.wav", "!x/Old"]),
    ("/Drums/Old", ["Drums/Old/a.wav", "!Drums/New/a.wav", "!x/Drums/Old/a.wav", "!Drums"]),
    ("/*/Old", ["x/Old/a.wav", "!Old/a.wav", "!x/y/Old/a.wav"]),
    ("*/*", ["x/a.wav", "!a.wav"]),
    ("[Pack] Old", ["[Pack] Old/a.wav", "[pack] old", "P Old", "!Pack Old"]),
    ("take [12].wav", ["take 1.wav", "take [12].wav", "!take 3.wav"]),
    ("Größe", ["GRÖSSE/a.wav", unicodedata.normalize("NFD", "größe"), "!Grosse"]),
    ("album.flac", ["album.flac", "x/album.flac#02", "x/album.flac#102", "!album.flac.wav", "!album.flac#x"]),
    ("album.flac#02", ["x/album.flac#02", "!x/album.flac#03", "!x/album.flac"]),
    ("a.b+c", ["a.b+c/x.wav", "!aXb+c/x.wav"]),
]


@pytest.mark.parametrize(("pattern", "paths"), CASES)
def test_what_a_pattern_excludes(pattern: str, paths: list[str]) -> None:
    assert checked_patterns([pattern, f"{pattern}/"]) == (pattern,)  # a / at the end means nothing
    exclusions = Exclusions(["unrelated", pattern])
    for path in paths:
        wanted = not path.startswith("!")
        path = path.removeprefix("!")
        assert exclusions.covers(path) is wanted, path
        assert exclusions.pattern_for(path) == (pattern if wanted else None)


def test_names_in_a_folder_are_compared_where_the_names_above_match() -> None:
    exclusions = Exclusions(["/Drums/Old", "Live/Samples", "*.tmp"])
    names = ["Old", "Samples", "x.tmp", "a.wav"]
    for folder, excluded in {
        "": ["x.tmp"],
        "Drums": ["Old", "x.tmp"],
        "x/Drums": ["x.tmp"],
        "x/LIVE": ["Samples", "x.tmp"],
    }.items():
        assert list(filter(exclusions.within(folder), names)) == excluded, folder


def test_no_patterns_exclude_nothing_and_no_pattern_a_whole_root() -> None:
    assert not Exclusions([])
    assert not Exclusions([]).covers("a/b.wav")
    assert not Exclusions(["*a*", "?*"]).covers("")


@pytest.mark.parametrize("path", ["Drums/Old", "[Pack] Old/a.wav", "what?/*.wav", "a [x] *?", "album.flac#02"])
def test_the_pattern_of_a_path_excludes_it_and_not_another(path: str) -> None:
    exclusions = Exclusions(checked_patterns([pattern_of_path(path)]))
    assert exclusions.covers(path)
    for other in (f"x/{path}", path.replace("?", "!").replace("*", "y") + "z", path.rpartition("/")[0]):
        assert not exclusions.covers(other)


def test_patterns_are_remembered_once() -> None:
    assert checked_patterns(["Backup/", "/Old", "backup", "*.tmp", "/old//"]) == ("Backup", "/Old", "*.tmp")


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("", "not a pattern"),
        (" ", "not a pattern"),
        ("/", "not a pattern"),
        (".", "'.' is not a name"),
        ("./Backup", "'.' is not a name"),
        ("../Backup", "'..' is not a name"),
        ("a//b", "'' is not a name"),
        ("//a", "'' is not a name"),
        ("s3://bucket/a", "'' is not a name"),
        ("**/Backup", r"\*\* is not known"),
        ("*", "exclude everything"),
        ("/**", "exclude everything"),
    ],
)
def test_patterns_that_cannot_be_meant_are_refused(library_folder: LibraryFolder, pattern: str, message: str) -> None:
    library_folder.write(a="song 3 1")
    with pytest.raises(InputError, match=message):
        library_folder.index(exclude=[pattern])
    assert not library_folder.path.exists()


def test_a_string_in_place_of_a_list_is_refused() -> None:
    with pytest.raises(InputError, match=r"write \['Backup'\]"):
        checked_patterns("Backup")


def test_whole_paths_are_refused_with_the_pattern_that_is_meant() -> None:
    roots = {"music": Path("/home/me/Music"), "top": Path("/")}
    with pytest.raises(InputError, match="begin inside /home/me/Music; write '/Live/Old'"):
        refuse_whole_paths(["/home/me/Music/Live/Old"], roots)
    with pytest.raises(InputError, match="soundalike remove"):
        refuse_whole_paths(["/home/me/Music"], roots)
    refuse_whole_paths(["/home/me/Music 2", "/Live/Old", "Music"], roots)


@pytest.fixture
def full(library_folder: LibraryFolder) -> LibraryFolder:
    library_folder.write(
        a="song 3 1", Backup__a="song 3 1", Backup__b="loop 2", sub__backup__c="one-shot 3", sub__d="loop 4"
    )
    library_folder.index()
    library_folder.analysed()
    return library_folder


def _with_broken_file(folder: LibraryFolder) -> LibraryFolder:
    folder.write(Backup__broken="broken")
    assert len(folder.index().skipped) == Library.open(folder.path).skipped().num_rows == 1
    return folder


def test_excluded_items_leave_the_library_with_their_vectors(full: LibraryFolder) -> None:
    _with_broken_file(full)
    before = full.items()
    report = full.index(exclude=["Backup"])
    assert (report.found, report.unchanged, report.excluded) == (2, 2, 3)
    assert (report.missing, report.replaced, report.skipped, report.excluded_paths) == (0, 0, [], [])
    assert full.items() == {name: before[name] for name in ("a", "sub/d")}  # and `index` checked the vectors
    assert Library.open(full.path).skipped().num_rows == 0
    assert full.file("Backup/b").exists()


def test_patterns_are_remembered_added_to_and_forgotten(full: LibraryFolder) -> None:
    assert "excluded" not in json.loads((full.path / FILE_NAME).read_text())
    full.index(exclude=["Backup"])
    assert json.loads((full.path / FILE_NAME).read_text())["excluded"] == ["Backup"]
    assert full.index().found == 2
    assert full.index(exclude=["/sub/", "backup"]).excluded == 1
    assert read_manifest(full.path).excluded == Library.open(full.path).excluded == ("Backup", "/sub")
    assert full.index(no_exclude=True, exclude=["/a.wav"]).found == 4  # these in place of those
    assert set(full.items()) == {"Backup/a", "Backup/b", "sub/backup/c", "sub/d"}
    assert full.index(no_exclude=True).new == 0  # its content is known
    assert set(full.items()) == {"a", "Backup/a", "Backup/b", "sub/backup/c", "sub/d"}
    assert "excluded" not in json.loads((full.path / FILE_NAME).read_text())


def test_a_first_run_may_exclude(library_folder: LibraryFolder) -> None:
    library_folder.write(a="song 3 1", Backup__a="loop 2")
    assert library_folder.index(exclude=["Backup"]).found == 1
    assert library_folder.analysed() == ["a.wav"]
    assert library_folder.index().found == 1


def test_what_is_named_and_excluded_is_left_out_with_its_pattern(full: LibraryFolder) -> None:
    full.index(exclude=["Back*"])
    report = full.index(full.file("Backup/b"), full.music / "sub" / "backup", full.file("a"))
    assert (report.found, report.unchanged) == (1, 1)
    assert sorted(report.excluded_paths) == [
        (str(full.file("Backup/b")), "Back*"),
        (str(full.music / "sub" / "backup"), "Back*"),
    ]
    assert set(full.items()) == {"a", "sub/d"}


def test_only_items_of_the_folders_that_a_run_updates_leave(full: LibraryFolder) -> None:
    assert full.index(full.music / "sub", exclude=["Backup"]).excluded == 1
    assert set(full.items()) == {"a", "Backup/a", "Backup/b", "sub/d"}
    assert full.index().excluded == 2


def test_items_of_a_root_out_of_reach_stay_until_it_is_back(full: LibraryFolder, tmp_path: Path) -> None:
    _with_broken_file(full)
    full.music.rename(tmp_path / "elsewhere")
    report = full.index(exclude=["Backup"])
    assert (len(report.unreachable), report.excluded, len(full.items())) == (1, 0, 5)
    assert Library.open(full.path).skipped().num_rows == 1
    (tmp_path / "elsewhere").rename(full.music)
    assert (full.index().excluded, len(full.items())) == (3, 2)


def test_an_excluded_file_that_is_gone_is_not_missing(full: LibraryFolder) -> None:
    full.file("Backup/b").unlink()
    report = full.index(exclude=["Backup"])
    assert (report.excluded, report.missing) == (3, 0)


def test_a_file_that_was_named_outright_leaves_too(full: LibraryFolder) -> None:
    odd = full.music / "take.odd"
    odd.write_text("loop 9")
    assert full.index(odd).new == 1
    assert full.index().found == 6
    assert full.index(exclude=["*.odd"]).excluded == 1


@pytest.mark.parametrize("recipe", [replace(RECIPE, encoder_version="2"), replace(RECIPE, window=5.0, hop=5.0)])
def test_an_upgrade_honours_what_was_excluded(full: LibraryFolder, recipe: object) -> None:
    full.index(exclude=["Backup"])
    full.analysed()
    report = full.index(recipe=recipe, upgrade=True)
    assert (report.found, report.excluded, report.dropped) == (2, 0, 0)
    assert set(full.items()) == {"a", "sub/d"}
    assert read_manifest(full.path).excluded == ("Backup",)


@pytest.mark.parametrize("recipe", [replace(RECIPE, encoder_version="2"), replace(RECIPE, window=5.0, hop=5.0)])
def test_an_upgrade_may_exclude(full: LibraryFolder, recipe: object) -> None:
    full.file("sub/d").unlink()
    report = full.index(recipe=recipe, upgrade=True, exclude=["Backup"])
    assert (report.found, report.excluded, report.dropped + report.missing) == (1, 3, 1)
    assert set(full.items()) == ({"a", "sub/d"} if report.missing else {"a"})
    assert read_manifest(full.path).excluded == ("Backup",)


def test_a_path_is_refused_before_a_library_is_made(library_folder: LibraryFolder) -> None:
    library_folder.write(a="song 3 1")
    with pytest.raises(InputError, match=r"write '/a\.wav'"):
        library_folder.index(exclude=[str(library_folder.file("a"))])
    assert not library_folder.path.exists()


def test_a_path_of_the_library_is_no_pattern(full: LibraryFolder) -> None:
    for pattern in (str(full.music / "Backup"), "music/Backup/"):  # as hits are written
        with pytest.raises(InputError, match="write '/Backup'"):
            full.index(exclude=[pattern])
    assert read_manifest(full.path).excluded == ()
    full.write(music__Backup__e="loop 6")
    assert full.index(exclude=["music/Backup"]).found == 5


def test_remove_tells_what_to_exclude(full: LibraryFolder) -> None:
    full.file("Backup/a").unlink()
    full.index()
    removed = remove(full.path, [full.music / "Backup", full.file("sub/d"), "music/a.wav"])
    assert removed.still_there == ("/Backup", "/sub/d.wav", "/a.wav")
    report = full.index(exclude=removed.still_there)
    assert (report.found, set(full.items())) == (1, {"sub/backup/c"})


def test_remove_tells_nothing_where_nothing_would_return(full: LibraryFolder) -> None:
    full.index(full.file("a"), exclude=["Backup"])  # its items elsewhere are still there
    full.file("sub/d").unlink()
    removed = remove(full.path, [full.music / "Backup", full.file("sub/d")])
    assert (removed.items, removed.still_there) == (3, ())
    assert remove(full.path, [full.file("a"), full.music]).still_there == ()  # the root is forgotten


def test_patterns_that_match_nothing_are_reported(full: LibraryFolder) -> None:
    report = full.index(exclude=["Bakcup", "sub/backup", "/Backup/a.wav", "*.tmp"])
    assert report.unmatched_patterns == ["*.tmp", "Bakcup"]
    (full.music / "notes.TMP").touch()  # it need not be audio
    assert full.index().unmatched_patterns == ["Bakcup"]
    assert full.index(full.music / "sub").unmatched_patterns == ["*.tmp", "/Backup/a.wav", "Bakcup"]
