"""Fast forms of a network: OpenVINO on the CPU, torch in bfloat16 or float32 on a GPU.

A converted network is kept in a cache folder (`SOUNDALIKE_CACHE`, or the system's place for caches) under a key that
tells all it depends on; it is derived from the checkpoint and may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import torch

from soundalike.config import Runtime, cache_folder
from soundalike.errors import CheckpointError
from soundalike.models.neural.device import check_fast, choose_device, low_precision

Network = Callable[..., tuple[torch.Tensor, ...]]
"""Tensors in, float32 tensors out, where the first of those that go in lies; the first axis of each is the batch."""

_FORM = "2"
"""Changes whenever the way of converting does."""


def compiled(
    build: Callable[[], torch.nn.Module],
    examples: Sequence[torch.Tensor],
    *,
    key: str,
    runtime: Runtime,
    free: Sequence[Sequence[int]] = (),
) -> Network:
    """The network that `build` makes, compiled for `config`; its forward takes tensors and returns a tensor or a tuple.

    examples: inputs (float32 or int64) whose shapes hold but for the first axis, the batch, which may be any size; key:
    names the weights and the code of the network (checkpoint digest, version of the code): equal keys, equal networks;
    free: for each example the further axes that may be any size.
    `build` is not called where a conversion is in the cache. Raises InputError for a device that there is not.
    """
    device = choose_device(runtime)
    check_fast(runtime.precision, device)
    if device.type != "cpu":
        return _on_gpu(build(), device, low_precision(device) if runtime.precision == "fast" else None)
    shapes = [_shape(value, axes) for value, axes in zip(examples, free or [()] * len(examples), strict=True)]
    return _on_cpu(build, examples, shapes, key, runtime)


def _on_gpu(module: torch.nn.Module, device: torch.device, dtype: torch.dtype | None) -> Network:
    module = module.to(device).eval()

    def run(*inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        # Exact is float32 throughout: torch would otherwise let convolutions on newer GPUs compute in TF32.
        with (
            torch.inference_mode(),
            torch.backends.cudnn.flags(allow_tf32=dtype is not None),
            torch.autocast(device.type, dtype, enabled=dtype is not None),
        ):
            outputs = module(*(value.to(device) for value in inputs))
        several = outputs if isinstance(outputs, tuple) else (outputs,)
        return tuple(value.float().to(inputs[0].device) for value in several)

    return run


def _shape(example: torch.Tensor, free: Sequence[int]) -> list[int]:
    """The shape of one item like `example`, -1 for each axis that may be any size.

    One item: on a CPU a batch gains nothing, and a network whose shapes are all known is up to a sixth faster.
    """
    return [1 if axis == 0 else -1 if axis in free else size for axis, size in enumerate(example.shape)]


def _on_cpu(
    build: Callable[[], torch.nn.Module],
    examples: Sequence[torch.Tensor],
    shapes: Sequence[list[int]],
    key: str,
    runtime: Runtime,
) -> Network:
    import openvino

    core = openvino.Core()
    place = _converted(build, examples, shapes, key)
    options: dict[str, Any] = {
        # Always said: where the processor has bfloat16, OpenVINO uses it unless told not to.
        "INFERENCE_PRECISION_HINT": "bf16" if runtime.precision == "fast" else "f32",
        "INFERENCE_NUM_THREADS": runtime.cores,
        "PERFORMANCE_HINT": "LATENCY",
    }
    try:
        network = core.compile_model(place / "network.xml", "CPU", options)
    except RuntimeError:  # a damaged file in the cache: it can be made again
        shutil.rmtree(place, ignore_errors=True)
        network = core.compile_model(_converted(build, examples, shapes, key) / "network.xml", "CPU", options)
    request = network.create_infer_request()

    def run(*inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        arrays = [value.detach().contiguous().numpy() for value in inputs]
        items = []
        for index in range(len(arrays[0])):
            results = request.infer([array[index : index + 1] for array in arrays], share_inputs=True)
            items.append([results[output].copy() for output in network.outputs])
        return tuple(torch.from_numpy(np.concatenate(several)) for several in zip(*items, strict=True))

    return run


def _converted(
    build: Callable[[], torch.nn.Module], examples: Sequence[torch.Tensor], shapes: Sequence[list[int]], key: str
) -> Path:
    """The folder with the network in OpenVINO's form, made now if it is not in the cache."""
    import openvino

    facts = [_FORM, key, openvino.__version__, torch.__version__, *map(str, shapes)]
    name = hashlib.blake2b("\n".join(facts).encode(), digest_size=12).hexdigest()
    folder = cache_folder() / "openvino"
    place = folder / name
    if (place / "network.xml").exists():
        return place
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _no_room(folder, error) from error
    with filelock.FileLock(folder / f"{name}.lock"):
        if not (place / "network.xml").exists():
            module = build().eval()
            with torch.inference_mode(), warnings.catch_warnings():
                # Tracing is OpenVINO's way; its deprecation in torch, and shapes that it takes for constants, are not the
                # user's concern: parity tests watch over the result.
                warnings.simplefilter("ignore")
                # Unchecked, for the check runs the network twice more, and memory with it.
                traced = torch.jit.trace(module, tuple(examples), check_trace=False, strict=False)
                network = openvino.convert_model(traced, example_input=tuple(examples))
            for port, shape in zip(network.inputs, shapes, strict=True):
                port.get_node().set_partial_shape(openvino.PartialShape(shape))
            network.validate_nodes_and_infer_types()
            _save(network, place)
    return place


def _save(network: Any, place: Path) -> None:
    """Write a converted network as the folder `place`, whole or not at all."""
    import openvino

    half_done = Path(tempfile.mkdtemp(dir=place.parent))
    try:
        openvino.save_model(network, half_done / "network.xml", compress_to_fp16=False)
        half_done.rename(place)
    except (OSError, RuntimeError) as error:
        raise _no_room(place.parent, error) from error
    finally:
        shutil.rmtree(half_done, ignore_errors=True)


def _no_room(folder: Path, error: Exception) -> CheckpointError:
    return CheckpointError(
        f"a converted network cannot be kept in {folder} ({str(error).splitlines()[0]}): it takes as much room as the model's "
        "weights in float32; make room there, or name another folder in SOUNDALIKE_CACHE"
    )
