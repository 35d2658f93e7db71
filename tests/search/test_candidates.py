from __future__ import annotations

import pytest

from soundalike.errors import InputError
from soundalike.library.indexing.library_update import index
from soundalike.search.candidates import candidates, provisional
from soundalike.search.filters import make_filters
from soundalike.search.finder import Finder
from tests.made_up_library import InlineBackend
from tests.made_up_rows import RECIPE


@pytest.fixture(scope="module")
def finder(tmp_path_factory: pytest.TempPathFactory) -> Finder:
    """300 made-up songs of 1 to 4 windows, random directions of 8 dimensions."""
    folder = tmp_path_factory.mktemp("made-up")
    (folder / "music").mkdir()
    for number in range(300):
        (folder / "music" / f"song-{number:03}.wav").write_text(f"song {1 + number % 4} {number}")
    index(folder / "library", [folder / "music"], recipe=RECIPE, backend=InlineBackend())
    return Finder.open(folder / "library")


def extremes(parts: tuple[str, ...]) -> list[dict[str, float]]:
    """Equal weights, each part alone, each part against the others."""
    found = [dict.fromkeys(parts, 1.0)]
    for part in parts:
        found.append({part: 1.0})
        found.append({**dict.fromkeys(parts, 0.3), part: -1.0})
    return found


def overlap(finder: Finder, most: int, top: int = 20) -> list[float]:
    """Of the exact top hits under each extreme, the share in the provisional ones."""
    parts = finder.library.recipe.parts
    item = next(item["id"] for item in finder.items if item["windows"] == 4)  # it has all parts
    plan = finder.plan(item, weights=dict.fromkeys(parts, 1.0), raw=True)
    sent = candidates(finder, plan, most)
    shares = []
    for weights in extremes(parts):
        exact = {hit.id for hit in finder.similar(item, weights=weights, raw=True, n=top).hits}
        order = provisional(sent, [weights.get(part, 0.0) for part in sent.parts])[:top]
        shares.append(len(exact & {sent.items[index]["id"] for index, _, _ in order}) / len(exact))
    return shares


def test_with_room_for_all_the_provisional_order_is_nearly_the_exact_one(finder: Finder) -> None:
    shares = overlap(finder, 2_000)
    assert shares[0] == 1.0
    assert min(shares) >= 0.8


def test_few_candidates_still_hold_the_best_of_each_part_alone(finder: Finder) -> None:
    shares = overlap(finder, 240)
    alone = shares[1::2]
    assert shares[0] == 1.0
    assert min(alone) == 1.0


def test_scores_are_those_of_the_server(finder: Finder) -> None:
    parts = finder.library.recipe.parts
    weights = {part: 0.5 + k for k, part in enumerate(parts)}
    plan = finder.plan(finder.items[3]["id"], weights=weights, raw=True)
    sent = candidates(finder, plan, 100)
    hits = finder.answer(plan).hits
    assert len(hits) == 10
    order = provisional(sent, [weights[part] for part in sent.parts])[:10]
    assert [sent.items[item]["id"] for item, _, _ in order] == [hit.id for hit in hits]
    for (_, row, score), hit in zip(order, hits, strict=True):
        assert score == pytest.approx(hit.score, abs=1e-4)
        assert (sent.starts[row], sent.ends[row]) == (hit.start, hit.end)


def test_what_has_none_of_the_weighted_parts_is_no_hit_and_no_candidate(finder: Finder) -> None:
    library = finder.library
    contents = library.windows(["content"])["content"].to_pylist()
    item = next(item for item in finder.items if item["windows"] == 4)
    for weights in ({"bass": 1.0}, {"drums": -1.0}, {"drums": 1.0, "bass": -0.5}, {"bass": 1.0, "mix": 1.0}):
        has = {
            content
            for part in weights
            for content, there in zip(contents, library.vectors("windows", part).any(axis=1), strict=True)
            if there
        }
        plan = finder.plan(item["id"], weights=weights, raw=True, n=1_000, versions="show")
        result = finder.answer(plan)
        expected = {one["id"] for one in finder.items if one["content"] in has - {item["content"]}}
        assert {hit.id for hit in result.hits} == expected
        assert result.absent == result.searched - len(expected)
        assert all(any(hit.cosines.values()) for hit in result.hits)
        sent = candidates(finder, plan, 2_000)
        values = [weights.get(part, 0.0) for part in sent.parts]
        assert {sent.items[number]["id"] for number, _, _ in provisional(sent, values)} == expected
        assert (result.absent > 0) == (set(weights) == {"bass"})


def test_filters_apply_to_candidates(finder: Finder) -> None:
    chosen = finder.items[5]["path"]
    plan = finder.plan(finder.items[0]["id"], weights={"mix": 1.0}, filters=make_filters(paths=(chosen,)))
    sent = candidates(finder, plan, 50)
    assert sent.items
    assert {item["path"] for item in sent.items} == {item["path"] for item in finder.items if chosen in item["path"]}
    nothing = finder.plan(finder.items[0]["id"], weights={"mix": 1.0}, filters=make_filters(paths=("nowhere",)))
    assert candidates(finder, nothing, 50).items == ()


def test_a_negative_reference_has_no_candidates(finder: Finder) -> None:
    plan = finder.plan(finder.items[0]["id"], negative=[finder.items[1]["id"]])
    with pytest.raises(InputError, match="candidates are of one reference"):
        candidates(finder, plan)
