"""Experimental conditions: encoders, and where stems come from (a separator, or Slakh's true stems)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from soundalike.analysis.recipe import precision_of
from soundalike.config import Runtime, check_precision
from soundalike.errors import InputError
from soundalike.models.encoders import ENCODERS, PartEncoder
from soundalike.models.separators import SEPARATORS
from soundalike.parts import MIX, ordered
from soundalike.research.datasets.slakh import SLAKH_PARTS

TRUE_STEMS = {"true-4": ("bass", "drums", "residuals"), "true-6": SLAKH_PARTS}
"""Slakh's true stems as the paper sums them: guitar and piano within the residuals, or separate."""

FROM_MIX = "from-mix"
"""Name of the source of stems of encoders that hear the mixture: none is separated."""

PAPER_ENCODERS = ("clap", "muq-mulan")
PAPER_STEMS = ("htdemucs", "true-4", "htdemucs_6s", "true-6")


@dataclass(frozen=True)
class Stems:
    """Source of the stems.

    name: `true-4`, `true-6`, a separator, or FROM_MIX; separator: key in `SEPARATORS`, empty for FROM_MIX; parts: the stems and
    the mix.
    """

    name: str
    separator: str
    parts: tuple[str, ...]

    @property
    def title(self) -> str:
        """Label in tables; numbers count as in the paper (its four true stems are three and the mix)."""
        if self.name in TRUE_STEMS:
            return f"true stems, {self.name[-1]}"
        return "from the mixture" if self.name == FROM_MIX else self.name


def stems_from_mix(encoder: PartEncoder) -> Stems:
    """The parts that an encoder hears in the mixture."""
    return Stems(FROM_MIX, "", encoder.parts)


def get_stems(name: str) -> Stems:
    """The stems called `name`. Raises InputError for an unknown name."""
    if name in TRUE_STEMS:
        return Stems(name, "stems", ordered([*TRUE_STEMS[name], MIX]))
    separators = [separator for separator in SEPARATORS if separator != "stems"]
    if name not in separators:
        raise InputError(f"unknown stems {name!r}; choose from {', '.join([*TRUE_STEMS, *separators])}")
    return Stems(name, name, ordered([*SEPARATORS[name].parts, MIX]))


def runtime_for(encoders: Iterable[str], stems: Iterable[Stems], device: str, precision: str) -> Runtime:
    """Device and precision for all conditions.

    Raises InputError for an unknown device or precision, and if neither model of a condition supports the precision.
    """
    for encoder, source in product(encoders, stems):
        precision_of(encoder, source.separator, precision)
    return Runtime(device, check_precision(precision))


def check_gate(gate: float | None) -> None:
    """Raise InputError unless `gate` is None or a level below the mix (-300 to below 0 dB)."""
    if gate is not None and not -300 <= gate < 0:
        raise InputError(f"the gate is {gate:g} dB; it must be a level below the mix, such as -40")


def check_encoders(names: Iterable[str]) -> tuple[str, ...]:
    """`names` without duplicates. Raises InputError for an unknown encoder."""
    unique = tuple(dict.fromkeys(names))
    for name in unique:
        if name not in ENCODERS:
            raise InputError(f"unknown encoder {name!r}; choose from {', '.join(ENCODERS)} (see `soundalike models`)")
    return unique
