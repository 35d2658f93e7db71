"""Places of libraries and audio: a local folder (`Path`), or a folder of an object store (`Remote`).

Both have the same methods for testing existence, joining names and reading small texts. Credentials and the endpoint come
from the environment (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, ...), for the tables as for everything else.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from urllib.request import url2pathname

from soundalike.config import expanded, replace_file, require_extra
from soundalike.errors import InputError, LibraryError

SCHEME = "s3"

RETRY_SECONDS = 30
RETRIES = 5
"""How long, and how often, a request to a store that does not answer is retried."""


class ObjectStat(NamedTuple):
    """Size and time of a stored object, under the names of `os.stat_result`.

    st_mtime_ns: a hash of its entity tag (63 bits), which changes with the bytes.
    """

    st_size: int
    st_mtime_ns: int


class Stamped(NamedTuple):
    """A text, and the entity tag by which it can be replaced only if it has not been replaced since."""

    text: str
    tag: str


class OutdatedError(LibraryError):
    """An object has changed since it was read, or exists already."""


class ObjectRefusedError(LibraryError):
    """The store refuses an object, or a listing, to this account; others may be readable. An archived object is refused until
    it is restored."""


@dataclass(frozen=True, order=True)
class Remote:
    """A place in an object store, `s3://bucket/key`. As with paths, `/` joins.

    All methods that access the store raise LibraryError if it cannot be reached, and ObjectRefusedError, which is one, if it
    refuses.
    """

    bucket: str
    key: str = ""

    def __str__(self) -> str:
        return f"{SCHEME}://{self.bucket}" + (f"/{self.key}" if self.key else "")

    def __truediv__(self, name: str) -> Remote:
        return Remote(self.bucket, "/".join(part for part in (self.key, name) if part))

    @property
    def name(self) -> str:
        """The last part of the key; of a whole bucket, the bucket."""
        return self.key.rpartition("/")[2] or self.bucket

    @property
    def suffix(self) -> str:
        """Like `Path.suffix`."""
        return PurePosixPath(self.name).suffix

    @property
    def parent(self) -> Remote:
        """The folder that contains it; a bucket is its own parent."""
        return Remote(self.bucket, self.key.rpartition("/")[0])

    @property
    def parents(self) -> tuple[Remote, ...]:
        """All folders that contain it, the nearest first."""
        found, place = [], self
        while place.key:
            place = place.parent
            found.append(place)
        return tuple(found)

    @property
    def parts(self) -> tuple[str, ...]:
        """Bucket and parts of the key."""
        return (self.bucket, *filter(None, self.key.split("/")))

    def stat(self) -> ObjectStat:
        """Size and stamp of an object. Raises FileNotFoundError where there is none."""
        with _translated(self):
            return _stat_of(_store(self.bucket).head(self.key))

    def is_file(self) -> bool:
        """Whether there is an object of this name."""
        try:
            return bool(self.key) and bool(self.stat())
        except FileNotFoundError:
            return False

    def is_dir(self) -> bool:
        """Whether any object lies under this name."""
        return next(self.files(), None) is not None

    def exists(self) -> bool:
        """Whether there is an object of this name, or one under it."""
        return self.is_file() or self.is_dir()

    def files(self) -> Iterator[tuple[str, ObjectStat]]:
        """All objects under this folder, by their names relative to it, in the store's order."""
        inside = f"{self.key}/" if self.key else ""
        with _translated(self):
            for page in _store(self.bucket).list(prefix=self.key or None):
                for entry in page:
                    if entry["path"].startswith(inside):
                        yield entry["path"][len(inside) :], _stat_of(entry)

    def names(self) -> list[str]:
        """The names directly in this folder, sorted."""
        with _translated(self):
            found = _store(self.bucket).list_with_delimiter(prefix=self.key or None)
        inside = [*found["common_prefixes"], *(entry["path"] for entry in found["objects"])]
        return sorted(Remote(self.bucket, key).name for key in inside)

    def read(self) -> Stamped:
        """An object as text. Raises FileNotFoundError where there is none."""
        with _translated(self):
            found = _store(self.bucket).get(self.key)
            return Stamped(bytes(found.bytes()).decode("utf-8"), str(found.meta["e_tag"]))

    def read_text(self, encoding: str = "utf-8") -> str:
        """Like `Path.read_text`."""
        return self.read().text

    def write(self, text: str, *, tag: str | None) -> str:
        """Create an object with a text (tag: None) or replace the one with that tag, atomically; returns its new tag.

        Raises OutdatedError if the object exists already, or has another tag.
        """
        from obstore.exceptions import AlreadyExistsError, NotFoundError, PreconditionError

        with _translated(self):
            try:
                mode: Any = "create" if tag is None else {"e_tag": tag}
                return str(_store(self.bucket).put(self.key, text.encode("utf-8"), mode=mode)["e_tag"])
            except (AlreadyExistsError, PreconditionError, NotFoundError, FileNotFoundError):
                raise OutdatedError(f"{self} has been written by another process") from None

    def overwrite(self, text: str) -> None:
        """Write a text, whatever was there."""
        with _translated(self):
            _store(self.bucket).put(self.key, text.encode("utf-8"))

    def seconds_old(self, clock: Remote) -> float:
        """Seconds since the object was written, by the store's own clock; clock: an object that is written to read it."""
        with _translated(self):
            store = _store(self.bucket)
            store.put(clock.key, b"")
            now, then = store.head(clock.key)["last_modified"], store.head(self.key)["last_modified"]
            return float((now - then).total_seconds())

    def blocks(self) -> Iterator[memoryview]:
        """The bytes of an object, block by block. Raises FileNotFoundError where there is none."""
        with _translated(self):
            for block in _store(self.bucket).get(self.key).stream(min_chunk_size=1 << 20):
                yield memoryview(block)

    def delete(self) -> None:
        """Delete an object, if it is there."""
        with _translated(self), suppress(FileNotFoundError):
            _store(self.bucket).delete(self.key)

    def delete_all(self) -> None:
        """Delete all that lies under this name."""
        keys = [(self / name).key for name, _ in self.files()]
        with _translated(self):
            for begin in range(0, len(keys), 1000):
                _store(self.bucket).delete(keys[begin : begin + 1000])


