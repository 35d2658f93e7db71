"""What several commands share: the library option, parsing of seconds and ranges, words to stderr."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from soundalike.errors import InputError

if TYPE_CHECKING:
    from soundalike.library.storage.location import Location

F = TypeVar("F", bound=Callable[..., Any])

LIBRARY_VARIABLE = "SOUNDALIKE_LIBRARY"
DEVICE_VARIABLE = "SOUNDALIKE_DEVICE"


def library_option(function: F) -> F:
    """Adds `--library PLACE`; the function receives `library: str | None`."""
    return click.option(
        "--library",
        "-L",
        metavar="PLACE",
        help=f"The library's folder, or s3://BUCKET/FOLDER  [default: ${LIBRARY_VARIABLE}, else your platform's data folder].",
    )(function)


def library_path(given: str | None) -> Location:
    """The library that is meant: the option, else the environment, else the platform's data folder."""
    from soundalike.library.storage.location import as_location

    named = given if given is not None else os.environ.get(LIBRARY_VARIABLE)
    if named:
        place = as_location(named)
        return place.expanduser() if isinstance(place, Path) else place
    import platformdirs

    return Path(platformdirs.user_data_dir("soundalike", appauthor=False)) / "library"


def device_option(function: F) -> F:
    """Adds `--device NAME`; the function receives `device: str`."""
    return click.option(
        "--device",
        default=lambda: os.environ.get(DEVICE_VARIABLE) or "auto",
        show_default=f"${DEVICE_VARIABLE}, else auto",
        help="Where neural models compute: auto, cpu, cuda, cuda:N or mps.",
    )(function)


def say(words: str = "") -> None:
    """Words for the person at the keyboard: stderr."""
    print(words, file=sys.stderr, flush=True)


def say_terms(*models: str) -> None:
    """What one must know of the licences of these encoders and separators before using them; names of none say nothing."""
    from soundalike.models.checkpoints import notice
    from soundalike.models.encoders import ENCODERS
    from soundalike.models.separators import SEPARATORS

    rows = [ENCODERS.get(name) or SEPARATORS.get(name) for name in models]
    notices = [notice(row.checkpoint) for row in rows if row is not None and row.checkpoint is not None]
    for words in dict.fromkeys(notices):
        if words is not None:
            say(words)


def parse_seconds(text: str) -> float:
    """Seconds from `62`, `62.5`, `1:02`, `1:02.5` or `1:01:02`. Raises InputError."""
    if not re.fullmatch(r"(\d+:){0,2}\d+(\.\d*)?|(\d+:){0,2}\.\d+", text.strip()):
        raise InputError(f"{text!r} is not a time; write 62.5, 1:02.5 or 1:01:02")
    seconds = 0.0
    for piece in text.strip().split(":"):
        seconds = seconds * 60 + float(piece)
    return seconds


def parse_region(text: str) -> tuple[float, float | None]:
    """Start and end in seconds from `1:02-1:12`; `1:02-` goes to the end. Raises InputError."""
    start, dash, end = text.partition("-")
    if not dash or not (start.strip() or end.strip()):
        raise InputError(f"{text!r} is not a region; write start-end, as in 1:02-1:12")
    region = parse_seconds(start or "0"), parse_seconds(end) if end.strip() else None
    if region[1] is not None and region[1] <= region[0]:
        raise InputError(f"the region {text} ends before it begins; write start-end, as in 1:02-1:12")
    return region


def parse_range(text: str, unit: str) -> tuple[float | None, float | None]:
    """Low and high from `90-120`, `90-`, `-120`; one number alone means within 4 % of it. Raises InputError."""
    number = r"(\d+\.?\d*|\.\d+)?"
    match = re.fullmatch(rf"\s*{number}\s*(-?)\s*{number}\s*", text)
    if not match or not (match[1] or match[3]):
        raise InputError(f"{text!r} is not a range of {unit}; write for example 90-120, 90- or -120")
    if not match[2]:
        middle = float(match[1])
        return middle * 0.96, middle * 1.04
    return (float(match[1]) if match[1] else None), (float(match[3]) if match[3] else None)


def clock(seconds: float) -> str:
    """`1:02.5` of 62.5 s; tenths only below ten minutes."""
    minutes, rest = divmod(round(seconds, 1), 60)
    return f"{int(minutes)}:{rest:04.1f}"


def counted(count: int, word: str, words: str | None = None) -> str:
    """`1 loop`, `2 loops`; `words` is the plural where it is not `word` and an s."""
    return f"{count} {word if count == 1 else words or word + 's'}"


def shown_path(path: str) -> str:
    """`path` as short as it can be said, on one line: relative to here where it lies below, else absolute."""
    with contextlib.suppress(ValueError):
        path = str(Path(path).relative_to(Path.cwd()))
    return "".join(sign if ord(sign) >= 32 else repr(sign)[1:-1] for sign in path)
