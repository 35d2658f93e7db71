from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soundalike.errors import InputError
from soundalike.listening.answer_database import AnswerDatabase
from soundalike.listening.answer_record import AnswerRecord
from soundalike.listening.answer_store import AnswerStore

RECORD = AnswerRecord(
    listener="L01",
    trial="0-overall-000",
    triplet="t1",
    question="overall",
    answer="B-",
    swapped=True,
    catch=False,
    repeat_of=None,
    listened_x=3.25,
    listened_a=2.0,
    listened_b=1.5,
    switches=4,
    answered_at="2025-01-01T00:00:00.000001+00:00",
    seconds=9.75,
)


@pytest.fixture
def store(tmp_path: Path) -> AnswerStore:
    return AnswerStore(tmp_path / "answers.sqlite")


def test_a_store_that_was_never_written_is_empty(store: AnswerStore, tmp_path: Path) -> None:
    assert (store.listeners(), store.records(), store.counts()) == ([], [], {})
    assert store.by_token("x") is None
    assert list(tmp_path.iterdir()) == []


def test_listeners_get_numbers_and_secret_tokens(store: AnswerStore) -> None:
    first, second = store.invite(2)
    (third,) = store.invite()
    assert [one.name for one in (first, second, third)] == ["L01", "L02", "L03"]
    assert [one.index for one in (first, second, third)] == [0, 1, 2]
    assert len({one.token for one in (first, second, third)}) == 3
    assert all(len(one.token) >= 22 for one in (first, second, third))  # 128 bits
    assert store.by_token(second.token) == store.by_name("L02") == second
    assert store.by_token("") is None
    assert store.listeners() == [first, second, third]


def test_answers_come_back_as_they_were_given(store: AnswerStore, tmp_path: Path) -> None:
    store.invite(2)
    catch = replace(RECORD, trial="0-overall-001", catch=True, answer="A+", answered_at="2025-01-01T00:00:01+00:00")
    repeat = replace(RECORD, trial="0-overall-002", repeat_of=RECORD.trial, answered_at="2025-01-01T00:00:02+00:00")
    unsure = replace(RECORD, trial="0-overall-003", answer="cant_tell", answered_at="2025-01-01T00:00:03+00:00")
    other = replace(RECORD, listener="L02", answered_at="2025-01-01T00:00:04+00:00")
    for record in (unsure, other, repeat, RECORD, catch):
        assert store.add(record) == "stored"
    again = AnswerStore(tmp_path / "answers.sqlite")
    assert again.records() == [RECORD, catch, repeat, unsure, other]
    assert again.records("L02") == [other]
    assert again.answered("L01") == {f"0-overall-00{n}" for n in range(4)}
    assert again.counts() == {"L01": 4, "L02": 1}


def test_trials_without_a_preference_are_stored_apart(store: AnswerStore, tmp_path: Path) -> None:
    store.invite()
    store.add(replace(RECORD, answer="cant_tell"))
    database = AnswerDatabase(tmp_path / "answers.sqlite")
    assert database.rows("SELECT * FROM answers") == []
    assert len(database.rows("SELECT * FROM cant_tell")) == 1


@pytest.mark.parametrize(("first", "second"), list(itertools.product(["A+", "cant_tell"], ["A+", "B-", "cant_tell"])))
def test_the_first_answer_to_a_trial_stays(store: AnswerStore, first: str, second: str) -> None:
    store.invite()
    earlier = replace(RECORD, answer=first)  # type: ignore[arg-type]
    assert store.add(earlier) == "stored"
    assert store.add(replace(RECORD, answer=second, seconds=1.0)) == "known"  # type: ignore[arg-type]
    assert store.records() == [earlier]


def test_invalid_records_are_refused(store: AnswerStore) -> None:
    store.invite()
    with pytest.raises(InputError, match="no listener 'L09'"):
        store.add(replace(RECORD, listener="L09"))
    with pytest.raises(InputError, match="'A' is not an answer"):
        store.add(replace(RECORD, answer="A"))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="give a number from 1"):
        store.invite(0)
    with pytest.raises(InputError, match="no listener 'L09'"):
        store.by_name("L09")
    with pytest.raises(InputError, match="no listener 'L09'"):
        store.record_consent("L09")
    assert store.records() == []


def test_progress_before_the_trials_is_recorded(store: AnswerStore) -> None:
    store.invite()
    listener = store.by_name("L01")
    assert (listener.consented_at, listener.headphones, listener.practised_at) == (None, None, None)
    store.record_consent("L01")
    consented = store.by_name("L01").consented_at
    store.record_consent("L01")
    store.record_headphones("L01", 3, 6)
    store.record_headphones("L01", 6, 6)
    store.record_practice("L01")
    listener = store.by_name("L01")
    assert listener.consented_at == consented is not None
    assert listener.headphones == (6, 6)
    assert listener.practised_at is not None


