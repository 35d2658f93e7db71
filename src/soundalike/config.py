"""Settings of this installation: environment variables, folders, device, threads, memory, optional dependencies; and how
files in those folders are replaced.

| variable | what it sets |
|---|---|
| SOUNDALIKE_LIBRARY | the library that commands use (default: `library` in the platform's data folder) |
| SOUNDALIKE_CACHE | the folder of everything that can be computed or downloaded again |
| SOUNDALIKE_CHECKPOINTS | the folder of downloaded checkpoints |
| SOUNDALIKE_CHECKPOINT_NAME | the folder of one checkpoint, such as SOUNDALIKE_CHECKPOINT_CLAP_MUSIC |
| SOUNDALIKE_IGNORE_FRONT_END | 1: use a checkpoint trained on other spectrograms, with a warning |
| SOUNDALIKE_MEMORY | memory for the vectors of a search, such as 4GB |

Precision changes vectors, so a library records it; device and threads do not, so they are not recorded.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from stat import S_ISDIR
from typing import Literal, get_args

import platformdirs

from soundalike.errors import CheckpointError, InputError

Precision = Literal["exact", "fast"]
"""`exact`: float32 throughout. `fast`: bfloat16 where the processor has it (float16 on mps), float32 around it."""

PRECISIONS: tuple[Precision, ...] = get_args(Precision)

_OWNER = ".owner"
"""The locked file beside a temporary folder."""

_DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")


@dataclass(frozen=True)
class Runtime:
    """device: `auto` (a GPU if there is one, else cpu), `cpu`, `cuda`, `cuda:N` or `mps`; threads: None for all cores.

    Raises InputError for an unknown device or precision, or fewer than one thread.
    """

    device: str = "auto"
    precision: Precision = "exact"
    threads: int | None = None

    def __post_init__(self) -> None:
        if not _DEVICE.fullmatch(self.device):
            raise InputError(f"unknown device {self.device!r}; choose auto, cpu, cuda, cuda:N or mps")
        check_precision(self.precision)
        if self.threads is not None and self.threads < 1:
            raise InputError(f"{self.threads} threads are not possible; give 1 or more")

    @property
    def cores(self) -> int:
        """The number of threads to use."""
        return self.threads or available_cores()


def check_precision(name: str) -> Precision:
    """`name` as a Precision. Raises InputError for an unknown one."""
    for precision in PRECISIONS:
        if name == precision:
            return precision
    raise InputError(f"unknown precision {name!r}; choose {' or '.join(PRECISIONS)}")


MEMORY = 2 << 30
MEMORY_VARIABLE = "SOUNDALIKE_MEMORY"
_BYTES = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", re.IGNORECASE)


def parse_bytes(text: str) -> int:
    """The bytes of a size such as 512MB or 4G (powers of 1024). Raises InputError if `text` is not a size."""
    match = _BYTES.fullmatch(text.strip())
    if match is None:
        raise InputError(f"{text!r} is not a size; write it like 512MB or 4GB")
    return int(float(match[1]) * 1024 ** "_kmgt".index(match[2].lower() or "_"))


def memory_budget() -> int:
    """Bytes of vectors that a search may hold in memory for each table: SOUNDALIKE_MEMORY, or 2 GB.

    Raises InputError if the variable is not a size.
    """
    text = os.environ.get(MEMORY_VARIABLE, "").strip()
    if not text:
        return MEMORY
    try:
        return parse_bytes(text)
    except InputError as error:
        raise InputError(f"{MEMORY_VARIABLE}: {error}") from None


def available_cores() -> int:
    """The cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1


def expanded(path: str | Path) -> Path:
    """`path` with `~` as the home folder; as it is where there is none, or `~name` is part of a file name, not a user."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def data_folder(remedy: str) -> Path:
    """The platform's data folder of this user. Raises InputError where no home folder is known; remedy: what to do then."""
    folder = _usual(platformdirs.user_data_dir)
    if folder is None:
        raise InputError(f"no home folder is known (HOME is not set, and this user has none); {remedy}")
    return folder


def cache_folder() -> Path:
    """The folder for all that can be computed or downloaded again: `SOUNDALIKE_CACHE`, or the platform's cache folder; one of
    this user in the folder for temporary files where that does not exist and cannot be made."""
    named = os.environ.get("SOUNDALIKE_CACHE")
    if named:
        return expanded(named)
    usual = _usual(platformdirs.user_cache_dir)
    return usual if usual is not None and _is_writable(usual) else _temporary_cache()


def _usual(folder_of: Callable[..., str]) -> Path | None:
    """A folder of the platform for this user; None where no home folder is known."""
    try:
        folder = Path(folder_of("soundalike", appauthor=False))
    except RuntimeError:
        return None
    return folder if folder.is_absolute() else None  # "~/..." would be a folder named ~ in the current one


def _is_writable(folder: Path) -> bool:
    """Whether files can be written to `folder`, or it can be made."""
    existing = next((one for one in (folder, *folder.parents) if one.exists()), None)
    return existing is not None and existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


def _temporary_cache() -> Path:
    """A cache folder among the temporary files that belongs to this user alone."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"soundalike-cache-{user}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    status = folder.lstat()
    if not S_ISDIR(status.st_mode) or (hasattr(os, "getuid") and status.st_uid != user):
        raise InputError(
            f"{folder} belongs to another user; set SOUNDALIKE_CACHE to a folder for what can be computed again"
        )
    return folder


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` to write to; it takes the place of `path` when the block ends without an exception.

    A reader of `path` sees the old file or the new one, never a part of one. Raises OSError.
    """
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def replace_file(path: Path, text: str) -> None:
    """Replace the text of a file in one step, durably: after a crash or a power cut the file is the old one or the new one.

    Raises OSError.
    """
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # makes the rename itself durable
        finally:
            os.close(folder)


