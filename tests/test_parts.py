"""Part names."""

from __future__ import annotations

import pytest

from soundalike.errors import InputError
from soundalike.parts import ordered


def test_parts_are_put_in_order_without_repetition() -> None:
    assert ordered(["mix", "drums", "bass", "drums"]) == ("bass", "drums", "mix")


def test_an_unknown_part_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"'kick'.*drums"):
        ordered(["kick"])


def test_a_name_with_a_typing_error_is_answered_with_the_part_it_is_like() -> None:
    with pytest.raises(InputError, match=r"'drms'; do you mean drums\? the parts are"):
        ordered(["drms"])
