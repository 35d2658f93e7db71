"""What can stand in a row of the tables: any encoder, with the stems of any separator or the true ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from soundalike.analysis.recipe import precision_of
from soundalike.config import Runtime, check_precision
from soundalike.errors import InputError
from soundalike.models.encoders import ENCODERS
from soundalike.models.separators import SEPARATORS
from soundalike.parts import MIX, ordered
from soundalike.research.datasets.slakh import SLAKH_PARTS

TRUE_STEMS = {"true-4": ("bass", "drums", "residuals"), "true-6": SLAKH_PARTS}
"""Slakh's true stems as the paper sums them: with guitar and piano in the residuals, or apart."""

PAPER_ENCODERS = ("clap", "muq-mulan")
PAPER_STEMS = ("htdemucs", "true-4", "htdemucs_6s", "true-6")


@dataclass(frozen=True)
class Stems:
    """Where a row's stems come from.

    name: `true-4`, `true-6` or a separator; separator: its key in `SEPARATORS`; parts: the stems and the mix.
    """

    name: str
    separator: str
    parts: tuple[str, ...]

    @property
    def title(self) -> str:
        """What tables call it; the number counts as the paper's does (its four true stems are three and the mix)."""
        if self.name in TRUE_STEMS:
            return f"true stems, {self.name[-1]}"
        return self.name


def stems_named(name: str) -> Stems:
    """The stems called `name`. Raises InputError where there are none of that name."""
    if name in TRUE_STEMS:
        return Stems(name, "stems", ordered([*TRUE_STEMS[name], MIX]))
    separators = [separator for separator in SEPARATORS if separator != "stems"]
    if name not in separators:
        raise InputError(f"unknown stems {name!r}; there are {', '.join([*TRUE_STEMS, *separators])}")
    return Stems(name, name, ordered([*SEPARATORS[name].parts, MIX]))


def runtime_for(encoders: Iterable[str], stems: Iterable[Stems], device: str, precision: str) -> Runtime:
    """How the rows are to compute. Raises InputError for a device or precision that there is not, and for a row that has
    neither model in that precision."""
    for encoder, one in product(encoders, stems):
        precision_of(encoder, one.separator, precision)
    return Runtime(device, check_precision(precision))


def check_gate(gate: float | None) -> None:
    """Raises InputError for a level gate that is no level under the mix."""
    if gate is not None and not -300 <= gate < 0:
        raise InputError(f"a gate of {gate:g} dB is not possible; it is a level under the mix, such as -40")


def check_encoders(names: Iterable[str]) -> tuple[str, ...]:
    """`names` without repetition. Raises InputError for one that is no encoder."""
    found = tuple(dict.fromkeys(names))
    for name in found:
        if name not in ENCODERS:
            raise InputError(f"unknown encoder {name!r}; there are {', '.join(ENCODERS)} (see `soundalike models`)")
    return found
