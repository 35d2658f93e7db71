"""What the rows of a table are compared with: both ears for a region of a song among clips."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from soundalike.analysis.analyser import Analyser
from soundalike.analysis.recipe import make_recipe
from soundalike.models.encoders.builtin.builtin_encoder import BuiltinEncoder, heard_through_music
from soundalike.models.encoders.builtin.signal_encoder import SignalEncoder
from soundalike.parts import MIX, PARTS
from soundalike.search.index.table_rows import CLIPS, WINDOWS
from soundalike.search.query import Query, query_from_file
from soundalike.search.region_shares import REGION_SHARES, RegionShares, region_shares

D = BuiltinEncoder.dimension
SIGNAL = SignalEncoder.dimension
SHARES = RegionShares(mixture=0.25, network=0.5)


def vectors(*rows: tuple[float, float]) -> np.ndarray:
    """(N, D): the first number of the signal features and the first of the network of each row."""
    out = np.zeros((len(rows), D), np.float32)
    out[:, [0, SIGNAL]] = rows
    return out


REGION = Query(
    label="region",
    is_clip=False,
    parts=("drums", MIX),
    starts=np.zeros(2),
    ends=np.ones(2),
    vectors=np.stack([vectors((1.0, 0.0), (0.6, 0.8)), vectors((0.0, 1.0), (0.0, 1.0))], axis=1),
    digests=frozenset(),
    region_shares={"drums": SHARES, MIX: RegionShares(1.0, 0.2)},
)


def test_a_query_is_printed_without_its_vectors() -> None:
    assert "label='region'" in repr(REGION)
    assert "vectors" not in repr(REGION)


def test_among_clips_a_region_is_the_stem_and_the_mixture_by_their_shares() -> None:
    stem, mixture = vectors((0.8, 0.4))[0], vectors((0.0, 1.0))[0]
    expected = heard_through_music(0.75 * stem + 0.25 * mixture, 0.5)
    np.testing.assert_allclose(REGION.among(CLIPS, "drums"), expected, atol=1e-6)


def test_among_songs_a_region_is_its_stem() -> None:
    np.testing.assert_array_equal(REGION.among(WINDOWS, "drums"), REGION.direction("drums"))


def test_without_shares_the_stem_counts_alone_as_it_is() -> None:
    query = replace(REGION, region_shares={"bass": SHARES})
    np.testing.assert_array_equal(query.among(CLIPS, "drums"), query.direction("drums"))


def test_without_a_mixture_the_stem_counts_alone() -> None:
    query = replace(REGION, parts=("drums",), vectors=REGION.vectors[:, :1])
    expected = heard_through_music(query.direction("drums"), SHARES.network)
    np.testing.assert_allclose(query.among(CLIPS, "drums"), expected)


def test_a_part_that_is_silent_stays_silent() -> None:
    silent = replace(REGION, vectors=REGION.vectors * np.array([0, 1], np.float32)[None, :, None])
    assert not silent.among(CLIPS, "drums").any()


def test_the_mix_of_a_region_is_heard_through_music_and_a_clip_is_not() -> None:
    np.testing.assert_allclose(REGION.among(CLIPS, MIX), heard_through_music(REGION.direction(MIX), 0.2))
    clip = replace(REGION, is_clip=True, region_shares={})
    np.testing.assert_array_equal(clip.among(CLIPS, "drums"), clip.direction(MIX))


def test_joined_queries_use_the_smallest_shares_of_each_part() -> None:
    as_it_is = replace(REGION, region_shares={})
    assert Query.joined([REGION, as_it_is]).region_shares == {}
    other = replace(REGION, region_shares={"drums": RegionShares(0.5, 0.1)})
    assert Query.joined([REGION, other]).region_shares == {"drums": RegionShares(0.25, 0.1)}


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("region") / "song.wav"
    noise = np.random.default_rng(0).standard_normal(4 * 32_000).astype(np.float32) / 10
    soundfile.write(path, noise, 32_000)
    return path


@pytest.mark.parametrize("part", ["drums", "bass", "residuals"])
def test_a_region_has_the_shares_of_its_part_and_length(song: Path, part: str) -> None:
    analyser = Analyser(make_recipe())
    shares = REGION_SHARES["builtin", "2"]
    for end, length in ((1.6, 0), (3.5, 1)):
        query = query_from_file(analyser, song, region=(1.0, end), parts=[part])
        assert query.region_shares == {name: shares[name][length] for name in (part, MIX)}
        assert query.parts == (part, MIX)
    assert not query_from_file(analyser, song, parts=[part]).region_shares


def test_the_mixture_counts_more_for_bass_than_for_drums_and_the_network_for_single_sounds() -> None:
    shares = REGION_SHARES["builtin", "2"]
    for of_bass, of_drums in zip(shares["bass"], shares["drums"], strict=True):
        assert of_bass.mixture > of_drums.mixture
    assert all(single.network > 3 * longer.network for single, longer in shares.values())
    assert set(shares) == set(PARTS)


def test_with_version_1_of_the_encoder_a_region_is_compared_as_it_is() -> None:
    assert region_shares(replace(make_recipe(), encoder_version="1"), 0.5) == {}