Location = Path | Remote
"""Where something lies."""


def as_location(place: str | Path | Remote) -> Location:
    """The location that `place` names: an `s3://` address, a `file://` address, or a path.

    Raises InputError for an empty text, an address of another scheme, or `s3://` without the extra `s3`.
    """
    if place == "":
        raise InputError("a path is empty; name a file or folder (. is the present folder)")
    if isinstance(place, Remote):
        require_extra("s3", f"a place on object storage ({place})")
        return place
    text = str(place)
    scheme, separator, _ = text.partition("://")
    if not separator or not scheme.isalnum() or isinstance(place, Path):
        return Path(place)
    found = urlsplit(text)
    if scheme.lower() == "file":
        if found.netloc not in ("", "localhost"):
            raise InputError(f"{text} is on another machine; mount it and give its path")
        return Path(url2pathname(found.path))
    if scheme.lower() != SCHEME:
        raise InputError(f"{text} has the scheme {scheme}://; give a path, file:// or {SCHEME}://bucket/folder")
    bucket, _, key = text.partition("://")[2].partition("/")
    key = key.strip("/")
    if not bucket or any(part in ("", ".", "..") for part in key.split("/") if key):
        raise InputError(f"{text} is not a location on object storage; write {SCHEME}://bucket/folder")
    require_extra("s3", f"a place on object storage ({text})")
    return Remote(bucket, key)


def absolute(place: str | Path | Remote) -> Location:
    """`place` as an absolute path, or as it is where it is remote."""
    found = as_location(place)
    return found if isinstance(found, Remote) else Path(os.path.abspath(expanded(found)))


def lies_there(place: Location) -> bool:
    """Whether anything has this name, including a broken link, and an object that its store refuses."""
    if not isinstance(place, Remote):
        return os.path.lexists(place)
    try:
        return place.is_file()
    except ObjectRefusedError:
        return True


