"""The result of an estimator."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """An estimated `value` (a tempo or a key), or None, and its `confidence`, 0..1 (0 for None).

    Each estimator documents what its confidence means.
    """

    value: float | str | None
    confidence: float
