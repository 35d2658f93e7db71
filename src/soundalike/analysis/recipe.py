"""How a library's vectors were made. Two vectors may be compared if and only if their recipes agree."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from soundalike.analysis.window_selection import selection_version
from soundalike.config import Precision, check_precision
from soundalike.errors import InputError, LibraryError
from soundalike.models.encoders import ENCODERS, Encoder, PartEncoder, load_encoder
from soundalike.models.separators import SEPARATORS, attacks_of, gates_of, load_separator
from soundalike.parts import MIX, ordered

FACTS_VERSION = "3"
"""Changes whenever estimates of tempo, key or loudness do. 2: which level of a rhythm is the beat, and the key by chords. 3: the
key by the first chord.

It did not change when the loudness of recordings longer than ten minutes was corrected: too few items would differ."""

SIGNAL_VERSION = "2"
"""How a decoded waveform is prepared for the models: mono by the mean, except where channels cancel (`to_channels`), and
without its offset (`remove_offset`). Empty in recipes from before: the offset stayed."""

_LATER_FIELDS = ("precision", "windows", "windows_version", "signal_version")
"""Fields that libraries of the first format lack; their defaults say how those were made."""

MOST_WINDOWS = 1_000


@dataclass(frozen=True)
class Recipe:
    """How vectors were made. Two vectors may be compared if and only if their recipes agree.

    encoder_version, separator_version: of code and checkpoint (its digest comes after the `+`); parts include `mix`;
    dimension: D of the vectors; window, hop: seconds; gate_db: level relative to the mixture (dB, negative) below which a
    part is absent; precision: `exact` or `fast`; windows: how many representative windows a song has (None: all);
    windows_version: how they are selected; signal_version: how waveforms are prepared (see `SIGNAL_VERSION`).
    """

    encoder: str
    encoder_version: str
    separator: str
    separator_version: str
    parts: tuple[str, ...]
    dimension: int
    window: float = 10.0
    hop: float = 10.0
    gate_db: float = -40.0
    facts_version: str = FACTS_VERSION
    precision: Precision = "exact"
    windows: int | None = None
    windows_version: str = ""
    signal_version: str = ""

    @property
    def removes_offset(self) -> bool:
        """Whether offset, drift and rumble are removed before anything is embedded."""
        return bool(self.signal_version)

    def to_json(self) -> dict[str, Any]:
        """The recipe as JSON-ready values; without `signal_version` if it is empty, as before there was one."""
        values = {**asdict(self), "parts": list(self.parts)}
        if not self.signal_version:
            del values["signal_version"]
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Recipe:
        """The recipe in `values`; fields that were added later may be missing. Raises LibraryError if others are missing,
        or if one is unknown."""
        names = {field.name for field in fields(cls)}
        given = {**{name: getattr(cls, name) for name in _LATER_FIELDS}, **values}
        if set(given) != names:
            differing = ", ".join(sorted(set(given) ^ names))
            raise LibraryError(
                f"the recipe of this library does not have the fields that this version expects: {differing}; "
                "use the soundalike version that made it, or index into a new library"
            )
        return cls(**{**given, "parts": ordered(given["parts"])})

    def fingerprint(self) -> str:
        """Short digest of all fields; equal for equal recipes."""
        text = json.dumps(self.to_json(), sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    def differences(self, other: Recipe) -> list[str]:
        """One phrase for each field in which `other` differs: `encoder version 1, not 2` (mine, not theirs)."""
        mine, theirs = asdict(self), asdict(other)
        return [
            f"{name.replace('_', ' ')} {_shown(mine[name])}, not {_shown(theirs[name])}"
            for name in mine
            if mine[name] != theirs[name]
        ]


def _shown(value: object) -> object:
    return " ".join(map(str, value)) if isinstance(value, tuple) else ("none" if value in ("", None) else value)


def make_recipe(
    encoder: str = "builtin",
    separator: str = "builtin",
    *,
    window: float = 10.0,
    hop: float | None = None,
    gate_db: float = -40.0,
    parts: Iterable[str] | None = None,
    precision: str = "exact",
    windows: int | None = None,
) -> Recipe:
    """The recipe of an encoder and a separator in their present versions.

    hop: defaults to `window`; parts: default to all that the separator has. Raises InputError for unknown models, parts
    that the separator does not have, a precision that neither model has, or lengths and numbers out of range,
    CheckpointError if a model's weights are not downloaded.
    """
    if not 0.5 <= window <= 600:
        raise InputError(f"a window of {window} s is not possible; choose 0.5 to 600 s (10 is usual)")
    hop = window if hop is None else hop
    if not 0.1 <= hop <= window:
        raise InputError(f"a hop of {hop} s is not possible; choose 0.1 s up to the window, {window} s")
    if windows is not None and not 1 <= windows <= MOST_WINDOWS:
        raise InputError(
            f"{windows} windows a song are not possible; choose 1 to {MOST_WINDOWS}, or leave it out for all"
        )
    loaded_encoder, loaded_separator = load_encoder(encoder), load_separator(separator)
    return Recipe(
        encoder=encoder,
        encoder_version=loaded_encoder.version,
        separator=separator,
        separator_version=loaded_separator.version,
        parts=_parts(separator, _known(loaded_separator.parts, loaded_encoder), parts),
        dimension=loaded_encoder.dimension,
        window=float(window),
        hop=float(hop),
        gate_db=float(gate_db),
        precision=precision_of(encoder, separator, precision),
        windows=windows,
        windows_version="" if windows is None else selection_version(),
        signal_version=SIGNAL_VERSION,
    )


def is_heavy(recipe: Recipe) -> bool:
    """Whether a model of the recipe is neural: it uses all cores and much memory, where the others use one core."""
    rows = (ENCODERS.get(recipe.encoder), SEPARATORS.get(recipe.separator))
    return any(row is not None and row.extra in ("neural", "train") for row in rows)


def gate_of(recipe: Recipe, part: str) -> float:
    """Level relative to the mixture (dB) below which a part is absent: the gate of the recipe, or that of the separator for this
    part if it is higher."""
    return max(recipe.gate_db, gates_of(recipe.separator).get(part, recipe.gate_db))


def attack_of(recipe: Recipe, part: str) -> float:
    """The rise (dB) that the clearest onset of a part has at least where it is not something else; -inf if anything may be it."""
    return attacks_of(recipe.separator, recipe.separator_version).get(part, -math.inf)


def licences(recipe: Recipe) -> dict[str, str]:
    """The licence of each model of the recipe, by name; models that are not in the tables are left out."""
    rows = {recipe.separator: SEPARATORS.get(recipe.separator), recipe.encoder: ENCODERS.get(recipe.encoder)}
    return {name: row.licence for name, row in sorted(rows.items()) if row is not None}


def _known(stems: tuple[str, ...], encoder: Encoder) -> tuple[str, ...]:
    """The stems of a separator, without those that an encoder which hears mixtures does not know."""
    return tuple(part for part in stems if part in encoder.parts) if isinstance(encoder, PartEncoder) else stems


def _parts(separator: str, stems: tuple[str, ...], requested: Iterable[str] | None) -> tuple[str, ...]:
    available = ordered([*stems, MIX])
    if requested is None:
        return available
    wanted = ordered([*requested, MIX])  # the mix is always included: loops and one-shots have no other part
    missing = [part for part in wanted if part not in available]
    if missing:
        raise InputError(f"the separator {separator} has no {missing[0]}; it has {', '.join(available)}")
    return wanted


def precision_of(encoder: str, separator: str, requested: str) -> Precision:
    """`requested` as a Precision. Raises InputError if neither model has it."""
    precision = check_precision(requested)
    if precision not in ENCODERS[encoder].precisions + SEPARATORS[separator].precisions:
        raise InputError(
            f"neither the encoder {encoder} nor the separator {separator} has the precision {precision!r}; leave it out"
        )
    return precision
