"""Which items a search may return: by kind, class, duration, tempo, key, path, artist and album."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from soundalike.analysis.kinds import Kind, check_kind
from soundalike.audio.metadata.class_names import check_class
from soundalike.audio.metadata.facts import tempo_matches
from soundalike.audio.metadata.keys import compatible, parse_key
from soundalike.errors import InputError
from soundalike.search.name_matching import fold, path_matcher

Item = Mapping[str, Any]

NEARLY = 0.1
"""Share by which a duration may differ from the single one that was asked for: nobody knows milliseconds."""


@dataclass(frozen=True)
class Filters:
    """Conditions that an item must all fulfil; None and empty mean no condition.

    kinds: any of these; durations (low, high) in s; tempo (low, high) in BPM, where half and double of an item's tempo match
    too; key: a key, or one compatible with it; paths: texts or glob patterns, any of which must match the item's path (see
    `path_matcher`); not_artists, not_albums: values that the item must not have (compared with `fold`); classes: any of these
    classes of one-shots. An item of unknown tempo, key or class fulfils no condition on it.
    """

    kinds: tuple[Kind, ...] = ()
    durations: tuple[float | None, float | None] = (None, None)
    tempo: tuple[float, float] | None = None
    key: str | None = None
    paths: tuple[str, ...] = ()
    not_artists: tuple[str, ...] = ()
    not_albums: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    def admits(self, item: Item) -> bool:
        """Whether an item (a row of the library's `items`, with its `sound_class`) fulfils all conditions."""
        low, high = self.durations
        if self.kinds and item["kind"] not in self.kinds:
            return False
        if (low is not None and item["duration"] < low) or (high is not None and item["duration"] > high):
            return False
        if self.tempo is not None and (item["tempo"] is None or not tempo_matches(item["tempo"], *self.tempo)):
            return False
        if self.key is not None and (item["key"] is None or not compatible(item["key"], self.key)):
            return False
        if self.classes and item.get("sound_class") not in self.classes:
            return False
        if self.paths and not path_matcher(self.paths)(fold(f"{item['root']}/{item['path']}")):
            return False
        return not (_among(item["artist"], self.not_artists) or _among(item["album"], self.not_albums))


def make_filters(
    *,
    kinds: tuple[str, ...] = (),
    durations: tuple[float | None, float | None] = (None, None),
    tempo: tuple[float, float] | None = None,
    key: str | None = None,
    paths: tuple[str, ...] = (),
    classes: tuple[str, ...] = (),
) -> Filters:
    """Filters from user input; for one-shots, if they name classes but no kinds. A range of durations with equal ends means about
    that duration. Raises InputError for an unknown kind, class or
    key, or an empty range."""
    for name, (low, high) in (("duration", durations), ("tempo", tempo or (None, None))):
        if low is not None and high is not None and low > high:
            raise InputError(f"the {name} range {low:g}-{high:g} is empty; write the lower value first")
    low, high = durations
    if low is not None and low == high:
        durations = (low * (1 - NEARLY), low * (1 + NEARLY))
    if classes and not kinds:
        kinds = ("one-shot",)
    return Filters(
        kinds=tuple(dict.fromkeys(check_kind(kind) for kind in kinds)),
        durations=durations,
        tempo=tempo,
        key=str(parse_key(key)) if key is not None else None,
        paths=paths,
        classes=tuple(dict.fromkeys(check_class(name) for name in classes)),
    )


def _among(value: str | None, unwanted: tuple[str, ...]) -> bool:
    return value is not None and fold(value) in {fold(name) for name in unwanted}
