from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from soundalike.cli import cli
from soundalike.errors import InputError
from soundalike.library.indexing.library_update import index
from soundalike.search.filters import make_filters
from soundalike.search.finder import Finder
from soundalike.search.plan import CLASS_BONUS
from soundalike.synth.audio_files import write_audio
from soundalike.synth.one_shots import render_one_shot
from tests.shared_folder import shared_folder

NAMED = {"clap": "Claps/Clap {}.wav", "vocal": "Vox/chop {}.wav", "snare": "Snares/{}.wav", "keys": "Keys/piano {}.wav"}
COUNT = 20


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 20 claps, vocal chops, snares and pianos, 20 guitars and 6 claps without a name; read-only."""

    def make(folder: Path) -> None:
        for name, pattern in {**NAMED, "guitar": "Guit/gtr {}.wav"}.items():
            for number in range(COUNT):
                _write(folder / "pack" / pattern.format(f"{number:02d}"), name, number)
        for number in range(6):
            _write(folder / "pack" / f"Various/{number}.wav", "clap", 100 + number)
        index(folder / "library", [folder / "pack"], jobs=1)

    return shared_folder(tmp_path_factory, "pack", make)


def _write(path: Path, name: str, number: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_audio(path, render_one_shot(name, number))


@pytest.fixture(scope="module")
def finder(pack: Path) -> Finder:
    return Finder.open(pack / "library")


def folders(finder: Finder, reference: str, **options: object) -> list[str]:
    """The folders of the first five hits."""
    return [Path(hit.path).parent.name for hit in finder.similar(reference, n=5, **options).hits]


def test_the_first_five_for_a_clap_are_claps(finder: Finder) -> None:
    for number in range(COUNT):
        assert set(folders(finder, f"pack/Claps/Clap {number:02d}.wav")) <= {"Claps", "Various"}


def test_hits_of_the_class_that_a_name_states_come_earlier_unless_that_is_switched_off(finder: Finder) -> None:
    pianos = [f"pack/Keys/piano {number:02d}.wav" for number in range(COUNT)]
    alone = sum(folders(finder, one, same_class="ignore").count("Keys") for one in pianos)
    preferred = sum(folders(finder, one).count("Keys") for one in pianos)
    assert alone < 0.85 * 5 * COUNT  # plucked strings sound like hammered ones
    assert preferred >= 0.95 * 5 * COUNT
    assert {tuple(folders(finder, one, same_class="require")) for one in pianos} == {("Keys",) * 5}


def test_preferring_a_class_changes_the_order_and_no_score(finder: Finder) -> None:
    reference = "pack/Keys/piano 03.wav"
    scores = {hit.id: hit.score for hit in finder.similar(reference, n=200, same_class="ignore").hits}
    result = finder.similar(reference, n=200)
    assert {hit.id: hit.score for hit in result.hits} == scores
    assert result.class_preferred
    assert (result.sound_class.name, result.sound_class.share) == ("keys", None)
    # Oracle: the whole list, sorted by the score with the bonus.
    raised = [hit.score + (CLASS_BONUS if hit.sound_class == "keys" else 0.0) for hit in result.hits]
    assert raised == sorted(raised, reverse=True)
    assert [hit.id for hit in finder.similar(reference, n=7).hits] == [hit.id for hit in result.hits[:7]]


def test_no_class_is_preferred_where_what_is_unlike_comes_first(finder: Finder) -> None:
    result = finder.similar("pack/Keys/piano 03.wav", n=200, weights={"mix": -1.0})
    assert not result.class_preferred
    scores = [hit.score for hit in result.hits]
    assert scores == sorted(scores, reverse=True)


def test_one_shots_without_a_name_have_the_class_of_their_neighbours_with_its_share(finder: Finder) -> None:
    classes = finder.opened.classes
    by_path = dict(
        zip(finder.catalogue.column("path").to_pylist(), classes.of(range(len(finder.catalogue))), strict=True)
    )
    nameless = [by_path[f"Various/{number}.wav"] for number in range(6)]
    assert {found.name for found in nameless if found} == {"clap"}
    assert all(found is not None and found.share is not None and 0.8 <= found.share <= 1 for found in nameless)
    assert by_path["Snares/03.wav"] == ("snare", None)
    assert (classes.codes() >= 0).sum() == len(finder.catalogue)


def test_what_sounds_like_nothing_that_has_a_name_stays_unknown(pack: Path, tmp_path: Path) -> None:
    shutil.copytree(pack / "pack" / "Claps", tmp_path / "sounds" / "Claps")
    for number, path in enumerate(sorted((pack / "pack" / "Keys").iterdir())[:8]):
        shutil.copy(path, tmp_path / "sounds" / f"{number}.wav")
    index(tmp_path / "library", [tmp_path / "sounds"], jobs=1)
    opened = Finder.open(tmp_path / "library").opened
    found = opened.classes.of(range(len(opened.catalogue)))
    paths = opened.catalogue.column("path").to_pylist()
    assert {one for one, path in zip(found, paths, strict=True) if "/" not in path} == {None}


def test_a_file_that_is_not_in_the_library_has_a_class_too(finder: Finder, tmp_path: Path) -> None:
    _write(tmp_path / "take 1.wav", "clap", 300)
    result = finder.similar(tmp_path / "take 1.wav", n=3)
    assert result.sound_class is not None
    assert result.sound_class.name == "clap"
    assert result.sound_class.share is not None
    assert not result.class_preferred  # neighbours that agree are the first hits anyway
    assert set(folders(finder, str(tmp_path / "take 1.wav"), same_class="require")) <= {"Claps", "Various"}
    _write(tmp_path / "Snare 1.wav", "clap", 301)
    assert finder.similar(tmp_path / "Snare 1.wav").sound_class == ("snare", None)


def test_a_class_that_is_unknown_cannot_be_required(finder: Finder, tmp_path: Path) -> None:
    _write(tmp_path / "x.wav", "bass", 0)
    with pytest.raises(InputError, match=r"the class of 'x.wav' is not known: .* \(--class kick, for example\)"):
        finder.similar(tmp_path / "x.wav", same_class="require")
    with pytest.raises(InputError, match="'always' is not a rule for the class; choose prefer, require, ignore"):
        finder.similar(tmp_path / "x.wav", same_class="always")


def test_a_search_can_be_limited_to_classes(finder: Finder) -> None:
    found = folders(finder, "pack/Claps/Clap 01.wav", filters=make_filters(classes=("snare", "keys")))
    assert set(found) <= {"Snares", "Keys"}
    assert len(found) == 5
    admitted = finder.catalogue.admitted(make_filters(classes=("clap",)))
    assert admitted.sum() == COUNT + 6


def test_classes_on_the_command_line(pack: Path) -> None:
    def run(*arguments: str) -> str:
        done = CliRunner().invoke(cli, [*arguments, "-L", str(pack / "library")], catch_exceptions=False)
        assert done.exit_code == 0
        return done.stdout

    reference = str(pack / "pack" / "Claps" / "Clap 00.wav")
    lines = run("similar", reference, "--class", "snare", "--format", "csv").splitlines()
    rows = list(csv.DictReader(lines))
    assert [(row["sound_class"], row["class_share"]) for row in rows] == [("snare", "")] * 10
    found = json.loads(run("similar", reference, "--same-class", "require", "--format", "json"))
    assert (found["sound_class"], found["class_share"], found["class_preferred"]) == ("clap", None, False)
    assert {hit["sound_class"] for hit in found["hits"]} == {"clap"}
    status = json.loads(run("status", "--format", "json"))
    assert status["classes"] == {"snare": 20, "clap": 26, "guitar": 20, "keys": 20, "vocal": 20}
    assert "one-shots 20 snare, 26 clap, 20 guitar, 20 keys, 20 vocal" in run("status")


def test_a_library_without_a_name_has_the_classes_that_are_heard(pack: Path, tmp_path: Path) -> None:
    for folder in ("Claps", "Keys"):
        for number, path in enumerate(sorted((pack / "pack" / folder).iterdir())[:6]):
            (tmp_path / "sounds").mkdir(exist_ok=True)
            shutil.copy(path, tmp_path / "sounds" / f"{folder[0] == 'K'}{number}.wav")
    index(tmp_path / "library", [tmp_path / "sounds"], jobs=1)
    opened = Finder.open(tmp_path / "library").opened
    classes = dict(
        zip(opened.catalogue.column("path").to_pylist(), opened.classes.of(range(len(opened.catalogue))), strict=True)
    )
    claps = [found for path, found in classes.items() if path.startswith("False")]
    assert sum(found is not None and found.name == "clap" for found in claps) >= 4
    assert all(found is None or (found.share is not None and 0.7 <= found.share <= 1) for found in claps)
    keys = [found for path, found in classes.items() if path.startswith("True")]
    assert keys == [None] * 6  # what is not a drum stays unknown
    take = sorted((pack / "pack" / "Claps").iterdir())[10]
    shutil.copy(take, tmp_path / "take.wav")
    assert Finder.open(tmp_path / "library").similar(tmp_path / "take.wav", n=1).sound_class is not None
