"""`library.json`: what a library is. Its format, its recipe, its roots, and which generation of tables serves.

The file is replaced in one step, never edited in place: whoever reads it sees the old state or the new one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from soundalike.analysis.recipe import Recipe
from soundalike.errors import LibraryError
from soundalike.library.storage.location import Location, Remote, as_location

FORMAT = 1
"""Number of the layout on disk; raised when older code could no longer read it."""

FILE_NAME = "library.json"


@dataclass(frozen=True)
class Manifest:
    """The contents of `library.json`.

    recipe: how the vectors of this generation were made; roots: name -> folder, absolute; generation: number of the
    database folder (`generation-N`) that serves; licences: of the models' weights, by model, as they were when it was made;
    tag: of the text that it was read from, in a remote library.
    """

    recipe: Recipe
    roots: Mapping[str, Location]
    generation: int = 1
    licences: Mapping[str, str] = field(default_factory=dict)
    tag: str | None = field(default=None, compare=False)

    def to_json(self) -> dict[str, Any]:
        """The manifest as JSON-ready values."""
        return {
            "format": FORMAT,
            "generation": self.generation,
            "recipe": self.recipe.to_json(),
            "licences": dict(self.licences),
            "roots": {name: str(place) for name, place in sorted(self.roots.items())},
        }


def generation_folder(library: Location, generation: int) -> Location:
    """The database folder of a generation."""
    return library / f"generation-{generation}"


def read_manifest(library: Location) -> Manifest:
    """The manifest of the library in the folder `library`.

    Raises LibraryError where there is none, or one that cannot be understood.
    """
    place = library / FILE_NAME
    tag = None
    try:
        if isinstance(place, Remote):
            text, tag = place.read()
        else:
            text = place.read_text(encoding="utf-8")
        values = json.loads(text)
    except FileNotFoundError:
        raise LibraryError(
            f"no library at {library}; make one with `soundalike index FOLDER`, or name another with --library"
        ) from None
    except NotADirectoryError:
        raise LibraryError(f"{library} is not a folder, so it cannot be a library; name one with --library") from None
    except (OSError, ValueError) as error:
        raise LibraryError(
            f"{place} cannot be read ({error}); put it back from a backup, or delete {library} and index again"
        ) from error
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        found = values.get("format") if isinstance(values, dict) else None
        raise LibraryError(
            f"{library} has library format {found!r}, this version of soundalike reads format {FORMAT}; "
            "use the version that made it, or index into a new library"
        )
    try:
        return Manifest(
            recipe=Recipe.from_json(values["recipe"]),
            roots={str(name): as_location(str(folder)) for name, folder in values["roots"].items()},
            generation=int(values["generation"]),
            licences={str(model): str(licence) for model, licence in values.get("licences", {}).items()},
            tag=tag,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise LibraryError(
            f"{place} is damaged ({type(error).__name__}: {error}); put it back from a backup, or delete {library} "
            "and index again"
        ) from error


def write_manifest(library: Location, manifest: Manifest) -> None:
    """Replace the manifest of `library`, whole and durably. Raises LibraryError where it cannot be written, or, in a
    remote library, is no longer the one that `manifest` was made from."""
    text = json.dumps(manifest.to_json(), indent=1, ensure_ascii=False) + "\n"
    place = library / FILE_NAME
    if isinstance(place, Remote):
        place.write(text, tag=manifest.tag)
    else:
        replace_file(place, text)


def replace_file(place: Location, text: str) -> None:
    """Write `text` to `place` in one step: after a crash the file is the old one or the new one, never half of one."""
    if isinstance(place, Remote):
        place.overwrite(text)
        return
    temporary = place.with_name(f"{place.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, place)
        _sync_folder(place.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise LibraryError(f"{place} cannot be written ({error}); what was there is untouched") from error


def _sync_folder(folder: Path) -> None:
    """Make a rename in `folder` last through a power cut, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
