"""Download of one file with huggingface_hub, from the Hugging Face Hub or from any other address.

`hf_hub_download` no longer continues a partial file since huggingface_hub 1.18 (huggingface/huggingface_hub issue 4196).
The function below it, `http_get`, does, and it takes any address.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit

from soundalike.errors import CheckpointError, InputError
from soundalike.models.checkpoints.table import CheckpointFile, format_size

Progress = Callable[[int, int | None], None]
"""Called with the bytes that have arrived, and the size of the file, None if unknown."""

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_DISK_FULL = {errno.ENOSPC, errno.EDQUOT}


def require_huggingface_hub() -> None:
    """Raises InputError if huggingface_hub is not installed."""
    if find_spec("huggingface_hub") is None:
        raise InputError(
            "downloading weights needs huggingface_hub: pip install 'soundalike[neural]', or download the files in a browser "
            "(`soundalike models --format json` lists their addresses) and import them with --from"
        )


def hub_url(file: CheckpointFile) -> str:
    """The address of the file on the Hub, or on the server that the environment variable HF_ENDPOINT names."""
    from huggingface_hub import hf_hub_url

    url: str = hf_hub_url(file.repository, file.repository_name, revision=file.revision)
    return url


def download(file: CheckpointFile, url: str, part: Path, progress: Progress) -> None:
    """Download `url` into `part`, after the bytes that are already in it.

    Sends no token. Raises CheckpointError if the file cannot be downloaded; what has arrived stays in `part`.
    """
    from huggingface_hub.errors import HfHubHTTPError, HTTPError, OfflineModeIsEnabled
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers, logging

    _check_address(file, url)
    headers = build_hf_headers(token=False, library_name="soundalike", library_version=version("soundalike"))
    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()  # its warnings about retries would break the progress bar
    try:
        # "ab" would append to the end on every write, but http_get starts again where a server ignores ranges.
        with part.open("r+b" if part.exists() else "wb", buffering=0) as opened:
            http_get(
                url,
                opened,
                resume_size=opened.seek(0, os.SEEK_END),
                headers={**headers, "Accept-Encoding": "identity"},
                expected_size=file.size,
                tqdm_class=partial(_ProgressBar, progress),
            )
    except OfflineModeIsEnabled as error:
        raise CheckpointError(
            f"{public_url(url)} is not downloaded because HF_HUB_OFFLINE is set; unset it, or import the file (--from)"
        ) from error
    except HfHubHTTPError as error:
        raise _refused(error.response.status_code, error.response.reason_phrase, url, file, part) from error
    except HTTPError as error:  # of httpx or httpx2, whichever this version uses
        raise _unreachable(error, url, file, part) from error
    except OSError as error:
        if error.errno is None:  # http_get: the size differs
            raise CheckpointError(
                f"{public_url(url)} does not have the expected {format_size(file.size)}: {_one_line(error)}. Is there a login "
                "page or proxy in between? Try again, use another server (--mirror), or import the file (--from)"
            ) from error
        raise cannot_write(part, error) from error
    finally:
        logging.set_verbosity(verbosity)


def _refused(status: int, reason: str, url: str, file: CheckpointFile, part: Path) -> CheckpointError:
    answer, place = f"{status} {reason}".strip(), public_url(url)
    if status in (404, 410):
        return CheckpointError(f"{place} was not found ({answer}); use another server (--mirror or HF_ENDPOINT)")
    if status in (401, 403):
        return CheckpointError(
            f"{place} is refused ({answer}); download it in a browser, then import it: `soundalike models fetch --from`"
        )
    return CheckpointError(f"{place} answers {answer}{_kept(file, part)}; try again later")


def _unreachable(error: Exception, url: str, file: CheckpointFile, part: Path) -> CheckpointError:
    return CheckpointError(
        f"{urlsplit(url).hostname} cannot be reached ({_one_line(error)}){_kept(file, part)}. Check the network and try "
        f"again, use another server (--mirror or HF_ENDPOINT), or download {public_url(url)} elsewhere and import it (--from)"
    )


def _kept(file: CheckpointFile, part: Path) -> str:
    kept = file_length(part)
    total = f" of {format_size(file.size)}" if file.size else ""
    return f"; {format_size(kept)}{total} are downloaded and kept" if kept else ""


def _check_address(file: CheckpointFile, url: str) -> None:
    """Raises CheckpointError unless the address is https, or plain http where the digest reveals any change."""
    try:
        pieces = urlsplit(url)
        scheme, host, _ = pieces.scheme, pieces.hostname or "", pieces.port
        valid = scheme in ("http", "https") and host.encode("idna") and url.isprintable()
    except ValueError:
        valid = False
    if not valid:
        raise CheckpointError(f"{url!r} is not a web address; give https://... (for local files use --from)")
    if scheme == "http" and not file.pinned and host not in _LOOPBACK:
        raise CheckpointError(
            f"{public_url(url)} is plain http, which anybody on the way can change, and {file.name} has no published digest; "
            "give an https address"
        )


class _ProgressBar:
    """Passes the progress of `http_get` to a function; has the part of tqdm's interface that it uses."""

    def __init__(self, report: Progress, *, total: int | None, initial: int = 0, **options: object) -> None:
        self._report, self._total, self._here = report, total, initial
        report(initial, total)

    def update(self, count: int) -> None:
        self._here += count
        self._report(self._here, self._total)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to close."""


def cannot_write(path: Path, error: Exception) -> CheckpointError:
    """The error to raise if `path` cannot be written."""
    if isinstance(error, OSError) and error.errno in _DISK_FULL:
        return CheckpointError(f"the disk of {path} is full; make room and run this again, a download continues")
    reason = getattr(error, "strerror", None) or error
    return CheckpointError(f"{path} cannot be written ({reason}); set SOUNDALIKE_CHECKPOINTS to another folder")


def public_url(url: str) -> str:
    """`url` without user name, password and signature."""
    pieces = urlsplit(url)
    return urlunsplit((pieces.scheme, pieces.netloc.rpartition("@")[2], pieces.path, "", ""))


def file_length(path: Path) -> int:
    """Bytes of the file, 0 if there is none."""
    return path.stat().st_size if path.is_file() else 0


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
