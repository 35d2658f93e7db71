"""D-CSN and Cascade at full width: values, and a step forward and backward on segments as long as the papers'.

    python -m benchmarks.baselines_speed --batch 1 --threads 1

A batch is of triplets: three segments each. Memory is the peak of the process (of the GPU with --device cuda); processor
time is of all threads.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from benchmarks.shared.markdown import print_row
from soundalike.config import Runtime
from soundalike.models.encoders.trained.cascade_network import PART_DIMENSION, PartCascade
from soundalike.models.encoders.trained.dcsn_network import PARTS, Dcsn
from soundalike.models.encoders.trained.mel_spectra import SAMPLE_RATE, magnitudes
from soundalike.models.encoders.trained.trained_file import SYSTEMS
from soundalike.models.neural.device import choose_device
from soundalike.research.baselines.triplet_loss import triplet_loss


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=1, help="triplets")
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    device = choose_device(Runtime(options.device))
    torch.manual_seed(0)
    print_row(["network", "values", "output", "forward, s", "backward, s", "processor, s", "peak memory, GiB"])
    print("|" + "---|" * 7)
    dcsn = Dcsn(width=options.width).to(device)
    _measure("D-CSN, 3 s", dcsn, options.batch, 3.0, device, lambda waves: dcsn(waves)[:, 0], (len(PARTS), 128))
    part = PartCascade(options.width).to(device)
    clip = SYSTEMS["cascade"].clip
    _measure("Cascade, one part, 5 s", part, options.batch, clip, device, lambda waves: part(magnitudes(waves)), (128,))


def _measure(
    name: str,
    network: nn.Module,
    batch: int,
    seconds: float,
    device: torch.device,
    forward: Callable[[Tensor], Tensor],
    shape: tuple[int, ...],
) -> None:
    waveforms = 0.1 * torch.randn(3 * batch, round(seconds * SAMPLE_RATE), device=device)
    started, used = time.perf_counter(), time.process_time()
    vectors = forward(waveforms)
    assert vectors.shape == (3 * batch, PART_DIMENSION)
    middle = time.perf_counter()
    triplet_loss(vectors).backward()
    ended = time.perf_counter()
    assert all(value.grad is not None and value.grad.isfinite().all() for value in network.parameters())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if device.type == "cuda":
        peak = torch.cuda.max_memory_allocated(device)
    print_row(
        [
            name,
            f"{sum(value.numel() for value in network.parameters()):,}",
            f"{3 * batch} x {' x '.join(map(str, shape))}",
            f"{middle - started:.2f}",
            f"{ended - middle:.2f}",
            f"{time.process_time() - used:.2f}",
            f"{peak / 2**30:.2f}",
        ]
    )


if __name__ == "__main__":
    main()
