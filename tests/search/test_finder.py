"""Searches in a library of generated music that was really indexed."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from soundalike.analysis.recipe import make_recipe
from soundalike.analysis.window_vectors import trim_silence
from soundalike.audio import decode
from soundalike.errors import InputError
from soundalike.library import Library
from soundalike.models.encoders import ENCODERS
from soundalike.models.encoders.builtin.builtin_encoder import BuiltinEncoder
from soundalike.models.encoders.builtin.signal_encoder import SignalEncoder
from soundalike.models.separators import SEPARATORS
from soundalike.parts import MIX
from soundalike.search.filters import make_filters
from soundalike.search.finder import Finder
from soundalike.search.plan import NEGATIVE_WEIGHT
from soundalike.search.query import Query
from soundalike.search.request import SearchRequest


@pytest.fixture(scope="module")
def finder(library: Path) -> Finder:
    return Finder.open(library)


@pytest.fixture(scope="module")
def song(music: Path) -> Path:
    return sorted((music / "songs").iterdir())[0]


def test_contributions_add_up_and_are_weight_times_cosine(finder: Finder, song: Path) -> None:
    result = finder.similar(song, weights={"drums": 1.0, "bass": -0.4})
    assert result.hits
    for hit in result.hits:
        assert hit.score == pytest.approx(sum(hit.contributions.values()), abs=1e-5)
        for part, contribution in hit.contributions.items():
            assert contribution == pytest.approx(result.effective[part] * hit.cosines[part], abs=1e-9)
    scores = [hit.score for hit in result.hits]
    assert scores == sorted(scores, reverse=True)


def test_the_cosines_are_those_of_the_stored_vectors(finder: Finder, song: Path) -> None:
    result = finder.similar(song, weights={"drums": 1.0}, raw=True, n=1)
    hit = result.hits[0]
    item = next(item for item in finder.items if item["id"] == hit.id)
    rows = finder.library.windows(["start", "drums"], content=item["content"])
    row = rows["start"].to_pylist().index(hit.start)
    stored = finder.library.as_vectors(rows["drums"])[row].astype(np.float64)
    query = result.query.vectors[:, result.query.parts.index("drums")].astype(np.float64)
    assert hit.score == pytest.approx(float(np.mean(query @ stored)), abs=1e-9)


def test_the_query_itself_is_recognised_and_left_out(finder: Finder, song: Path, tmp_path: Path) -> None:
    for reference in (song, shutil.copy(song, tmp_path / "renamed.flac")):
        result = finder.similar(reference)
        assert [Path(path).name for path in result.same] == [song.name]
        assert song.name not in {Path(hit.path).name for hit in result.hits}
    kept = finder.similar(song, include_self=True, n=1)
    assert Path(kept.hits[0].path).name == song.name


def test_a_transcoded_copy_is_recognised(finder: Finder, song: Path, tmp_path: Path) -> None:
    import soundfile as sf

    samples, rate = sf.read(song, dtype="float32")
    copy = tmp_path / "copy.ogg"
    sf.write(copy, 0.5 * samples, rate)
    assert [Path(path).name for path in finder.similar(copy).same] == [song.name]


def test_same_input_same_order(library: Path, song: Path) -> None:
    first, second = (Finder.open(library).similar(song, region=(2.0, 9.0)) for _ in range(2))
    assert first.hits == second.hits


def test_an_item_of_the_library_gives_the_same_hits_as_its_file(finder: Finder, song: Path) -> None:
    item = finder.find_item(song)
    assert item is not None
    by_id = finder.similar(item["id"])
    by_file = finder.similar(finder.query(song, kind=None))
    assert [hit.id for hit in by_id.hits] == [hit.id for hit in by_file.hits]


def test_a_file_here_is_meant_rather_than_an_item_of_that_name(
    finder: Finder, music: Path, song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, path = music.name, song.relative_to(music)
    monkeypatch.chdir(tmp_path)
    named = f"{root}/{path.as_posix()}"
    item = finder.find_item(named)
    assert item is not None
    assert item["path"] == path.as_posix()
    here = tmp_path / named
    here.parent.mkdir(parents=True)
    here.write_bytes(b"another file")
    assert finder.find_item(named) is None
    assert finder.find_item(item["id"]) == item


def test_a_name_that_is_not_unicode_is_no_item(finder: Finder) -> None:
    assert finder.find_item("music/caf\udce9.flac") is None
    assert finder.find_item("caf\udce9.flac") is None


def test_one_part_against_whole_loops(finder: Finder, song: Path) -> None:
    result = finder.similar(song, part="drums", filters=make_filters(kinds=("loop",)))
    assert result.hits
    assert {hit.kind for hit in result.hits} == {"loop"}
    assert list(result.hits[0].contributions) == ["drums"]


def test_a_loop_finds_clips_and_its_part_finds_songs(finder: Finder, music: Path) -> None:
    loop = next((music / "loops").glob("*drums*"))
    hits = finder.similar(loop).hits
    assert hits
    assert {hit.kind for hit in hits} <= {"loop", "one-shot"}
    songs = finder.similar(loop, part="drums", filters=make_filters(kinds=("song",)))
    assert {hit.kind for hit in songs.hits} == {"song"}


def test_a_region_of_50_ms_finds_one_shots(finder: Finder, song: Path) -> None:
    result = finder.similar(song, region=(4.0, 4.05), part="drums", filters=make_filters(kinds=("one-shot",)), n=3)
    assert len(result.hits) == 3
    assert result.query.starts[0] == pytest.approx(4.0, abs=0.06)


def test_onsets_of_the_drums_are_grouped_and_searched_for(finder: Finder, song: Path) -> None:
    answers = finder.onset_groups(song, part="drums", region=(0.0, 10.0), n=2)
    assert 1 <= len(answers) <= 6
    sizes = [len(group.starts) for group, _ in answers]
    assert sizes == sorted(sizes, reverse=True)
    for _, result in answers:
        assert {hit.kind for hit in result.hits} == {"one-shot"}
        assert len(result.hits) == 2


def test_a_one_shot_is_no_hit_of_its_own_onsets(finder: Finder, music: Path) -> None:
    one_shot = next((music / "one-shots").glob("*snare*"))
    for reference in (one_shot, finder.find_item(one_shot)["id"]):
        for _, result in finder.onset_groups(reference, part="drums", n=100):
            assert result.hits
            assert result.same == (str(one_shot),)
            assert str(one_shot) not in {hit.path for hit in result.hits}


def test_a_negative_reference_lowers_the_scores_of_similar_items(finder: Finder, song: Path) -> None:
    plain = finder.similar(song, weights={MIX: 1.0}, n=3)
    disliked = plain.hits[0]
    turned = finder.similar(song, weights={MIX: 1.0}, negative=[disliked.path], n=3)
    scores = {hit.id: hit.score for hit in turned.hits}
    assert scores[disliked.id] < disliked.score
    hit = turned.hits[0]
    assert set(hit.contributions) == {"mix", "not mix"}
    assert hit.contributions["not mix"] == pytest.approx(-NEGATIVE_WEIGHT * hit.cosines["not mix"])
    assert hit.score == pytest.approx(sum(hit.contributions.values()), abs=1e-5)


def test_filters_apply(finder: Finder, music: Path) -> None:
    loop = next((music / "loops").glob("*drums*"))
    tempo = finder.find_item(loop)
    assert tempo is not None
    bpm = tempo["tempo"]
    for low, high in ((bpm - 1, bpm + 1), (2 * bpm - 1, 2 * bpm + 1)):
        result = finder.similar(loop, filters=make_filters(kinds=("loop",), tempo=(low, high)), include_self=True, n=50)
        assert tempo["id"] in {hit.id for hit in result.hits}
    named = finder.similar(loop, filters=make_filters(paths=("kick",)), n=50)
    assert named.hits
    assert all("kick" in hit.path for hit in named.hits)
    short = finder.similar(loop, filters=make_filters(durations=(None, 1.0)), n=50)
    assert short.hits
    assert all(hit.duration <= 1.0 for hit in short.hits)


def test_items_by_the_same_artist_can_be_left_out(finder: Finder, song: Path) -> None:
    item = finder.find_item(song)
    assert item is not None
    everything = finder.similar(song, include_self=True, n=50)
    others = finder.similar(song, include_self=True, exclude_same=["artist"], n=50)
    assert 0 < len(others.hits) < len(everything.hits)
    assert all(hit.artist != item["artist"] for hit in others.hits)


def test_weights_set_by_hand_act_in_units_of_spread(finder: Finder, song: Path) -> None:
    result = finder.similar(song, weights={"drums": 1.0, "bass": 1.0})
    raw = finder.similar(song, weights={"drums": 1.0, "bass": 1.0}, raw=True)
    assert raw.effective == {"bass": 1.0, "drums": 1.0}
    assert sum(result.effective.values()) == pytest.approx(2.0)
    assert "no learnt profile" in finder.similar(song).weighting


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"weights": {"guitar": 1.0}}, "guitar"),
        ({"weights": {"drums": 0.0}}, "zero"),
        ({"part": "kick"}, "kick"),
        ({"part": "guitar"}, "no part 'guitar'"),
        ({"weights": {"drums": 1.0}, "part": "drums"}, "exclude each other"),
        ({"profile": "clap-4"}, "htdemucs"),
        ({"profile": "nothing"}, "nothing"),
        ({"region": (500.0, 510.0)}, "not inside"),
        ({"region": (1.0, 1.01)}, "too short"),
        ({"n": 0}, "0 hits"),
        ({"exclude_same": ["album", "label"]}, "label"),
    ],
)
def test_invalid_searches_are_named_in_the_error(
    finder: Finder, song: Path, arguments: dict[str, object], word: str
) -> None:
    with pytest.raises(InputError, match=word):
        finder.similar(song, **arguments)  # type: ignore[arg-type]


def test_a_reference_that_is_not_there_is_named(finder: Finder) -> None:
    with pytest.raises(InputError, match=r"nowhere\.ogg"):
        finder.similar("nowhere.ogg")


def test_duplicates_are_found(music: Path, tmp_path: Path, song: Path) -> None:
    from soundalike.library.indexing.library_update import index

    folder = tmp_path / "files"
    folder.mkdir()
    shutil.copy(song, folder / "a.flac")
    shutil.copy(song, folder / "b.flac")
    shutil.copy(sorted((music / "songs").iterdir())[1], folder / "c.flac")
    index(tmp_path / "library", [folder], jobs=1)
    groups = Finder.open(tmp_path / "library").duplicates()
    assert [(kind, [Path(path).name for path in paths]) for kind, paths in groups] == [
        ("identical", ["a.flac", "b.flac"])
    ]


@pytest.fixture(scope="module")
def stranger(music: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A song that is not in the library, so that it has to be analysed."""
    import soundfile as sf

    samples, rate = sf.read(sorted((music / "songs").iterdir())[1], dtype="float32")
    path = tmp_path_factory.mktemp("stranger") / "stranger.wav"
    sf.write(path, samples[rate : 21 * rate + rate // 2], rate)
    return path


@pytest.fixture(scope="module")
def whole_query(finder: Finder, stranger: Path) -> Query:
    """Of every part."""
    return finder.query(stranger)


class Counting(BuiltinEncoder):
    """Counts the waveforms that it embeds."""

    fed = 0

    def embed(self, waveforms: Sequence[np.ndarray]) -> np.ndarray:
        Counting.fed += len(waveforms)
        return super().embed(waveforms)


@pytest.mark.parametrize(
    ("options", "stems"),
    [
        ({"weights": {MIX: 1.0}}, 0),
        ({"part": MIX}, 0),
        ({"filters": make_filters(kinds=("loop",))}, 0),
        ({"part": "drums"}, 1),
        ({"weights": {"drums": 1.0}}, 1),
        ({"weights": {"drums": 1.0, "bass": -0.5, "residuals": 0.0}, "raw": True}, 2),
        ({}, 3),
    ],
)
def test_only_weighted_parts_are_separated_and_embedded(
    library: Path,
    finder: Finder,
    stranger: Path,
    whole_query: Query,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, object],
    stems: int,
) -> None:
    expected = finder.similar(whole_query, **options)  # type: ignore[arg-type]
    loaded = []
    separator = SEPARATORS["builtin"]
    row = replace(separator, load=lambda runtime: loaded.append(1) or separator.load(runtime))  # type: ignore[func-returns-value]
    monkeypatch.setitem(SEPARATORS, "builtin", row)
    monkeypatch.setitem(ENCODERS, "builtin", replace(ENCODERS["builtin"], load=lambda runtime: Counting()))
    Counting.fed = 0
    result = Finder.open(library).similar(stranger, **options)  # type: ignore[arg-type]
    assert len(loaded) == (stems > 0)
    assert Counting.fed <= len(result.query.starts) * (stems + 1)  # and the mix, by which copies are recognised
    assert [hit.id for hit in result.hits] == [hit.id for hit in expected.hits]
    assert [hit.score for hit in result.hits] == pytest.approx([hit.score for hit in expected.hits], abs=1e-4)
    assert result.silent == expected.silent


def test_a_copy_is_recognised_whatever_part_is_weighted(finder: Finder, song: Path, tmp_path: Path) -> None:
    import soundfile as sf

    samples, rate = sf.read(song, dtype="float32")
    copy = tmp_path / "copy.ogg"
    sf.write(copy, 0.5 * samples, rate)
    assert [Path(path).name for path in finder.similar(copy, part="drums").same] == [song.name]


def test_parts_that_a_query_was_not_made_for_are_not_taken_for_silent(
    finder: Finder, stranger: Path, song: Path
) -> None:
    drums = finder.query(stranger, parts=["drums"])
    assert drums.parts == ("drums", MIX)
    assert finder.query(song, parts=["drums"]).parts == ("drums", MIX)  # an item of the library
    assert finder.query(stranger, parts=["drums"], region=(1.0, 4.0)).parts == ("drums", MIX)  # both ears
    assert finder.similar(drums, part="drums", negative=[song]).hits
    with pytest.raises(InputError, match=r"made for drums, mix and has no bass"):
        finder.similar(drums, part="bass")
    with pytest.raises(InputError, match=r"made for drums, mix and has no bass"):
        finder.similar(song, part="bass", negative=[drums])
    with pytest.raises(InputError, match="no part 'guitar'"):
        finder.query(stranger, parts=["guitar"])
    both = finder.similar([drums, finder.query(song)], part="drums")
    assert both.query.parts == ("drums", MIX)


def test_a_search_by_parts_that_are_all_silent_in_the_reference_is_refused(finder: Finder, song: Path) -> None:
    """Nobody sings in generated songs; every hit would have the score 0."""
    with pytest.raises(InputError, match=r"no vocals found in .*, so there is nothing to compare"):
        finder.similar(song, part="vocals")
    both = finder.similar(song, weights={"vocals": 1.0, "drums": 1.0})
    assert both.silent == ("vocals",)
    assert both.hits[0].score > 0


def test_a_request_gives_the_same_result_as_its_options(finder: Finder, song: Path) -> None:
    request = SearchRequest.of(song, weights={"drums": 1.0}, n=4, diverse=True)
    hits = finder.similar(song, weights={"drums": 1.0}, n=4, diverse=True).hits
    assert hits
    assert finder.similar(request).hits == hits
    assert finder.answer(finder.plan(request)).hits == hits
    with pytest.raises(TypeError, match="put n into it"):
        finder.similar(request, n=5)


def test_onsets_are_not_compared_with_songs(finder: Finder, song: Path) -> None:
    with pytest.raises(InputError, match="one-shots or loops, not songs"):
        finder.onset_groups(song, filters=make_filters(kinds=("song",)))


@pytest.mark.long
def test_a_library_of_version_1_is_searched_extended_and_upgraded(music: Path, stranger: Path, tmp_path: Path) -> None:
    """It keeps the vectors, the dimension and the scores of its own recipe until it is upgraded."""
    from soundalike.library.indexing.library_update import index

    one_shots = sorted((music / "one-shots").iterdir())[:6]
    folder, place = tmp_path / "files", tmp_path / "library"
    folder.mkdir()
    for path in one_shots[:5]:
        shutil.copy(path, folder)
    version_1 = replace(make_recipe(), encoder_version="1", dimension=334)
    index(place, [folder], recipe=version_1, jobs=1)
    shutil.copy(one_shots[5], folder)
    assert index(place, jobs=1).indexed == 1
    assert index(place, encoder="builtin", jobs=1).indexed == 0
    finder = Finder.open(place)
    assert finder.library.recipe == version_1
    expected = SignalEncoder().embed([_trimmed(path) for path in one_shots[:2]])
    hits = finder.similar(folder / one_shots[0].name, n=5).hits
    (score,) = [hit.score for hit in hits if hit.path.endswith(one_shots[1].name)]
    assert score == pytest.approx(float(expected[0] @ expected[1]), abs=2e-3)
    region = finder.query(stranger, region=(1.0, 1.6), parts=["drums"])
    assert (region.parts, region.region_shares, region.vectors.shape[2]) == (("drums",), {}, 334)
    assert finder.similar(region, part="drums", filters=make_filters(kinds=("one-shot",))).hits
    assert index(place, upgrade=True, jobs=1).indexed == 6
    recipe = Library.open(place).recipe
    assert (recipe.encoder_version, recipe.dimension) == ("2", 512)


def _trimmed(path: Path) -> np.ndarray:
    samples = decode.load(path, 32_000, 1).samples[0]
    return trim_silence(samples)
