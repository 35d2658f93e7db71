"""What a training is asked for, and what the papers publish of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from soundalike.config import Runtime
from soundalike.errors import InputError
from soundalike.models.encoders.trained.trained_file import SYSTEMS, Architecture

MARGIN = 0.2
"""Of the triplet loss (both papers)."""

DCSN_RATE = 1e-4
CASCADE_RATE = 1e-3
"""Of Adam, for each network of Cascade by itself."""
SEPARATOR_RATE, EMBEDDING_RATE = 1e-5, 5e-5
"""Of Adam, for the two networks of Cascade end to end."""

SCHEDULES = ("constant", "cosine")
"""Of the learning rates, in each stage by itself."""

STEPS = 20_000
JOINT_STEPS = 4_000
TUNING_STEPS = 1_000
"""Ours: the papers publish no number of steps that could be compared."""


@dataclass(frozen=True)
class TrainingOptions:
    """What to train and how.

    system: `dcsn` or `cascade`; slakh: folder of Slakh2100; out: folder of the trained file, the state and the curves; parts:
    None for those of the paper; width: 1 is the paper's; clip, hop: seconds, None for the paper's; batch: triplets a step;
    steps: of D-CSN, and of each network of Cascade; joint_steps: of Cascade end to end, for each part; pseudo: share of
    triplets with pseudo-mixtures; rate: learning rate of D-CSN and of Cascade's single networks, None for the paper's;
    joint_scale: factor of the paper's rates end to end; memory: bytes of decoded segments that are kept;
    recombine: D-CSN, and Cascade's embedding and end-to-end stages, learn from all triplets among 3 `batch` mixtures whose parts
    come from a few tracks, not from `batch` triplets (ours); invariance: weight of `invariance_loss` beside the triplet loss,
    with `recombine` only (ours); schedule: of the learning rates, one of SCHEDULES.

    Raises InputError for values out of range.
    """

    system: str
    slakh: Path
    out: Path
    parts: tuple[str, ...] | None = None
    width: float = 1.0
    clip: float | None = None
    hop: float | None = None
    batch: int = 64
    steps: int = STEPS
    joint_steps: int = JOINT_STEPS
    pseudo: float = 0.5
    rate: float | None = None
    joint_scale: float = 1.0
    recombine: bool = False
    invariance: float = 0.0
    schedule: str = "constant"
    seed: int = 0
    memory: int = 2 << 30
    runtime: Runtime = field(default_factory=Runtime)

    def __post_init__(self) -> None:
        known = SYSTEMS[self.system].parts
        for part in self.parts or ():
            if part not in known:
                raise InputError(f"{self.system} has no part {part!r}; it has {', '.join(known)}")
        check_range("--width", self.width, 1 / 64, 4.0)
        check_range("--clip", SYSTEMS[self.system].clip if self.clip is None else self.clip, 1.0, 30.0)
        check_range("--batch", self.batch, 2, 4096)
        check_range("--steps", self.steps, 1, 10_000_000)
        check_range("--joint-steps", self.joint_steps, 0, 10_000_000)
        check_range("--pseudo", self.pseudo, 0.0, 1.0)
        check_range("--rate", self.learning_rate, 1e-8, 1.0)
        check_range("--joint-scale", self.joint_scale, 1e-3, 1e3)
        check_range("--invariance", self.invariance, 0.0, 1e3)
        if self.invariance and not self.recombine:
            raise InputError("--invariance compares recombined mixtures; give --recombine too, or leave it out")
        check_schedule(self.schedule)

    @property
    def architecture(self) -> Architecture:
        """The network to train."""
        system = SYSTEMS[self.system]
        clip = system.clip if self.clip is None else self.clip
        hop = clip * system.hop / system.clip if self.hop is None else self.hop
        chosen = self.parts or system.parts
        parts = tuple(part for part in system.parts if part in chosen)
        return Architecture(self.system, parts, self.width, clip, hop)

    @property
    def learning_rate(self) -> float:
        """Of D-CSN, or of each of Cascade's networks by itself."""
        if self.rate is not None:
            return self.rate
        return DCSN_RATE if self.system == "dcsn" else CASCADE_RATE

    @property
    def settings(self) -> dict[str, Any]:
        """What determines the result: a training resumes only with the same."""
        architecture = self.architecture
        values = {
            "system": self.system,
            "slakh": str(self.slakh.resolve()),
            "parts": list(architecture.parts),
            "width": self.width,
            "clip": architecture.clip,
            "hop": architecture.hop,
            "batch": self.batch,
            "steps": self.steps,
            "pseudo": self.pseudo,
            "rate": self.learning_rate,
            "seed": self.seed,
        }
        if self.system == "cascade":
            values |= {"joint_steps": self.joint_steps, "joint_scale": self.joint_scale}
        if self.recombine:
            values["recombine"] = True
        if self.invariance:
            values["invariance"] = self.invariance
        if self.schedule != "constant":
            values["schedule"] = self.schedule
        return values


def check_range(name: str, value: float, low: float, high: float) -> None:
    """Raise InputError unless low <= value <= high."""
    if not low <= value <= high:
        raise InputError(f"{name} is {value:g}; choose {low:g} to {high:g}")


def check_schedule(schedule: str) -> None:
    """Raise InputError unless `schedule` is one of SCHEDULES."""
    if schedule not in SCHEDULES:
        raise InputError(f"--schedule is {schedule!r}; choose {' or '.join(SCHEDULES)}")
