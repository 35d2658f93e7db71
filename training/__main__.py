"""From Debian packages to the shipped weights.

    apt-get download hydrogen-drumkits fluid-soundfont-gm musescore-general-soundfont
    for package in *.deb; do dpkg-deb -x $package packages; done
    pip install --no-deps tinysoundfont                          # and the extra `neural`, for torch
    python -m training collect --packages packages --audio DATA --work WORK
    python -m training scenes --work WORK
    python -m training train --work WORK
    python -m training export --work WORK
    python -m training classes --work WORK

Each step continues where it was interrupted. DATA is a folder with the samples, songs and multitracks that `sources`
names.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(dest="step", required=True)
    for name in ("collect", "scenes", "train", "export", "classes"):
        step = steps.add_parser(name)
        step.add_argument("--work", type=Path, required=True, help="folder of this run")
        step.add_argument("--seed", type=int, default=1)
        if name == "collect":
            step.add_argument("--packages", type=Path, default=Path("/"), help="where the packages are unpacked")
            step.add_argument("--audio", type=Path, required=True, help="folder with samples/, songs/, multitracks/")
        if name == "scenes":
            step.add_argument("--count", type=int, default=4000, help="scenes of 20 s")
        if name == "train":
            step.add_argument("--steps", type=int, default=3600, help="of 128 pairs of hits, or 48 of loops")
    arguments = parser.parse_args()
    if arguments.step == "collect":
        from training.collect import collect

        collect(arguments.packages, arguments.audio, arguments.work, arguments.seed)
    elif arguments.step == "scenes":
        from training.scenes import make_scenes

        make_scenes(arguments.work, arguments.count, arguments.seed)
    elif arguments.step == "train":
        from training.train import train

        train(arguments.work, arguments.steps, arguments.seed)
    elif arguments.step == "export":
        from training.export import export

        export(arguments.work)
    else:
        from training.fit_classes import fit_classes

        fit_classes(arguments.work, arguments.seed)


if __name__ == "__main__":
    main()
