"""One file from one URL, by HTTP, into a part file that a later attempt goes on with.

An interrupted download is continued by a range request. Where the digest of the whole is known beforehand that is
enough, since the digest is checked at the end; where it is not, the server must vouch by `If-Range` (RFC 9110, 13.1.5)
that the file is still the one that was begun, else it is fetched from the start.
"""

from __future__ import annotations

import errno
import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urljoin, urlsplit, urlunsplit

import requests

from soundalike.errors import CheckpointError
from soundalike.models.checkpoints.table import shown_size

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are here and those of the whole, None where that is not known."""

_CHUNK = 1 << 16
"""Bytes at a time: less than this is lost where a connection breaks off."""

_HEADWAY = 1 << 20
"""So many bytes more than ever before, and a server is gone on with."""

_REDIRECTS = 10
_PASSING = {408, 425, 429, 500, 502, 503, 504}
"""Answers that may be others a moment later."""

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_FULL = {errno.ENOSPC, errno.EDQUOT}


@dataclass(frozen=True)
class Patience:
    """How long a server is waited for. connect, read: seconds without a sign; attempts: requests in a row that fail
    without headway; pause: seconds before the second attempt, doubled before each that follows."""

    connect: float = 15.0
    read: float = 60.0
    attempts: int = 4
    pause: float = 0.5


class _PassingError(Exception):
    """A failure that another attempt may mend; `str` says which."""


def download(
    url: str,
    part: Path,
    *,
    size: int | None = None,
    digest_known: bool = False,
    progress: Progress | None = None,
    patience: Patience | None = None,
) -> None:
    """Fetch `url` into the file `part`, which afterwards holds the whole; goes on with what is in it already.

    size: bytes of the whole if known; digest_known: whether the caller will check the whole against a digest that was
    known beforehand, which allows plain http from a server that the user named. Raises CheckpointError where the file
    cannot be had; whatever has arrived by then stays in `part`.
    """
    patience = patience or Patience()
    _check_scheme(url, digest_known)
    failures, arrived = 0, _length(part)
    while True:
        try:
            with requests.Session() as session:
                _attempt(session, url, part, size, digest_known, progress or _silent, patience)
            return
        except _PassingError as failure:
            now = _length(part)
            # A server that gives a little each time is gone on with; one that gives nothing is given up.
            failures = 1 if now >= arrived + _HEADWAY else failures + 1
            arrived = max(arrived, now)
            if failures >= patience.attempts:
                raise CheckpointError(_given_up(url, str(failure), part, size)) from failure
            time.sleep(patience.pause * 2 ** (failures - 1))


def forget(part: Path) -> None:
    """Remove a part file and what is known of it."""
    part.unlink(missing_ok=True)
    _note_path(part).unlink(missing_ok=True)


def check_space(folder: Path, needed: int) -> None:
    """Raises CheckpointError where the file system of `folder` has less than `needed` bytes free."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise CheckpointError(
            f"{folder} has {shown_size(free)} free where {shown_size(needed)} are needed; make room, or name another "
            "folder by SOUNDALIKE_CHECKPOINTS"
        )


@contextmanager
def writing(path: Path, *, kept: bool = True) -> Iterator[None]:
    """Turns what goes wrong while writing to `path` into a CheckpointError. kept: whether what is there stays."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            rest = f" ({shown_size(_length(path))} are kept: it goes on where it stopped)" if kept else ""
            raise CheckpointError(f"the disk of {path} is full; make room and run this again{rest}") from error
        raise CheckpointError(
            f"{path} cannot be written ({error.strerror or error}); name another folder by SOUNDALIKE_CHECKPOINTS"
        ) from error


def shown_url(url: str) -> str:
    """`url` without a user's name and password, and without what a server signs it with."""
    pieces = urlsplit(url)
    return urlunsplit((pieces.scheme, pieces.netloc.rpartition("@")[2], pieces.path, "", ""))


