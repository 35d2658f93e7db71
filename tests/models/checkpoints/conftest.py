from __future__ import annotations

from collections.abc import Iterator

import pytest

from soundalike.models.checkpoints import record
from tests.models.checkpoints.site import Site, serving


@pytest.fixture(autouse=True)
def _as_on_any_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy stands before this machine's own addresses, and no process-wide memory of digests."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")
    record._hashed.cache_clear()


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(Site()) as site:
        yield site
