"""The loop of every training: steps of a stage, curves, and a state from which an interrupted run resumes exactly.

What is drawn in a step depends on the seed, the stage and the step alone, so a run that was interrupted continues with the
same batches as one that was not.
"""

from __future__ import annotations

import json
import math
import os
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from soundalike.config import available_cores, replacing
from soundalike.errors import CheckpointError, InputError, SoundalikeError
from soundalike.models.neural.loading import read_weights
from soundalike.research.reproduce.clip_jobs import Callbacks, Progress

STATE, CURVES = "state.pt", "curves.jsonl"
_FORMAT = 1

SAVE_SECONDS = 120.0
"""The state is saved so often, and at the end of each stage."""

CURVE_POINTS = 200
"""At most so many lines of a stage in the curves."""

VALIDATE_EVERY = 50
"""The validation is measured at so many lines, and at the end of each stage."""

_AHEAD = 3
"""Batches that are loaded while one is computed."""

Losses = Mapping[str, Tensor]


@dataclass(frozen=True)
class Stage:
    """One stage of a training.

    load: the waveforms of the batch that is drawn with a generator, as arrays; losses: by name, of such a batch as tensors on
    the device, their sum is minimised; rates: learning rate by module; validate: figures of the tracks for validation, by their
    names in the curves, None if there are no such tracks; schedule: what becomes of the rates, as in `rate_factor`.
    """

    name: str
    steps: int
    rates: Sequence[tuple[nn.Module, float]]
    load: Callable[[np.random.Generator], Sequence[Any]]
    losses: Callable[[Sequence[Tensor]], Losses]
    validate: Callable[[], Mapping[str, float]] | None = None
    schedule: str = "constant"

    def optimiser(self) -> torch.optim.Adam:
        """Adam with the stage's learning rates."""
        return torch.optim.Adam([{"params": list(module.parameters()), "lr": rate} for module, rate in self.rates])


