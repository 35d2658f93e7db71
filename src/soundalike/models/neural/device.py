"""The device that computes, and whether the precision `fast` is faster there."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch

from soundalike.config import Precision, Runtime
from soundalike.errors import InputError


def choose_device(runtime: Runtime) -> torch.device:
    """The torch device of `runtime`. Raises InputError if this machine does not have it."""
    name = runtime.device
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if name.startswith("cuda"):
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        wanted = int(name.partition(":")[2] or 0)
        if wanted >= count:
            reason = f"there are {count}, numbered from 0" if count else "torch finds no CUDA device"
            raise InputError(f"device {runtime.device!r} is not available: {reason}; use --device cpu")
    if name == "mps" and not torch.backends.mps.is_available():
        raise InputError("device 'mps' is not available: it needs a Mac with Metal; use --device cpu")
    return torch.device(name)


def low_precision(device: torch.device) -> torch.dtype:
    """The number format of the precision `fast` on `device`."""
    return torch.float16 if device.type == "mps" else torch.bfloat16


def check_fast(precision: Precision, device: torch.device) -> None:
    """Raises InputError if `fast` would be slower than `exact`: on a processor without bfloat16 arithmetic."""
    if precision == "fast" and device.type == "cpu" and not cpu_has_bfloat16():
        raise InputError(
            "this processor has no bfloat16 arithmetic (avx512_bf16, amx_bf16 or Arm's bf16), so --precision fast would be "
            "slower than exact; use --precision exact"
        )


def cpu_has_bfloat16() -> bool:
    """Whether the processor has bfloat16 arithmetic."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:  # not Linux: ask OpenVINO
        return "BF16" in import_openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return bool(set(flags.split()) & {"avx512_bf16", "amx_bf16", "bf16"})


def import_openvino() -> Any:
    """The module openvino without its telemetry, which would report each conversion over the network, from a forked process."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # OpenVINO then has a stub in its place
    import openvino

    return openvino
