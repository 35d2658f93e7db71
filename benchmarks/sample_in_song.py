"""Retrieve the sample that sounds inside a finished song, with real ground truth.

    python -m benchmarks.sample_in_song --count 60 --seed 1

Known samples (one-shots and loops) are mixed into real songs at several levels (RMS of the sample against RMS of the
song in the same seconds). The seconds in which a sample sounds are the query, and all samples are ranked: reported are
the rank of that sample and the rank of the first other one of its class. Compared: the separated region, the region as
it is, both as a search fuses them, and the MFCC baseline (mean and standard deviation of 20 coefficients) of both.
Needs samples/ and songs/ of SOUNDALIKE_TEST_DATA. The network of the built-in encoder was trained on these samples, and
the regions begin with the sample: `benchmarks.ears` measures what is to be expected of sounds that nothing was fitted
to.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import librosa
import numpy as np
import soundfile
from numpy.typing import NDArray

from benchmarks.shared.audio_data import audio_folder
from benchmarks.shared.builtin_versions import Version, add_separator_option, analyser_of_both, as_version
from benchmarks.shared.markdown import print_table
from soundalike.audio import decode
from soundalike.search.region_shares import RegionShares, region_shares

Float32 = NDArray[np.float32]
Scores = NDArray[np.floating]

RATE = 44_100
LEVELS = (-6, 0, 6)  # dB
DRUMS = ("bd", "sn", "drum", "hat", "ride", "perc", "tabla", "elec")
LOOPS = ("loop", "arovane")
LONGEST_REGION = 6.0  # s
LONGEST_ONE_SHOT = 1.0  # s: a listener marks the stroke, not its inaudible tail
CONTEXT = 2.0  # s of song on either side
HEADER = ("samples", "level", "query", "n", "same sample: MRR", "R@1", "R@10", "same class: MRR", "R@10")


def sample_class(path: Path) -> str:
    """The class of a sample: the first word of its name; for the acoustic kit the first two."""
    words = path.stem.split("_")
    return "_".join(words[:2]) if words[0] == "drum" else words[0]


def sample_part(path: Path) -> str | None:
    """The part that contains a sample after separation; None for sounds that belong to no part in particular."""
    prefix = path.stem.split("_")[0]
    if prefix in DRUMS or prefix in LOOPS:
        return "drums"
    return "bass" if prefix == "bass" else None


def rms(samples: Float32) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if samples.size else 0.0


def mfcc(samples: Float32, rate: int) -> Float32:
    """Mean and standard deviation of 20 MFCCs (40,)."""
    padded = np.pad(samples, (0, max(0, 2048 - len(samples))))
    coefficients = librosa.feature.mfcc(y=padded, sr=rate, n_mfcc=20)
    return np.concatenate([coefficients.mean(axis=1), coefficients.std(axis=1)]).astype(np.float32)


class MfccBaseline:
    """Ranks samples by the cosine of standardised MFCC statistics."""

    def __init__(self, waves: list[Float32]) -> None:
        features = np.stack([mfcc(wave, RATE) for wave in waves])
        self._centre, self._scale = features.mean(axis=0), features.std(axis=0)
        self._features = (features - self._centre) / self._scale
        self._norms = np.linalg.norm(self._features, axis=1)

    def scores(self, samples: Float32, rate: int) -> Scores:
        """Similarity (N,) of a waveform to every sample."""
        query = (mfcc(samples, rate) - self._centre) / self._scale
        return np.asarray(self._features @ query / (self._norms * np.linalg.norm(query) + 1e-9))


def mix_into(song: Float32, sample: Float32, at: int, level: float) -> Float32:
    """The song around `at` with the sample added at `level` dB, and CONTEXT seconds of song on either side."""
    margin = int(CONTEXT * RATE)
    mixture = song[at - margin : at + len(sample) + margin].copy()
    gain = rms(song[at : at + len(sample)]) / max(rms(sample), 1e-9) * 10 ** (level / 20)
    mixture[margin : margin + len(sample)] += gain * sample
    peak = np.abs(mixture).max(initial=1e-9)
    return mixture / max(1.0, peak / 0.98)


def ranks(scores: Scores, own: int, classes: list[str]) -> tuple[int, int | None]:
    """Rank of sample `own`, and of the first other sample of its class (without `own` in the ranking)."""
    order = np.argsort(-scores, kind="stable")
    exact = int(np.flatnonzero(order == own)[0]) + 1
    others = order[order != own]
    same = [rank for rank, index in enumerate(others, 1) if classes[index] == classes[own]]
    return exact, same[0] if same else None


class Experiment:
    """All samples with their vectors, all songs, and a random generator."""

    def __init__(self, seed: int, separator: Version) -> None:
        self.rng = np.random.default_rng(seed)
        self.analyser = analyser_of_both(separator)
        self.paths = sorted(audio_folder("samples").glob("*.flac"))
        self.waves = [decode.load(path, RATE, 1).samples[0] for path in self.paths]
        self.classes = [sample_class(path) for path in self.paths]
        one_shots = [self.analyser.analyse(path, "one-shot", with_facts=False) for path in self.paths]
        self.vectors = np.concatenate([one_shot.vectors[:, 0] for one_shot in one_shots])
        self.baseline = MfccBaseline(self.waves)
        songs = sorted(audio_folder("songs").glob("*.ogg"))
        self.songs = [decode.load(path, RATE, 1).samples[0] for path in songs]

    def run(self, chosen: list[int], longest: float, count: int) -> Iterator[tuple[int, str, tuple[int, int | None]]]:
        """Level, kind of query and ranks of `count` random placements of the chosen samples."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "mixture.wav"
            for _ in range(count):
                own = int(self.rng.choice(chosen))
                sample = self.waves[own][: int(LONGEST_REGION * RATE)]
                song = self.songs[int(self.rng.integers(len(self.songs)))]
                at = int(self.rng.integers(3 * RATE, len(song) - len(sample) - 3 * RATE))
                if rms(song[at : at + len(sample)]) < 1e-3:
                    continue
                end = CONTEXT + min(max(len(sample) / RATE, 0.06), longest)
                for level in LEVELS:
                    soundfile.write(path, mix_into(song, sample, at, level), RATE, subtype="FLOAT")
                    for name, scores in self.queries(path, end, str(sample_part(self.paths[own]))):
                        yield level, name, ranks(scores, own, self.classes)

    def queries(self, path: Path, end: float, part: str) -> Iterator[tuple[str, Scores]]:
        """Scores (N,) of all samples for the region of a mixture, for each kind of query."""
        region = self.analyser.analyse_region(path, CONTEXT, end, focus=part)
        stems, rate = self.analyser.stems(path, float(region.starts[0]), float(region.ends[0]))
        stem, mixture = (region.vectors[0, region.parts.index(name)] for name in (part, "mix"))
        shares = region_shares(self.analyser.recipe, end - CONTEXT)[part]
        yield "version 1, separated", as_version(self.vectors, "1") @ as_version(stem, "1")
        yield "version 1, unseparated", as_version(self.vectors, "1") @ as_version(mixture, "1")
        heard = [as_version(rows, "2").astype(np.float64) for rows in (stem, mixture)]
        for name, share in (("separated", 0.0), ("unseparated", 1.0), ("as searched", shares.mixture)):
            direction = RegionShares(share, shares.network).combined(*heard)
            yield f"version 2, {name}", as_version(self.vectors, "2") @ direction
        yield "MFCC, unseparated", self.baseline.scores(stems["mix"], rate)
        yield "MFCC, separated", self.baseline.scores(stems[part], rate)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=60, help="placements per level, for one-shots and loops each")
    parser.add_argument("--seed", type=int, default=1)
    add_separator_option(parser)
    arguments = parser.parse_args()
    experiment = Experiment(arguments.seed, arguments.separator)
    loops = [i for i, path in enumerate(experiment.paths) if path.stem.startswith(LOOPS)]
    one_shots = [i for i, path in enumerate(experiment.paths) if i not in loops and sample_part(path)]
    results: dict[tuple[str, int, str], list[tuple[int, int | None]]] = defaultdict(list)
    for kind, chosen, longest in (("one-shots", one_shots, LONGEST_ONE_SHOT), ("loops", loops, LONGEST_REGION)):
        for level, query, pair in experiment.run(chosen, longest, arguments.count):
            results[kind, level, query].append(pair)
    print(f"{len(experiment.paths)} samples, {len(experiment.songs)} songs, seed {arguments.seed}\n")
    print_table(HEADER, [row(*key, pairs) for key, pairs in results.items()])


def row(kind: str, level: int, query: str, pairs: list[tuple[int, int | None]]) -> tuple[str, ...]:
    """One row of the table."""
    exact = np.array([rank for rank, _ in pairs])
    same = np.array([rank for _, rank in pairs if rank is not None])
    figures = (np.mean(exact == 1), np.mean(exact <= 10))
    return (
        kind,
        f"{level:+d} dB",
        query,
        str(len(exact)),
        f"{np.mean(1 / exact):.3f}",
        *(f"{figure:.2f}" for figure in figures),
        f"{np.mean(1 / same):.3f}",
        f"{np.mean(same <= 10):.2f}",
    )


if __name__ == "__main__":
    main()
