"""Settings: cores, devices, precision, memory."""

from __future__ import annotations

import os

import pytest

from soundalike.config import Runtime, available_cores, check_precision, memory_budget, parse_bytes
from soundalike.errors import InputError


def test_cores_are_those_available_unless_threads_are_set() -> None:
    assert 1 <= available_cores() <= (os.cpu_count() or 1)
    assert Runtime(threads=3).cores == 3
    assert Runtime().cores == available_cores()


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:1", "mps"])
def test_known_devices_are_accepted(device: str) -> None:
    assert Runtime(device).device == device


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", "CPU", ""])
def test_unknown_devices_are_refused_with_the_known_ones(device: str) -> None:
    with pytest.raises(InputError, match="choose auto, cpu, cuda"):
        Runtime(device)


def test_invalid_threads_and_precisions_are_refused() -> None:
    with pytest.raises(InputError, match="0 threads"):
        Runtime(threads=0)
    with pytest.raises(InputError, match="'int8'; choose exact or fast"):
        check_precision("int8")


@pytest.mark.parametrize(
    ("text", "size"),
    [("1024", 1024), ("1k", 1024), ("1.5 MB", 3 << 19), ("4GB", 4 << 30), ("2GiB", 2 << 30), ("1T", 1 << 40)],
)
def test_sizes_with_units_are_parsed(text: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert parse_bytes(text) == size
    monkeypatch.setenv("SOUNDALIKE_MEMORY", text)
    assert memory_budget() == size


@pytest.mark.parametrize("text", ["much", "-1", "4 elephants", "1e9"])
def test_an_invalid_size_is_refused_and_an_empty_one_means_the_default(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOUNDALIKE_MEMORY", text)
    with pytest.raises(InputError, match="SOUNDALIKE_MEMORY"):
        memory_budget()
    monkeypatch.setenv("SOUNDALIKE_MEMORY", "")
    assert memory_budget() == 2 << 30
