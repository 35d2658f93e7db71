"""Weights: how much each part counts.

Conventions
- Weights map part names to real numbers, which may be negative (Eq. 3 of Vohra & Akama: y = w . f, no intercept). A part
  that is not named has weight 0; all zero is an error.
- *Hand-set* weights act in units of the spread of each part's cosine (`in_units_of_spread`), because raw cosines of
  different parts spread differently and equal raw weights would not be equal influence. *Learnt* weights
  (`profiles.Profile`) act on raw cosines, as in the paper.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from soundalike.errors import InputError
from soundalike.parts import PARTS, ordered

Weights = dict[str, float]


def parse_weights(text: str) -> Weights:
    """Parse weights such as `drums=1,bass=.3`; the result is in the order of `PARTS`.

    Raises InputError for an unknown part, a part named twice, or something that is not a finite number.
    """
    weights: Weights = {}
    for piece in text.split(","):
        name, sign, number = (piece.strip() for piece in piece.partition("="))
        if not sign or not name:
            raise InputError(f"{piece.strip()!r} is not a weight; write part=number, as in drums=1,bass=.3")
        ordered([name])
        if name in weights:
            raise InputError(f"{name!r} is weighted twice in {text!r}; name each part once")
        try:
            weights[name] = float(number)
        except ValueError:
            raise InputError(
                f"{number!r} is not a number, so {name!r} has no weight; write for example {name}=0.5"
            ) from None
    return checked(weights, PARTS)


def checked(weights: Mapping[str, float], available: Iterable[str]) -> Weights:
    """`weights` without its zeros, in the order of `PARTS`.

    Raises InputError for a non-zero weight of a part that is not `available`, a weight that is not finite, or weights
    that are all zero.
    """
    available = ordered(available)
    for part, value in weights.items():
        if not math.isfinite(value):
            raise InputError(f"the weight of {part!r} is {value}; weights are finite numbers")
        if value != 0 and part not in available:
            raise InputError(
                f"no part {part!r} here; {'the parts are' if len(available) > 1 else 'the only part is'} {', '.join(available)}"
            )
    kept = {part: float(weights[part]) for part in available if weights.get(part, 0) != 0}
    if not kept:
        raise InputError("all weights are zero, so nothing would count; give at least one part another weight")
    return kept


def equal_weights(parts: Iterable[str]) -> Weights:
    """Weight 1 for each of `parts`."""
    return dict.fromkeys(ordered(parts), 1.0)


def in_units_of_spread(weights: Mapping[str, float], spread: Mapping[str, float]) -> Weights:
    """Raw weights with which each part has the influence that `weights` asks for.

    spread: standard deviation of each part's cosine between random pairs of the library. The result is c * w_k / spread_k
    with the one positive factor c that keeps the sum of absolute weights, so the order of hits is that of w_k / spread_k,
    and one part alone keeps its weight.

    Raises InputError where a weighted part has no positive spread.
    """
    for part in weights:
        if not spread.get(part, 0) > 0:
            raise InputError(f"the spread of {part!r} is {spread.get(part)}; it must be positive")
    scaled = {part: value / spread[part] for part, value in weights.items()}
    total = sum(abs(value) for value in scaled.values())
    factor = sum(abs(value) for value in weights.values()) / total if total else 1.0
    return {part: factor * value for part, value in scaled.items()}
