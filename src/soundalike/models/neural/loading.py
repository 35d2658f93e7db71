"""Loading weights from files without running code that is in them."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from soundalike.errors import CheckpointError

_MAX_NAMES = 3
"""How many names a message lists."""

log = logging.getLogger(__name__)


def read_weights(path: Path) -> dict[str, Any]:
    """The contents of a checkpoint file (.safetensors, or torch's .pt, .bin, .th) on the CPU; tensors and plain values only.

    Raises CheckpointError if the file is damaged or contains code.
    """
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return dict(load_file(path))
        loaded = torch.load(path, map_location="cpu", weights_only=True, mmap=_is_zip(path))
    except pickle.UnpicklingError as error:
        if "weights_only" in str(error) or "Unsupported" in str(error):
            raise CheckpointError(
                f"{path} contains more than weights (Python code or objects) and is not loaded; get it again from its source: "
                "`soundalike models fetch NAME`"
            ) from error
        raise _damaged(path, error) from error
    except Exception as error:
        raise _damaged(path, error) from error
    if not isinstance(loaded, dict):
        raise CheckpointError(
            f"{path} contains a {type(loaded).__name__}, not named weights; is it the file of another model?"
        )
    return loaded


def load_into(module: torch.nn.Module, weights: Mapping[str, torch.Tensor], path: Path, model: str) -> None:
    """Load `weights` into `module`, which is set to evaluation mode. Logs a warning if there are unknown weights.

    Raises CheckpointError if weights are missing or shapes differ: the file is not of the architecture of `model`.
    """
    if other := sorted(name for name, value in weights.items() if not isinstance(value, torch.Tensor)):
        raise CheckpointError(f"{path} is not a checkpoint of {model}: {_list(other)} is not a tensor")
    expected = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    shapes = {name: tuple(value.shape) for name, value in weights.items()}
    problems = []
    if missing := sorted(set(expected) - set(shapes)):
        problems.append(f"{_list(missing)} is missing")
    if different := [name for name in expected if name in shapes and expected[name] != shapes[name]]:
        name = different[0]
        problems.append(f"{name} has the shape {shapes[name]}, expected {expected[name]}")
    if problems:
        raise CheckpointError(f"{path} is not a checkpoint of {model}: {'; '.join(problems)}")
    if unknown := sorted(set(shapes) - set(expected)):
        log.warning("%s has weights that %s does not use: %s; they are ignored", path, model, _list(unknown))
    module.load_state_dict({name: weights[name] for name in expected}, strict=True, assign=True)
    module.eval().requires_grad_(False)


def _damaged(path: Path, error: Exception) -> CheckpointError:
    return CheckpointError(
        f"{path} is damaged or not a checkpoint ({type(error).__name__}: {first_line(error)}); delete it and get it again: "
        "`soundalike models fetch NAME`"
    )


def first_line(error: Exception) -> str:
    """The first line of the message of `error`, shortened."""
    return (str(error).strip().splitlines() or ["no message"])[0][:120]


def _is_zip(path: Path) -> bool:
    """Whether the file has torch's zip format, which can be mapped into memory (its old format cannot)."""
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    return ", ".join(names[:_MAX_NAMES]) + more