def readable_stat(place: Location) -> os.stat_result | ObjectStat:
    """Size and time of change of a file that can be opened. Raises OSError or ObjectRefusedError if it cannot."""
    if isinstance(place, Remote):
        return place.stat()
    with open(place, "rb") as file:
        return os.fstat(file.fileno())


def replace_text(place: Location, text: str) -> None:
    """Replace a small text file in one step: after a crash it is the old one or the new one, never a part of one.

    Raises LibraryError if it cannot be written.
    """
    if isinstance(place, Remote):
        place.overwrite(text)
        return
    try:
        replace_file(place, text)
    except OSError as error:
        raise LibraryError(f"{place} cannot be written ({error}); what was there is unchanged") from error


def storage_options() -> dict[str, str]:
    """Options for Lance beside the environment variables that it reads itself."""
    return {"allow_http": "true"} if _plain_http() else {}


def _plain_http(environment: Mapping[str, str] = os.environ) -> bool:
    names = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT")
    return any(environment.get(name, "").startswith("http://") for name in names)


def _store(bucket: str) -> Any:
    return _opened(bucket, tuple(sorted((k, v) for k, v in os.environ.items() if k.startswith("AWS_"))))


@functools.lru_cache(maxsize=64)
def _opened(bucket: str, environment: tuple[tuple[str, str], ...]) -> Any:
    """A client for a bucket; another one where the environment has changed."""
    from datetime import timedelta

    from obstore.store import S3Store

    return S3Store(
        bucket,
        client_options={"allow_http": _plain_http(dict(environment))},
        retry_config={"max_retries": RETRIES, "retry_timeout": timedelta(seconds=RETRY_SECONDS)},
    )


def _stat_of(entry: Mapping[str, Any]) -> ObjectStat:
    tag = entry["e_tag"] or entry["last_modified"].isoformat()
    return ObjectStat(int(entry["size"]), int.from_bytes(hashlib.blake2b(tag.encode(), digest_size=8).digest()) >> 1)


@contextmanager
def _translated(place: Remote) -> Iterator[None]:
    """Raise the store's errors as LibraryError with a readable message; a missing object stays a FileNotFoundError."""
    from obstore.exceptions import BaseError, NotFoundError, PermissionDeniedError, UnauthenticatedError

    try:
        yield
    except (FileNotFoundError, NotFoundError) as error:
        raise _no_bucket(place, error) or FileNotFoundError(f"there is no {place}") from None
    except (PermissionError, PermissionDeniedError) as error:
        raise ObjectRefusedError(
            f"{place} is refused by the store ({_short(error)}); if it is archived, restore it; otherwise set "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this account access to it"
        ) from error
    except UnauthenticatedError as error:
        raise LibraryError(
            f"{place} is refused by the store ({_short(error)}); set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        ) from error
    except (BaseError, OSError) as error:
        if "/latest/" in str(error):  # with nothing in the environment, the client looks for a machine's own role
            raise LibraryError(
                f"there are no credentials for {place}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this machine a "
                "role"
            ) from error
        raise _no_bucket(place, error) or LibraryError(
            f"{place} cannot be reached ({_short(error)}); check the network, AWS_ENDPOINT_URL and AWS_REGION"
        ) from error


def _no_bucket(place: Remote, error: Exception) -> LibraryError | None:
    if "NoSuchBucket" not in str(error):
        return None
    return LibraryError(f"there is no bucket {place.bucket!r} for {place}; create it, or name another")


def _short(error: Exception) -> str:
    """What an error of the store's client says, on one line: the code and message of the store's answer, if it has them, else
    the first line, without the time that the request took. The same error gives the same text."""
    code, message = (re.search(f"<{name}>(.*?)</{name}>", str(error), re.DOTALL) for name in ("Code", "Message"))
    if code and message:
        text = " ".join(f"{code[1]}: {message[1]}".split())
    else:
        text = next(iter(str(error).splitlines()), "") or type(error).__name__
    return re.sub(r" in [\d.]+(ns|µs|ms|s)\b", "", text)[:300]
