"""Queries from the onsets in one part of a song: similar ones form a group, and each group is a query for clips."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from soundalike.errors import InputError
from soundalike.parts import MIX
from soundalike.search.filters import Filters
from soundalike.search.open_library import OpenLibrary
from soundalike.search.query import Query, file_digest
from soundalike.search.references import find_item, local_file
from soundalike.search.region_shares import region_shares
from soundalike.search.request import Region

if TYPE_CHECKING:
    from soundalike.analysis.onset_groups import OnsetGroup
    from soundalike.analysis.recipe import Recipe


def onset_query(
    group: OnsetGroup, start: float, label: str, recipe: Recipe, part: str, digests: Iterable[str] = ()
) -> Query:
    """The query of a group of onsets in the stem of a part; start: of that stem, s; digests: of the reference, no hit of itself.

    They are compared by the stem, like a region for a single sound of the part but for the mixture.
    """
    single = region_shares(recipe, 0.0)
    return Query(
        label=f"{label} onset at {start + group.starts[0]:.2f} s",
        is_clip=True,
        parts=(MIX,),
        starts=group.starts + start,
        ends=group.ends + start,
        vectors=group.vectors[:, np.newaxis],
        digests=frozenset(digests),
        region_shares={MIX: single[part]} if part in single else {},
    )


def onset_queries(
    opened: OpenLibrary, reference: str | Path, part: str, region: Region | None, groups: int
) -> list[tuple[OnsetGroup, Query]]:
    """The `groups` most frequent groups of similar onsets in a part of a song, each with a query of their vectors.

    The region (default: the whole file) is separated and its `part` cut at the onsets. Raises InputError for a part that the
    library does not have, AudioError for a file that cannot be used or a part without onsets.
    """
    from soundalike.analysis.onset_groups import group_onsets

    opened.check_parts([part])
    path = local_file(opened, reference, find_item(opened, reference))
    start, end = region or (0.0, None)
    stems, sample_rate = opened.analyser.stems(path, start, end, parts=[part])
    largest = group_onsets(opened.analyser, stems[part], sample_rate)[:groups]
    recipe, label = opened.library.recipe, f"{path.name} {part}"
    digests = [file_digest(path, recipe)]
    return [(group, onset_query(group, start, label, recipe, part, digests)) for group in largest]


def filters_for_onsets(filters: Filters | None) -> Filters:
    """`filters` that admit clips: one-shots unless kinds are given. Raises InputError where songs are."""
    filters = filters or Filters()
    if "song" in filters.kinds:
        raise InputError("onsets are compared with clips; search one-shots or loops, not songs")
    return filters if filters.kinds else replace(filters, kinds=("one-shot",))
