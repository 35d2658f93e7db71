"""What both versions of the built-in separator promise."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from soundalike.errors import InputError
from soundalike.models.separators.builtin.builtin_separator import BuiltinSeparator
from soundalike.models.separators.builtin.signal_separator import SignalSeparator
from tests.models.separators.builtin.test_signal_separator import RATE, noise

Samples = NDArray[np.float32]
Version = SignalSeparator | BuiltinSeparator
VERSIONS = (SignalSeparator, BuiltinSeparator)


@pytest.fixture(scope="module", params=VERSIONS)
def separator(request: pytest.FixtureRequest) -> Version:
    return request.param()


@pytest.mark.parametrize("length", [1, 2, 3, 511, 512, 513, 1600, 2047, 2048, 2049, RATE + 7])
@pytest.mark.parametrize("channels", [1, 2])
def test_stems_add_up_to_the_mixture(separator: Version, channels: int, length: int) -> None:
    mixture = noise((channels, length))
    stems = separator.separate(mixture)
    assert tuple(stems) == separator.parts
    for stem in stems.values():
        assert stem.shape == mixture.shape
        assert stem.dtype == np.float32
        assert np.isfinite(stem).all()
    np.testing.assert_allclose(sum(stems.values()), mixture, rtol=0, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 0), (2, 0), (0, 100)])
def test_an_empty_mixture_has_empty_stems(separator: Version, shape: tuple[int, int]) -> None:
    assert {stem.shape for stem in separator.separate(np.zeros(shape, np.float32)).values()} == {shape}


def test_stems_of_silence_are_silent(separator: Version) -> None:
    for stem in separator.separate(np.zeros((2, RATE), np.float32)).values():
        assert not stem.any()


@pytest.mark.parametrize("bad", [np.zeros(100, np.float32), np.zeros((1, 100)), np.zeros((1, 1, 9), np.float32)])
def test_other_shapes_and_types_are_refused(separator: Version, bad: Samples) -> None:
    with pytest.raises(InputError, match=r"float32 of shape \(channels, samples\)"):
        separator.separate(bad)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_empty_block_is_refused(version: type[Version]) -> None:
    with pytest.raises(InputError, match="block is 0"):
        version(block=0)


def test_separation_is_deterministic_and_does_not_change_the_mixture(separator: Version) -> None:
    mixture = noise((1, RATE))
    before = mixture.copy()
    first, second = separator.separate(mixture), separator.separate(mixture)
    np.testing.assert_array_equal(mixture, before)
    for part in separator.parts:
        np.testing.assert_array_equal(first[part], second[part])