@dataclass
class Run:
    """A training in a folder. settings: what must not change when it resumes."""

    folder: Path
    network: nn.Module
    device: torch.device
    settings: Mapping[str, Any]
    seed: int
    callbacks: Callbacks = field(default_factory=Callbacks)

    def train(self, stages: Sequence[Stage]) -> None:
        """Run the stages that are not finished, one after the other.

        Raises InputError if the folder has the state of a training with other settings, CheckpointError if it is damaged,
        SoundalikeError if the state cannot be written (a full disk).
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        state = self._read_state()
        reached, step = (0, 0) if state is None else (int(state["stage"]), int(state["step"]))
        if state is not None:
            self.network.load_state_dict(state["network"])
            if reached < len(stages):
                self.callbacks.on_status(f"continuing at step {step} of the stage {stages[reached].name}")
        self._trim_curves([stage.name for stage in stages], reached, step)
        for number in range(reached, len(stages)):
            optimiser = stages[number].optimiser()
            if state is not None and number == reached and state["optimiser"] is not None:
                optimiser.load_state_dict(state["optimiser"])
            self._run_stage(stages, number, optimiser, step if number == reached else 0)

    def _run_stage(self, stages: Sequence[Stage], number: int, optimiser: torch.optim.Adam, first: int) -> None:
        stage = stages[number]
        every = max(1, stage.steps // CURVE_POINTS)
        start, saved, sums, count = time.perf_counter(), time.perf_counter(), dict[str, float](), 0
        for step, batch in self.batches(stage, first):
            for group, (_, rate) in zip(optimiser.param_groups, stage.rates, strict=True):
                group["lr"] = rate * rate_factor(stage.schedule, step / stage.steps)
            for name, value in train_step(stage, self.network, optimiser, batch, self.device).items():
                sums[name] = sums.get(name, 0.0) + value
            count += 1
            done = step + 1
            if done % every == 0 or done == stage.steps:
                means = {name: value / count for name, value in sums.items()}
                validate = done == stage.steps or done // every % VALIDATE_EVERY == 0
                self._add_to_curves(stage, done, means, validate=validate)
                sums, count = {}, 0
            left = (time.perf_counter() - start) / (done - first) * (stage.steps - done)
            self.callbacks.on_progress(Progress(stage.name, done, stage.steps, left, "steps"))
            if done < stage.steps and time.perf_counter() - saved > SAVE_SECONDS and count == 0:
                self._save(number, done, optimiser)
                saved = time.perf_counter()
        self._save(number + 1, 0, None)

    def batches(self, stage: Stage, first: int) -> Iterator[tuple[int, list[Tensor]]]:
        """The batches of a stage from step `first` on, loaded ahead by threads; each with the step's seed in force."""
        with ThreadPoolExecutor(min(8, max(1, available_cores() - 1))) as pool:
            queue: list[tuple[int, Future[Sequence[Any]]]] = []
            try:
                for step in range(first, stage.steps + _AHEAD):
                    if step < stage.steps:
                        rng = np.random.default_rng([self.seed, zlib.crc32(stage.name.encode()), step])
                        queue.append((step, pool.submit(stage.load, rng)))
                    if queue and (len(queue) > _AHEAD or step >= stage.steps):
                        number, future = queue.pop(0)
                        torch.manual_seed(zlib.crc32(f"{self.seed} {stage.name} {number}".encode()))
                        yield number, [torch.from_numpy(np.asarray(array)) for array in future.result()]
            finally:
                for _, future in queue:
                    future.cancel()

    def _read_state(self) -> dict[str, Any] | None:
        path = self.folder / STATE
        if not path.exists():
            return None
        state = read_weights(path)
        try:
            settings = json.loads(state["settings"])
            format_ = state["format"]
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"{path} is not the state of a training; delete it, or choose another --out"
            ) from error
        now = json.loads(json.dumps(dict(self.settings)))
        if format_ != _FORMAT or settings != now:
            names = [name for name in {**settings, **now} if settings.get(name) != now.get(name)]
            changes = "; ".join(f"{name} was {settings.get(name)!r}, now {now.get(name)!r}" for name in names)
            raise InputError(
                f"{self.folder} has a training with other settings ({changes or 'another version'}); give the same ones to "
                f"continue it, choose another --out, or delete {path.name} there to start again"
            )
        return state

    def _save(self, stage: int, step: int, optimiser: torch.optim.Adam | None) -> None:
        path = self.folder / STATE
        state = {
            "format": _FORMAT,
            "settings": json.dumps(dict(self.settings)),
            "stage": stage,
            "step": step,
            "network": self.network.state_dict(),
            "optimiser": None if optimiser is None else optimiser.state_dict(),
        }
        with explained(path), replacing(path) as temporary:
            torch.save(state, temporary)

    def _add_to_curves(self, stage: Stage, step: int, losses: Mapping[str, float], *, validate: bool) -> None:
        record: dict[str, Any] = {"stage": stage.name, "step": step}
        record |= {name: round(value, 6) for name, value in losses.items()}
        if validate and stage.validate is not None:
            record |= {name: round(value, 4) for name, value in stage.validate().items()}
        record["processor_seconds"] = round(time.process_time(), 1)
        path = self.folder / CURVES
        with explained(path), path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")

    def _trim_curves(self, names: Sequence[str], reached: int, step: int) -> None:
        """Remove the lines after the state from which the run continues."""
        path = self.folder / CURVES
        if not path.exists():
            return
        done = set(names[:reached])
        current = names[reached] if reached < len(names) else None
        lines = []
        for line in path.read_text(encoding="utf-8").splitlines():
            record = json.loads(line) if line.endswith("}") else {}
            if record.get("stage") in done or (record.get("stage") == current and record["step"] <= step):
                lines.append(line)
        with explained(path), replacing(path) as temporary:
            temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def rate_factor(schedule: str, done: float) -> float:
    """What the learning rates are multiplied by when `done` (0 to below 1) of a stage's steps are: 1 if the schedule is
    `constant`; from 1 to 0 along half a cosine if it is `cosine` (torch's CosineAnnealingLR).
    """
    return 0.5 * (1 + math.cos(math.pi * done)) if schedule == "cosine" else 1.0


def train_step(
    stage: Stage, network: nn.Module, optimiser: torch.optim.Adam, batch: Sequence[Tensor], device: torch.device
) -> dict[str, float]:
    """One step of gradient descent; the losses by name, and their sum as `loss`. Raises SoundalikeError if it is not finite."""
    network.train()
    losses = stage.losses([tensor.to(device, non_blocking=True) for tensor in batch])
    total = torch.stack(list(losses.values())).sum()
    values = {name: float(loss.detach()) for name, loss in losses.items()}
    values["loss"] = float(total.detach())
    if not np.isfinite(values["loss"]):
        raise SoundalikeError(f"the loss of the stage {stage.name} is not finite; train again with another --seed")
    optimiser.zero_grad(set_to_none=True)
    total.backward()
    optimiser.step()
    return values


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Explain that `path` could not be written."""
    try:
        yield
    except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
        free = _free(path.parent)
        raise SoundalikeError(
            f"{path} cannot be written ({str(error).splitlines()[0]}; {free} free); make room and run the same command again, "
            "it continues from the last state"
        ) from error


def _free(folder: Path) -> str:
    try:
        values = os.statvfs(folder)
    except (OSError, AttributeError):
        return "unknown space"
    return f"{values.f_bavail * values.f_frsize / 2**30:.1f} GiB"
