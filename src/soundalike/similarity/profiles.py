"""Profiles: weights learnt from listeners, shipped with soundalike or loaded from a JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from soundalike.errors import InputError
from soundalike.parts import PARTS, ordered
from soundalike.similarity.weights import Weights, checked


@dataclass(frozen=True)
class Profile:
    """Weights learnt from listeners, and their origin.

    encoder, separator: the models whose cosines the weights act on; parts: the weighted parts; clip_seconds: length of the
    clips that listeners compared; method: how the weights were fitted; source: where they are published; data: the answers
    they were learnt from; agreement: share of held-out answers (0..1) they agree with, if known; intervals: 95 % intervals
    (low, high) by part, if known; notes: limitations.
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
        """The weighted parts."""
        return ordered(self.weights)

    def to_json(self) -> dict[str, Any]:
        """The profile as JSON-ready values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any], where: str = "profile") -> Profile:
        """The profile in `values`. Raises InputError, naming `where`, for missing or unknown fields or invalid weights."""
        try:
            profile = cls(**dict(values))
            weights = checked(profile.weights, PARTS)
        except TypeError as error:
            raise InputError(f"{where} is not a weight profile: {error}") from None
        return cls(**{**asdict(profile), "weights": weights})


def shipped_profiles() -> list[Profile]:
    """The profiles shipped with soundalike: the four rows of Table 4 of Vohra & Akama."""
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
        raise InputError(
            f"no profile {name_or_path!r}: it is neither a file nor a shipped profile ({', '.join(shipped)})"
        )
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"{path} cannot be read as a JSON profile: {error}") from None
    if not isinstance(values, dict):
        raise InputError(f"{path} is not a weight profile: it must hold a JSON object")
    return Profile.from_json(values, str(path))


def fitting_profile(encoder: str, separator: str) -> Profile | None:
    """The shipped profile learnt with this encoder and separator, if there is one."""
    for profile in shipped_profiles():
        if (profile.encoder, profile.separator) == (encoder, separator):
            return profile
    return None
