"""Which weights a search uses, and why: set by hand, learnt, one part alone, or the default.

What a request asks for is known before its reference is analysed (`requested_weights`, which decides the parts that have to be
separated and embedded); what multiplies the cosines depends on the reference too (`effective_weights`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Literal

from soundalike.analysis.recipe import Recipe
from soundalike.errors import InputError
from soundalike.parts import MIX, ordered
from soundalike.search.index.table_rows import CLIPS, WINDOWS, Table
from soundalike.search.query import Query
from soundalike.search.request import SearchRequest
from soundalike.search.vector_statistics import Spread
from soundalike.similarity.profiles import Profile, fitting_profile, load_profile
from soundalike.similarity.weights import Weights, checked, equal_weights, in_units_of_spread


@dataclass(frozen=True)
class RequestedWeights:
    """Weights that a request specifies. origin: how it specifies them; raw: whether they act on raw cosines; description: for
    people."""

    weights: Weights
    origin: Literal["part", "hand", "profile", "default"]
    raw: bool
    description: str
    fixed: bool = False
    """Whether there is one weight only, so that its unit does not matter."""

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that are weighted."""
        return tuple(self.weights)


@dataclass(frozen=True)
class Weighting:
    """Weights as requested, what multiplies the raw cosines, and a description of where they come from."""

    requested: Weights
    effective: Weights
    description: str


def requested_weights(recipe: Recipe, request: SearchRequest) -> RequestedWeights:
    """The weights that `request` specifies in a library made by `recipe`; by default those of the shipped profile that fits its
    models, else equal ones.

    Raises InputError where what is given does not fit the recipe, or weighs parts where clips can have only their mix.
    """
    clips = bool({"loop", "one-shot"} & set(request.filters.kinds))
    if request.part is not None:
        ordered([request.part])
        if request.part not in recipe.parts:
            raise InputError(f"this library has no part {request.part!r}; it has {', '.join(recipe.parts)}")
        return RequestedWeights({request.part: 1.0}, "part", True, f"only {request.part}", fixed=True)
    if request.weights is not None:
        weights = checked(request.weights, recipe.parts)
        requested = RequestedWeights(weights, "hand", request.raw, "weights set by hand")
    elif request.profile is not None:
        profile = request.profile
        requested = _of_profile(load_profile(profile) if isinstance(profile, str) else profile, recipe, "profile")
    else:
        fitting = fitting_profile(recipe.encoder, recipe.separator)
        if fitting is not None:
            requested = _of_profile(fitting, recipe, "default")
        else:
            equal = equal_weights(recipe.parts)
            description = "equal weights, no learnt profile for these models"
            requested = RequestedWeights(equal, "default", request.raw, description)
    return _of_clips(requested) if clips else requested


def effective_weights(
    requested: RequestedWeights,
    query: Query,
    tables: Sequence[Table],
    spread: Callable[[Sequence[str]], Mapping[str, Spread]],
) -> Weighting:
    """What multiplies the cosines of `query` with the rows of `tables`.

    Where clips take part, as the query or among the hits, only their mix can count, or one part of a song compared with it.
    spread: called with the weighted parts if their spread is needed. Raises InputError where the weights do not fit.
    """
    if query.texts:
        if requested.origin == "profile":
            raise InputError(
                "a profile is learnt on sounds compared with sounds and means nothing for a text; name one part or set weights"
            )
        if requested.origin == "default" or (requested.origin == "part" and WINDOWS not in tables):
            return Weighting({MIX: 1.0}, {MIX: 1.0}, "a text: only mix")
    if requested.origin != "part" and (query.is_clip or CLIPS in tables):
        requested = _of_clips(requested)
    if requested.fixed:
        return Weighting(requested.weights, requested.weights, requested.description)
    if requested.raw:
        return Weighting(requested.weights, requested.weights, f"{requested.description}, on raw cosines")
    spreads = spread(requested.parts)
    effective = in_units_of_spread(requested.weights, {part: spreads[part].deviation for part in requested.parts})
    return Weighting(requested.weights, effective, f"{requested.description}, in units of each part's spread")


def _of_clips(requested: RequestedWeights) -> RequestedWeights:
    """The mix alone: what is alike first, or, by a negative weight set by hand, what is unlike. Raises InputError where weights
    of other parts were requested."""
    weighted = {part for part, weight in requested.weights.items() if weight}
    if requested.origin == "profile":
        if weighted != {MIX}:
            raise _clips_have_only_a_mix(f"the weights of the {requested.description}", weighted)
        return replace(requested, weights={MIX: requested.weights[MIX]})
    if requested.origin == "hand" and set(requested.weights) != {MIX}:
        raise _clips_have_only_a_mix("the weights set by hand", weighted)
    if requested.origin == "hand" and requested.weights[MIX] < 0:
        return RequestedWeights({MIX: -1.0}, "hand", True, "clips: only mix, what is unlike first", fixed=True)
    return RequestedWeights({MIX: 1.0}, requested.origin, True, "clips: only mix", fixed=True)


def _clips_have_only_a_mix(weights: str, weighted: Set[str]) -> InputError:
    return InputError(
        f"clips (loops and one-shots) have no parts, only their mix, but {weights} concern {', '.join(ordered(weighted))}: "
        "leave weights and profile out, name one part of a song to compare with them (--part drums, for example), or search "
        "songs"
    )


def _of_profile(profile: Profile, recipe: Recipe, origin: Literal["profile", "default"]) -> RequestedWeights:
    if (profile.encoder, profile.separator) != (recipe.encoder, recipe.separator):
        raise InputError(
            f"the profile {profile.name!r} was learnt with {profile.encoder} and {profile.separator}, but this library "
            f"was made with {recipe.encoder} and {recipe.separator}, whose cosines differ. Set weights by hand (--weights), or "
            "index with those models"
        )
    weights = checked(profile.weights, recipe.parts)
    description = f"profile {profile.name} (learnt on clips of {profile.clip_seconds:g} s)"
    return RequestedWeights(weights, origin, True, description)
