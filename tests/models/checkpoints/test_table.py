from __future__ import annotations

import re

import pytest

from soundalike.errors import InputError
from soundalike.models.checkpoints.table import CHECKPOINTS, format_size, notice
from soundalike.models.encoders import ENCODERS
from soundalike.models.separators import SEPARATORS
from tests.models.checkpoints.hub_server import row_of

MODELS = {
    **{f"encoder {name}": row for name, row in ENCODERS.items()},
    **{f"separator {n}": r for n, r in SEPARATORS.items()},
}

UNPINNED = ("mert-330m",)
"""Neither size nor digest is published; the revision is pinned, and what is fetched first is recorded."""


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_every_row_is_pinned_and_names_its_source(name: str) -> None:
    row = CHECKPOINTS[name]
    assert row.name == name
    assert len({file.name for file in row.files}) == len(row.files)
    if name in UNPINNED:
        assert row.pin == "unpinned"
        assert row.size is None
    else:
        assert row.pin == "pinned"
        assert row.size == sum(file.size or 0 for file in row.files) > 10_000_000
    for file in row.files:
        assert re.fullmatch(r"[\w.-]+", file.name)
        hub = r"https://huggingface\.co/[\w-]+/[\w-]+/resolve/[0-9a-f]{40}/[\w.-]+"
        assert re.fullmatch(r"https://pypi\.org/project/\w+/[\d.]+/#files" if file.wheel else hub, file.url), file.url
        assert file.source
        if name not in UNPINNED:
            assert re.fullmatch("[0-9a-f]{64}", file.sha256 or "")
            assert file.size


def test_equal_digests_are_equal_files() -> None:
    files = [file for row in CHECKPOINTS.values() for file in row.files if file.sha256]
    by_digest = {file.sha256: (file.name, file.url, file.size) for file in files}
    assert {(file.name, file.url, file.size) for file in files} == set(by_digest.values())


@pytest.mark.parametrize("model", MODELS)
def test_models_and_checkpoints_agree(model: str) -> None:
    row = MODELS[model]
    if row.checkpoint is not None:
        assert row.licence == CHECKPOINTS[row.checkpoint].licence


def test_every_checkpoint_belongs_to_a_model() -> None:
    assert {row.checkpoint for row in MODELS.values()} - {None} == set(CHECKPOINTS)


def test_licences_with_conditions_have_a_notice() -> None:
    for name, row in CHECKPOINTS.items():
        terms = notice(name)
        assert (terms is not None) or not row.non_commercial
        assert "\n" not in (terms or "")
    assert "non-commercial use only" in (notice("muq-mulan") or "")
    assert "scientific purposes" in (notice("htdemucs") or "")
    assert notice("clap") is None
    with pytest.raises(InputError, match="unknown checkpoint"):
        notice("nope")


@pytest.mark.parametrize(
    ("pins", "pin"), [("full", "pinned"), ("prefix", "pinned by 8 hex digits"), ("none", "unpinned")]
)
def test_the_pin_of_a_checkpoint_is_its_weakest(pins: str, pin: str) -> None:
    assert row_of({"a": b"a"}, pins=pins).pin == pin
    loose = row_of({"a": b"a", "b": b"b"}, pins=pins)
    mixed = row_of({"c": b"c"})
    both = type(loose)("toy", "", (*mixed.files, *loose.files), "", False, "")
    assert both.pin == pin
    assert both.size == (3 if pins == "full" else None)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (847, "847 B"),
        (1_355_863, "1 MB"),
        (84_025_440, "84 MB"),
        (1_863_587_645, "1.86 GB"),
        (None, "size unknown"),
    ],
)
def test_sizes_are_formatted(size: int | None, text: str) -> None:
    assert format_size(size) == text
