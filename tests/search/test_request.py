"""Search requests: what they hold, and what they refuse."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from soundalike.errors import InputError
from soundalike.search.filters import Filters
from soundalike.search.query import LONGEST_TEXT, Query
from soundalike.search.request import SearchRequest

TEXT_QUERY = Query(
    "text", False, ("mix",), np.zeros(1), np.zeros(1), np.zeros((1, 1, 8), np.float32), frozenset(), texts=("low",)
)


def test_one_or_several_references_texts_and_negatives_become_tuples() -> None:
    one = SearchRequest.of("a.ogg", negative=Path("b.ogg"), exclude_same=["artist"])
    assert (one.references, one.negatives, one.exclude_same) == (("a.ogg",), (Path("b.ogg"),), ("artist",))
    several = SearchRequest.of(["a.ogg", TEXT_QUERY], n=3)
    assert (several.references, several.n) == (("a.ogg", TEXT_QUERY), 3)
    assert SearchRequest.of(text="low").texts == ("low",)
    assert SearchRequest.of(text=["low", "dry"]).texts == ("low", "dry")
    assert SearchRequest.of("a.ogg").filters == Filters()


def test_a_request_does_not_change() -> None:
    request = SearchRequest.of("a.ogg")
    with pytest.raises(FrozenInstanceError):
        request.n = 5  # type: ignore[misc]


def test_unknown_options_are_refused() -> None:
    with pytest.raises(TypeError, match="wieghts"):
        SearchRequest.of("a.ogg", wieghts={"drums": 1})


@pytest.mark.parametrize(
    ("reference", "options", "message"),
    [
        (None, {}, "no reference"),
        ([], {}, "no reference"),
        ("a.ogg", {"text": "low"}, "search twice"),
        (None, {"text": []}, "no text"),
        (None, {"text": " "}, "empty text"),
        (None, {"text": "low " * LONGEST_TEXT}, "too long"),
        (None, {"text": "low", "negative_texts": ("",)}, "empty text"),
        (None, {"text": "low", "region": (1.0, 2.0)}, "no seconds"),
        (TEXT_QUERY, {"region": (1.0, 2.0)}, "no seconds"),
        (["a.ogg", "b.ogg"], {"region": (1.0, 2.0)}, "one file"),
        ("a.ogg", {"weights": {"bass": 1.0}, "profile": "clap-4"}, "weights and profile exclude each other"),
        ("a.ogg", {"weights": {}, "part": "drums"}, "weights and part exclude each other"),
        ("a.ogg", {"n": 0}, "0 hits"),
        ("a.ogg", {"exclude_same": ["label"]}, "'label' cannot be excluded"),
        ("a.ogg", {"kind": "album"}, "unknown kind 'album'"),
        ("a.ogg", {"version_share": 0.0}, "0 is not a share of a song"),
        ("a.ogg", {"versions": "hide"}, "is not a rule for versions"),
    ],
)
def test_what_cannot_be_searched_for_is_refused(reference: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SearchRequest.of(reference, **options)
