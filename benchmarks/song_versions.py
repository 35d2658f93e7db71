"""How well cut and shifted versions of a song are recognised, and whether other songs and covers are taken for versions.

    python -m benchmarks.song_versions --seconds 60 --made-up 8
    python -m benchmarks.song_versions --chroma

Versions: the beginning of each song of SOUNDALIKE_TEST_DATA, trimmed, shifted by fractions of a window, cut, at another level, at
another speed, as MP3, and combinations. A version is recognised if `search.song_versions` decides so from the vectors of the mix;
nothing else is compared. Not versions: different songs, and of made-up songs covers (other instruments, another tempo), the same
song in another key, and other songs by the same band (same instruments, groove and tempo).

The thresholds were chosen on the 1st, 3rd, 5th ... real song and the made-up songs of seeds 21 and 22; `--real second` and
`--seed` measure on others. --chroma: how well the chroma that is read from vectors agrees with the true one, and the lengths of
blocks that `stored_chroma` needs.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
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
from soundalike.audio.waveform import resample
from soundalike.models.encoders.builtin import builtin_features, stored_chroma
from soundalike.models.encoders.builtin.builtin_encoder import CONSTANTS, BuiltinEncoder
from soundalike.models.encoders.builtin.builtin_spectra import SAMPLE_RATE, compute_spectra
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


def faster(sound: Samples, rate: int, speed: float = 1.03) -> Samples:
    """At another speed, and so at another pitch: half a semitone for 3 %."""
    return resample(sound, rate, round(rate / speed))


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
SPEEDS: dict[str, Callable[[Samples, int], Samples]] = {
    "3 % faster": faster,
    "3 % slower": lambda sound, rate: faster(sound, rate, 1 / 1.03),
    "first 2.5 s trimmed, 3 % faster": lambda sound, rate: faster(seconds(sound, rate, 2.5), rate),
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
        stored = analysis.vectors[:, 0].astype(np.float16).astype(np.float32)  # as in a library
        return SongWindows.of(analysis.starts, stored, self.analyser.recipe.hop)

    def same(self, one: SongWindows, other: SongWindows) -> bool:
        """Whether two songs are versions of one another."""
        return are_versions(one, other, self.thresholds)


def recognised(
    vectors: Vectors, paths: Sequence[Path], seconds_used: float
) -> tuple[dict[str, list[bool]], list[SongWindows]]:
    """By version, whether each song's was recognised; and the windows of the songs."""
    found: dict[str, list[bool]] = {name: [] for name in (*VERSIONS, MP3, *SPEEDS)}
    songs = []
    for path in paths:
        waveform = decode.read(path, 0.0, seconds_used)
        sound, rate = waveform.samples, waveform.sample_rate
        original = vectors.of(sound, rate)
        songs.append(original)
        for name, change in {**VERSIONS, **SPEEDS}.items():
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
    for step in (1, 2, 3, 5, 7, 11):
        yield f"the same in another key (+{step})", replace(spec, key=Key((spec.key.tonic + step) % 12, spec.key.mode))
    turned = (*spec.progression[1:], spec.progression[0])
    for step in (5, 7):
        key = Key((spec.key.tonic + step) % 12, spec.key.mode)
        yield f"of the same band (+{step})", replace(spec, progression=turned, key=key, seed=spec.seed + 1)
    yield "of the same band, in the same key", replace(spec, progression=turned, seed=spec.seed + 1)


def mistaken(vectors: Vectors, seed: int, count: int, length: float) -> dict[str, list[bool]]:
    """By kind of relative, which of them were taken for versions of the made-up songs."""
    found: dict[str, list[bool]] = {}
    songs = []
    for spec in song_specs(seed, count, length):
        song = render_song(spec)
        original = vectors.of(song.mixture, song.sample_rate)
        songs.append(original)
        for name, other in relatives(spec):
            song = render_song(other)
            found.setdefault(name, []).append(vectors.same(original, vectors.of(song.mixture, song.sample_rate)))
    found["two made-up songs"] = [vectors.same(*pair) for pair in combinations(songs, 2)]
    return found


