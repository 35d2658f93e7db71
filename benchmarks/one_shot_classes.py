"""Classes of one-shots: how often neighbours name the right one, and what preferring the reference's class does to the hits.

    python -m benchmarks.one_shot_classes --samples FOLDER --truth bd=kick,sn=snare,ride=cymbal
    python -m benchmarks.one_shot_classes --made-up 40
    python -m benchmarks.one_shot_classes --read-out ROOT

The names of half of the one-shots are withheld (their files are called by numbers), in `--rounds` random halves; the truth is
what the names state, or `--truth` for the first word of a name. Reported are, by class, how many have a class from their
neighbours, and how many of these the right one. Then every one-shot is a reference, and the share of its first five hits that
are of its class is reported without and with the preference. `--made-up` generates so many one-shots of each class instead.

`--read-out`: how often the class that is read out of the vector is the one that the name states, for the hits of LMMS and of kits
that nothing was trained on. ROOT: where the Debian packages hydrogen-drumkits and lmms-common are unpacked.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.shared.markdown import print_table
from soundalike.audio.metadata.class_names import CLASSES, class_of_path
from soundalike.audio.suffixes import AUDIO_SUFFIXES
from soundalike.library.indexing.library_update import index
from soundalike.search.finder import Finder
from soundalike.synth.audio_files import write_audio
from soundalike.synth.one_shots import ONE_SHOT_CLASSES, render_one_shot

FIRST = 5
BONUSES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=Path, help="a folder of one-shots whose names state their classes")
    parser.add_argument("--truth", default="", help="WORD=CLASS,...: what the first word of a name means")
    parser.add_argument("--made-up", type=int, default=0, help="generate so many one-shots of each class")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--read-out", type=Path, help="where Debian's packages are unpacked")
    arguments = parser.parse_args()
    if arguments.read_out:
        read_out(arguments.read_out)
        return
    words = dict(pair.split("=") for pair in arguments.truth.split(",") if pair)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "source"
        source.mkdir()
        if arguments.samples:
            for path in sorted(arguments.samples.iterdir()):
                if path.suffix.lower() in AUDIO_SUFFIXES:
                    shutil.copy(path, source)
        for sound_class in ONE_SHOT_CLASSES if arguments.made_up else ():
            for number in range(arguments.made_up):
                write_audio(source / f"{sound_class} {number:03d}.wav", render_one_shot(sound_class, number))
        truth = truths(source, words)
        by_neighbours(folder, source, truth, arguments.rounds)
        preference(folder, source, truth)


def read_out(packages: Path) -> None:
    """A row for each class that was read out, and one for all."""
    from benchmarks.held_out_sounds import held_out_hits
    from soundalike.analysis.window_vectors import trim_silence
    from soundalike.models.encoders.builtin.builtin_encoder import BuiltinEncoder
    from soundalike.models.encoders.builtin.one_shot_classes import CLASSES as READ
    from soundalike.models.encoders.builtin.one_shot_classes import probabilities

    hits = [hit for hit in held_out_hits(packages) if hit.wanted]
    chances = probabilities(BuiltinEncoder().embed([trim_silence(hit.samples) for hit in hits]))
    truth = np.array([int(hit.label) for hit in hits])
    right, confidence = chances.argmax(axis=1) == truth, chances.max(axis=1)
    groups = {READ[number]: truth == number for number in np.unique(truth)}
    groups |= {"all": truth >= 0, "confidence of 0.8 or more": confidence >= 0.8, "below 0.5": confidence < 0.5}
    print_table(
        ("hits", "number", "right"),
        [(name, str(int(which.sum())), f"{right[which].mean():.3f}") for name, which in groups.items()],
    )


def truths(source: Path, words: Mapping[str, str]) -> dict[str, str]:
    """The class of each one-shot, by file name; without those of unknown class and those that are loops."""
    index(source.parent / "all.library", [source])
    shots = [item for item in Finder.open(source.parent / "all.library").items if item["kind"] == "one-shot"]
    stated = {item["path"]: words.get(item["path"].split("_")[0]) or class_of_path(item["path"]) for item in shots}
    return {name: sound_class for name, sound_class in stated.items() if sound_class}


def by_neighbours(folder: Path, source: Path, truth: Mapping[str, str], rounds: int) -> None:
    """Print how many of the one-shots without a name get a class, and the right one."""
    asked, answered, right = Counter[str](), Counter[str](), Counter[str]()
    names = sorted(truth)
    for number in range(rounds):
        hidden = set(np.random.default_rng(number).permutation(names)[: len(names) // 2].tolist())
        place = folder / f"round {number}"
        place.mkdir()
        true: dict[str, str] = {}
        for position, name in enumerate(names):
            suffix = Path(name).suffix
            called = f"{position:04d}{suffix}" if name in hidden else f"{truth[name]} {position:04d}{suffix}"
            shutil.copy(source / name, place / called)
            if name in hidden:
                true[called] = truth[name]
        index(folder / f"{number}.library", [place])
        finder = Finder.open(folder / f"{number}.library")
        found = finder.opened.classes.of(range(len(finder.catalogue)))
        for path, kind, sound_class in zip(
            finder.catalogue.column("path").to_pylist(), finder.catalogue.column("kind").to_pylist(), found, strict=True
        ):
            if path in true and kind == "one-shot":
                asked[true[path]] += 1
                answered[true[path]] += sound_class is not None
                right[true[path]] += sound_class is not None and sound_class.name == true[path]
    rows = [(name, asked[name], answered[name], right[name]) for name in CLASSES if asked[name]]
    rows.append(("all", asked.total(), answered.total(), right.total()))
    print_table(
        ("class", "without a name", "got a class", "right"),
        [(name, n, f"{some / n:.2f}", f"{good / some:.2f}" if some else "-") for name, n, some, good in rows],
    )


def preference(folder: Path, source: Path, truth: Mapping[str, str]) -> None:
    """Print the share of the first hits that are of the reference's class, by how much the class counts."""
    place = folder / "named"
    place.mkdir()
    for position, (name, sound_class) in enumerate(sorted(truth.items())):
        shutil.copy(source / name, place / f"{sound_class} {position:04d}{Path(name).suffix}")
    index(folder / "named.library", [place])
    finder = Finder.open(folder / "named.library")
    shots = [item for item in finder.items if item["kind"] == "one-shot"]
    counts = Counter(item["path"].split()[0] for item in shots)
    rows = []
    for bonus in BONUSES:
        shares: dict[str, list[float]] = {}
        for item in shots:
            name = item["path"].split()[0]
            if counts[name] > FIRST:  # there are so many others of its class
                hits = finder.answer(replace(finder.plan(item["id"], n=FIRST), class_bonus=bonus)).hits
                shares.setdefault(name, []).append(np.mean([hit.sound_class == name for hit in hits]))
        every = np.concatenate(list(shares.values()))
        cells = [f"{np.mean(shares[name]):.2f}" for name in CLASSES if name in shares]
        rows.append((f"{bonus:g}", f"{every.mean():.3f}", f"{(every == 1).mean():.3f}", *cells))
        header = ("class counts", f"of the first {FIRST}", "all right", *(name for name in CLASSES if name in shares))
    print_table(header, rows)


if __name__ == "__main__":
    main()
