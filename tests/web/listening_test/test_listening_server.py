from __future__ import annotations

import ipaddress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from soundalike.listening.answer_store import AnswerStore
from soundalike.web.listening_test.listening_server import address_for_listeners, personal_links, summary
from soundalike.web.security.proxy import Proxy
from tests.listening.test_answer_store import RECORD


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8766/"),
        ("localhost", "http://localhost:8766/"),
        ("192.168.1.7", "http://192.168.1.7:8766/"),
        ("::1", "http://[::1]:8766/"),
    ],
)
def test_links_name_the_host(host: str, address: str) -> None:
    assert address_for_listeners(host, 8766) == address


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_links_of_a_server_on_all_addresses_name_one_of_them(host: str) -> None:
    name = urlsplit(address_for_listeners(host, 8766)).hostname
    assert name is not None
    assert not ipaddress.ip_address(name).is_unspecified


def test_links_behind_a_proxy_name_the_proxy() -> None:
    assert address_for_listeners("127.0.0.1", 8766, Proxy.of(["a.example"], "/t")) == "https://a.example/t/"
    assert address_for_listeners("127.0.0.1", 8766, Proxy.of([], "/t")) == "http://127.0.0.1:8766/t/"


def test_listeners_are_invited_until_there_are_enough(folder: Path, store: AnswerStore) -> None:
    first = personal_links(folder, "http://x/", at_least=2)
    assert [name for name, _ in first] == ["L01", "L02"]
    assert first[1][1] == f"http://x/#{store.by_name('L02').token}"
    assert personal_links(folder, "http://x/", at_least=1) == first
    assert personal_links(folder, "http://x/", at_least=3)[:2] == first


def test_the_summary_says_what_to_do_with_the_answers(folder: Path, store: AnswerStore) -> None:
    store.invite(2)
    assert summary(folder) == "answers: 0, by 0 of 2 listeners"
    store.add(RECORD)
    assert summary(folder) == "answers: 1, by 1 of 2 listeners; soundalike listen fit tones learns weights from them"
