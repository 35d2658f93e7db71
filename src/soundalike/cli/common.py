"""What several commands share: common options, parsing of times and ranges, formatting, messages on stderr."""

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
    """Add the option `--library PATH`; the function receives `library: str | None`."""
    return click.option(
        "--library",
        "-L",
        metavar="PATH",
        help=f"Folder of the library, or s3://BUCKET/FOLDER.  [default: ${LIBRARY_VARIABLE}, or your user data folder]",
    )(function)


class ListOption(click.Option):
    """An option that takes a list such as `drums=1,bass=.3`; given several times, its values are one list.

    The function receives `str | None`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "multiple": True})

    def process_value(self, context: click.Context, value: Any) -> str | None:
        """The values, joined by commas; None without any. Raises BadParameter for a list without a value."""
        values = super().process_value(context, value)
        if not values:
            return None
        joined = ",".join(values)
        if not joined.strip(", "):
            raise click.BadParameter(f"the list is empty; write {self.metavar}, or leave the option out", context, self)
        return joined


def library_path(option: str | None) -> Location:
    """The library to use: the option's value, else $SOUNDALIKE_LIBRARY, else the folder in the user's data folder."""
    from soundalike.config import data_folder, expanded
    from soundalike.library.storage.location import as_location

    if option is not None and not option.strip():
        raise InputError("--library is empty; name a folder, or leave the option out")
    value = option if option is not None else os.environ.get(LIBRARY_VARIABLE)
    if value:
        location = as_location(value)
        return expanded(location) if isinstance(location, Path) else location
    return data_folder(f"give --library PATH or set {LIBRARY_VARIABLE}") / "library"


def is_default_library(option: str | None) -> bool:
    """Whether `library_path(option)` is the folder in the user's data folder, since neither the option nor the environment
    names one."""
    return option is None and not os.environ.get(LIBRARY_VARIABLE)


def device_option(function: F) -> F:
    """Add the option `--device NAME`; the function receives `device: str`."""
    return click.option(
        "--device",
        default=lambda: os.environ.get(DEVICE_VARIABLE) or "auto",
        metavar="DEVICE",
        help=f"Device for neural models: auto, cpu, cuda, cuda:N or mps.  [default: ${DEVICE_VARIABLE}, or auto]",
    )(function)


class RenamedOption(click.Option):
    """An option that still accepts old names, which the help page does not show.

    old_names: those of its declared names that are old.
    """

    def __init__(self, *args: Any, old_names: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._old_names = old_names

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        names = self.opts
        self.opts = [name for name in names if name not in self._old_names]
        try:
            return super().get_help_record(ctx)
        finally:
            self.opts = names


def echo(message: str = "") -> None:
    """Print a message to stderr."""
    print(message, file=sys.stderr, flush=True)


def echo_licence_notices(*models: str) -> None:
    """Print the licence notices of these encoders and separators; models without a notice print nothing."""
    from soundalike.models.checkpoints import notice
    from soundalike.models.encoders import ENCODERS
    from soundalike.models.separators import SEPARATORS

    rows = [ENCODERS.get(name) or SEPARATORS.get(name) for name in models]
    notices = [notice(row.checkpoint) for row in rows if row is not None and row.checkpoint is not None]
    for message in dict.fromkeys(notices):
        if message is not None:
            echo(message)


def parse_seconds(text: str) -> float:
    """Seconds from `62`, `62.5`, `1:02`, `1:02.5` or `1:01:02`; raises InputError for anything else, such as `1:75`."""
    if not re.fullmatch(r"(\d+:){0,2}\d+(\.\d*)?|(\d+:){0,2}\.\d+", text.strip()):
        raise InputError(
            f"{text!r} is not a time; write seconds, minutes:seconds or hours:minutes:seconds, as in 62.5 or 1:02.5"
        )
    seconds, *rest = map(float, text.strip().split(":"))
    for field in rest:
        if field >= 60:
            raise InputError(
                f"{text!r} is not a time: what follows a colon is below 60; write 75 or 1:15 for 75 seconds"
            )
        seconds = seconds * 60 + field
    return seconds


def parse_region(text: str) -> tuple[float, float | None]:
    """Start and end in seconds from `1:02-1:12`; the end of `1:02-` is None. Raises InputError."""
    start, dash, end = text.partition("-")
    if not dash or not (start.strip() or end.strip()):
        raise InputError(f"{text!r} is not a region; write start-end, as in 1:02-1:12 or 1:02- (to the end)")
    region = parse_seconds(start or "0"), parse_seconds(end) if end.strip() else None
    if region[1] is not None and region[1] <= region[0]:
        raise InputError(f"the region {text} does not end after its start; write start-end, as in 1:02-1:12")
    return region


def parse_range(text: str, unit: str, nearly: float = 0.04) -> tuple[float | None, float | None]:
    """Low and high from `90-120`, `90-` or `-120`; a single number means within the share `nearly` of it. Raises InputError."""
    number = r"(\d+\.?\d*|\.\d+)?"
    match = re.fullmatch(rf"\s*{number}\s*(-?)\s*{number}\s*", text)
    if not match or not (match[1] or match[3]):
        raise InputError(
            f"{text!r} is not a range of {unit}; write a number, low-high, low- or -high, as in 120, 90-120, 90- or -120"
        )
    if not match[2]:
        middle = float(match[1])
        return middle * (1 - nearly), middle * (1 + nearly)
    return (float(match[1]) if match[1] else None), (float(match[3]) if match[3] else None)


def clock(seconds: float) -> str:
    """Minutes and seconds: `1:02.5` for 62.5 s."""
    minutes, rest = divmod(round(seconds, 1), 60)
    return f"{int(minutes)}:{rest:04.1f}"


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """`1 loop`, `2 loops`; `plural` is `noun` with an s unless given."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def shown_path(path: str) -> str:
    """`path` on one line, relative to the current folder if it is inside; control characters are escaped."""
    with contextlib.suppress(ValueError):
        path = str(Path(path).relative_to(Path.cwd()))
    return "".join(char if ord(char) >= 32 else repr(char)[1:-1] for char in path)
