"""What an estimator answers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """An estimated `value` (a tempo or a key), None where there is none to tell, and its `confidence`, 0..1.

    How confidence comes about is said by each estimator; 0 goes with None.
    """

    value: float | str | None
    confidence: float
