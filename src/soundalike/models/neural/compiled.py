"""Compiled networks: OpenVINO on the CPU, torch in bfloat16 or float32 on a GPU.

A converted network is stored in the cache folder (`soundalike.config.cache_folder`) under a key that covers everything
that it depends on. It can be made again from the checkpoint, and be deleted at any time.
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
from soundalike.models.neural.device import check_fast, choose_device, import_openvino, low_precision

Network = Callable[..., tuple[torch.Tensor, ...]]
"""From tensors to float32 tensors on the device of the first input; the first axis of each is the batch."""

_CONVERSION_VERSION = "2"
"""Changes whenever the conversion does."""


def compile_network(
    build: Callable[[], torch.nn.Module],
    examples: Sequence[torch.Tensor],
    *,
    key: str,
    runtime: Runtime,
    free: Sequence[Sequence[int]] = (),
) -> Network:
    """The network that `build` returns, compiled for `runtime`; its forward returns a tensor or a tuple of tensors.

    examples: inputs (float32 or int64) with the shapes of later inputs, except for the first axis, the batch, which can
    have any size; key: identifies the weights and the code of the network (checkpoint digest, code version); free: for
    each example, further axes that can have any size.
    `build` is not called if the cache has the converted network. Raises InputError if the device does not exist.
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
        # Exact means float32 throughout: by default torch computes convolutions in TF32 on newer GPUs.
        with (
            torch.inference_mode(),
            torch.backends.cudnn.flags(allow_tf32=dtype is not None),
            torch.autocast(device.type, dtype, enabled=dtype is not None),
        ):
            outputs = module(*(value.to(device) for value in inputs))
        results = outputs if isinstance(outputs, tuple) else (outputs,)
        return tuple(value.float().to(inputs[0].device) for value in results)

    return run


def _shape(example: torch.Tensor, free: Sequence[int]) -> list[int]:
    """The shape of one item of `example`, -1 for each axis that can have any size.

    One item, because batches are not faster on a CPU, and a network with static shapes is up to a sixth faster.
    """
    return [1 if axis == 0 else -1 if axis in free else size for axis, size in enumerate(example.shape)]


def _on_cpu(
    build: Callable[[], torch.nn.Module],
    examples: Sequence[torch.Tensor],
    shapes: Sequence[list[int]],
    key: str,
    runtime: Runtime,
) -> Network:
    core = import_openvino().Core()
    folder = _converted(build, examples, shapes, key)
    options: dict[str, Any] = {
        # Always set, because OpenVINO uses bfloat16 by default if the processor has it.
        "INFERENCE_PRECISION_HINT": "bf16" if runtime.precision == "fast" else "f32",
        "INFERENCE_NUM_THREADS": runtime.cores,
        "PERFORMANCE_HINT": "LATENCY",
    }
    try:
        network = core.compile_model(folder / "network.xml", "CPU", options)
    except RuntimeError:  # a damaged file in the cache: convert again
        shutil.rmtree(folder, ignore_errors=True)
        network = core.compile_model(_converted(build, examples, shapes, key) / "network.xml", "CPU", options)
    request = network.create_infer_request()

    def run(*inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        arrays = [value.detach().contiguous().numpy() for value in inputs]
        items = []
        for index in range(len(arrays[0])):
            results = request.infer([array[index : index + 1] for array in arrays], share_inputs=True)
            items.append([results[output].copy() for output in network.outputs])
        return tuple(torch.from_numpy(np.concatenate(results)) for results in zip(*items, strict=True))

    return run


def _converted(
    build: Callable[[], torch.nn.Module], examples: Sequence[torch.Tensor], shapes: Sequence[list[int]], key: str
) -> Path:
    """The folder with the network in OpenVINO's format, converted now if it is not in the cache."""
    openvino = import_openvino()
    facts = [_CONVERSION_VERSION, key, openvino.__version__, torch.__version__, *map(str, shapes)]
    name = hashlib.blake2b("\n".join(facts).encode(), digest_size=12).hexdigest()
    cache = cache_folder() / "openvino"
    folder = cache / name
    if (folder / "network.xml").exists():
        return folder
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_store(cache, error) from error
    with filelock.FileLock(cache / f"{name}.lock"):
        if not (folder / "network.xml").exists():
            module = build().eval()
            with torch.inference_mode(), warnings.catch_warnings():
                # OpenVINO converts traces. Warnings about their deprecation in torch and about shapes taken for constants
                # are of no use to the user: parity tests check the result.
                warnings.simplefilter("ignore")
                # Without torch's check, which runs the network twice more and needs more memory.
                traced = torch.jit.trace(module, tuple(examples), check_trace=False, strict=False)
                network = openvino.convert_model(traced, example_input=tuple(examples))
            for port, shape in zip(network.inputs, shapes, strict=True):
                port.get_node().set_partial_shape(openvino.PartialShape(shape))
            network.validate_nodes_and_infer_types()
            _save(network, folder)
    return folder


def _save(network: Any, folder: Path) -> None:
    """Write a converted network to `folder`, completely or not at all."""
    temporary = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        import_openvino().save_model(network, temporary / "network.xml", compress_to_fp16=False)
        temporary.rename(folder)
    except (OSError, RuntimeError) as error:
        raise _cannot_store(folder.parent, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _cannot_store(folder: Path, error: Exception) -> CheckpointError:
    return CheckpointError(
        f"a converted network cannot be stored in {folder} ({str(error).splitlines()[0]}): it is as large as the model's "
        "weights in float32; make room there, or set SOUNDALIKE_CACHE to another folder"
    )
