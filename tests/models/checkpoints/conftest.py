from __future__ import annotations

from collections.abc import Iterator

import pytest

from soundalike.models.checkpoints import record
from tests.models.checkpoints.hub_server import HubServer, serving


@pytest.fixture(autouse=True)
def _as_on_any_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy for the addresses of this machine, and no digests that another test has cached."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")
    record._hash.cache_clear()


@pytest.fixture
def hub() -> Iterator[HubServer]:
    with serving(HubServer()) as hub:
        yield hub