def print_chroma(paths: Sequence[Path]) -> None:
    """Print the median lengths of the whitened blocks, and quantiles of the cosine of the chroma that is read with the true one,
    for windows of 10 s from the first 30 s of some files."""
    with np.load(CONSTANTS) as constants:
        whitening, mean = constants["whitening"].astype(np.float32), constants["mean"].astype(np.float32)
    encoder = BuiltinEncoder()
    ends = np.cumsum(list(builtin_features.BLOCKS.values()))[:-1]
    lengths, cosines = [], []
    for path in paths:
        waveform = decode.read(path, 0.0, 30.0)
        mono = resample(waveform.samples, waveform.sample_rate, SAMPLE_RATE).mean(axis=0)
        for first in range(0, mono.size - 10 * SAMPLE_RATE + 1, 10 * SAMPLE_RATE):
            window = mono[first : first + 10 * SAMPLE_RATE]
            spectra = compute_spectra(window)
            if spectra is not None:
                values, _ = builtin_features.features(spectra)
                lengths.append([np.linalg.norm(block) for block in np.split((values - mean) @ whitening, ends)])
                true = builtin_features.chroma(*builtin_features.spectral_peaks(spectra)[:2])
                (found,) = stored_chroma.chroma(encoder.embed([window]).astype(np.float16))
                cosines.append(float(found @ true) / max(float(np.linalg.norm(found) * np.linalg.norm(true)), 1e-9))
    medians = np.median(lengths, axis=0)
    print_table(
        ("block", "median length"),
        [(name, f"{one:.1f}") for name, one in zip(builtin_features.BLOCKS, medians, strict=True)],
    )
    low, middle = np.quantile(cosines, (0.1, 0.5))
    print(f"\n{len(cosines)} windows; cosine with the true chroma: lowest tenth {low:.3f}, median {middle:.3f}")


def main() -> None:
    """Print a table of what was recognised, and one of what was mistaken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=90.0, help="of each song that are used (default %(default)g)")
    parser.add_argument("--made-up", type=int, default=16, help="made-up songs (default %(default)s)")
    parser.add_argument("--seed", type=int, default=3, help="of the made-up songs (default %(default)s)")
    parser.add_argument(
        "--real", choices=("all", "first", "second"), default="all", help="which half of the real songs"
    )
    parser.add_argument("--chroma", action="store_true", help="measure the chroma that is read from vectors")
    options = parser.parse_args()
    begin, step = {"all": (0, 1), "first": (0, 2), "second": (1, 2)}[options.real]
    paths = audio_files(audio_folder("songs"))[begin::step]
    if options.chroma:
        print_chroma(paths)
        return
    with tempfile.TemporaryDirectory(prefix="song-versions-") as folder:
        vectors = Vectors(Path(folder))
        found, songs = recognised(vectors, paths, options.seconds)
        others = {"two real songs": [vectors.same(*pair) for pair in combinations(songs, 2)]}
        others |= mistaken(vectors, options.seed, options.made_up, min(options.seconds, 45.0))
    print_table(
        ("version", "songs", "recognised"),
        [(name, str(len(one)), f"{np.mean(one):.3f}") for name, one in found.items()],
    )
    print()
    print_table(
        ("not a version", "pairs", "taken for one"),
        [(name, str(len(one)), str(sum(one))) for name, one in others.items()],
    )
    for title, names in (("at the same speed", (*VERSIONS, MP3)), ("at another speed", tuple(SPEEDS))):
        of_kind = [one for name in names for one in found[name]]
        print(f"\nrecall {title} {np.mean(of_kind):.3f} ({sum(of_kind)} of {len(of_kind)})")
    right, wrong = sum(map(sum, found.values())), sum(map(sum, others.values()))
    print(f"precision {right / max(1, right + wrong):.3f} ({right} of {right + wrong})")


if __name__ == "__main__":
    main()
