from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from soundalike.library.indexing import cue_tracks
from soundalike.library.indexing import scan as scanning
from soundalike.library.indexing.content_digest import content_digest
from soundalike.library.indexing.exclusions import Exclusions
from soundalike.library.indexing.scan import reachable, scan
from soundalike.library.indexing.scanned_file import Scan
from soundalike.library.indexing.scopes import Scope

AUDIO = frozenset({".wav", ".flac"})


def _fill(folder: Path, *names: str) -> None:
    for name in names:
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(name)


def _scan(roots: dict[str, Path], *scopes: Scope, known: dict[str, int] | None = None) -> Scan:
    return scan(roots, scopes or [Scope(name) for name in roots], extensions=AUDIO, known=known or {})


def _paths(found: Scan) -> list[str]:
    return [f"{file.root}/{file.path}" for file in found.files]


def test_audio_files_are_found_in_order_and_hidden_ones_left_out(tmp_path: Path) -> None:
    _fill(tmp_path, "b.wav", "a/z.FLAC", "a/y.txt", ".hidden/x.wav", "a/.w.wav", "a b/c d.wav")
    found = _scan({"r": tmp_path})
    assert _paths(found) == ["r/a b/c d.wav", "r/a/z.FLAC", "r/b.wav"]
    file = found.files[2]
    facts = (tmp_path / "b.wav").stat()
    assert (file.size, file.mtime_ns) == (facts.st_size, facts.st_mtime_ns)
    assert (found.unusable, found.unreadable, found.unreachable) == ([], [], [])


def test_a_folder_named_like_audio_is_a_folder(tmp_path: Path) -> None:
    _fill(tmp_path, "album.wav/one.wav")
    assert _paths(_scan({"r": tmp_path})) == ["r/album.wav/one.wav"]


def test_links_are_followed_once_and_not_in_circles(tmp_path: Path) -> None:
    _fill(tmp_path, "root/real/a.wav", "outside/b.wav", "outside/deep/c.wav", "lone/d.wav")
    root = tmp_path / "root"
    (root / "a-circle").symlink_to(root, target_is_directory=True)
    (root / "inside").symlink_to(root / "real", target_is_directory=True)
    (root / "first").symlink_to(tmp_path / "outside", target_is_directory=True)
    (root / "second").symlink_to(tmp_path / "outside", target_is_directory=True)
    (tmp_path / "outside" / "back").symlink_to(root, target_is_directory=True)
    (root / "copy.wav").symlink_to(root / "real" / "a.wav")
    (root / "lone.wav").symlink_to(tmp_path / "lone" / "d.wav")
    (root / "nowhere.wav").symlink_to(tmp_path / "nothing")
    found = _scan({"r": root})
    assert _paths(found) == ["r/first/b.wav", "r/first/deep/c.wav", "r/lone.wav", "r/real/a.wav"]
    assert found.unusable == [("r", "nowhere.wav", "a link to nothing")]


def test_pipes_and_undecodable_names_are_reported_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    with open(os.fsencode(tmp_path) + b"/caf\xe9.wav", "wb"):
        pass
    found = _scan({"r": tmp_path})
    assert found.files == []
    assert sorted(reason for _, _, reason in found.unusable) == [
        "its name is not valid Unicode; rename it",
        "not a regular file",
    ]
    assert all(path.encode() for _, path, _ in found.unusable)


def test_a_file_belongs_to_the_deepest_root(tmp_path: Path) -> None:
    _fill(tmp_path, "a.wav", "inner/b.wav", "inner/deeper/c.wav", "inner-not/d.wav")
    roots = {"outer": tmp_path, "inner": tmp_path / "inner"}
    assert _paths(_scan(roots)) == ["inner/b.wav", "inner/deeper/c.wav", "outer/a.wav", "outer/inner-not/d.wav"]
    assert _paths(_scan(roots, Scope("inner"))) == ["inner/b.wav", "inner/deeper/c.wav"]


def test_only_what_was_asked_for_is_scanned(tmp_path: Path) -> None:
    _fill(tmp_path, "a/1.wav", "b/2.wav", "b/3.odd", "ab/4.wav")
    roots = {"r": tmp_path}
    assert _paths(_scan(roots, Scope("r", "a"))) == ["r/a/1.wav"]
    assert _paths(_scan(roots, Scope("r", "b/3.odd"))) == ["r/b/3.odd"]  # named outright, whatever its suffix
    assert _paths(_scan(roots, Scope("r", "gone"))) == []


