"""Weights: how much each part counts, and profiles, weights that were learnt.

Conventions
- Weights map part names to real numbers, signed ones too (Eq. 3 of Vohra & Akama: y = w . f, no intercept). A part
  that is not named has weight 0; all zero is an error.
- *Hand-set* weights act in units of the spread of each part's cosine (`in_units_of_spread`), because raw cosines of
  different parts spread differently and equal raw weights would not be equal influence. *Learnt* weights (a `Profile`)
  act on raw cosines, as in the paper.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from soundalike.errors import InputError
from soundalike.parts import PARTS, ordered

Weights = dict[str, float]


def parse_weights(text: str) -> Weights:
    """Weights from text such as `drums=1,bass=.3`; in the order of `PARTS`.

    Raises InputError for an unknown part, a part named twice, or something that is not a finite number.
    """
    found: Weights = {}
    for piece in text.split(","):
        name, sign, number = (piece.strip() for piece in piece.partition("="))
        if not sign or not name:
            raise InputError(f"{piece.strip()!r} is not a weight; write part=number, as in drums=1,bass=.3")
        ordered([name])
        if name in found:
            raise InputError(f"{name!r} is weighted twice in {text!r}; name each part once")
        try:
            found[name] = float(number)
        except ValueError:
            raise InputError(
                f"{number!r} is not a number, so {name!r} has no weight; write for example {name}=0.5"
            ) from None
    return checked(found, PARTS)


def checked(weights: Mapping[str, float], available: Iterable[str]) -> Weights:
    """`weights` without its zeros, in the order of `PARTS`.

    Raises InputError for a non-zero weight of a part that is not `available`, a weight that is not finite, or weights
    that are all zero.
    """
    available = ordered(available)
    for part, value in weights.items():
        if not math.isfinite(value):
            raise InputError(f"the weight of {part!r} is {value}; weights are finite numbers")
        if value != 0 and part not in available:
            raise InputError(f"no part {part!r} here; the parts are {', '.join(available)}")
    kept = {part: float(weights[part]) for part in available if weights.get(part, 0) != 0}
    if not kept:
        raise InputError("all weights are zero, so nothing would count; give at least one part another weight")
    return kept


def equal_weights(parts: Iterable[str]) -> Weights:
    """Weight 1 for each of `parts`."""
    return dict.fromkeys(ordered(parts), 1.0)


def in_units_of_spread(weights: Mapping[str, float], spread: Mapping[str, float]) -> Weights:
    """Raw weights with which each part has the influence that `weights` asks for.

    `spread` is the standard deviation of each part's cosine between random pairs of the library. The result is
    c * w_k / spread_k with the one positive factor c that keeps the sum of absolute weights, so the order of hits is
    that of w_k / spread_k, and one part alone keeps its weight.

    Raises InputError where a weighted part has no positive spread.
    """
    for part in weights:
        if not spread.get(part, 0) > 0:
            raise InputError(f"the spread of {part!r} is {spread.get(part)}; it must be positive")
    scaled = {part: value / spread[part] for part, value in weights.items()}
    total = sum(abs(value) for value in scaled.values())
    factor = sum(abs(value) for value in weights.values()) / total if total else 1.0
    return {part: factor * value for part, value in scaled.items()}


@dataclass(frozen=True)
class Profile:
    """Weights that were learnt from listeners, and where they come from.

    encoder, separator: the models whose cosines the weights act on, no others; parts: the weighted parts;
    clip_seconds: the length of the clips that listeners compared; method: how they were fitted; source: where they
    stand; data: the answers they were learnt from; agreement: share of held-out answers (0..1) they agree with, if
    known; intervals: 95 % intervals (low, high) a part, if known; notes: what to beware of.
    """

    name: str
    encoder: str
    separator: str
    weights: Weights
    method: str
    source: str
    data: str
    clip_seconds: float
    agreement: float | None = None
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    notes: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        return ordered(self.weights)

    def to_json(self) -> dict[str, Any]:
        """The profile as JSON-ready values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any], where: str = "profile") -> Profile:
        """The profile in `values`; raises InputError, naming `where`, for one that is not whole."""
        try:
            profile = cls(**dict(values))
            weights = checked(profile.weights, PARTS)
        except TypeError as error:
            raise InputError(f"{where} is not a weight profile: {error}") from None
        return cls(**{**asdict(profile), "weights": weights})


def shipped_profiles() -> list[Profile]:
    """The profiles that come with soundalike: the four rows of Table 4 of Vohra & Akama."""
    folder = resources.files("soundalike") / "profiles"
    return [
        Profile.from_json(json.loads(entry.read_text(encoding="utf-8")), entry.name)
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".json")
    ]


def load_profile(name_or_path: str) -> Profile:
    """A shipped profile by its name, or one from a JSON file. Raises InputError."""
    shipped = {profile.name: profile for profile in shipped_profiles()}
    if name_or_path in shipped:
        return shipped[name_or_path]
    path = Path(name_or_path)
    if not path.is_file():
        raise InputError(f"no profile {name_or_path!r}: neither a file nor one of those shipped ({', '.join(shipped)})")
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"{path} cannot be read as a JSON profile: {error}") from None
    if not isinstance(values, dict):
        raise InputError(f"{path} is not a weight profile: a JSON object is needed")
    return Profile.from_json(values, str(path))


def fitting_profile(encoder: str, separator: str) -> Profile | None:
    """The shipped profile that was learnt with this encoder and separator, if there is one."""
    for profile in shipped_profiles():
        if (profile.encoder, profile.separator) == (encoder, separator):
            return profile
    return None