def _attempt(
    session: requests.Session,
    url: str,
    part: Path,
    size: int | None,
    digest_known: bool,
    progress: Progress,
    patience: Patience,
) -> None:
    """One request, and what comes of it written to `part`. Raises _PassingError where another one may bring the rest."""
    begun = _length(part)
    headers = {"User-Agent": f"soundalike/{version('soundalike')}", "Accept-Encoding": "identity"}
    validator = _noted_validator(part, url)
    if begun and (digest_known or validator):
        headers["Range"] = f"bytes={begun}-"
        if not digest_known and validator:
            headers["If-Range"] = validator
    elif begun:
        begun = 0
    if size is not None and begun == size:
        return  # killed after the last byte
    with _answer(session, url, headers, patience) as response:
        if response.status_code == requests.codes.requested_range_not_satisfiable:
            if response.headers.get("Content-Range", "").strip() == f"bytes */{begun}":
                return  # killed after the last byte, of a file whose size was not known
            forget(part)  # more is here than the server has: the next request asks for the whole
            raise _PassingError(f"{shown_url(url)} is shorter than what is here already")
        _check_status(response, url)
        start, total = _extent(response, url, begun, size)
        with writing(part):
            _note(part, url, response)
            check_space(part.parent, (total or 0) - start)
        _copy(response, part, start, total, progress, url)


@contextmanager
def _answer(
    session: requests.Session, url: str, headers: dict[str, str], patience: Patience
) -> Iterator[requests.Response]:
    """The answer to a GET of `url`, redirects followed as long as they lead to https (or stay on this machine)."""
    place = url
    for _ in range(_REDIRECTS):
        try:
            response = session.get(
                place, headers=headers, stream=True, allow_redirects=False, timeout=(patience.connect, patience.read)
            )
        except requests.exceptions.SSLError as error:
            raise CheckpointError(
                f"{shown_url(place)} cannot be trusted: its certificate was not accepted; is there a proxy between? "
                "(REQUESTS_CA_BUNDLE names the certificates to accept)"
            ) from error
        except requests.exceptions.Timeout as error:
            raise _PassingError(f"{_host(place)} does not answer") from error
        except requests.exceptions.ConnectionError as error:
            raise _PassingError(f"{_host(place)} cannot be reached ({_reason(error)})") from error
        except (requests.exceptions.RequestException, ValueError) as error:
            raise CheckpointError(f"{shown_url(place)} cannot be asked for: {_one_line(error)}") from error
        with response:
            if not response.is_redirect:
                yield response
                return
            place = urljoin(place, response.headers["Location"])
            _check_redirect(url, place)
    raise CheckpointError(f"{shown_url(url)} leads from one address to the next without end")


def _check_status(response: requests.Response, url: str) -> None:
    status, words = response.status_code, f"{response.status_code} {response.reason or ''}".strip()
    if status in (requests.codes.ok, requests.codes.partial_content):
        return
    if status in _PASSING:
        raise _PassingError(f"{_host(url)} answers {words}")
    if status in (requests.codes.not_found, requests.codes.gone):
        raise CheckpointError(f"{shown_url(url)} is not there ({words}); has it moved? --mirror names another server")
    if status in (requests.codes.unauthorized, requests.codes.forbidden):
        raise CheckpointError(
            f"{_host(url)} refuses {shown_url(url)} ({words}); get it by a browser, then `soundalike models fetch --from`"
        )
    raise CheckpointError(f"{_host(url)} answers {words} to {shown_url(url)}")


def _extent(response: requests.Response, url: str, begun: int, size: int | None) -> tuple[int, int | None]:
    """From which byte on the answer holds the file, and how many the whole has (None: not said)."""
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind in ("text/html", "application/xhtml+xml"):
        raise CheckpointError(f"{shown_url(url)} gives a web page, not a file; is there a login or a proxy between?")
    start, total = 0, size
    if response.status_code == requests.codes.partial_content:
        given = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", "").strip())
        if given is None or int(given[1]) != begun:
            raise CheckpointError(f"{_host(url)} gives another part of {shown_url(url)} than was asked for")
        start, total = begun, int(given[2]) if given[2] != "*" else size
    elif response.headers.get("Content-Length", "").isdigit() and not response.headers.get("Content-Encoding"):
        total = int(response.headers["Content-Length"])
    if size is not None and total != size:
        raise CheckpointError(
            f"{shown_url(url)} has {total:,} bytes where {size:,} are expected: it is another file; `soundalike models` "
            "names where it comes from"
        )
    return start, total


