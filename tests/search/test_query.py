"""What the rows of a table are compared with: both ears for a region of a song among clips."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from soundalike.analysis.analyser import Analyser
from soundalike.analysis.recipe import make_recipe
from soundalike.parts import MIX, PARTS
from soundalike.search.index.table_rows import CLIPS, WINDOWS
from soundalike.search.query import MIXTURE_SHARES, Query, query_from_file

REGION = Query(
    label="region",
    is_clip=False,
    parts=("drums", MIX),
    starts=np.zeros(2),
    ends=np.ones(2),
    vectors=np.array([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], [[0.6, 0.0, 0.8], [0.0, 0.0, 1.0]]], dtype=np.float32),
    digests=frozenset(),
    mixture_shares={"drums": 0.25, MIX: 0.5},
)


def test_among_clips_a_region_is_the_stem_and_the_mixture_by_its_share() -> None:
    stem, mixture = np.array([0.8, 0.0, 0.4]), np.array([0.0, 0.5, 0.5])
    np.testing.assert_allclose(REGION.among(CLIPS, "drums"), 0.75 * stem + 0.25 * mixture, atol=1e-7)


def test_among_songs_a_region_is_its_stem() -> None:
    np.testing.assert_array_equal(REGION.among(WINDOWS, "drums"), REGION.direction("drums"))


@pytest.mark.parametrize(
    "query",
    [
        replace(REGION, mixture_shares={"bass": 0.25}),
        replace(REGION, parts=("drums",), vectors=REGION.vectors[:, :1]),
    ],
    ids=["no share of this part", "no mixture"],
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


def test_joined_queries_use_the_smallest_share_of_each_part() -> None:
    stem_alone = replace(REGION, mixture_shares={})
    assert Query.joined([REGION, stem_alone]).mixture_shares["drums"] == 0
    assert Query.joined([REGION, REGION]).mixture_shares["drums"] == 0.25


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("region") / "song.wav"
    noise = np.random.default_rng(0).standard_normal(4 * 32_000).astype(np.float32) / 10
    soundfile.write(path, noise, 32_000)
    return path


@pytest.mark.parametrize("part", ["drums", "bass", "residuals"])
def test_a_region_counts_the_mixture_by_its_part_and_length(song: Path, part: str) -> None:
    analyser = Analyser(make_recipe())
    shares = MIXTURE_SHARES["builtin", "2"][part]
    for end, share in ((1.6, shares.single), (3.5, shares.longer)):
        query = query_from_file(analyser, song, region=(1.0, end), parts=[part])
        assert query.mixture_shares == {part: share}
        assert query.parts == (part, MIX)
    assert not query_from_file(analyser, song, parts=[part]).mixture_shares


def test_the_mixture_counts_more_for_bass_than_for_drums() -> None:
    shares = MIXTURE_SHARES["builtin", "2"]
    assert all(of_bass > of_drums for of_bass, of_drums in zip(shares["bass"], shares["drums"], strict=True))
    assert set(shares) == set(PARTS) - {MIX}
