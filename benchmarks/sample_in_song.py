"""From a finished song to the hit inside it, with real ground truth.

Known samples (one-shots and loops) are laid over real songs at several levels; the seconds where a sample sounds are
asked for, and all samples are ranked. How high does the very sample come, and the first other one of its class?
Compared: the separated region, the region as it is, and plain MFCC (mean and deviation of 20 coefficients) of the
region as it is and separated.

    python benchmarks/song_to_hit.py --count 60 --seed 1

Needs SOUNDALIKE_TEST_DATA (samples/ and songs/). Levels are those of the sample's RMS beside the song's in the same
seconds.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from pathlib import Path

import librosa
import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from benchmarks.shared.audio_data import folder
from soundalike.analysis.analyser import Analyser
from soundalike.analysis.recipe import make_recipe
from soundalike.audio import decode

Float32 = NDArray[np.float32]
RATE = 44_100
LEVELS = (-6, 0, 6)
DRUMS = ("bd", "sn", "drum", "hat", "ride", "perc", "tabla", "elec")
LONGEST_REGION = 6.0


def class_of(path: Path) -> str:
    """The sample's class: its prefix; the acoustic kit's pieces by their own names."""
    words = path.stem.split("_")
    return "_".join(words[:2]) if words[0] == "drum" else words[0]


def part_of(path: Path) -> str | None:
    """The part a separator puts this sample into; None for sounds that belong to no part in particular."""
    prefix = path.stem.split("_")[0]
    if prefix in DRUMS or prefix in ("loop", "arovane"):
        return "drums"
    return "bass" if prefix == "bass" else None


def rms(samples: Float32) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if samples.size else 0.0


def mfcc(samples: Float32, rate: int) -> Float32:
    """Mean and deviation of 20 MFCCs, the plain baseline."""
    padded = np.pad(samples, (0, max(0, 2048 - len(samples))))
    coefficients = librosa.feature.mfcc(y=padded, sr=rate, n_mfcc=20)
    return np.concatenate([coefficients.mean(axis=1), coefficients.std(axis=1)]).astype(np.float32)


def lay_over(song: Float32, sample: Float32, at: int, level: float) -> Float32:
    """The song's seconds around `at` with the sample laid over at `level` dB, 2 s of song on either side."""
    before, after = at - 2 * RATE, at + len(sample) + 2 * RATE
    mixture = song[before:after].copy()
    reference = rms(song[at : at + len(sample)])
    gain = reference / max(rms(sample), 1e-9) * 10 ** (level / 20)
    mixture[2 * RATE : 2 * RATE + len(sample)] += gain * sample
    peak = np.abs(mixture).max(initial=1e-9)
    return mixture / max(1.0, peak / 0.98)


def ranks(scores: NDArray[np.floating], own: int, classes: list[str]) -> tuple[int, int | None]:
    """Rank of the very sample, and of the first other one of its class (the very one left out)."""
    order = np.argsort(-scores, kind="stable")
    exact = int(np.flatnonzero(order == own)[0]) + 1
    others = order[order != own]
    same = [place for place, index in enumerate(others, 1) if classes[index] == classes[own]]
    return exact, same[0] if same else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=60, help="placements a level, for hits and for loops each")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    analyser = Analyser(make_recipe())
    paths = sorted(folder("samples").glob("*.flac"))
    waves = [decode.load(path, RATE, 1).samples[0] for path in paths]
    classes = [class_of(path) for path in paths]
    vectors = np.concatenate([analyser.analyse(path, "one-shot", with_facts=False).vectors[:, 0] for path in paths])
    baseline = np.stack([mfcc(wave, RATE) for wave in waves])
    centre, scale = baseline.mean(axis=0), baseline.std(axis=0)
    baseline = (baseline - centre) / scale
    songs = [decode.load(path, RATE, 1).samples[0] for path in sorted(folder("songs").glob("*.ogg"))]

    def by_mfcc(samples: Float32, rate: int) -> NDArray[np.floating]:
        query = (mfcc(samples, rate) - centre) / scale
        return baseline @ query / (np.linalg.norm(baseline, axis=1) * np.linalg.norm(query) + 1e-9)

    loops = [i for i, path in enumerate(paths) if path.stem.startswith(("loop_", "arovane"))]
    hits = [i for i in range(len(paths)) if i not in loops and part_of(paths[i])]
    found: dict[tuple[str, int, str], list[tuple[int, int | None]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary) / "mixture.wav"
        for what, chosen in (("hits", hits), ("loops", loops)):
            for _ in range(arguments.count):
                own = int(rng.choice(chosen))
                sample = waves[own][: int(LONGEST_REGION * RATE)]
                song = songs[int(rng.integers(len(songs)))]
                at = int(rng.integers(3 * RATE, len(song) - len(sample) - 3 * RATE))
                if rms(song[at : at + len(sample)]) < 1e-3:
                    continue
                part = part_of(paths[own])
                for level in LEVELS:
                    mixture = lay_over(song, sample, at, level)
                    sf.write(place, mixture, RATE, subtype="FLOAT")
                    # The ear marks the hit, not its inaudible tail.
                    end = 2.0 + min(max(len(sample) / RATE, 0.06), 1.0 if what == "hits" else LONGEST_REGION)
                    region = analyser.analyse_region(place, 2.0, end, focus=part)
                    stems, rate = analyser.stems(place, float(region.starts[0]), float(region.ends[0]))
                    for name, scores in (
                        ("separated", vectors @ region.vectors[0, region.parts.index(str(part))]),
                        ("unseparated", vectors @ region.vectors[0, region.parts.index("mix")]),
                        ("MFCC, unseparated", by_mfcc(stems["mix"], rate)),
                        ("MFCC, separated", by_mfcc(stems[str(part)], rate)),
                    ):
                        found[what, level, name].append(ranks(scores, own, classes))
    print(f"{len(paths)} samples to choose from, {len(songs)} songs, seed {arguments.seed}\n")
    print("| what | level | query | n | very sample: MRR | R@1 | R@10 | class: MRR | R@10 |")
    print("|---|---|---|---|---|---|---|---|---|")
    for (what, level, name), values in found.items():
        exact = np.array([rank for rank, _ in values])
        same = np.array([rank for _, rank in values if rank is not None])
        print(
            f"| {what} | {level:+d} dB | {name} | {len(exact)} | {np.mean(1 / exact):.3f} | {np.mean(exact == 1):.2f} | "
            f"{np.mean(exact <= 10):.2f} | {np.mean(1 / same):.3f} | {np.mean(same <= 10):.2f} |"
        )


if __name__ == "__main__":
    main()
