"""A listening test made from audio, exported, and read by `soundalike fit` and the reader of Inst-Sim-ABX as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from soundalike.library.indexing.library_update import index
from soundalike.listening.answer_store import AnswerStore
from soundalike.listening.design import ANSWERS_FILE
from soundalike.listening.open_test import OpenTest
from soundalike.research.datasets.inst_sim_abx import read_answers
from soundalike.similarity.profiles import load_profile
from soundalike.synth.music_library import MusicOptions, write_library
from tests.cli.command_line import run
from tests.listening.simulated_answers import answer_trials

PLANTED = {"drums": 40.0}
TRIPLETS = 60


@pytest.fixture(scope="module")
def answered_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with a test of real excerpts, answered by three listeners who attend to the drums.

    It has 16 songs: in fewer, other parts are as alike as the drums by chance."""
    folder = tmp_path_factory.mktemp("answered")
    write_library(folder / "music", MusicOptions(seed=5, songs=16, loops=0, one_shots=0, length=16.0, stems=False))
    home = folder / "library"
    index(home, [folder / "music"], window=5.0, kind="song", jobs=1)
    made = run("listen", "new", "mine", "-n", str(TRIPLETS), "--seed", "1", "--cap", "12", library=home)
    assert made.code == 0, made.stderr
    test = OpenTest.open(home, "mine")
    store = AnswerStore(test.folder / ANSWERS_FILE)
    for listener in store.invite(3):
        store.import_records(answer_trials(test.design, test.vectors, listener.index, PLANTED, cant_tell=0.0))
    store.close()
    return home


@pytest.fixture(scope="module")
def exported(answered_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `listen export` writes."""
    folder = tmp_path_factory.mktemp("exported") / "out"
    outcome = run("listen", "export", "mine", "--out", folder, "--clips", library=answered_home)
    assert outcome.code == 0, outcome.stderr
    assert f"soundalike fit {folder / 'answers.csv'} --audio {folder / 'clips'}" in outcome.stderr
    return folder


def test_the_reader_of_inst_sim_abx_finds_every_answer(exported: Path) -> None:
    answers = read_answers(exported / "answers.csv")
    assert len(answers.triplets) >= TRIPLETS
    assert sum(len(one.ballots) for one in answers.triplets) == 3 * TRIPLETS
    assert answers.tracks_known
    for one in answers.triplets:
        for clip in (one.reference, one.a, one.b):
            assert (exported / "clips" / clip).is_file()


@pytest.mark.long
def test_fit_finds_the_planted_part_in_the_clips(exported: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine.json"
    outcome = run("fit", exported / "answers.csv", "--audio", exported / "clips", "--method", "ridge", "--out", out)
    assert outcome.code == 0, outcome.stderr
    weights = load_profile(str(out)).weights
    assert max(weights, key=lambda part: weights[part]) == "drums"
    assert "sample_a was chosen in" in outcome.stderr
    assert f"/{3 * TRIPLETS})" in outcome.stderr  # every answer is counted
