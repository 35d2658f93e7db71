"""Reading weights from files without running anything that is in them."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

from soundalike.errors import CheckpointError

_NAMED = 3
"""How many names an error lists."""


def read_weights(path: Path) -> dict[str, Any]:
    """What is in a checkpoint file (.safetensors, or torch's .pt, .bin, .th), on the CPU; tensors and plain values only.

    Raises CheckpointError for a file that is damaged or holds code.
    """
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return dict(load_file(path))
        loaded = torch.load(path, map_location="cpu", weights_only=True, mmap=_is_zip(path))
    except pickle.UnpicklingError as error:
        if "weights_only" in str(error) or "Unsupported" in str(error):
            raise CheckpointError(
                f"{path} holds more than weights (Python code or objects), and is not loaded; get it from its source "
                "again: `soundalike models fetch NAME`"
            ) from error
        raise _damaged(path, error) from error
    except Exception as error:
        raise _damaged(path, error) from error
    if not isinstance(loaded, dict):
        raise CheckpointError(f"{path} holds a {type(loaded).__name__}, not named weights; is it another model's file?")
    return loaded


def load_into(module: torch.nn.Module, weights: Mapping[str, torch.Tensor], path: Path, model: str) -> None:
    """Put `weights` into `module`, all of them and no others, and set it to evaluation.

    Raises CheckpointError where names or shapes differ: the file is of another architecture than `model`.
    """
    if unlike := sorted(name for name, value in weights.items() if not isinstance(value, torch.Tensor)):
        raise CheckpointError(f"{path} is not a checkpoint of {model}: {_some(unlike)} is no tensor")
    wanted = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    given = {name: tuple(value.shape) for name, value in weights.items()}
    problems = []
    if missing := sorted(set(wanted) - set(given)):
        problems.append(f"it lacks {_some(missing)}")
    if unknown := sorted(set(given) - set(wanted)):
        problems.append(f"it has {_some(unknown)} besides")
    if other := [name for name in wanted if name in given and wanted[name] != given[name]]:
        problems.append(f"{other[0]} is {given[other[0]]} where {wanted[other[0]]} is expected")
    if problems:
        raise CheckpointError(f"{path} is not a checkpoint of {model}: {'; '.join(problems)}")
    module.load_state_dict(weights, strict=True, assign=True)
    module.eval().requires_grad_(False)


def _damaged(path: Path, error: Exception) -> CheckpointError:
    words = str(error).strip().splitlines()
    return CheckpointError(
        f"{path} is damaged or not a checkpoint ({type(error).__name__}: {words[0][:120] if words else 'no words'}); delete "
        "it and fetch it again: `soundalike models fetch NAME`"
    )


def _is_zip(path: Path) -> bool:
    """Whether the file has torch's present format, which can be mapped into memory (the old one cannot)."""
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def _some(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