IN_MEMORY = Path("/dev/shm")
"""A file system in memory, on Linux."""


class TemporaryFolder:
    """A temporary folder that is deleted by `close`, or at the end of a `with` block.

    in_memory: in a file system in memory if there is one; for links and other small things that come and go by thousands.

    A process that is killed leaves its folder behind: the next one that needs a folder deletes it. An open file lock
    shows that the owner is alive.
    """

    PREFIX = "soundalike-"
    GRACE_SECONDS = 60.0
    """A folder younger than that may not have its lock yet."""

    def __init__(self, *, in_memory: bool = False) -> None:
        from filelock import FileLock

        self._delete_abandoned()
        try:
            self._outer = Path(tempfile.mkdtemp(prefix=self.PREFIX, dir=IN_MEMORY if in_memory else None))
        except OSError:
            if not in_memory:
                raise
            self._outer = Path(tempfile.mkdtemp(prefix=self.PREFIX))
        self._lock = FileLock(self._outer / _OWNER, thread_local=False)
        self._lock.acquire(timeout=0)
        self.path = self._outer / "files"
        self.path.mkdir(mode=0o700)

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Delete the folder and all that is in it."""
        self._lock.release()
        shutil.rmtree(self._outer, ignore_errors=True)

    @classmethod
    def _delete_abandoned(cls) -> None:
        """Delete this user's folders whose processes are gone."""
        user = os.getuid() if hasattr(os, "getuid") else None
        for place in dict.fromkeys((Path(tempfile.gettempdir()), IN_MEMORY)):
            cls._delete_abandoned_in(place, user)

    @classmethod
    def _delete_abandoned_in(cls, place: Path, user: int | None) -> None:
        from filelock import FileLock, Timeout

        with suppress(OSError), os.scandir(place) as entries:
            for entry in entries:
                if not entry.name.startswith(cls.PREFIX):
                    continue
                with suppress(OSError, Timeout):
                    stat = entry.stat(follow_symlinks=False)
                    owner = Path(entry.path) / _OWNER
                    young = time.time() - stat.st_mtime < cls.GRACE_SECONDS
                    if young or not S_ISDIR(stat.st_mode) or (user is not None and stat.st_uid != user):
                        continue
                    if not owner.is_file():
                        continue
                    with FileLock(owner).acquire(timeout=0):
                        pass
                    shutil.rmtree(entry.path, ignore_errors=True)


def checkpoints_folder() -> Path:
    """The folder of downloaded checkpoints: `SOUNDALIKE_CHECKPOINTS`, or one in the platform's data folder, or in the cache
    where no home folder is known."""
    named = os.environ.get("SOUNDALIKE_CHECKPOINTS")
    if named:
        return expanded(named)
    try:
        return data_folder("set SOUNDALIKE_CHECKPOINTS") / "checkpoints"
    except InputError:
        return cache_folder() / "checkpoints"


def folder_variable(name: str) -> str:
    """The environment variable that names the folder of the checkpoint `name`: `SOUNDALIKE_CHECKPOINT_CLAP_MUSIC`."""
    return "SOUNDALIKE_CHECKPOINT_" + name.upper().replace("-", "_")


def checkpoint_folder(name: str) -> Path:
    """The folder with the files of the checkpoint `name`: the one in its own variable, else `name` in
    `checkpoints_folder()`. Raises CheckpointError if the variable is the path of a file."""
    named = os.environ.get(folder_variable(name))
    if named and expanded(named).is_file():
        raise CheckpointError(
            f"{folder_variable(name)}={named} is a file; it must be a folder. Unset it and import the file: `soundalike models "
            f"fetch {name} --from {named}`"
        )
    return expanded(named) if named else checkpoints_folder() / name


def ignore_front_end() -> bool:
    """Whether checkpoints that were trained on other spectrograms are used: SOUNDALIKE_IGNORE_FRONT_END is 1."""
    return os.environ.get("SOUNDALIKE_IGNORE_FRONT_END", "").strip() == "1"


EXTRAS: dict[str, tuple[str, ...]] = {
    "neural": ("torch", "transformers", "openvino", "demucs", "huggingface_hub"),
    "train": ("torch",),
    "large": ("numba",),
    "report": ("matplotlib", "jinja2", "sklearn"),
    "s3": ("obstore",),
    "cluster": ("ray", "obstore"),
    "web": ("fastapi", "uvicorn", "threadpoolctl"),
}
"""The modules whose presence shows that an extra is installed."""

_TORCH_ADVICE = " (without an NVIDIA GPU install torch's CPU build first, which is far smaller: see the README)"
ADVICE = {"neural": _TORCH_ADVICE, "train": _TORCH_ADVICE}


def missing_modules(extra: str | None) -> list[str]:
    """The modules of an extra that are not installed; none where no extra is needed."""
    return [name for name in EXTRAS.get(extra or "", ()) if find_spec(name) is None]


def require_extra(extra: str | None, who: str) -> None:
    """Raises InputError if `who` needs the optional dependencies `extra` and one of them is not installed."""
    missing = missing_modules(extra)
    if missing and extra is not None:
        raise InputError(
            f"{who} needs {', '.join(missing)}; install it: pip install 'soundalike[{extra}]'" + ADVICE.get(extra, "")
        )