def _copy(response: requests.Response, part: Path, start: int, total: int | None, progress: Progress, url: str) -> None:
    with writing(part), part.open("r+b" if start else "wb", buffering=0) as file:
        file.seek(start)
        here = start
        progress(here, total)
        try:
            for chunk in response.iter_content(_CHUNK):
                file.write(chunk)
                here += len(chunk)
                progress(here, total)
        except requests.exceptions.RequestException as error:
            raise _PassingError(f"{_host(url)} broke off") from error
    if total is not None and here < total:
        raise _PassingError(f"{_host(url)} broke off")
    if total is not None and here > total:
        forget(part)
        raise CheckpointError(f"{shown_url(url)} gave more than the {total:,} bytes that it has; try again")


def _check_scheme(url: str, digest_known: bool) -> None:
    pieces = urlsplit(url)
    if pieces.scheme == "https" or (pieces.scheme == "http" and (digest_known or pieces.hostname in _LOOPBACK)):
        return
    if pieces.scheme == "http":
        raise CheckpointError(
            f"{shown_url(url)} is plain http, on which anything can be slipped in, and there is no published digest to "
            "tell; name an https address"
        )
    raise CheckpointError(f"{shown_url(url)} is no web address; write https://... (local files: --from)")


def _check_redirect(origin: str, place: str) -> None:
    pieces = urlsplit(place)
    if pieces.scheme == "https":
        return
    if pieces.scheme == "http" and {pieces.hostname, urlsplit(origin).hostname} <= _LOOPBACK:
        return
    raise CheckpointError(f"{shown_url(origin)} leads to {shown_url(place)}, which is not https; it is not followed")


def _given_up(url: str, failure: str, part: Path, size: int | None) -> str:
    kept = _length(part)
    here = f"; {shown_size(kept)}{f' of {shown_size(size)}' if size else ''} are here and kept" if kept else ""
    return (
        f"{failure}{here}: is there a network? Try again later, name a mirror (--mirror), or get {shown_url(url)} "
        "elsewhere and import it (--from)"
    )


def _length(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _note_path(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _note(part: Path, url: str, response: requests.Response) -> None:
    """Write down which version of the file the server gives: a strong ETag, else its date."""
    tag = response.headers.get("ETag", "")
    validator = tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")
    _note_path(part).write_text(json.dumps({"url": url, "validator": validator}) + "\n", encoding="utf-8")


def _noted_validator(part: Path, url: str) -> str:
    """What `_note` wrote of a part that comes from the same `url`, empty where there is nothing to go by."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        note = json.loads(_note_path(part).read_text(encoding="utf-8"))
        if note["url"] == url:
            return str(note["validator"])
    return ""


def _host(url: str) -> str:
    return urlsplit(url).hostname or shown_url(url)


def _reason(error: Exception) -> str:
    """Why no connection came about, in a word or two."""
    text = str(error)
    for sign, words in (
        ("NameResolution", "its name is not known here"),
        ("getaddrinfo", "its name is not known here"),
        ("Connection refused", "it refuses the connection"),
        ("Network is unreachable", "no network"),
        ("No route to host", "no network"),
        ("ProxyError", "the proxy does not let it through"),
        ("Tunnel connection failed", "the proxy does not let it through"),
        ("RemoteDisconnected", "it hung up"),
        ("Connection aborted", "it hung up"),
    ):
        if sign in text:
            return words
    return type(error).__name__


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _silent(here: int, total: int | None) -> None:
    """No progress asked for."""
