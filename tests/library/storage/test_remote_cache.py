from __future__ import annotations

from pathlib import Path

import pytest

from soundalike.errors import AudioError
from soundalike.library.storage import remote_cache
from soundalike.library.storage.location import Remote
from soundalike.library.storage.remote_cache import cached_copy, downloaded

cluster = pytest.mark.cluster


def test_a_local_file_is_itself(tmp_path: Path) -> None:
    with downloaded(tmp_path / "a.wav") as path:
        assert path == tmp_path / "a.wav"
    assert cached_copy(tmp_path / "a.wav") == tmp_path / "a.wav"


@cluster
def test_a_copy_lasts_as_long_as_its_task_and_errors_name_the_place(bucket: str) -> None:
    place = Remote(bucket, "music/a b.wav")
    place.overwrite("sound")
    with downloaded(place) as path:
        assert path.read_text() == "sound"
        assert path.suffix == ".wav"
    assert not path.parent.exists()
    with pytest.raises(AudioError, match=f"^s3://{bucket}/music/a b.wav: not audio$"), downloaded(place) as path:
        raise AudioError(f"{path}: not audio")
    with pytest.raises(AudioError, match="no longer exists"), downloaded(place.parent / "gone.wav"):
        pass


@cluster
def test_a_too_large_object_is_not_downloaded(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_cache, "MAX_BYTES", 3)
    place = Remote(bucket, "a.wav")
    place.overwrite("sound")
    with pytest.raises(AudioError, match="larger than"), downloaded(place):
        pass


@cluster
def test_cached_copies_belong_to_their_bytes_and_make_room(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_cache, "CACHE_BYTES", 10)
    place = Remote(bucket, "a.wav")
    place.overwrite("first")
    first = cached_copy(place)
    assert cached_copy(place) == first
    place.overwrite("second!")
    second = cached_copy(place)
    assert second.read_text() == "second!"
    assert not first.exists()  # 12 bytes are more than 10
    with pytest.raises(AudioError, match="no longer exists"):
        cached_copy(place.parent / "gone.wav")
    assert [file.name for file in second.parent.iterdir()] == [second.name]
