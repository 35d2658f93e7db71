"""From Debian packages to the shipped weights.

    apt-get download hydrogen-drumkits fluid-soundfont-gm musescore-general-soundfont
    for package in *.deb; do dpkg-deb -x $package packages; done
    pip install --no-deps tinysoundfont                          # and the extra `neural`, for torch
    python -m training collect --packages packages --audio DATA --work WORK
    python -m training scenes --work WORK
    python -m training train --work WORK
    python -m training export --work WORK
    python -m training constants --packages packages --work WORK
    python -m training classes --work WORK

The separator's network, of stems from the same packages and multitracks, recorded guitars and voices:

    apt-get download fretsonfire-songs-sectoid flite libflite1   # unpacked like the others
    python -m training separator-stems --packages packages --audio DATA --work WORK
    python -m training separator-examples --work WORK
    python -m training separator-train --work WORK
    python -m training separator-export --work WORK
    python -m training separator-choose --packages packages --audio DATA --work WORK --soundfont TimGM6mb.sf2

The network that finds the vocals in what that one leaves, of the same stems and of recorded speech:

    apt-get download festvox-ru                                  # unpacked like the others
    pip install --no-deps pyworld 'setuptools<81'
    python -m training vocal-lines --packages packages --work WORK
    python -m training vocal-examples --work WORK
    python -m training vocal-train --work WORK
    python -m training vocal-export --work WORK
    python -m training separator-evaluate --packages packages --audio DATA --work WORK --soundfont TimGM6mb.sf2

Each step continues where it was interrupted. DATA is a folder with the samples, songs and multitracks that `sources`
names.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Step:
    """A step: the function that does it (`module:function`), the names of its arguments, defaults of its own."""

    function: str
    arguments: tuple[str, ...]
    defaults: dict[str, int] = field(default_factory=dict)


STEPS = {
    "collect": Step("collect:collect", ("packages", "audio", "work", "seed")),
    "scenes": Step("scenes:make_scenes", ("work", "count", "seed"), {"count": 4000}),
    "train": Step("train:train", ("work", "steps", "seed"), {"steps": 3600}),
    "export": Step("export:export", ("work",)),
    "constants": Step("fit_constants:fit_constants", ("packages", "work", "seed")),
    "classes": Step("fit_classes:fit_classes", ("work", "seed")),
    "separator-stems": Step("separator_stems:make_stems", ("packages", "audio", "work", "seed")),
    "separator-examples": Step("separator_examples:make_examples", ("work", "count", "seed"), {"count": 7000}),
    "separator-train": Step("separator_train:train", ("work", "steps", "seed", "processes"), {"steps": 30000}),
    "separator-export": Step("separator_train:export", ("work",)),
    "vocal-lines": Step("vocal_examples:make_lines", ("packages", "work", "seed")),
    "vocal-examples": Step("vocal_examples:make_examples", ("work", "count", "seed"), {"count": 8800}),
    "vocal-train": Step("vocal_train:train", ("work", "steps", "seed"), {"steps": 20000}),
    "vocal-export": Step("vocal_train:export", ("work",)),
    "separator-choose": Step("separator_choose:choose", ("packages", "audio", "work", "soundfont")),
    "separator-evaluate": Step("separator_evaluate:evaluate", ("packages", "audio", "work", "soundfont")),
}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "work": {"type": Path, "required": True, "help": "folder of this run"},
    "packages": {"type": Path, "default": Path("/"), "help": "where the packages are unpacked"},
    "audio": {"type": Path, "required": True, "help": "folder with samples/, songs/, multitracks/"},
    "soundfont": {"type": Path, "required": True, "help": "a SoundFont that is not trained on, such as TimGM6mb.sf2"},
    "seed": {"type": int, "default": 1},
    "count": {"type": int, "help": "scenes of 20 s, or examples of 10 s (default %(default)s)"},
    "processes": {"type": int, "default": 1, "help": "processes that train together (default %(default)s)"},
    "steps": {"type": int, "help": "batches (default %(default)s)"},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(dest="step", required=True)
    for name, step in STEPS.items():
        added = steps.add_parser(name)
        for argument in step.arguments:
            added.add_argument(f"--{argument}", **ARGUMENTS[argument])
        added.set_defaults(**step.defaults)
    given = parser.parse_args()
    step = STEPS[given.step]
    module, function = step.function.split(":")
    getattr(import_module(f"training.{module}"), function)(*(getattr(given, name) for name in step.arguments))


if __name__ == "__main__":
    main()
