"""Whether copies of one-shots are recognised as such, and different one-shots are not taken for copies.

    python -m benchmarks.clip_copies --one-shots 220

Made-up one-shots of all classes in turn, some also as MP3, Ogg Vorbis, AAC and Opus and with 50 ms of silence; and all pairs of
different ones of a class. Same: what `search.near_duplicates` decides; by the rule for songs: by the length and cosine from which
songs are copies.
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.shared.markdown import print_table
from soundalike.analysis.analyser import Analyser
from soundalike.analysis.recipe import make_recipe
from soundalike.search.near_duplicates import LENGTH_TOLERANCE, NEAR_IDENTICAL, length_tolerance, same_recording
from soundalike.synth.audio_files import write_audio
from soundalike.synth.one_shots import ONE_SHOT_CLASSES, render_one_shot

FORMATS = {
    "mp3": ("-c:a", "libmp3lame", "-b:a", "128k"),
    "ogg": ("-c:a", "libvorbis", "-q:a", "3"),
    "m4a": ("-c:a", "aac", "-b:a", "128k"),
    "opus": ("-c:a", "libopus", "-b:a", "96k"),
    "padded.wav": ("-af", "apad=pad_dur=0.05"),
}
DIFFERENT = "another of its class"

Sound = tuple[np.ndarray, float]  # the vector of the mix (1, D) and the length, s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--one-shots", type=int, default=220)
    parser.add_argument("--copied", type=int, default=22, help="how many of them are encoded again")
    arguments = parser.parse_args()
    analyser = Analyser(make_recipe())
    pairs: dict[str, list[tuple[Sound, Sound]]] = {}
    with tempfile.TemporaryDirectory() as name:
        paths = write(Path(name), arguments.one_shots)
        sounds = {path: embedded(analyser, path) for path in paths}
        for path, (form, options) in itertools.product(paths[: arguments.copied], FORMATS.items()):
            copy = path.with_suffix(f".{form}")
            subprocess.run(["ffmpeg", "-loglevel", "error", "-y", "-i", path, *options, copy], check=True)
            pairs.setdefault(form, []).append((sounds[path], embedded(analyser, copy)))
        pairs[DIFFERENT] = [
            (sounds[one], sounds[other])
            for one, other in itertools.combinations(paths, 2)
            if one.name.split()[0] == other.name.split()[0]
        ]
    print_table(
        (
            "copy",
            "pairs",
            "cosine: lowest 5 %",
            "median",
            "highest",
            "of equal length",
            "same by the rule for songs",
            "same",
        ),
        [row(*item) for item in pairs.items()],
    )


def write(folder: Path, count: int) -> list[Path]:
    """Write `count` one-shots of all classes in turn."""
    paths = []
    for number in range(count):
        sound_class = ONE_SHOT_CLASSES[number % len(ONE_SHOT_CLASSES)]
        paths.append(folder / f"{sound_class} {number:04d}.wav")
        write_audio(paths[-1], render_one_shot(sound_class, number // len(ONE_SHOT_CLASSES)))
    return paths


def embedded(analyser: Analyser, path: Path) -> Sound:
    analysis = analyser.analyse(path, "one-shot", with_facts=False)
    return analysis.vectors[:, 0], analysis.duration


def row(name: str, pairs: list[tuple[Sound, Sound]]) -> tuple[object, ...]:
    equal = [abs(a - b) <= length_tolerance(max(a, b)) for (_, a), (_, b) in pairs]
    cosines = [float((a @ b.T).item()) for (a, _), (b, _) in pairs]
    songs = [
        cosine >= NEAR_IDENTICAL and abs(a - b) <= LENGTH_TOLERANCE
        for cosine, ((_, a), (_, b)) in zip(cosines, pairs, strict=True)
    ]
    same = [same_recording(a, b, a_seconds, b_seconds) for (a, a_seconds), (b, b_seconds) in pairs]
    shares = (f"{np.mean(one):.3f}" for one in (equal, songs, same))
    return name, len(pairs), *(f"{value:.3f}" for value in np.percentile(cosines, (5, 50, 100))), *shares


if __name__ == "__main__":
    main()
