"""Items that are a part of a file, such as a track of an album with a cue sheet.

The path of such an item is that of its file with the number of the track (`album.flac#02`), and its content is that of the
file with the seconds (`DIGEST#75-150`, the end empty for the end of the file). Other items have no `#` in their content.
"""

from __future__ import annotations

from pathlib import Path

from soundalike.audio.file_part import decimal, seconds_address
from soundalike.library.storage.location import Location


def track_path(path: str, number: int) -> str:
    """The path of the item of a track, from that of its file."""
    return f"{path}#{number:02d}"


def track_digest(digest: str, start: float, end: float | None) -> str:
    """The digest of a stretch of seconds, from that of its file."""
    return f"{digest}#{decimal(start)}-{'' if end is None else decimal(end)}"


def digest_of(content: str) -> str:
    """The digest in a content's name, without the kind that the user may have set."""
    return content.partition(":")[0]


def seconds_of(content: str) -> tuple[float, float | None] | None:
    """The seconds of its file that an item takes (end None: to the end); None for a whole file."""
    _, mark, seconds = digest_of(content).partition("#")
    if not mark:
        return None
    start, _, end = seconds.partition("-")
    return float(start), float(end) if end else None


def digest_of_file(content: str) -> str:
    """The digest of the bytes of a content's file."""
    return digest_of(content).partition("#")[0]


def path_of_file(path: str, content: str) -> str:
    """The path of the file that an item is, or is a part of."""
    return path if seconds_of(content) is None else path.rpartition("#")[0]


def place_of_file(place: Location, content: str) -> Location:
    """The file that the item at `place` is, or is a part of."""
    if seconds_of(content) is None or not isinstance(place, Path):
        return place
    return Path(path_of_file(str(place), content))


def address_of(place: Location, content: str) -> Location:
    """What decodes the item at `place`: its file, or the address of its part of the file (`audio.file_part`)."""
    seconds = seconds_of(content)
    if seconds is None or not isinstance(place, Path):
        return place
    return Path(seconds_address(path_of_file(str(place), content), *seconds))
