"""From Debian packages to the shipped weights.

    apt-get download hydrogen-drumkits fluid-soundfont-gm musescore-general-soundfont
    for package in *.deb; do dpkg-deb -x $package packages; done
    pip install --no-deps tinysoundfont                          # and the extra `neural`, for torch
    python -m training collect --packages packages --audio DATA --work WORK
    python -m training scenes --work WORK
    python -m training train --work WORK
    python -m training export --work WORK
    python -m training classes --work WORK

The separator's network, of stems from the same packages and multitracks:

    python -m training separator-stems --packages packages --audio DATA --work WORK
    python -m training separator-examples --work WORK
    python -m training separator-train --work WORK
    python -m training separator-export --work WORK
    python -m training separator-evaluate --audio DATA --work WORK

Each step continues where it was interrupted. DATA is a folder with the samples, songs and multitracks that `sources`
names.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(dest="step", required=True)
    names = ("collect", "scenes", "train", "export", "classes")
    for name in (*names, *(f"separator-{step}" for step in ("stems", "examples", "train", "export", "evaluate"))):
        step = steps.add_parser(name)
        step.add_argument("--work", type=Path, required=True, help="folder of this run")
        step.add_argument("--seed", type=int, default=1)
        if name in ("collect", "separator-stems"):
            step.add_argument("--packages", type=Path, default=Path("/"), help="where the packages are unpacked")
        if name in ("collect", "separator-stems", "separator-evaluate"):
            step.add_argument("--audio", type=Path, required=True, help="folder with samples/, songs/, multitracks/")
        if name == "scenes":
            step.add_argument("--count", type=int, default=4000, help="scenes of 20 s")
        if name == "train":
            step.add_argument("--steps", type=int, default=3600, help="of 128 pairs of hits, or 48 of loops")
        if name == "separator-examples":
            step.add_argument("--count", type=int, default=60, help="examples of 10 s")
        if name == "separator-train":
            step.add_argument("--steps", type=int, default=450, help="of 8 stretches of 3 s")
    arguments = parser.parse_args()
    if arguments.step.startswith("separator-"):
        _separator_step(arguments)
    elif arguments.step == "collect":
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


def _separator_step(arguments: argparse.Namespace) -> None:
    if arguments.step == "separator-stems":
        from training.separator_stems import make_stems

        make_stems(arguments.packages, arguments.audio, arguments.work, arguments.seed)
    elif arguments.step == "separator-examples":
        from training.separator_examples import make_examples

        make_examples(arguments.work, arguments.count, arguments.seed)
    elif arguments.step == "separator-train":
        from training.separator_train import train

        train(arguments.work, arguments.steps, arguments.seed)
    elif arguments.step == "separator-export":
        from training.separator_train import export

        export(arguments.work)
    else:
        from training.separator_evaluate import evaluate

        evaluate(arguments.audio, arguments.work)


if __name__ == "__main__":
    main()
