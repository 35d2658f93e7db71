from __future__ import annotations

from pathlib import Path

import pytest

from soundalike.errors import InputError, LibraryError
from soundalike.library.storage.location import OutdatedError, Remote, absolute, as_location, lies_there, readable_stat
from tests.object_store import ObjectStore

cluster = pytest.mark.cluster


def test_paths_are_paths(tmp_path: Path) -> None:
    assert as_location("some/folder") == Path("some/folder")
    assert as_location(tmp_path) is not None
    assert as_location((tmp_path / "a b").as_uri()) == tmp_path / "a b"
    assert absolute("x") == Path.cwd() / "x"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gs://bucket/folder", "has the scheme gs://"),
        ("file://elsewhere/folder", "on another machine"),
        ("s3:///folder", "not a location on object storage"),
        ("s3://bucket/../other", "not a location on object storage"),
        ("s3://bucket/a//b", "not a location on object storage"),
    ],
)
def test_invalid_addresses_are_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        as_location(text)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("soundalike.config.find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"s3://bucket/folder\) needs obstore.*soundalike\[s3\]"):
        as_location("s3://bucket/folder")


def test_remote_places_join_and_part_like_paths() -> None:
    place = Remote("bucket", "music") / "a/b.flac"
    assert str(place) == "s3://bucket/music/a/b.flac"
    assert (place.name, place.suffix, str(place.parent)) == ("b.flac", ".flac", "s3://bucket/music/a")
    assert [str(one) for one in place.parents] == ["s3://bucket/music/a", "s3://bucket/music", "s3://bucket"]
    assert Remote("bucket").name == "bucket"
    assert Remote("bucket") / "" == Remote("bucket")


@cluster
def test_an_object_is_distinguished_from_a_folder(bucket: str) -> None:
    folder = Remote(bucket, "a")
    assert not folder.exists()
    (folder / "b" / "c.txt").overwrite("text")
    (Remote(bucket) / "ab").overwrite("not in a")
    assert folder.is_dir()
    assert not folder.is_file()
    assert (folder / "b/c.txt").is_file()
    assert lies_there(folder / "b/c.txt")
    assert not (folder / "b/c.txt").is_dir()
    assert [name for name, _ in folder.files()] == ["b/c.txt"]
    assert Remote(bucket).names() == ["a", "ab"]
    folder.delete_all()
    assert Remote(bucket).names() == ["ab"]


@cluster
@pytest.mark.parametrize("name", ["ä b#1%20c.wav", "ü+&=?.wav", "dot..wav", "a~b (1).wav"])
def test_names_survive(bucket: str, name: str) -> None:
    place = Remote(bucket, "in") / name
    place.overwrite(name)
    assert place.read_text() == name
    assert [found for found, _ in Remote(bucket, "in").files()] == [name]


@cluster
def test_the_stamp_is_that_of_the_bytes(bucket: str) -> None:
    place = Remote(bucket, "x")
    place.overwrite("one")
    one = readable_stat(place)
    place.overwrite("two")
    two = place.stat()
    place.overwrite("one")
    assert (one.st_size, two.st_size) == (3, 3)
    assert one.st_mtime_ns != two.st_mtime_ns
    assert place.stat() == one
    assert dict(Remote(bucket).files()) == {"x": one}
    with pytest.raises(FileNotFoundError, match="there is no s3://"):
        (place / "y").stat()


@cluster
def test_a_text_is_replaced_only_as_it_was_read(bucket: str, object_store: ObjectStore) -> None:
    place = Remote(bucket, "x")
    first = place.write("1", tag=None)
    with pytest.raises(OutdatedError):
        place.write("2", tag=None)
    assert place.read() == ("1", first)
    place.write("2", tag=first)
    with pytest.raises(OutdatedError):
        place.write("3", tag=first)
    assert place.read_text() == "2"
    puts = [(request.if_none_match, request.if_match) for request in object_store.requests if request.method == "PUT"]
    assert puts[-4:] == [("*", None), ("*", None), (None, first), (None, first)]


@cluster
def test_an_unreachable_store_is_reported(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LibraryError, match="no bucket 'elsewhere-1234'"):
        Remote("elsewhere-1234", "x").exists()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setattr("soundalike.library.storage.location.RETRIES", 0)
    with pytest.raises(LibraryError, match=r"cannot be reached.*AWS_ENDPOINT_URL"):
        Remote(bucket, "x").stat()