def test_a_folder_is_listed_once_for_all_files_named_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And once more for the sheet above that refers into it; each sheet is read once. Also if sheets are named themselves."""
    _fill(tmp_path, *(f"a/{number}.wav" for number in range(8)), *(f"b/{number}.wav" for number in range(8)))
    (tmp_path / "box.cue").write_text(SHEET.format("a/0.wav"))
    (tmp_path / "a" / "1.cue").write_text(SHEET.format("1.wav"))
    (tmp_path / "a" / "2.cue").write_text("nothing")
    listed, read = [], []
    listdir, read_cue_sheet = os.listdir, cue_tracks.read_cue_sheet
    monkeypatch.setattr(scanning.os, "listdir", lambda path: (listed.append(Path(path)), listdir(path))[1])
    monkeypatch.setattr(cue_tracks, "read_cue_sheet", lambda data: (read.append(data), read_cue_sheet(data))[1])
    files = [f"{folder}/{number}.wav" for folder in "ab" for number in range(8)]
    found = _scan({"r": tmp_path}, *(Scope("r", path) for path in files))
    divided = ["r/a/0.wav#01", "r/a/0.wav#02", "r/a/1.wav#01", "r/a/1.wav#02"]
    assert _paths(found) == divided + [f"r/{path}" for path in files[2:]]
    assert [path for _, path, _ in found.unusable] == ["a/2.cue"]
    assert sorted(listed) == [tmp_path, tmp_path, tmp_path / "a", tmp_path / "a", tmp_path / "b"]
    assert len(read) == 3
    listed.clear()
    assert _paths(_scan({"r": tmp_path}, Scope("r", "a/1.cue"), Scope("r", "a/2.cue"))) == divided[2:]
    assert listed.count(tmp_path / "a") == 2


def test_a_root_that_is_gone_or_suddenly_empty_is_out_of_reach(tmp_path: Path) -> None:
    (tmp_path / "mount").mkdir()
    roots = {"gone": tmp_path / "gone", "mount": tmp_path / "mount", "new": tmp_path / "mount"}
    assert _scan(roots, known={"mount": 3}).unreachable == ["gone", "mount"]
    assert reachable(tmp_path / "mount", has_items=False)
    assert not reachable(tmp_path / "mount", has_items=True)


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _fill(tmp_path, "a/1.wav", "locked/2.wav", "z/3.wav")
    real = os.scandir

    def scandir(path: Path) -> object:
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(scanning.os, "scandir", scandir)
    found = _scan({"r": tmp_path})
    assert _paths(found) == ["r/a/1.wav", "r/z/3.wav"]
    assert found.unreadable == [("r", "locked", "Permission denied")]


def test_the_library_itself_is_left_out(tmp_path: Path) -> None:
    _fill(tmp_path, "a.wav", "lib/b.wav")
    found = scan({"r": tmp_path}, [Scope("r")], extensions=AUDIO, known={}, leave_out=tmp_path / "lib")
    assert _paths(found) == ["r/a.wav"]


def test_another_library_is_left_out_and_named(tmp_path: Path) -> None:
    _fill(tmp_path, "a.wav", "lib/library.json", "lib/generation-1/items.lance/data/x.lance", "lib/listening/x.wav")
    _fill(tmp_path, "z/library.json", "z/b.wav", "z/c.txn")  # the manifest of something else
    found = _scan({"r": tmp_path})
    assert _paths(found) == ["r/a.wav", "r/z/b.wav"]
    assert found.libraries == [("r", "lib")]
    assert found.other == {".json": 1, ".txn": 1}
    own = scan({"r": tmp_path}, [Scope("r")], extensions=AUDIO, known={}, leave_out=tmp_path / "lib")
    assert own.libraries == []


def test_the_digest_is_of_all_bytes(tmp_path: Path) -> None:
    data = os.urandom((1 << 20) + 17)
    (tmp_path / "f").write_bytes(data)
    assert content_digest(tmp_path / "f") == hashlib.blake2b(data, digest_size=16).hexdigest()
    with pytest.raises(OSError, match="No such file"):
        content_digest(tmp_path / "none")


def test_files_left_out_for_their_suffix_are_counted(tmp_path: Path) -> None:
    _fill(tmp_path, "a.wav", "b.rx2", "c.RX2", "deep/d.mid", "LICENSE", ".hidden.rx2", ".hidden/e.rx2", "f.wav/g.txt")
    found = _scan({"r": tmp_path})
    assert _paths(found) == ["r/a.wav"]
    assert found.other == {".rx2": 2, ".mid": 1, "": 1, ".txt": 1}
    named = scan({"r": tmp_path}, [Scope("r", "b.rx2")], extensions=AUDIO, known={})
    assert (_paths(named), named.other) == (["r/b.rx2"], {})


def _scan_without(roots: dict[str, Path], patterns: list[str], *scopes: Scope) -> Scan:
    exclusions = Exclusions(patterns)
    return scan(roots, scopes or [Scope(name) for name in roots], extensions=AUDIO, known={}, exclusions=exclusions)


def test_a_pattern_for_a_hidden_name_has_matched(tmp_path: Path) -> None:
    _fill(tmp_path, "a.wav", ".hidden.wav", ".trash/b.wav", ".trash/inner/c.wav")
    exclusions = Exclusions([".hidden.wav", ".trash", "inner", "none.wav"])
    found = scan({"r": tmp_path}, [Scope("r")], extensions=AUDIO, known={}, exclusions=exclusions)
    assert _paths(found) == ["r/a.wav"]
    assert exclusions.unmatched == {"inner", "none.wav"}  # a hidden folder is not entered


def test_excluded_folders_are_not_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _fill(tmp_path, "a.wav", "Backup/b.wav", "x/backup/lib/library.json", "x/backup/lib/generation-1/c.wav", "x/d.tmp")
    _fill(tmp_path, "x/Backup vocals.wav", "Live/Samples/e.wav", "Live/f.wav", "y/Samples/g.wav", "x/d.rx2")
    entered: list[str] = []
    real = os.scandir

    def scandir(path: Path) -> object:
        entered.append(Path(path).relative_to(tmp_path).as_posix())
        return real(path)

    monkeypatch.setattr(scanning.os, "scandir", scandir)
    found = _scan_without({"r": tmp_path}, ["Backup", "Live/Samples", "*.tmp"])
    assert _paths(found) == ["r/Live/f.wav", "r/a.wav", "r/x/Backup vocals.wav", "r/y/Samples/g.wav"]
    assert set(entered) == {".", "Live", "x", "y", "y/Samples"}
    assert (found.other, found.libraries, found.excluded) == ({".rx2": 1}, [], [])


def test_what_is_named_and_excluded_is_left_out_and_noted(tmp_path: Path) -> None:
    _fill(tmp_path, "Backup/b.wav", "Backup/in/c.wav", "d.wav")
    named = (Scope("r", "Backup/in"), Scope("r", "d.wav"), Scope("r", "Backup/b.wav"))
    found = _scan_without({"r": tmp_path}, ["/Backup"], *named)
    assert (_paths(found), found.excluded) == (["r/d.wav"], [("r", "Backup/b.wav"), ("r", "Backup/in")])


def test_patterns_begin_at_the_deepest_root(tmp_path: Path) -> None:
    _fill(tmp_path, "Backup/a.wav", "Backup/Old/b.wav", "Old/c.wav", "d.wav")
    roots = {"outer": tmp_path, "inner": tmp_path / "Backup"}
    assert _paths(_scan_without(roots, ["Backup"])) == [
        "inner/Old/b.wav",
        "inner/a.wav",
        "outer/Old/c.wav",
        "outer/d.wav",
    ]
    assert _paths(_scan_without(roots, ["/Old"])) == ["inner/a.wav", "outer/d.wav"]


def test_a_link_is_excluded_by_its_own_name(tmp_path: Path) -> None:
    _fill(tmp_path, "outside/Backup/a.wav", "outside/b.wav", "root/c.wav")
    for name in ("Old", "z"):
        (tmp_path / "root" / name).symlink_to(tmp_path / "outside", target_is_directory=True)
    (tmp_path / "root" / "old.wav").symlink_to(tmp_path / "outside" / "b.wav")
    found = _scan_without({"r": tmp_path / "root"}, ["Old", "old.wav", "Backup"])
    assert _paths(found) == ["r/c.wav", "r/z/b.wav"]


SHEET = 'FILE "{}" WAVE\nTRACK 1 AUDIO\nINDEX 1 0:0:0\nTRACK 2 AUDIO\nINDEX 1 0:2:0\n'


def test_exclusions_and_cue_sheets(tmp_path: Path) -> None:
    _fill(tmp_path, "album.flac", "CD1/one.flac")
    (tmp_path / "album.cue").write_text(SHEET.format("album.flac"))
    (tmp_path / "box.cue").write_text(SHEET.format("CD1\\one.flac"))
    roots = {"r": tmp_path}
    both = ["r/CD1/one.flac#01", "r/CD1/one.flac#02", "r/album.flac#01", "r/album.flac#02"]
    assert _paths(_scan_without(roots, ["other"])) == both
    assert _paths(_scan_without(roots, ["*.cue"])) == ["r/CD1/one.flac", "r/album.flac"]
    assert _paths(_scan_without(roots, ["*.cue"], Scope("r", "CD1"))) == ["r/CD1/one.flac"]
    assert _paths(_scan_without(roots, ["*#02"])) == ["r/CD1/one.flac#01", "r/album.flac#01"]
    without_audio = _scan_without(roots, ["album.flac", "CD1"])
    assert (without_audio.files, without_audio.unusable) == ([], [])
    named = _scan_without(roots, ["album.flac"], Scope("r", "album.cue"))
    assert (named.files, named.unusable, named.excluded) == ([], [], [])
    (tmp_path / "album.cue").write_text(SHEET.format("album.flac").partition("TRACK 2")[0])
    assert _scan_without(roots, ["album.flac"], Scope("r", "album.cue")).files == []  # it would stay whole
    (tmp_path / "album.cue").write_text(SHEET.format("album.flac"))
    named = _scan_without(roots, ["album.cue"], Scope("r", "album.flac"))
    assert _paths(named) == ["r/album.flac"]
