"""A served listening test and its listeners."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from soundalike.listening.answer_store import AnswerStore
from soundalike.web.listening_test.listening_app import create_listening_app
from tests.made_up_listening_test import write_listening_test


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a test of four triplets and two questions."""
    return write_listening_test(tmp_path, triplets=4, seconds=0.5, questions=("overall", "rhythm"))


@pytest.fixture
def store(folder: Path) -> Iterator[AnswerStore]:
    """The test's store."""
    store = AnswerStore(folder / "answers.sqlite")
    yield store
    store.close()


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    """A client of the test's server."""
    with TestClient(create_listening_app(folder), base_url="http://127.0.0.1:8766") as client:
        yield client
