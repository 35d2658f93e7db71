"""How models are to compute: on which device, how exactly, with how many threads.

Precision changes vectors, so a library records it; the device and the threads do not, so it does not.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Literal, get_args

from soundalike.errors import InputError

Precision = Literal["exact", "fast"]
"""`exact`: float32 throughout. `fast`: bfloat16 where the processor has it (float16 on mps), float32 around it."""

PRECISIONS: tuple[Precision, ...] = get_args(Precision)

_DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")


@dataclass(frozen=True)
class Runtime:
    """device: `auto` (a GPU if there is one, else cpu), `cpu`, `cuda`, `cuda:N` or `mps`; threads: None for all cores.

    Raises InputError for a device or precision that there cannot be, or fewer threads than one.
    """

    device: str = "auto"
    precision: Precision = "exact"
    threads: int | None = None

    def __post_init__(self) -> None:
        if not _DEVICE.fullmatch(self.device):
            raise InputError(f"unknown device {self.device!r}; choose auto, cpu, cuda, cuda:N or mps")
        check_precision(self.precision)
        if self.threads is not None and self.threads < 1:
            raise InputError(f"{self.threads} threads asked for; give 1 or more")

    @property
    def cores(self) -> int:
        """The threads to use, as a number."""
        return self.threads or available_cores()


def check_precision(name: str) -> Precision:
    """`name` as a Precision. Raises InputError for one that there is not."""
    for precision in PRECISIONS:
        if name == precision:
            return precision
    raise InputError(f"unknown precision {name!r}; choose {' or '.join(PRECISIONS)}")


MEMORY = 2 << 30
MEMORY_VARIABLE = "SOUNDALIKE_MEMORY"
_BYTES = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", re.IGNORECASE)


def parse_bytes(text: str) -> int:
    """A size in words, such as 512MB or 4G (powers of 1024). Raises InputError where it is none."""
    found = _BYTES.fullmatch(text.strip())
    if found is None:
        raise InputError(f"{text!r} is no size; write it like 512MB or 4GB")
    return int(float(found[1]) * 1024 ** "_kmgt".index(found[2].lower() or "_"))


def memory_budget() -> int:
    """Bytes of vectors that a search may hold in memory for each table: what the environment's SOUNDALIKE_MEMORY says, or
    2 GB. Raises InputError where it says no size."""
    said = os.environ.get(MEMORY_VARIABLE, "").strip()
    if not said:
        return MEMORY
    try:
        return parse_bytes(said)
    except InputError as error:
        raise InputError(f"{MEMORY_VARIABLE}: {error}") from None


def available_cores() -> int:
    """Cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1
