"""How well an altered sound retrieves its original: codecs, level, offset, equaliser, pitch, tempo.

    python -m benchmarks.robustness [--packages ROOT]

Pools: the samples of SOUNDALIKE_TEST_DATA as one-shots, and windows of 10 s of its songs; with `--packages` (Debian's
hydrogen-drumkits and lmms-common, unpacked) also the hits that nothing was trained on. Every fifth sound (`--every`) is
altered, written to a file, analysed as any file is, and all originals of the pool are ranked by the cosine of the mix.
Reported for both versions of the built-in encoder: how often the original comes first, and the mean reciprocal rank of
the original (MRR). Codecs are those of `ffmpeg`; pitch and tempo are changed by librosa's phase vocoder.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import librosa
import numpy as np
import soundfile
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from benchmarks import encoder_sounds as sounds
from benchmarks.held_out_sounds import held_out_hits
from benchmarks.shared.audio_data import audio_folder
from benchmarks.shared.builtin_versions import VERSIONS, analyser_of_both, as_version
from benchmarks.shared.markdown import print_table
from soundalike.analysis.kinds import Kind
from soundalike.parts import MIX

Clip = NDArray[np.float32]
Alteration = Callable[[Clip], Clip]


@dataclass(frozen=True)
class Pool:
    """Sounds that are looked for among each other, and as what they are analysed."""

    name: str
    kind: Kind
    clips: list[Clip]


def unchanged(clip: Clip) -> Clip:
    return clip


def gain(decibels: float) -> Alteration:
    return lambda clip: clip * np.float32(10 ** (decibels / 20))


def offset(share: float) -> Alteration:
    """A constant offset, as a share of the peak."""
    return lambda clip: clip + np.float32(share * np.abs(clip).max())


def shelf(decibels: float, corner: float, high: bool) -> Alteration:
    return lambda clip: sounds.shelf(clip, decibels, corner, high)


def pitch(semitones: float) -> Alteration:
    return lambda clip: np.asarray(
        librosa.effects.pitch_shift(clip, sr=sounds.RATE, n_steps=semitones, n_fft=min(2048, len(clip))), np.float32
    )


def tempo(rate: float) -> Alteration:
    return lambda clip: np.asarray(
        librosa.effects.time_stretch(clip, rate=rate, n_fft=min(2048, len(clip))), dtype=np.float32
    )


ALTERATIONS: dict[str, tuple[Alteration, str, tuple[str, ...]]] = {
    "none": (unchanged, "wav", ()),
    "mp3, 128 kbit/s": (unchanged, "mp3", ("-b:a", "128k")),
    "mp3, 96 kbit/s": (unchanged, "mp3", ("-b:a", "96k")),
    "ogg, 60 kbit/s": (unchanged, "ogg", ("-c:a", "libvorbis", "-b:a", "60k")),
    "gain +12 dB": (gain(12), "wav", ()),
    "gain -12 dB": (gain(-12), "wav", ()),
    "offset, 10 % of the peak": (offset(0.1), "wav", ()),
    "bass +6 dB": (shelf(6, 250, False), "wav", ()),
    "bass -6 dB": (shelf(-6, 250, False), "wav", ()),
    "treble +6 dB": (shelf(6, 3_000, True), "wav", ()),
    "treble -6 dB": (shelf(-6, 3_000, True), "wav", ()),
    "noise at -30 dB": (sounds.noisy, "wav", ()),
    "a semitone up": (pitch(1), "wav", ()),
    "a semitone down": (pitch(-1), "wav", ()),
    "tempo +5 %": (tempo(1.05), "wav", ()),
    "tempo -5 %": (tempo(0.95), "wav", ()),
}
"""By name: what is done to the samples, the suffix of the file, and the arguments of ffmpeg (none: written as it is)."""


class Ears:
    """Analyses sounds from files in a temporary folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._analyser = analyser_of_both()

    def vectors(self, pool: Pool, alteration: str, every: int = 1) -> NDArray[np.float32]:
        """Rows (N, D) of both versions: the mix of the sounds of a pool, or every so many of them, after an alteration."""
        alter, suffix, arguments = ALTERATIONS[alteration]
        rows = []
        for clip in pool.clips[::every]:
            plain, path = self._folder / "sound.wav", self._folder / f"altered.{suffix}"
            soundfile.write(path if suffix == "wav" else plain, alter(clip), sounds.RATE, subtype="FLOAT")
            if suffix != "wav":
                subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", plain, *arguments, path], check=True, timeout=60)
            analysis = self._analyser.analyse(path, pool.kind, with_facts=False, parts=(MIX,))
            rows.append(analysis.vectors[0, analysis.parts.index(MIX)])
        return np.stack(rows)


def originals(packages: Path | None) -> list[Pool]:
    folder = audio_folder()
    windows = sounds.songs(folder, 10)
    clips = [clip[: 10 * sounds.RATE] for clip in windows.clips]
    pools = [Pool("samples", "one-shot", sounds.samples(folder).clips), Pool("windows", "song", clips)]
    if packages is not None:
        pools.append(Pool("unseen hits", "one-shot", [hit.samples for hit in held_out_hits(packages)]))
    return pools


def figures(altered: NDArray[np.float32], plain: NDArray[np.float32], every: int) -> str:
    """Share of originals that come first, and their mean reciprocal rank; equal cosines come before it."""
    cosines = altered @ plain.T
    own = cosines[np.arange(len(altered)), np.arange(len(altered)) * every][:, np.newaxis]
    ranks = (cosines >= own).sum(axis=1)
    return f"{np.mean(ranks == 1):.3f} / {np.mean(1 / ranks):.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, help="where hydrogen-drumkits and lmms-common are unpacked")
    parser.add_argument("--every", type=int, default=5, help="every how many sounds are altered")
    options = parser.parse_args()
    every = options.every
    pools = originals(options.packages)
    titles = [f"{pool.name}, version {version}" for pool in pools for version in VERSIONS]
    with tempfile.TemporaryDirectory() as name, threadpool_limits(1):
        ears = Ears(Path(name))
        plain = {pool.name: ears.vectors(pool, "none") for pool in pools}

        def row(alteration: str) -> list[str]:
            cells = [alteration]
            for pool in pools:
                altered, among = ears.vectors(pool, alteration, every), plain[pool.name]
                cells += [
                    figures(as_version(altered, version), as_version(among, version), every) for version in VERSIONS
                ]
            return cells

        counts = (f"{pool.name}: {len(pool.clips[::every])} of {len(pool.clips)}" for pool in pools)
        print("; ".join(counts), "- first / MRR\n")
        print_table(["alteration", *titles], (row(alteration) for alteration in ALTERATIONS))


if __name__ == "__main__":
    main()
