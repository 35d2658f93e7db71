from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from soundalike.search.filters import Filters
from soundalike.search.finder import Finder
from soundalike.search.index.table_rows import CLIPS, WINDOWS
from soundalike.web.services.library_snapshot import LibrarySnapshot
from soundalike.web.services.usual_scores import SampledCosines, UsualScores, sampled_cosines

HAND = SampledCosines(
    columns=("drums", "mix"),
    item=np.array([0, 0, 1, 2]),
    # of the windows a1, a2, b and c with each other
    cosines=np.array(
        [
            [[1.0, 0.5, 0.2, 0.0], [0.5, 1.0, 0.6, 0.0], [0.2, 0.6, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0]],
            [[1.0, 0.4, 0.1, 0.3], [0.4, 1.0, 0.1, 0.5], [0.1, 0.1, 1.0, -0.2], [0.3, 0.5, -0.2, 1.0]],
        ],
        dtype=np.float32,
    ),
    present=np.array([[True, True, True, False], [True, True, True, True]]),
)


def test_scores_of_pairs_equal_a_calculation_by_hand() -> None:
    """Of a with b, a with c, b with a, b with c, c with a, c with b: the mean over the first, the best of the other."""
    whole = HAND.scores({"mix": 1.0}, whole=True)
    assert whole == pytest.approx([0.1, 0.4, 0.1, -0.2, 0.5, -0.2])
    both = HAND.scores({"drums": 0.5, "mix": -0.5}, whole=True)
    assert both == pytest.approx([0.15, -0.2, 0.25, 0.1, -0.15, 0.1])
    # a1 and a2 one by one
    assert HAND.scores({"mix": 1.0}, whole=False) == pytest.approx([0.1, 0.3, 0.1, 0.5, 0.1, -0.2, 0.5, -0.2])
    # nothing of c sounds among the drums
    assert HAND.scores({"drums": 1.0}, whole=True) == pytest.approx([0.4, 0.6])


@pytest.fixture(scope="module")
def finder(library: Path) -> Finder:
    return Finder.open(str(library))


def test_songs_score_as_in_a_search(finder: Finder, music: Path) -> None:
    """Each song is searched with, whole, under weights of both signs."""
    sample = sampled_cosines(finder.indexes[WINDOWS], np.arange(len(finder.indexes[WINDOWS].rows.contents)))
    weights = {"drums": 0.7, "mix": -0.3}
    found: list[float] = []
    for song in sorted((music / "songs").iterdir()):
        result = finder.similar(song, weights=weights, raw=True, versions="show")
        found += [hit.score for hit in result.hits]
    assert len(found) == 12
    assert np.sort(sample.scores(weights, whole=True)) == pytest.approx(np.sort(found), abs=2e-3)


def test_clips_score_as_in_a_search(finder: Finder, music: Path) -> None:
    usual = UsualScores().of(LibrarySnapshot.of(finder), CLIPS, "one-shot", {"mix": 1.0}, whole=False)
    found: list[float] = []
    for sound in sorted((music / "one-shots").iterdir()):
        hits = finder.similar(sound, filters=Filters(kinds=("one-shot",)), include_self=True, n=99).hits
        found += [hit.score for hit in hits if Path(hit.path).name != sound.name]
    assert usual is not None
    assert usual.pairs == len(found) == 20 * 19
    assert (usual.mean, usual.deviation) == pytest.approx((np.mean(found), np.std(found)), abs=2e-3)


def test_few_items_have_no_usual_score(finder: Finder) -> None:
    snapshot = LibrarySnapshot.of(finder)
    assert UsualScores().of(snapshot, CLIPS, "loop", {"mix": 1.0}, whole=False) is None
    assert UsualScores().of(snapshot, WINDOWS, "song", {"mix": 1.0}, whole=True) is None
    assert UsualScores().of(snapshot, WINDOWS, "song", {"vocals": 1.0}, whole=True) is None  # nobody sings
