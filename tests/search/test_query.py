"""What the rows of a table are compared with: both ears for a region of a song among clips."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from soundalike.parts import MIX
from soundalike.search.index.table_rows import CLIPS, WINDOWS
from soundalike.search.query import Query

REGION = Query(
    label="region",
    is_clip=False,
    parts=("drums", MIX),
    starts=np.zeros(2),
    ends=np.ones(2),
    vectors=np.array([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], [[0.6, 0.0, 0.8], [0.0, 0.0, 1.0]]], dtype=np.float32),
    digests=frozenset(),
    mixture_share=0.25,
)


def test_among_clips_a_region_is_the_stem_and_the_mixture_by_its_share() -> None:
    stem, mixture = np.array([0.8, 0.0, 0.4]), np.array([0.0, 0.5, 0.5])
    np.testing.assert_allclose(REGION.among(CLIPS, "drums"), 0.75 * stem + 0.25 * mixture, atol=1e-7)


def test_among_songs_a_region_is_its_stem() -> None:
    np.testing.assert_array_equal(REGION.among(WINDOWS, "drums"), REGION.direction("drums"))


@pytest.mark.parametrize(
    "query",
    [
        replace(REGION, mixture_share=0.0),
        replace(REGION, parts=("drums",), vectors=REGION.vectors[:, :1]),
    ],
    ids=["no share", "no mixture"],
)
def test_without_a_share_or_a_mixture_the_stem_counts_alone(query: Query) -> None:
    np.testing.assert_array_equal(query.among(CLIPS, "drums"), query.direction("drums"))


def test_a_part_that_is_silent_stays_silent() -> None:
    silent = replace(REGION, vectors=REGION.vectors * np.array([0, 1], np.float32)[None, :, None])
    assert not silent.among(CLIPS, "drums").any()


def test_the_mix_and_clips_are_compared_as_they_are() -> None:
    np.testing.assert_array_equal(REGION.among(CLIPS, MIX), REGION.direction(MIX))
    clip = replace(REGION, is_clip=True)
    np.testing.assert_array_equal(clip.among(CLIPS, "drums"), clip.direction(MIX))


def test_joined_queries_use_the_smallest_share() -> None:
    assert Query.joined([REGION, replace(REGION, mixture_share=0.0)]).mixture_share == 0
    assert Query.joined([REGION, REGION]).mixture_share == 0.25
