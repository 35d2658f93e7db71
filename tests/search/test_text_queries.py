"""Text searches in a library that was really indexed, with a small encoder that knows six words (`word_encoder`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from soundalike.errors import InputError
from soundalike.library.indexing.execution_backends import LocalBackend
from soundalike.library.indexing.library_update import index
from soundalike.models.encoders import ENCODERS
from soundalike.models.separators import SEPARATORS
from soundalike.search.filters import make_filters
from soundalike.search.finder import Finder
from soundalike.search.query import LONGEST_TEXT
from tests.search.word_encoder import NAME, ROW, WORDS, WordEncoder, word_analyser, write_songs, write_sounds


@pytest.fixture(scope="module")
def place(music: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A library of generated songs and loops and of one-shots that are what their names say."""
    folder = tmp_path_factory.mktemp("words")
    write_sounds(folder / "sounds")
    write_songs(folder / "songs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ENCODERS, NAME, ROW)
        paths = [folder / "sounds", folder / "songs", music / "songs", music / "loops"]
        backend = LocalBackend(word_analyser)
        index(folder / "library", paths, encoder=NAME, window=5.0, jobs=1, backend=backend)
        yield folder / "library"


@pytest.fixture
def finder(place: Path) -> Finder:
    return Finder.open(place)


def stored(finder: Finder, part: str) -> dict[str, np.ndarray]:
    """The stored vectors (n, D) of a part by content, those absent left out; loops and one-shots by their mix."""
    vectors_by_content: dict[str, list[np.ndarray]] = {}
    tables = [("windows", part)] + ([("clips", "mix")] if part == "mix" else [])
    for table, column in tables:
        rows = (finder.library.windows if table == "windows" else finder.library.clips)(["content", column])
        for content, vector in zip(
            rows["content"].to_pylist(), finder.library.as_vectors(rows[column]).astype(np.float64), strict=True
        ):
            if vector.any():
                vectors_by_content.setdefault(content, []).append(vector)
    return {content: np.stack(vectors) for content, vectors in vectors_by_content.items()}


def best_scores(finder: Finder, text: str, part: str, kind: str) -> dict[str, float]:
    """Oracle: the score of each item of a kind by its best window, ids to cosines."""
    vectors = stored(finder, part)
    words = WordEncoder().embed_text([text])[0].astype(np.float64)
    return {
        item["id"]: float((vectors[item["content"]] @ words).max())
        for item in finder.items
        if item["kind"] == kind and item["content"] in vectors
    }


@pytest.mark.parametrize("word", WORDS)
def test_the_sounds_that_a_word_names_are_first(finder: Finder, word: str) -> None:
    result = finder.similar(text=word, filters=make_filters(kinds=("one-shot",)), n=2)
    assert {Path(hit.path).stem for hit in result.hits} == {f"{word} 0", f"{word} 1"}


@pytest.mark.parametrize(("part", "kind"), [("mix", "one-shot"), ("mix", "loop"), ("mix", "song"), ("drums", "song")])
def test_scores_are_compared_with_all_items_of_the_kind(finder: Finder, part: str, kind: str) -> None:
    oracle = best_scores(finder, "deep low", part, kind)
    values = np.array(list(oracle.values()))
    result = finder.similar(text="deep low", part=part, filters=make_filters(kinds=(kind,)), n=100)
    assert [hit.id for hit in result.hits] == sorted(oracle, key=lambda one: -oracle[one])
    for hit in result.hits:
        assert hit.score == pytest.approx(oracle[hit.id], abs=1e-6)
        assert hit.cosines == {part: pytest.approx(oracle[hit.id], abs=1e-6)}
        if len(values) >= 10:
            assert hit.above == pytest.approx(np.mean(values < oracle[hit.id] - 1e-6))
            assert hit.deviations == pytest.approx((oracle[hit.id] - values.mean()) / values.std(), abs=1e-4)
        else:
            assert (hit.deviations, hit.above) == (None, None)
    assert result.distributions[kind].mean == pytest.approx(values.mean(), abs=1e-6)
    assert list(result.distributions) == [kind]


def test_filters_change_the_hits_but_not_their_figures(finder: Finder) -> None:
    everything = finder.similar(text="bright", n=100)
    assert {hit.kind for hit in everything.hits} == {"song", "loop", "one-shot"}
    assert everything.searched == len(finder.items) == len(everything.hits)
    some = finder.similar(text="bright", filters=make_filters(paths=("low",)), n=100)
    assert 0 < len(some.hits) < len(everything.hits)
    standing = {hit.id: (hit.score, hit.deviations, hit.above) for hit in everything.hits}
    assert all(standing[hit.id] == (hit.score, hit.deviations, hit.above) for hit in some.hits)


def test_several_texts_count_by_the_mean_of_their_cosines(finder: Finder) -> None:
    both, one, other = (
        {hit.id: hit.score for hit in finder.similar(text=text, n=100).hits}
        for text in (["deep", "airy"], "deep", "airy")
    )
    kinds = {item["id"]: item["kind"] for item in finder.items}
    for item, score in both.items():
        if kinds[item] != "song":  # a song's best window may be another one for each text
            assert score == pytest.approx((one[item] + other[item]) / 2, abs=1e-9)


def test_weights_act_in_units_of_the_spread_of_this_text(finder: Finder) -> None:
    words = WordEncoder().embed_text(["low"])[0].astype(np.float64)
    spread = {part: np.concatenate(list(stored(finder, part).values())) @ words for part in ("bass", "residuals")}
    result = finder.similar(text="low", weights={"bass": 1.0, "residuals": 0.5})
    assert {hit.kind for hit in result.hits} == {"song"}
    ratio = result.effective["bass"] / result.effective["residuals"]
    assert ratio == pytest.approx(2 * spread["residuals"].std() / spread["bass"].std(), rel=1e-4)
    for hit in result.hits:
        assert hit.score == pytest.approx(sum(hit.contributions.values()))
    raw = finder.similar(text="low", weights={"bass": 1.0, "residuals": 0.5}, raw=True)
    assert raw.effective == {"bass": 1.0, "residuals": 0.5}


def test_a_window_without_the_part_is_no_hit_however_poor_the_others_are(finder: Finder) -> None:
    """Silence scores 0, and sounds that are the opposite of a text score less."""
    oracle = best_scores(finder, "deep low", "residuals", "song")
    result = finder.similar(text="deep low", part="residuals", n=100)
    songs = [item for item in finder.items if item["kind"] == "song"]
    assert len(oracle) == len(songs) - 1  # the bass alone has no residuals
    assert {hit.id: hit.score for hit in result.hits} == pytest.approx(oracle, abs=1e-6)
    more = next(hit for hit in result.hits if Path(hit.path).stem == "bass and more")
    assert more.score < 0
    assert more.end <= 15.0
    assert len(result.distributions["song"].scores) == len(oracle)
    assert result.distributions["song"].mean == pytest.approx(np.mean(list(oracle.values())), abs=1e-6)


def test_a_negative_text_lowers_the_scores_of_what_it_describes(finder: Finder) -> None:
    plain = finder.similar(text="deep low", n=100)
    turned = finder.similar(text="deep low", negative=[finder.query_text("deep")], n=100)
    unlike = {hit.id: hit.cosines["mix"] for hit in finder.similar(text="deep", n=100).hits}
    first = {hit.id: hit.score for hit in plain.hits}
    for hit in turned.hits:
        if hit.kind != "song":
            assert hit.score == pytest.approx(first[hit.id] - 0.5 * unlike[hit.id], abs=1e-9)
    assert Path(turned.hits[0].path).stem.startswith("low")


def test_a_text_query_loads_no_separator(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(runtime: object) -> object:
        raise AssertionError("a separator was loaded for a text")

    monkeypatch.setitem(SEPARATORS, "builtin", replace(SEPARATORS["builtin"], load=refuse))  # type: ignore[arg-type]
    finder = Finder.open(place)
    assert finder.similar(text="low", part="drums").hits
    assert finder.similar(text="low", filters=make_filters(kinds=("loop",))).hits


def test_same_text_same_answer(place: Path) -> None:
    first, second = (Finder.open(place).similar(text="full middle", diverse=True).hits for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"text": ""}, "empty"),
        ({"text": " \n"}, "empty"),
        ({"text": []}, "no text"),
        ({"text": ["low", ""]}, "empty"),
        ({"text": "low " * LONGEST_TEXT}, "too long"),
        ({"text": "low", "region": (1.0, 2.0)}, "no seconds"),
        ({"text": "low", "part": "guitar"}, "no part 'guitar'"),
        ({"text": "low", "profile": "clap-4"}, "profile"),
        ({"text": "low", "weights": {"drums": 0.0}}, "zero"),
        ({"text": "low", "weights": {"drums": 1.0}, "filters": make_filters(kinds=("loop",))}, "only their mix"),
        ({"text": "low", "exclude_same": ["artist"]}, "no artist"),
        ({"text": "low", "n": 0}, "0 hits"),
        ({}, "no reference"),
    ],
)
def test_invalid_searches_are_named_in_the_error(finder: Finder, arguments: dict[str, object], word: str) -> None:
    with pytest.raises(InputError, match=word):
        finder.similar(**arguments)  # type: ignore[arg-type]


def test_texts_and_sounds_are_not_combined(finder: Finder, place: Path) -> None:
    sound = place.parent / "sounds" / "low 0.wav"
    text = finder.query_text("deep")
    with pytest.raises(InputError, match="search twice"):
        finder.similar(sound, text="low")
    with pytest.raises(InputError, match="drown"):
        finder.similar([sound, text])
    with pytest.raises(InputError, match="drown"):
        finder.similar(text="low", negative=[sound])
    with pytest.raises(InputError, match="drown"):
        finder.similar(sound, negative=[text])


def test_a_query_made_from_a_text_gives_the_same_hits_as_the_text(finder: Finder) -> None:
    assert finder.similar(finder.query_text("low")).hits == finder.similar(text="low").hits
    with pytest.raises(InputError, match="no seconds"):
        finder.similar(finder.query_text("low"), region=(1.0, 2.0))


def test_an_encoder_without_text_is_reported(library: Path) -> None:
    with pytest.raises(InputError, match=r"builtin has no text.*--encoder clap"):
        Finder.open(library).similar(text="dry funk snare")
