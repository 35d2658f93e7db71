from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundalike.errors import InputError
from soundalike.library.indexing.scopes import RootFinder, Scope, Scopes, choose_scopes


def _fill(folder: Path, *names: str) -> None:
    for name in names:
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(name)


def test_a_scope_covers_what_lies_in_it() -> None:
    assert Scope("r", "a").covers("r", "a/1.wav")
    assert not Scope("r", "a").covers("r", "ab/4.wav")
    assert not Scope("r", "a").covers("other", "a/1.wav")
    assert Scope("r", "a.flac").covers("r", "a.flac#02")
    assert not Scope("r", "a.flac").covers("r", "a.flac#b")


_PATHS = st.lists(st.sampled_from(["a", "b", "/", "#", "1", "²"]), max_size=7).map("".join)
_ROOTS = st.sampled_from(["r", "s"])


@given(st.lists(st.builds(Scope, _ROOTS, _PATHS), max_size=4), _ROOTS, _PATHS)
def test_scopes_cover_what_any_of_them_covers(scopes: list[Scope], root: str, path: str) -> None:
    assert Scopes(scopes).covers(root, path) == any(scope.covers(root, path) for scope in scopes)


@given(_ROOTS, _PATHS, st.sampled_from(["", "/b", "/b/a#1", "#1", "#12", "#²", "#b", "1", "#"]))
def test_scopes_cover_what_lies_in_one_of_them(root: str, inside: str, rest: str) -> None:
    """Paths that share their beginning with a scope, of which a path at random seldom is one."""
    scope = Scope(root, inside)
    assert Scopes([Scope("other"), scope]).covers(root, inside + rest) == scope.covers(root, inside + rest)


def test_folders_become_roots_with_names_of_their_own(tmp_path: Path) -> None:
    _fill(tmp_path, "x/songs/1.wav", "y/songs/2.wav", "y/more/3.wav")
    roots, scopes = choose_scopes([tmp_path / "x/songs", tmp_path / "y/songs", tmp_path / "y/more/3.wav"], {})
    assert roots == {"songs": tmp_path / "x/songs", "songs-2": tmp_path / "y/songs", "more": tmp_path / "y/more"}
    assert scopes == [Scope("songs"), Scope("songs-2"), Scope("more", "3.wav")]


def test_paths_in_known_roots_make_no_new_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _fill(tmp_path, "music/a/1.wav", "music/inner/2.wav")
    roots = {"music": tmp_path / "music", "inner": tmp_path / "music" / "inner"}
    assert choose_scopes([], roots)[1] == [Scope("music"), Scope("inner")]
    assert choose_scopes([tmp_path / "music" / "a"], roots) == (roots, [Scope("music", "a")])
    # what lies inside another root is updated with the folder that contains it
    assert choose_scopes([tmp_path / "music"], roots)[1] == [Scope("music"), Scope("inner")]
    (tmp_path / "link").symlink_to(tmp_path / "music", target_is_directory=True)
    assert choose_scopes([tmp_path / "link" / "a"], roots) == (roots, [Scope("music", "a")])
    monkeypatch.chdir(tmp_path / "music")
    assert choose_scopes([Path("a/1.wav")], roots)[1] == [Scope("music", "a/1.wav")]
    # a path that is gone is fine where the library may know of it, and only there
    assert choose_scopes([tmp_path / "music" / "gone"], roots)[1] == [Scope("music", "gone")]
    with pytest.raises(InputError, match=r"there is no .*nowhere"):
        choose_scopes([tmp_path / "nowhere"], roots)


def test_where_a_path_belongs(tmp_path: Path) -> None:
    finder = RootFinder({"r": tmp_path, "top": Path("/")})
    assert finder.locate(tmp_path) == ("r", "")
    assert finder.locate(tmp_path / "a" / "b.wav") == ("r", "a/b.wav")
    assert finder.locate(Path("/b.wav")) == ("top", "b.wav")
    with pytest.raises(InputError, match="is not in any root"):
        RootFinder({"r": tmp_path / "a"}).locate(tmp_path / "ab")
