"""Which items a search may return."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from soundalike.errors import InputError
from soundalike.search.filters import Filters, make_filters

ITEM: dict[str, Any] = {
    "root": "Samples",
    "path": "Drums/Loop_120bpm_Am.wav",
    "kind": "loop",
    "duration": 4.0,
    "tempo": 120.0,
    "key": "A minor",
    "artist": "Nadia Verne",
    "album": "Paper",
}


@pytest.mark.parametrize(
    ("conditions", "admitted"),
    [
        ({}, True),
        ({"kinds": ("loop", "song")}, True),
        ({"kinds": ("song",)}, False),
        ({"durations": (3.0, 5.0)}, True),
        ({"durations": (None, 3.9)}, False),
        ({"durations": (4.1, None)}, False),
        ({"tempo": (118, 122)}, True),
        ({"tempo": (59, 61)}, True),  # half
        ({"tempo": (238, 242)}, True),  # double
        ({"tempo": (80, 90)}, False),
        ({"key": "C"}, True),  # relative major, or its minor: unknown mode fits either
        ({"key": "C major"}, True),
        ({"key": "8A"}, True),
        ({"key": "Em"}, True),  # a fifth up
        ({"key": "F#"}, False),
        ({"paths": ("drums",)}, True),
        ({"paths": ("*.wav",)}, True),
        ({"paths": ("Samples/Drums/*",)}, True),
        ({"paths": ("bass", "*.flac")}, False),
    ],
)
def test_conditions(conditions: dict[str, Any], admitted: bool) -> None:
    assert make_filters(**conditions).admits(ITEM) is admitted


def test_an_unknown_value_fulfils_no_condition() -> None:
    unknown = {**ITEM, "tempo": None, "key": None}
    assert not make_filters(tempo=(1, 999)).admits(unknown)
    assert not make_filters(key="Am").admits(unknown)
    assert make_filters().admits(unknown)


def test_artists_and_albums_ignore_case() -> None:
    assert not replace(Filters(), not_artists=("NADIA verne",)).admits(ITEM)
    assert not replace(Filters(), not_albums=("paper",)).admits(ITEM)
    assert replace(Filters(), not_artists=("Other",)).admits({**ITEM, "artist": None})


@pytest.mark.parametrize(
    ("conditions", "word"),
    [
        ({"kinds": ("album",)}, "album"),
        ({"key": "H"}, "H"),
        ({"tempo": (120, 90)}, "120-90"),
        ({"durations": (5, 2)}, "5-2"),
    ],
)
def test_invalid_conditions_are_named_in_the_error(conditions: dict[str, Any], word: str) -> None:
    with pytest.raises(InputError, match=word):
        make_filters(**conditions)
