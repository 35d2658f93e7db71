"""The API conforms to its own description: valid and invalid requests generated from it (schemathesis)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest import SkipTest

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable

schemathesis = pytest.importorskip("schemathesis", reason="a development dependency")

from schemathesis.checks import not_a_server_error  # noqa: E402
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance  # noqa: E402

from tests.web.conftest import Running  # noqa: E402

EXAMPLES = 12
"""For each of some 25 operations, half of them wrong on purpose."""


@pytest.fixture(scope="module")
def served(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    own = tmp_path_factory.mktemp("conformance") / "library"
    shutil.copytree(library, own)
    with Running(own) as running:
        yield running.address


@pytest.mark.long
def test_every_operation_conforms_to_its_description(served: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)  # nothing is to be shown in a file manager here
    described = schemathesis.openapi.from_url(f"{served}api/openapi.json")
    asked = {}
    for found in described.get_all_operations():
        operation = found.ok()
        asked[operation.label] = {code for mode in schemathesis.GenerationMode for code in answers(operation, mode)}
    assert len(asked) >= 23
    assert all(asked.values()), asked
    assert {200, 422} <= asked["GET /api/items"]
    assert 422 in asked["GET /api/map"] | asked["POST /api/search"]  # made-up items and parts are hardly ever there


def answers(operation: Any, mode: schemathesis.GenerationMode) -> set[int]:
    """The status codes of some requests, right or wrong ones; each answer is checked."""
    codes: set[int] = set()

    @settings(
        max_examples=EXAMPLES // 2,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        answer = case.call(timeout=30)
        codes.add(answer.status_code)
        assert answer.status_code < 500, (answer.status_code, answer.text)
        case.validate_response(
            answer, checks=[not_a_server_error, content_type_conformance, response_schema_conformance]
        )
        if answer.status_code >= 400:
            assert "Traceback" not in answer.text
            assert "/tmp" not in answer.text

    with suppress(Unsatisfiable, SkipTest):  # an operation that takes nothing cannot be asked wrongly
        ask()
    return codes
