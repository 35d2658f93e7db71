"""How well cut and shifted versions of a song are recognised, and whether other songs and covers are taken for versions.

    python -m benchmarks.song_versions --seconds 60 --made-up 8

Versions: the beginning of each song of SOUNDALIKE_TEST_DATA, trimmed, shifted by fractions of a window, cut, at another level, as
MP3, and combinations. A version is recognised if `search.song_versions` decides so from the vectors of the mix; nothing else is
compared. Not versions: different songs, and of made-up songs covers (other instruments, another tempo), the same song in another
key, and another song by the same band (same instruments, groove and tempo).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from benchmarks.shared.audio_data import audio_files, audio_folder
from benchmarks.shared.markdown import print_table
from soundalike.analysis.analyser import Analyser
from soundalike.analysis.recipe import make_recipe
from soundalike.audio import decode
from soundalike.parts import MIX
from soundalike.search.song_versions import SongWindows, are_versions, thresholds_of
from soundalike.synth.songs import render_song
from soundalike.synth.specs import SongSpec, song_specs
from soundalike.synth.styles import STYLES
from soundalike.synth.theory import Key

Samples = NDArray[np.float32]
"""(channels, samples)."""


def seconds(sound: Samples, rate: int, begin: float, end: float | None = None) -> Samples:
    """The seconds `begin` to `end` of a sound."""
    return sound[:, round(begin * rate) : None if end is None else round(end * rate)]


def edited(sound: Samples, rate: int) -> Samples:
    """Without its middle third, as a radio edit."""
    length = sound.shape[1] / rate
    return np.concatenate([seconds(sound, rate, 0, 0.4 * length), seconds(sound, rate, 0.7 * length)], axis=1)


def behind_silence(sound: Samples, rate: int) -> Samples:
    """3.3 s later."""
    return np.concatenate([np.zeros((len(sound), round(3.3 * rate)), np.float32), sound], axis=1)


VERSIONS: dict[str, Callable[[Samples, int], Samples]] = {
    "first 0.3 s trimmed": lambda sound, rate: seconds(sound, rate, 0.3),
    "first 2.5 s trimmed": lambda sound, rate: seconds(sound, rate, 2.5),
    "first 5 s trimmed": lambda sound, rate: seconds(sound, rate, 5.0),
    "3.3 s of silence in front": behind_silence,
    "first half": lambda sound, rate: seconds(sound, rate, 0.0, sound.shape[1] / rate / 2),
    "middle half": lambda sound, rate: seconds(sound, rate, sound.shape[1] / rate / 4, 0.75 * sound.shape[1] / rate),
    "without its middle third": edited,
    "first 7.5 s trimmed, -9 dB": lambda sound, rate: seconds(sound, rate, 7.5) * np.float32(0.355),
}
MP3 = "first 4.1 s trimmed, MP3"


class Vectors:
    """Computes the windows of sounds, by the product's own analysis of files."""

    def __init__(self, folder: Path) -> None:
        self.analyser = Analyser(make_recipe(parts=(MIX,)))
        self.folder = folder
        thresholds = thresholds_of(self.analyser.recipe)
        if thresholds is None:
            sys.exit("versions are not recognised with this encoder")
        self.thresholds = thresholds

    def of(self, sound: Samples, rate: int, suffix: str = "wav") -> SongWindows:
        path = self.folder / f"sound.{suffix}"
        soundfile.write(path, sound.T, rate)
        analysis = self.analyser.analyse(path, "song", with_facts=False)
        return SongWindows.of(analysis.starts, analysis.vectors[:, 0], self.analyser.recipe.hop)

    def same(self, one: SongWindows, other: SongWindows) -> bool:
        """Whether two songs are versions of one another."""
        return are_versions(one, other, self.thresholds)


def recognised(vectors: Vectors, seconds_used: float) -> tuple[dict[str, list[bool]], list[SongWindows]]:
    """By version, whether each song's was recognised; and the windows of the songs."""
    found: dict[str, list[bool]] = {name: [] for name in (*VERSIONS, MP3)}
    songs = []
    for path in audio_files(audio_folder("songs")):
        waveform = decode.read(path, 0.0, seconds_used)
        sound, rate = waveform.samples, waveform.sample_rate
        original = vectors.of(sound, rate)
        songs.append(original)
        for name, change in VERSIONS.items():
            found[name].append(vectors.same(original, vectors.of(change(sound, rate), rate)))
        found[MP3].append(vectors.same(original, vectors.of(seconds(sound, rate, 4.1), rate, "mp3")))
    return found, songs


def relatives(spec: SongSpec) -> Iterator[tuple[str, SongSpec]]:
    """Songs that are like the one of `spec`, and no versions of it."""
    style = STYLES[spec.style]
    other_kit = next(kit for kit in style.kits if kit != spec.kit)
    patches = tuple(
        (part, next((one for one in style.patches[part] if one != patch), patch)) for part, patch in spec.patches
    )
    yield (
        "cover: other instruments, 4 % faster",
        replace(spec, kit=other_kit, patches=patches, tempo=round(1.04 * spec.tempo)),
    )
    yield "the same in another key (+3)", replace(spec, key=Key((spec.key.tonic + 3) % 12, spec.key.mode))
    turned = (*spec.progression[1:], spec.progression[0])
    yield (
        "another song of the same band",
        replace(spec, progression=turned, key=Key((spec.key.tonic + 5) % 12, spec.key.mode), seed=spec.seed + 1),
    )


def mistaken(vectors: Vectors, count: int, length: float) -> dict[str, list[bool]]:
    """By kind of relative, which of them were taken for versions of the made-up songs."""
    found: dict[str, list[bool]] = {}
    songs = []
    for spec in song_specs(3, count, length):
        song = render_song(spec)
        original = vectors.of(song.mixture, song.sample_rate)
        songs.append(original)
        for name, other in relatives(spec):
            song = render_song(other)
            found.setdefault(name, []).append(vectors.same(original, vectors.of(song.mixture, song.sample_rate)))
    found["two made-up songs"] = [vectors.same(*pair) for pair in combinations(songs, 2)]
    return found


def main() -> None:
    """Print a table of what was recognised, and one of what was mistaken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=90.0, help="of each song that are used (default %(default)g)")
    parser.add_argument("--made-up", type=int, default=16, help="made-up songs (default %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="song-versions-") as folder:
        vectors = Vectors(Path(folder))
        found, songs = recognised(vectors, options.seconds)
        others = {"two real songs": [vectors.same(*pair) for pair in combinations(songs, 2)]}
        others |= mistaken(vectors, options.made_up, min(options.seconds, 45.0))
    print_table(
        ("version", "songs", "recognised"),
        [(name, str(len(one)), f"{np.mean(one):.3f}") for name, one in found.items()],
    )
    print()
    print_table(
        ("not a version", "pairs", "taken for one"),
        [(name, str(len(one)), str(sum(one))) for name, one in others.items()],
    )
    right, wrong = sum(map(sum, found.values())), sum(map(sum, others.values()))
    print(f"\nrecall {right / sum(map(len, found.values())):.3f}, precision {right / max(1, right + wrong):.3f}")


if __name__ == "__main__":
    main()
