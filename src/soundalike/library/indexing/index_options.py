"""Make or update a library: `library.indexing.library_update.index`, with the recipe chosen from what exists
and what is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, replace

from soundalike.analysis.kinds import check_kind
from soundalike.analysis.recipe import Recipe, make_recipe
from soundalike.library import IndexReport, Library, Progress
from soundalike.library import index as index_with_recipe
from soundalike.library.indexing.library_update import Elsewhere
from soundalike.library.storage.location import Location, as_location
from soundalike.parts import ordered


def index(
    library: str | Location,
    paths: Sequence[str | Location] = (),
    *,
    encoder: str | None = None,
    separator: str | None = None,
    window: float | None = None,
    hop: float | None = None,
    parts: Sequence[str] | None = None,
    precision: str | None = None,
    windows: int | None = None,
    kind: str | None = None,
    jobs: int | None = None,
    retry: bool = False,
    upgrade: bool = False,
    device: str = "auto",
    on_progress: Callable[[Progress], None] | None = None,
    elsewhere: Elsewhere | None = None,
) -> IndexReport:
    """Index `paths` (folders or files; none: all folders the library knows) into the library at `library`; places may be
    `s3://` addresses.

    encoder, separator, window, hop, parts, precision, windows (see `Recipe`; 0 windows: all) default to what the library
    was made with, and for a new one to `make_recipe`'s; what differs from the library's recipe is refused unless
    `upgrade`. kind overrules the estimate for all files of this run; device: where neural models compute (see
    `config.Runtime`); elsewhere: machines that do the work (see `cluster.connected`). Raises InputError for a wrong
    argument, LibraryError for a library that is locked, damaged or made otherwise, CheckpointError where a model's weights
    are not here.
    """
    place = as_location(library)
    asked = Asked(encoder, separator, window, hop, parts, precision, windows)
    recipe = _recipe(place, asked, upgrade)
    return index_with_recipe(
        place,
        paths,
        recipe=recipe,
        kind=check_kind(kind) if kind else None,
        jobs=jobs,
        retry=retry,
        upgrade=upgrade,
        device=device,
        on_progress=on_progress,
        elsewhere=elsewhere,
    )


@dataclass(frozen=True)
class Asked:
    """What the user said of the recipe; None: nothing. `windows` 0: all of them."""

    encoder: str | None
    separator: str | None
    window: float | None
    hop: float | None
    parts: Sequence[str] | None
    precision: str | None
    windows: int | None


def _recipe(place: Location, asked: Asked, upgrade: bool) -> Recipe:
    """The library's own recipe with what was asked for in its place; in an upgrade, with the models as they are now."""
    if not (place / "library.json").exists():
        return make_recipe(
            asked.encoder or "builtin",
            asked.separator or "builtin",
            window=10.0 if asked.window is None else asked.window,
            hop=asked.hop,
            parts=asked.parts,
            precision=asked.precision or "exact",
            windows=asked.windows or None,
        )
    own = Library.open(place).recipe
    if not upgrade and all(value is None for value in astuple(asked)):
        return own
    encoder, separator = asked.encoder or own.encoder, asked.separator or own.separator
    wanted = make_recipe(
        encoder,
        separator,
        window=own.window if asked.window is None else asked.window,
        hop=(own.hop if asked.window is None else None) if asked.hop is None else asked.hop,
        gate_db=own.gate_db,
        parts=_parts(own, separator) if asked.parts is None else asked.parts,
        precision=asked.precision or own.precision,
        windows=own.windows if asked.windows is None else asked.windows or None,
    )
    if upgrade:
        return wanted
    return replace(
        wanted,
        encoder_version=own.encoder_version if encoder == own.encoder else wanted.encoder_version,
        separator_version=own.separator_version if separator == own.separator else wanted.separator_version,
        windows_version=own.windows_version if wanted.windows == own.windows else wanted.windows_version,
        facts_version=own.facts_version,
    )


def _parts(own: Recipe, separator: str) -> tuple[str, ...] | None:
    """The library's own parts where its separator stays; another separator's are all it gives."""
    return ordered(own.parts) if separator == own.separator else None
