"""`soundalike listen invite`, `listeners`, `delete-listener`."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from soundalike.cli.listen_listeners import delete_command, invite_command, listeners_command
from soundalike.errors import LibraryError
from soundalike.listening.answer_store import AnswerStore
from tests.listening.test_answer_store import RECORD
from tests.made_up_listening_test import write_listening_test


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_listening_test(tmp_path, "mine", seconds=0.1)


def run(command: click.Command, tmp_path: Path, *arguments: str, code: int = 0) -> Result:
    done = CliRunner().invoke(command, [*arguments, "-L", str(tmp_path)], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done


def test_invitations_are_printed_as_links(folder: Path, tmp_path: Path) -> None:
    lines = run(invite_command, tmp_path, "mine", "2", "--address", "https://a.example/t").stdout.splitlines()
    tokens = [one.token for one in AnswerStore(folder / "answers.sqlite").listeners()]
    assert lines == [f"L01\thttps://a.example/t/#{tokens[0]}", f"L02\thttps://a.example/t/#{tokens[1]}"]


def test_listeners_are_listed_exported_and_deleted(folder: Path, tmp_path: Path) -> None:
    run(invite_command, tmp_path, "mine", "3")
    store = AnswerStore(folder / "answers.sqlite")
    store.add(RECORD)
    store.record_headphones("L02", 4, 6)
    store.record_headphones("L03", 0, 0)
    rows = [line.split("\t")[:3] for line in run(listeners_command, tmp_path, "mine").stdout.splitlines()]
    assert rows == [["L01", "1", "-"], ["L02", "0", "4/6"], ["L03", "0", "loudspeakers"]]
    values = json.loads(run(listeners_command, tmp_path, "mine", "--json", "L01").stdout)
    assert values["answers"][0]["trial"] == RECORD.trial
    refused = CliRunner().invoke(delete_command, ["mine", "L01", "-L", str(tmp_path)], input="n\n")
    assert refused.exit_code == 1
    assert "delete L01 with 1 answer?" in refused.output
    assert len(store.records()) == 1
    assert "deleted L01 with 1 answer" in run(delete_command, tmp_path, "mine", "L01", "--yes").stderr
    assert store.records() == []


def test_a_test_that_does_not_exist_gets_no_listeners(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="soundalike listen new other"):
        run(invite_command, tmp_path, "other")
    assert list(tmp_path.iterdir()) == []
