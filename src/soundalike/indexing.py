"""Make or update a library: `library.indexing.index`, with the recipe chosen from what exists and what is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from soundalike.kinds import check_kind
from soundalike.library import IndexReport, Library, Progress
from soundalike.library import index as index_with_recipe
from soundalike.recipe import Recipe, make_recipe


def index(
    library: str | Path,
    paths: Sequence[str | Path] = (),
    *,
    encoder: str | None = None,
    separator: str | None = None,
    window: float | None = None,
    hop: float | None = None,
    kind: str | None = None,
    jobs: int | None = None,
    retry: bool = False,
    upgrade: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
) -> IndexReport:
    """Index `paths` (folders or files; none: all folders the library knows) into the library at `library`.

    encoder, separator, window, hop default to what the library was made with, and for a new one to `make_recipe`'s;
    what differs from the library's recipe is refused unless `upgrade`. kind overrules the estimate for all files of
    this run. Raises InputError for a wrong argument, LibraryError for a library that is locked, damaged or made
    otherwise.
    """
    place = Path(library)
    recipe = _recipe(place, encoder, separator, window, hop, upgrade)
    return index_with_recipe(
        place,
        [Path(path) for path in paths],
        recipe=recipe,
        kind=check_kind(kind) if kind else None,
        jobs=jobs,
        retry=retry,
        upgrade=upgrade,
        on_progress=on_progress,
    )


def _recipe(
    place: Path,
    encoder: str | None,
    separator: str | None,
    window: float | None,
    hop: float | None,
    upgrade: bool,
) -> Recipe:
    """The library's own recipe with what was asked for in its place; in an upgrade, with the models as they are now."""
    if not (place / "library.json").exists():
        return make_recipe(
            encoder or "builtin", separator or "builtin", window=10.0 if window is None else window, hop=hop
        )
    own = Library.open(place).recipe
    if not upgrade and (encoder, separator, window, hop) == (None, None, None, None):
        return own
    asked = make_recipe(
        encoder or own.encoder,
        separator or own.separator,
        window=own.window if window is None else window,
        hop=(own.hop if window is None else None) if hop is None else hop,
        gate_db=own.gate_db,
    )
    if upgrade:
        return asked
    same_encoder = encoder in (None, own.encoder)
    same_separator = separator in (None, own.separator)
    return replace(
        asked,
        encoder_version=own.encoder_version if same_encoder else asked.encoder_version,
        separator_version=own.separator_version if same_separator else asked.separator_version,
        facts_version=own.facts_version,
    )
