"""The built-in encoder, version 1 beside version 2: a sound inside a finished song, searched among thousands.

    python -m benchmarks.ears --packages ROOT --midi FOLDER [--only KIND ...] [--count N] [--seeds N ...] [--choose]
        [--separator VERSION]

ROOT: where the Debian packages hydrogen-drumkits and lmms-common are unpacked; FOLDER: rendered by
`benchmarks.render_midi_sounds` from TimGM6mb.sf2; songs and multitracks come from SOUNDALIKE_TEST_DATA. Every sound that is
looked for, every song and every stem comes from a source that the network was not trained on (`training/sources.py`).

A sound is added to a song at -6, 0 or +6 dB (RMS against RMS in the same seconds), as it is or altered (a semitone up or
down and saturated). The query is a region as a person draws it: it begins up to 100 ms early or 20 ms late, and its length
is drawn independently of the sound's. It takes the real path: `Analyser.analyse_region` separates it with the music around
it. Reported: the mean reciprocal rank of the very sound (MRR), how often it is among the first ten (R@10), and the share of
the first ten that are of its class (P@10), with 95 % bootstrap intervals over queries. The network of version 2 counts by the
share that a search gives it in such a region; the last column is what a search does: the stem and the mixture by their share
too (`soundalike.search.region_shares`). `--choose` compares shares instead, with a seed of its own and every second sound, so
that they are not chosen on the queries that the tables report.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from benchmarks.held_out_sounds import (
    Sound,
    bass_notes,
    chord_stabs,
    drum_hits,
    loaded,
    loops,
    rms,
    shifted,
    vocal_chops,
)
from benchmarks.shared.audio_data import audio_folder
from benchmarks.shared.builtin_versions import VERSIONS, Version, add_separator_option, analyser_of_both, as_version
from benchmarks.shared.markdown import print_table
from soundalike.errors import AudioError
from soundalike.models.encoders.builtin.builtin_encoder import (
    INSTANCE,
    PIECES,
    SHARES,
    BuiltinEncoder,
    piece_shares,
)
from soundalike.parts import MIX
from soundalike.search.region_shares import REGION_SHARES, RegionShares
from training.alterations import RATE, faded
from training.sources import MULTITRACKS_HELD_OUT, SONGS

Float32 = NDArray[np.float32]
Matrix = NDArray[np.floating]
Placement = tuple[int, str]
Figures = dict[Placement, NDArray[np.float64]]

LEVELS = (-6, 0, 6)
CONTEXT = 2.0
SONG_SECONDS = 100.0
STATES = ("as it is", "altered")
CHOOSING_SEED = 11


@dataclass(frozen=True)
class Task:
    """What is looked for: in which part, among which sounds; lengths: of the region in s, None: as the sound, roughly."""

    name: str
    part: str
    pool: list[Sound]
    lengths: tuple[float, float] | None
    longest: float

    @property
    def shares(self) -> RegionShares:
        """What counts in a query of this kind, as a search does it."""
        shares = REGION_SHARES["builtin", BuiltinEncoder.version][self.part]
        return shares.longer if self.lengths is None else shares.single


@dataclass(frozen=True)
class Queries:
    """N placements: sounds (N,) numbers of the pool; levels (N,) dB; states (N,) of `STATES`; stems, mixtures (N, D) rows of
    `BothVersions`."""

    sounds: NDArray[np.int64]
    levels: NDArray[np.int64]
    states: NDArray[np.str_]
    stems: Float32
    mixtures: Float32

    @classmethod
    def joined(cls, several: Sequence[Queries]) -> Queries:
        return cls(*(np.concatenate([getattr(one, field.name) for one in several]) for field in fields(cls)))


@dataclass(frozen=True)
class System:
    """What scores are made of: the share of the mixture beside the stem, that of the network beside the signal features (None:
    by version 1, which has no network), and that of the head `instance` in the network's. `heard_through_music` makes the same
    scores with the shipped share of `instance`."""

    mixture: float
    network: float | None
    instance: float = INSTANCE

    def scores(self, pool: Float32, queries: Queries) -> Matrix:
        """(queries, sounds) from rows of `BothVersions`."""
        heard = (1 - self.mixture) * queries.stems + self.mixture * queries.mixtures
        if self.network is None:
            return np.asarray(as_version(heard, "1") @ as_version(pool, "1").T)
        shares = piece_shares(self.network, self.instance)
        factors = np.repeat([shares[name] / SHARES[name] for name in PIECES], list(PIECES.values()))
        return np.asarray((as_version(heard, "2") * factors) @ as_version(pool, "2").T)


class Experiment:
    """The held-out songs and the analyser that hears both versions."""

    def __init__(self, separator: Version) -> None:
        self.analyser = analyser_of_both(separator)

    @cached_property
    def songs(self) -> list[Float32]:
        paths = [path for path in sorted(audio_folder("songs").iterdir()) if path.name not in SONGS]
        paths += [audio_folder("multitracks") / name / "mixture.flac" for name in MULTITRACKS_HELD_OUT]
        return [loaded(path, SONG_SECONDS) for path in paths]

    def heard(self, pool: list[Sound]) -> Float32:
        """Rows of `BothVersions` of a pool, cut as one-shots are."""
        from soundalike.analysis.window_vectors import trim_silence

        return self.analyser.embed_clips([trim_silence(sound.samples) for sound in pool])

    def queries(self, task: Task, count: int, seed: int) -> Queries:
        """`count` placements at every level, as they are and altered."""
        rng = np.random.default_rng(seed)
        wanted = [number for number, sound in enumerate(task.pool) if sound.wanted]
        found: list[tuple[int, int, str, Float32, Float32]] = []
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "mixture.wav"
            while len(found) < count * len(LEVELS) * 2:
                own = int(rng.choice(wanted))
                song = self.songs[int(rng.integers(len(self.songs)))]
                early = float(rng.uniform(-0.02, 0.1))
                draw, scale = float(rng.random()), float(rng.uniform(0.6, 1.2))
                for state in STATES:
                    sample = task.pool[own].samples
                    sample = _altered(sample, draw) if state == "altered" else sample
                    sample = faded(sample[: round(task.longest * RATE)])
                    at = round((3 + draw * (len(song) / RATE - task.longest - 8)) * RATE)
                    length = (
                        scale * len(sample) / RATE
                        if task.lengths is None
                        else float(task.lengths[0] + (task.lengths[1] - task.lengths[0]) * (scale - 0.6) / 0.6)
                    )
                    if rms(song[at : at + len(sample)]) < 1e-3:
                        break
                    for level in LEVELS:
                        soundfile.write(path, _mixed(song, sample, at, level), RATE, subtype="FLOAT")
                        row = self._region(path, CONTEXT - early, CONTEXT - early + max(length, 0.1), task.part)
                        if row is not None:
                            found.append((own, level, state, *row))
        return Queries(*(np.array(column) for column in zip(*found, strict=True)))

    def _region(self, path: Path, start: float, end: float, part: str) -> tuple[Float32, Float32] | None:
        try:
            region = self.analyser.analyse_region(path, start, end, focus=part, parts=(part, MIX))
        except AudioError:
            return None
        return region.vectors[0, region.parts.index(part)], region.vectors[0, region.parts.index(MIX)]


def measured(task: Task, pool: Float32, queries: Queries, system: System) -> Figures:
    """By (level, state): rows (MRR, R@10, P@10) of each query."""
    labels = np.array([sound.label for sound in task.pool])
    figures = defaultdict(list)
    scores = system.scores(pool, queries)
    for own, level, state, row in zip(queries.sounds, queries.levels, queries.states, scores, strict=True):
        order = np.argsort(-row, kind="stable")
        rank = int(np.flatnonzero(order == own)[0]) + 1
        figures[int(level), str(state)].append((1 / rank, rank <= 10, np.mean(labels[order[:10]] == labels[own])))
    return {key: np.array(values, dtype=float) for key, values in figures.items()}


def systems(task: Task) -> dict[str, System]:
    """What the table compares; the last is the search."""
    network = task.shares.network
    return {
        "version 1, stem": System(0.0, None),
        "version 1, mixture": System(1.0, None),
        "version 2, stem": System(0.0, network),
        "version 2, mixture": System(1.0, network),
        "version 2, as searched": System(task.shares.mixture, task.shares.network),
    }


def choices(task: Task) -> dict[str, System]:
    """Shares of the mixture, and of the network."""
    now = task.shares
    return {
        **{f"mixture {share:g}": System(share, now.network) for share in (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)},
        **{
            f"network {share:g}": System(now.mixture, share) for share in (0.0, 0.1, 0.2, 0.3, 0.45, 0.6, 0.7, 0.8, 1.0)
        },
    }


def ablation(task: Task) -> dict[str, System]:
    """What the vector is made of."""
    now = task.shares
    return {
        "signal features alone": System(now.mixture, 0.0),
        "head `instance` alone": System(now.mixture, 1.0, 1.0),
        "head `group` alone": System(now.mixture, 1.0, 0.0),
        **{
            f"network {now.network:g}, `instance` {instance:g} of it": System(now.mixture, now.network, instance)
            for instance in (0.0, 0.3, INSTANCE, 1.0)
        },
        "as stored": System(now.mixture, 1 - SHARES["signal"], SHARES["instance"] / (1 - SHARES["signal"])),
    }


def placement_rows(task: Task, pool: Float32, queries: Queries) -> Iterator[list[str]]:
    """A row for each level and state."""
    figures = [measured(task, pool, queries, system) for system in systems(task).values()]
    for state in STATES:
        for level in LEVELS:
            values = [one[level, state] for one in figures]
            cells = [" / ".join(f"{mean:.2f}" for mean in one.mean(axis=0)) for one in values]
            cells[-1] = f"**{cells[-1][:4]}**{cells[-1][4:]} ({interval(values[-1][:, 0])})"
            yield [task.name, f"{level:+d} dB{', altered' * (state == 'altered')}", str(len(values[0])), *cells]


def total_row(task: Task, pool: Float32, queries: Queries, system: System) -> list[str]:
    """n, MRR with its interval, R@10 with its interval, P@10 over all placements."""
    values = np.concatenate(list(measured(task, pool, queries, system).values()))
    cells = [f"{values[:, column].mean():.3f} ({interval(values[:, column])})" for column in range(2)]
    return [str(len(values)), *cells, f"{values[:, 2].mean():.3f}"]


def interval(values: Matrix, draws: int = 500) -> str:
    """95 % bootstrap interval of a mean."""
    drawn = np.random.default_rng(0).integers(0, len(values), (draws, len(values)))
    low, high = np.percentile(values[drawn].mean(axis=1), [2.5, 97.5])
    return f"{low:.2f}-{high:.2f}"


def skewness_of_hubs(rows: Float32) -> float:
    """Skewness of how often a sound is among the ten nearest of another."""
    from scipy.stats import skew

    similarity = rows @ rows.T
    np.fill_diagonal(similarity, -2)
    nearest = np.argpartition(-similarity, 10, axis=1)[:, :10]
    return float(skew(np.bincount(nearest.ravel(), minlength=len(rows))))


def _altered(samples: Float32, draw: float) -> Float32:
    """A semitone up or down, and saturated."""
    moved = shifted(samples, 1 if draw < 0.5 else -1)
    peak = max(float(np.abs(moved).max()), 1e-9)
    return np.asarray(np.tanh(moved * np.float32((2 + 4 * draw) / peak)), dtype=np.float32)


def _mixed(song: Float32, sample: Float32, at: int, level: float) -> Float32:
    margin = round(CONTEXT * RATE)
    mixture = song[at - margin : at + max(len(sample), RATE) + margin].copy()
    gain = rms(song[at : at + len(sample)]) / max(rms(sample), 1e-9) * 10 ** (level / 20)
    mixture[margin : margin + len(sample)] += np.float32(gain) * sample
    return mixture / max(1.0, float(np.abs(mixture).max()) / 0.98)


def tasks(packages: Path, midi: Path) -> dict[str, Callable[[], Task]]:
    """By name, what makes each task."""
    rows: list[tuple[str, str, Callable[[], list[Sound]], tuple[float, float] | None, float]] = [
        ("drum hit", "drums", lambda: drum_hits(packages, midi), (0.25, 0.6), 1.5),
        ("bass note", "bass", lambda: bass_notes(packages, midi), (0.3, 1.0), 1.2),
        ("bass loop", "bass", lambda: loops(packages, midi, "bass"), None, 5.0),
        ("drum loop", "drums", lambda: loops(packages, midi, "drums"), None, 5.0),
        ("chord stab", "residuals", lambda: chord_stabs(midi), (0.3, 1.0), 1.2),
        ("vocal chop", "residuals", vocal_chops, (0.3, 1.2), 1.5),
    ]
    return {name: lambda row=(name, *rest): Task(row[0], row[1], row[2](), *row[3:]) for name, *rest in rows}


def every_second(task: Task) -> Task:
    """The task with every second of the sounds that are looked for; the others distract."""
    chosen = set([number for number, sound in enumerate(task.pool) if sound.wanted][::2])
    return replace(task, pool=[replace(sound, wanted=n in chosen) for n, sound in enumerate(task.pool)])


def kept(place: Path | None, name: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What `make` returns; read from the folder `place`, if it is there from an earlier run."""
    if place is None:
        return make()
    path = place / f"{name}.npz"
    if not path.exists():
        place.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, **make())
    with np.load(path) as arrays:
        return dict(arrays)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, required=True)
    parser.add_argument("--midi", type=Path, required=True)
    parser.add_argument("--count", type=int, default=24, help="placements for each seed and kind of sound")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--only", nargs="+", help="kinds of sounds, such as 'drum hit'")
    parser.add_argument("--choose", action="store_true", help="compare shares of the mixture, with another seed")
    parser.add_argument("--ablation", action="store_true", help="compare what the vector is made of")
    parser.add_argument("--keep", type=Path, help="folder that keeps what was heard for the next run of the same code")
    add_separator_option(parser)
    options = parser.parse_args()
    rows: list[list[str]] = []
    totals, hubs = [], []
    with threadpool_limits(1):
        experiment = Experiment(options.separator)
        for name, make in tasks(options.packages, options.midi).items():
            if options.only and name not in options.only:
                continue
            task = make()

            def heard_pool(task: Task = task) -> dict[str, Any]:
                """The rows of the pool."""
                return {"rows": experiment.heard(task.pool)}

            pool = kept(options.keep, f"{name} pool", heard_pool)["rows"]
            sought = every_second(task) if options.choose else task
            seeds = [CHOOSING_SEED] if options.choose else options.seeds

            def heard(seed: int, sought: Task = sought) -> Queries:
                """The queries of one seed."""
                name = f"{sought.name} {options.count} {seed}{' of half' * options.choose}"
                return Queries(
                    **kept(options.keep, name, lambda: asdict(experiment.queries(sought, options.count, seed)))
                )

            queries = Queries.joined([heard(seed) for seed in seeds])
            compared = (choices(task) if options.choose else {}) | (ablation(task) if options.ablation else {})
            if not compared:
                rows += placement_rows(task, pool, queries)
            for title, system in (compared or systems(task)).items():
                totals.append((task.name, title, *total_row(task, pool, queries, system)))
            wanted = sum(sound.wanted for sound in task.pool)
            skews = [f"{skewness_of_hubs(as_version(pool, version)):.2f}" for version in VERSIONS]
            hubs.append((task.name, str(len(task.pool)), str(wanted), *skews))
    if rows:
        print("MRR / R@10 / share of the first ten that are of its class\n")
        print_table(("sound", "level", "n", *systems(task)), rows)
    print_table(("sound, all levels", "by", "n", "MRR", "R@10", "class P@10"), totals)
    print_table(("pool", "sounds", "looked for", "skewness of N_10, version 1", "version 2"), hubs)


if __name__ == "__main__":
    main()
