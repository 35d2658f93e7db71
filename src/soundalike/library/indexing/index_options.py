"""The options of `index`, and the recipe that follows from them and from the recipe of the library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from soundalike.analysis.kinds import Kind, check_kind
from soundalike.analysis.recipe import Recipe, make_recipe
from soundalike.config import Runtime
from soundalike.errors import InputError
from soundalike.library.indexing.exclusions import checked_patterns
from soundalike.library.storage.location import Location
from soundalike.library.storage.manifest import FILE_NAME, read_manifest
from soundalike.library.storage.store import holds_nothing
from soundalike.models.separators import SEPARATORS
from soundalike.parts import MIX, ordered

FILE_SECONDS = 600.0
"""A file may take so long to analyse, and longer the larger it is; then its worker is ended."""


@dataclass(frozen=True)
class IndexOptions:
    """The options of `index`, checked.

    encoder, separator, window, hop, parts, precision, windows: see `Recipe`; None: as the library was made, and for a new
    library `make_recipe`'s default; windows 0: all windows of a song. recipe: all of these at once, in their place.
    kind: what all files of this run are, instead of an estimate; jobs: worker processes (None: one per core, or a single
    one for neural models, which use all cores); retry: try files again that could not be used; upgrade: where the recipe
    differs from the library's, re-index the items that this affects; cue: whether cue sheets divide their files into tracks
    (None: as in the last run that stated it; at first they do); exclude: patterns of files and folders to keep out, besides
    those that the library remembers (see `exclusions.Exclusions`); no_exclude: forget those first; device: where neural
    models compute (see `config.Runtime`); file_seconds: time limit for one file, extended by its size.

    Raises InputError for an unknown kind or device, a pattern that is not allowed, or fewer than one job.
    """

    encoder: str | None = None
    separator: str | None = None
    window: float | None = None
    hop: float | None = None
    parts: Sequence[str] | None = None
    precision: str | None = None
    windows: int | None = None
    recipe: Recipe | None = None
    kind: str | None = None
    jobs: int | None = None
    retry: bool = False
    upgrade: bool = False
    cue: bool | None = None
    exclude: Sequence[str] = ()
    no_exclude: bool = False
    device: str = "auto"
    file_seconds: float = FILE_SECONDS

    def __post_init__(self) -> None:
        if self.kind is not None:
            check_kind(self.kind)
        if self.jobs is not None and self.jobs < 1:
            raise InputError(f"{self.jobs} jobs requested; use 1 or more")
        checked_patterns(self.exclude)
        Runtime(self.device)

    @property
    def runtime(self) -> Runtime:
        """Where neural models compute."""
        return Runtime(self.device)

    @property
    def checked_kind(self) -> Kind | None:
        """`kind`, as the type that analysis takes."""
        return None if self.kind is None else check_kind(self.kind)

    @property
    def names_recipe(self) -> bool:
        """Whether any option determines how vectors are made."""
        names = (
            self.encoder,
            self.separator,
            self.window,
            self.hop,
            self.parts,
            self.precision,
            self.windows,
            self.recipe,
        )
        return any(value is not None for value in names)


def wanted_recipe(library: Location, options: IndexOptions) -> Recipe:
    """The recipe that the options ask for: what they leave open is as the library was made, or the default of a new one.

    Models whose names stay keep the versions that the library was made with; in an upgrade, and where options are
    named for a library that holds nothing yet, they have the current ones.
    Raises InputError for an unknown model or an impossible value, LibraryError for a damaged library.
    """
    if options.recipe is not None:
        return options.recipe
    if not (library / FILE_NAME).exists():
        return _new_recipe(options)
    manifest = read_manifest(library)
    own = manifest.recipe
    if not options.upgrade and not options.names_recipe:
        return own
    renew = options.upgrade or holds_nothing(library, manifest)
    encoder, separator = _or(options.encoder, own.encoder), _or(options.separator, own.separator)
    keeps_parts = separator == own.separator and not (renew and _has_all_parts(own))
    own_parts = (
        ordered(own.parts) if keeps_parts else None
    )  # another separator, or another version of it: all its parts
    own_hop = own.hop if options.window is None else None
    wanted = make_recipe(
        encoder,
        separator,
        window=own.window if options.window is None else options.window,
        hop=own_hop if options.hop is None else options.hop,
        gate_db=own.gate_db,
        parts=own_parts if options.parts is None else options.parts,
        precision=_or(options.precision, own.precision),
        windows=own.windows if options.windows is None else options.windows or None,
    )
    return wanted if renew else _with_own_versions(wanted, own)


def _has_all_parts(recipe: Recipe) -> bool:
    """Whether a recipe has all parts of its version of the separator, so that no choice of the user is in them."""
    row = SEPARATORS.get(recipe.separator)
    return row is not None and set(recipe.parts) == {*row.parts_of(recipe.separator_version), MIX}


def _or(name: str | None, default: str) -> str:
    """The default instead of nothing, but not instead of an empty name, which is a mistake of whoever calls."""
    return default if name is None else name


def _new_recipe(options: IndexOptions) -> Recipe:
    return make_recipe(
        _or(options.encoder, "builtin"),
        _or(options.separator, "builtin"),
        window=10.0 if options.window is None else options.window,
        hop=options.hop,
        parts=options.parts,
        precision=_or(options.precision, "exact"),
        windows=options.windows or None,
    )


def _with_own_versions(wanted: Recipe, own: Recipe) -> Recipe:
    return replace(
        wanted,
        encoder_version=own.encoder_version if wanted.encoder == own.encoder else wanted.encoder_version,
        dimension=own.dimension if wanted.encoder == own.encoder else wanted.dimension,
        separator_version=own.separator_version if wanted.separator == own.separator else wanted.separator_version,
        windows_version=own.windows_version if wanted.windows == own.windows else wanted.windows_version,
        facts_version=own.facts_version,
        signal_version=own.signal_version,
    )
