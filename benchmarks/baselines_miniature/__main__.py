"""D-CSN, Cascade and Cascade-PAFT on a miniature Slakh2100: trained on 96 generated tracks, evaluated on 60 others.

    python -m benchmarks.baselines_miniature FOLDER

Kits and patches of the test tracks, and of 16 tracks for validation, are not those of training. Everything is in FOLDER: an
interrupted run continues, and a second one only evaluates. Printed are

- held-out triplets of each part: agreement of the trained network, of its initial weights, and of MFCC (cosine of mean and
  standard deviation of 20, standardised) of the same mixtures, with the differences and intervals robust to shared tracks.
  `real` compares mixtures; in `pseudo` the positive shares nothing but the part, and the negative everything else;
- how far each subspace moves when one stem of a mixture is replaced, in units of its median distance between mixtures, also
  as a picture, FOLDER/movement.svg; the systems `dcsn-invariance`, which is trained to move in that one alone, and
  `dcsn-cosine`, which is the same without that loss, have pictures of their own;
- the agreement with simulated listeners on held-out tracks, before and after PAFT, and, with the system `paft-control`, after
  as much training without their answers.
"""

from __future__ import annotations

import argparse
import itertools
import time
from pathlib import Path

import torch

from benchmarks.baselines_miniature.held_out_triplets import print_difference, print_triplets
from benchmarks.baselines_miniature.listeners import print_listeners
from benchmarks.baselines_miniature.movement import print_movement
from benchmarks.baselines_miniature.tracks import render
from benchmarks.baselines_miniature.training import CONTROL, DCSN_CHANGES, train_system
from soundalike.models.encoders.trained.trained_file import read_trained


def main() -> None:
    """Render, train, evaluate, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--cascade-part", action="append", default=None, help="part of Cascade; repeatable; all if none"
    )
    parser.add_argument("--triplets", type=int, default=100, help="held-out `pseudo` triplets of each part")
    parser.add_argument("--real", type=int, default=30, help="held-out `real` triplets of each part")
    parser.add_argument("--systems", default="dcsn,cascade,cascade-paft", help="which to train and evaluate")
    parser.add_argument("--split", default="test", choices=("validation", "test"), help="tracks to evaluate with")
    options = parser.parse_args()
    torch.set_num_threads(1)
    systems = options.systems.split(",")
    render(options.folder, answers=bool({"cascade-paft", CONTROL} & set(systems)))
    for system in systems:
        began, used = time.perf_counter(), time.process_time()
        path = train_system(options.folder, system, options.cascade_part)
        took = f"{time.process_time() - used:.0f} s of processor time, {(time.perf_counter() - began) / 60:.1f} min"
        print(f"{system}: {path.stat().st_size / 2**20:.1f} MiB, {took} in this run", flush=True)
    evaluated = {}
    for system in systems:
        if system in ("cascade-paft", CONTROL):
            continue
        kind = "dcsn" if system in DCSN_CHANGES else system
        trained = read_trained(options.folder / system / f"{system}.pt", kind)
        print(f"\n{system}")
        counts = options.real, options.triplets
        evaluated[system] = print_triplets(options.folder, options.split, kind, trained, counts)
        if kind == "dcsn":
            picture = "movement.svg" if system == kind else f"movement-{system}.svg"
            print_movement(options.folder, options.split, trained, options.folder / picture)
    for first, second in itertools.combinations([system for system in evaluated if system in DCSN_CHANGES], 2):
        print_difference(evaluated[first], evaluated[second], (first, second))
    if tuned := [system for system in (CONTROL, "cascade-paft") if system in systems]:
        print_listeners(options.folder, options.split, ["cascade", *tuned])


if __name__ == "__main__":
    main()
