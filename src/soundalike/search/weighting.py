"""Which weights a query uses, and why: set by hand, learnt, one part alone, or the default; said in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from soundalike.analysis.recipe import Recipe
from soundalike.errors import InputError
from soundalike.parts import MIX, ordered
from soundalike.search.vector_statistics import Spread
from soundalike.similarity.weights import (
    Profile,
    Weights,
    checked,
    equal_weights,
    fitting_profile,
    in_units_of_spread,
    load_profile,
)


@dataclass(frozen=True)
class Weighting:
    """Weights as asked for, what multiplies the raw cosines in their place, and where they come from, in words."""

    asked: Weights
    effective: Weights
    words: str


def choose_weights(
    recipe: Recipe,
    *,
    weights: Mapping[str, float] | None,
    profile: str | Profile | None,
    part: str | None,
    raw: bool,
    wholes: bool,
    spread: Callable[[], Mapping[str, Spread]],
) -> Weighting:
    """The weighting of a query on a library made by `recipe`.

    Hand-set weights act in units of each part's spread (`raw`: on raw cosines), a profile on raw cosines; without either,
    the shipped profile that fits the recipe's models counts, else equal weights. part: this part alone; wholes: whether loops
    or one-shots take part, which have nothing but their mix; spread: called only when it is needed.

    Raises InputError where two of weights, profile and part are given, or where what is given does not fit the recipe.
    """
    given = [name for name, value in (("weights", weights), ("profile", profile), ("part", part)) if value is not None]
    if len(given) > 1:
        raise InputError(f"{' and '.join(given)} exclude each other; give one of them")
    if part is not None:
        ordered([part])
        if part not in recipe.parts:
            raise InputError(f"this library has no part {part!r}; it has {', '.join(recipe.parts)}")
        return Weighting({part: 1.0}, {part: 1.0}, f"only {part}")
    if wholes:
        return _of_wholes(recipe, weights, profile)
    if profile is None and weights is None:
        profile = fitting_profile(recipe.encoder, recipe.separator)
    if profile is not None:
        return _from_profile(load_profile(profile) if isinstance(profile, str) else profile, recipe)
    asked = equal_weights(recipe.parts) if weights is None else checked(weights, recipe.parts)
    words = "equal weights, no learnt profile for these models" if weights is None else "weights set by hand"
    if raw:
        return Weighting(asked, asked, f"{words}, on raw cosines")
    spreads = spread()
    effective = in_units_of_spread(asked, {name: spreads[name].deviation for name in asked})
    return Weighting(asked, effective, f"{words}, in units of each part's spread")


def _of_wholes(recipe: Recipe, weights: Mapping[str, float] | None, profile: str | Profile | None) -> Weighting:
    """Where loops or one-shots take part only the mix can count."""
    if profile is not None or (weights is not None and set(checked(weights, recipe.parts)) != {MIX}):
        raise InputError(
            "loops and one-shots have no parts, only their mix: name one part of the reference to compare with them (--part "
            "drums, say), or leave weights and profile out"
        )
    return Weighting({MIX: 1.0}, {MIX: 1.0}, "whole sounds: only mix")


def _from_profile(profile: Profile, recipe: Recipe) -> Weighting:
    if (profile.encoder, profile.separator) != (recipe.encoder, recipe.separator):
        raise InputError(
            f"the profile {profile.name!r} was learnt with {profile.encoder} and {profile.separator}, but this library "
            f"was made with {recipe.encoder} and {recipe.separator}; its weights mean nothing here. Set weights by hand "
            "(--weights), or index with those models"
        )
    weights = checked(profile.weights, recipe.parts)
    words = f"profile {profile.name} (learnt on clips of {profile.clip_seconds:g} s), on raw cosines"
    return Weighting(weights, weights, words)
