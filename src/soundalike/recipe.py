"""How a library's vectors were made. Two vectors may be compared if and only if their recipes agree."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from soundalike.encoders import load_encoder
from soundalike.errors import InputError, LibraryError
from soundalike.parts import MIX, ordered
from soundalike.separators import load_separator

FACTS_VERSION = "1"
"""Changes whenever estimates of tempo, key or loudness do."""


@dataclass(frozen=True)
class Recipe:
    """How vectors were made. Two vectors may be compared if and only if their recipes agree.

    window, hop: seconds; gate_db: level under the mixture (dB, negative) below which a part is absent; parts include
    `mix`; dimension: D of the vectors.
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

    def to_json(self) -> dict[str, Any]:
        """The recipe as JSON-ready values."""
        return {**asdict(self), "parts": list(self.parts)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Recipe:
        """The recipe in `values`. Raises LibraryError where fields are missing or unknown."""
        names = {field.name for field in fields(cls)}
        if set(values) != names:
            differing = ", ".join(sorted(set(values) ^ names))
            raise LibraryError(
                f"the recipe of this library has other fields than this version knows: {differing}; "
                "use the soundalike version that made it, or index into a new library"
            )
        return cls(**{**values, "parts": ordered(values["parts"])})

    def fingerprint(self) -> str:
        """Short digest of all fields: equal recipes, equal fingerprints."""
        text = json.dumps(self.to_json(), sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    def differences(self, other: Recipe) -> list[str]:
        """One line for each field in which `other` differs: `field: mine, theirs`."""
        mine, theirs = self.to_json(), other.to_json()
        return [f"{name}: {mine[name]} here, {theirs[name]} there" for name in mine if mine[name] != theirs[name]]


def make_recipe(
    encoder: str = "builtin",
    separator: str = "builtin",
    *,
    window: float = 10.0,
    hop: float | None = None,
    gate_db: float = -40.0,
) -> Recipe:
    """The recipe of an encoder and a separator as they are now; `hop` defaults to `window`.

    Raises InputError for unknown models or lengths that are not positive.
    """
    if not 0.5 <= window <= 600:
        raise InputError(f"a window of {window} s is not possible; choose 0.5 to 600 s (10 is usual)")
    hop = window if hop is None else hop
    if not 0.1 <= hop <= window:
        raise InputError(f"a hop of {hop} s is not possible; choose 0.1 s up to the window, {window} s")
    loaded_encoder, loaded_separator = load_encoder(encoder), load_separator(separator)
    return Recipe(
        encoder=encoder,
        encoder_version=loaded_encoder.version,
        separator=separator,
        separator_version=loaded_separator.version,
        parts=ordered([*loaded_separator.parts, MIX]),
        dimension=loaded_encoder.dimension,
        window=float(window),
        hop=float(hop),
        gate_db=float(gate_db),
    )
