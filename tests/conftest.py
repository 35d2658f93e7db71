"""Fixtures that several test modules share."""

from __future__ import annotations

import gc
import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.made_up_library import library_folder, touch_later
from tests.object_store import ObjectStore, serving
from tests.ray_nodes import nodes
from tests.shared_folder import shared_folder

__all__ = ["library_folder", "nodes", "touch_later"]


@pytest.fixture(scope="session", autouse=True)
def no_temporary_folder_is_left() -> Iterator[None]:
    """Fails the run if a temporary folder of soundalike is left at its end, and names the test that made it."""
    made: dict[Path, str] = {}
    mkdtemp = tempfile.mkdtemp

    def recorded(*args: Any, **kwargs: Any) -> str:
        path = mkdtemp(*args, **kwargs)
        made[Path(path)] = os.environ.get("PYTEST_CURRENT_TEST", "no test")
        return path

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "mkdtemp", recorded)
        yield
    gc.collect()
    left = [f"{path}: {test}" for path, test in made.items() if path.name.startswith("soundalike-") and path.exists()]
    assert not left, "temporary folders are left:\n" + "\n".join(left)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real songs, samples and multitracks; tests that need it are skipped if it is missing."""
    value = os.environ.get("SOUNDALIKE_TEST_DATA")
    if not value:
        pytest.skip("SOUNDALIKE_TEST_DATA is not set: no real audio to test with")
    path = Path(value)
    if not path.is_dir():
        pytest.skip(f"SOUNDALIKE_TEST_DATA={value} is not a folder")
    return path


@pytest.fixture(scope="session")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of generated music: songs/, loops/, one-shots/ and its truth (see `soundalike.synth`); read-only."""
    from soundalike.synth.music_library import MusicOptions, write_library

    def make(folder: Path) -> None:
        write_library(folder, MusicOptions(seed=5, songs=4, loops=8, one_shots=20, length=22.0))

    return shared_folder(tmp_path_factory, "music", make)


@pytest.fixture(scope="session")
def library(music: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`music`, indexed with the built-in models; read-only: tests that write use a copy."""
    from soundalike.library.indexing.library_update import index

    def make(folder: Path) -> None:
        index(folder / "library", [music], window=5.0, jobs=2)

    return shared_folder(tmp_path_factory, "libraries", make) / "library"


@pytest.fixture(scope="session")
def object_store() -> Iterator[ObjectStore]:
    """An S3 server; tests that need it are skipped without the extra `cluster` and its test dependencies."""
    for name in ("obstore", "moto", "boto3"):
        pytest.importorskip(name, reason="needs the extra: cluster")
    with serving() as store:
        yield store


@pytest.fixture
def bucket(object_store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of an empty bucket, which the environment variables point to; the cache is a folder of this test."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in object_store.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    name = f"bucket-{uuid.uuid4().hex[:12]}"
    object_store.client().create_bucket(Bucket=name)
    yield name
    object_store.hook = None
    object_store.requests.clear()


LONGEST_FIRST = tuple(f"tests/{name}/" for name in ("research", "audio", "jobs", "web", "cli", "library", "search"))
"""Where the longest files of tests are: if one of them comes last, one of two workers waits for the other at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that drives the page in a browser; files that take long come first."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)

    def position(item: pytest.Item) -> int:
        name = item.nodeid
        return next((n for n, folder in enumerate(LONGEST_FIRST) if name.startswith(folder)), len(LONGEST_FIRST))

    items.sort(key=position)
