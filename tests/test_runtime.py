"""How models are to compute."""

from __future__ import annotations

import os

import pytest

from soundalike.errors import InputError
from soundalike.runtime import Runtime, available_cores, check_precision


def test_cores() -> None:
    assert 1 <= available_cores() <= (os.cpu_count() or 1)
    assert Runtime(threads=3).cores == 3
    assert Runtime().cores == available_cores()


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:1", "mps"])
def test_devices_there_can_be(device: str) -> None:
    assert Runtime(device).device == device


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", "CPU", ""])
def test_other_devices_are_refused_with_those_there_can_be(device: str) -> None:
    with pytest.raises(InputError, match="choose auto, cpu, cuda"):
        Runtime(device)


def test_impossible_runtimes_are_refused() -> None:
    with pytest.raises(InputError, match="0 threads"):
        Runtime(threads=0)
    with pytest.raises(InputError, match="'int8'; choose exact or fast"):
        check_precision("int8")