def test_a_deleted_listener_leaves_no_byte_behind(store: AnswerStore, tmp_path: Path) -> None:
    first, second = store.invite(2)
    mine = replace(RECORD, triplet="a-triplet-of-mine")
    store.add(mine)
    store.add(replace(mine, trial="0-overall-001", answer="cant_tell"))
    store.add(replace(RECORD, listener="L02"))
    bytes_of = lambda: b"".join(path.read_bytes() for path in tmp_path.glob("answers.sqlite*"))  # noqa: E731
    assert b"a-triplet-of-mine" in bytes_of()
    assert first.token.encode() in bytes_of()
    assert store.delete_listener("L01") == 2
    assert b"a-triplet-of-mine" not in bytes_of()
    assert first.token.encode() not in bytes_of()
    assert store.listeners() == [second]
    assert [record.listener for record in store.records()] == ["L02"]
    assert store.invite()[0].name == "L03"  # a number is not given twice: the trials follow from it
    with pytest.raises(InputError, match="no listener 'L01'"):
        store.delete_listener("L01")
    with pytest.raises(InputError, match="a deleted listener cannot answer"):
        store.add(RECORD)


def test_a_listener_is_exported_without_the_token(store: AnswerStore) -> None:
    (listener,) = store.invite()
    store.add(RECORD)
    values = store.export_listener("L01")
    assert values["name"] == "L01"
    assert [one["trial"] for one in values["answers"]] == [RECORD.trial]
    assert listener.token not in str(values)


def test_an_import_is_whole_or_nothing(store: AnswerStore) -> None:
    store.invite()
    store.add(RECORD)
    later = [replace(RECORD, trial=f"later-{n}") for n in range(3)]
    with pytest.raises(InputError, match="no listener 'L02'"):
        store.import_records([*later, replace(RECORD, listener="L02")])
    assert store.records() == [RECORD]
    assert store.import_records([RECORD, *later]) == 3
    assert len(store.records()) == 4


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sent=st.lists(
        st.tuples(
            st.sampled_from(["L01", "L02"]), st.integers(0, 4), st.sampled_from(["A+", "A-", "B-", "B+", "cant_tell"])
        ),
        max_size=25,
    ),
    reopened=st.sets(st.integers(0, 24)),
)
def test_replayed_answers_change_nothing(tmp_path: Path, sent: list[tuple[str, int, str]], reopened: set[int]) -> None:
    with TemporaryDirectory(dir=tmp_path) as folder:
        store = AnswerStore(Path(folder) / "answers.sqlite")
        store.invite(2)
        expected: dict[tuple[str, str], str] = {}
        for number, (listener, trial, answer) in enumerate(sent):
            if number in reopened:
                store.close()
                store = AnswerStore(Path(folder) / "answers.sqlite")
            record = replace(RECORD, listener=listener, trial=str(trial), answer=answer)  # type: ignore[arg-type]
            known = (listener, str(trial)) in expected
            assert store.add(record) == ("known" if known else "stored")
            expected.setdefault((listener, str(trial)), answer)
        assert {(one.listener, one.trial): one.answer for one in store.records()} == expected
        assert sum(store.counts().values()) == len(expected) == len(store.records())


def test_two_stores_and_many_threads_store_each_answer_once(tmp_path: Path) -> None:
    stores = [AnswerStore(tmp_path / "answers.sqlite") for _ in range(2)]
    stores[0].invite(3)
    stored: list[str] = []

    def answer(store: AnswerStore) -> None:
        for trial in range(20):
            for listener in ("L01", "L02", "L03"):
                if store.add(replace(RECORD, listener=listener, trial=str(trial))) == "stored":
                    stored.append(f"{listener} {trial}")

    threads = [threading.Thread(target=answer, args=(store,)) for store in stores * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(stored) == len(set(stored)) == 60
    assert stores[1].counts() == dict.fromkeys(["L01", "L02", "L03"], 20)


WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
from soundalike.listening.answer_store import AnswerStore
from tests.listening.test_answer_store import RECORD

store = AnswerStore(Path(sys.argv[1]))
for trial in range(int(sys.argv[2]), 100_000):
    store.add(replace(RECORD, trial=f"{trial:06d}", answer="cant_tell" if trial % 5 == 0 else "A+"))
    print(trial, flush=True)
"""


def test_no_confirmed_answer_is_lost_by_a_kill(tmp_path: Path) -> None:
    """A process that stores answers is killed three times; what it had confirmed is there, once."""
    place = tmp_path / "answers.sqlite"
    AnswerStore(place).invite()
    confirmed = -1
    for round_ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(place), str(confirmed + 1)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        ) as process:
            timer = threading.Timer(60, process.kill)
            timer.start()
            assert process.stdout is not None
            for line in itertools.islice(process.stdout, 15 + round_):
                confirmed = int(line)
            process.send_signal(signal.SIGKILL)
            for line in process.stdout:  # what was confirmed until the signal arrived
                confirmed = int(line)
            timer.cancel()
        trials = [record.trial for record in AnswerStore(place).records()]
        assert len(trials) == len(set(trials))
        assert sorted(trials)[: confirmed + 1] == [f"{n:06d}" for n in range(confirmed + 1)]
        assert len(trials) <= confirmed + 2  # one may be stored without its confirmation
    assert confirmed >= 47
