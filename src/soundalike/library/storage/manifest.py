"""`library.json`: the format of a library, its recipe, its roots, and the current generation of its tables.

The file is replaced in one step, never edited in place: a reader sees the old state or the new one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from soundalike.analysis.recipe import Recipe
from soundalike.errors import LibraryError
from soundalike.library.storage.location import Location, Remote, as_location, replace_text

FORMAT = 1
"""Number of the layout on disk; raised when older code could no longer read it."""

FILE_NAME = "library.json"

GENERATION = "generation-"
"""Beginning of the names of folders with tables, before their number."""


@dataclass(frozen=True)
class Manifest:
    """The contents of `library.json`.

    recipe: how the vectors of this generation were made; roots: name -> folder, absolute; generation: number of the
    current database folder (`generation-N`); licences: of the models' weights, by model, when it was made; tag: of the text
    that it was read from, in a remote library; cue_sheets: whether files are divided into tracks by their cue sheets; excluded:
    patterns of files and folders that are kept out.
    """

    recipe: Recipe
    roots: Mapping[str, Location]
    generation: int = 1
    licences: Mapping[str, str] = field(default_factory=dict)
    tag: str | None = field(default=None, compare=False)
    cue_sheets: bool = True
    excluded: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The manifest as JSON-ready values."""
        values: dict[str, Any] = {
            "format": FORMAT,
            "generation": self.generation,
            "recipe": self.recipe.to_json(),
            "licences": dict(self.licences),
            "roots": {name: str(place) for name, place in sorted(self.roots.items())},
        }
        if not self.cue_sheets:
            values["cue_sheets"] = False
        if self.excluded:
            values["excluded"] = list(self.excluded)
        return values


def generation_folder(library: Location, generation: int) -> Location:
    """The database folder of a generation."""
    return library / f"{GENERATION}{generation}"


def how_to_make_again(library: Location) -> str:
    """What to do about a damaged library, for messages. Answers of people are in its folder too, and must not be lost."""
    return (
        f"put it back from a backup, or delete {FILE_NAME} and {GENERATION}* in {library}, but nothing else there (answers and "
        "listening tests stay), and index again"
    )


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
        raise LibraryError(f"{place} cannot be read ({error}); {how_to_make_again(library)}") from error
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
            cue_sheets=values.get("cue_sheets") is not False,
            excluded=tuple(map(str, values.get("excluded", ()))),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise LibraryError(
            f"{place} is damaged ({type(error).__name__}: {error}); {how_to_make_again(library)}"
        ) from error


def write_manifest(library: Location, manifest: Manifest) -> None:
    """Replace the manifest of `library`, whole and durably. Raises LibraryError where it cannot be written, or, in a
    remote library, is no longer the one that `manifest` was made from."""
    text = json.dumps(manifest.to_json(), indent=1, ensure_ascii=False) + "\n"
    place = library / FILE_NAME
    if isinstance(place, Remote):
        place.write(text, tag=manifest.tag)
    else:
        replace_text(place, text)
