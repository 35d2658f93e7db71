"""Part names: the stems that separators return, and the mix, in their fixed order.

A *part* is what is compared: a stem (`drums`, `bass`, ...) or `mix`, the unseparated mixture. The order below is that of
Vohra & Akama's Table 4 and is the order of part vectors everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable

from soundalike.errors import InputError

MIX = "mix"
PARTS: tuple[str, ...] = ("bass", "drums", "guitar", "piano", "vocals", "residuals", MIX)
STEMS: tuple[str, ...] = PARTS[:-1]


def ordered(parts: Iterable[str]) -> tuple[str, ...]:
    """`parts` without duplicates, in the order of `PARTS`. Raises InputError for a name that is not a part."""
    wanted = set(parts)
    unknown = sorted(wanted - set(PARTS))
    if unknown:
        import difflib  # here: nothing else needs it

        near = difflib.get_close_matches(unknown[0].lower(), PARTS, 1)
        meant = f"do you mean {near[0]}? " if near else ""
        raise InputError(f"unknown part {unknown[0]!r}; {meant}the parts are {', '.join(PARTS)}")
    return tuple(part for part in PARTS if part in wanted)
