"""A miniature Inst-Sim-ABX: triplets of a miniature Slakh2100 with answers of simulated listeners, in the format of the
released files.

    FOLDER/inst_sim_abx_answers.csv, dict_triplet_202404.json, dict_triplet_202407.json, truth.json

As in the released ones: `test1` holds XYC questions and `test2` XAB; Y and C stand in either slot, and some XYC questions
about single parts were asked in both orders; only the experiment ex202407 asks about mixtures; there are attention checks.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from soundalike.errors import InputError
from soundalike.parts import MIX
from soundalike.synth.dsp import SAMPLE_RATE
from soundalike.synth.listeners import Listeners, Segment, segments
from soundalike.synth.miniature_slakh import MiniTrack
from soundalike.synth.seeds import generator

CLIP_SAMPLES = 219_136
"""As in the released configurations: 4.969 s at 44.1 kHz."""

ASKED_ABOUT = ("drums", "bass", "piano", "guitar", "residuals", MIX)
SAMPLES_A_SET = 5
COLUMNS = ("", "ex_name", "subject_id", "reference", "sample_a", "sample_b")
ANSWERS = ("timbre", "rhythm", "melody", "total")
CHECKS = {
    "A": ("samples/dummyX1.wav", "samples/dummyX1.wav", "samples/dummyB1.wav"),
    "B": ("samples/dummyX2.wav", "samples/dummyA2.wav", "samples/dummyX2.wav"),
}
"""Attention checks, by the right answer: reference, sample A, sample B."""


@dataclass(frozen=True)
class _Clip:
    track: MiniTrack
    number: int
    segment: Segment

    def values(self, role: str) -> dict[str, object]:
        """Its entry in a configuration."""
        start = self.number * CLIP_SAMPLES
        return {
            "ID": self.track.number,
            "seg": self.number,
            "filename": self.filename(role),
            "sr": SAMPLE_RATE,
            "index_s": start,
            "index_e": start + CLIP_SAMPLES,
        }

    def filename(self, role: str) -> str:
        return f"{role}_{self.track.number}-{self.number}.wav"


@dataclass(frozen=True)
class _Question:
    """roles: the letters of the three clips, as they stand in the configuration."""

    place: tuple[str, str]
    part: str
    roles: str
    clips: tuple[_Clip, _Clip, _Clip]
    experiment: str

    def path(self, index: int) -> str:
        return f"set{self.place[0]}/{self.place[1]}/{self.part}/{self.clips[index].filename(self.roles[index])}"


def write_inst_sim_abx(
    folder: Path,
    tracks: Sequence[MiniTrack],
    *,
    seed: int = 1,
    mixes: int = 60,
    parts: int = 20,
    xab: int | None = None,
    listeners: Listeners | None = None,
) -> Listeners:
    """Write questions and answers about `tracks` (at least four) into `folder`: `mixes` triplets of each kind about mixtures,
    `parts` of each kind about each part, but `xab` of kind XAB if given. Returns the listeners, also kept in `truth.json`; the
    same for the same numbers.

    Raises InputError for too few tracks, or tracks too short for two clips.
    """
    listeners = listeners or Listeners()
    seconds = CLIP_SAMPLES / SAMPLE_RATE
    clips = [
        _Clip(track, number, segment)
        for track in tracks
        for number, segment in enumerate(segments(track.spec, track.duration, seconds))
    ]
    if len({clip.track.number for clip in clips}) < 4 or len(clips) < 2 * len(tracks):
        raise InputError(
            f"{len(tracks)} tracks with {len(clips)} clips are too few; four tracks of {2 * seconds:.0f} s will do"
        )
    counts = {"XYC": parts, "XAB": parts if xab is None else xab}
    questions = [
        question
        for part in ASKED_ABOUT
        for kind, count in counts.items()
        for question in _questions(clips, part, kind, mixes if part == MIX else count, seed)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    for name, chosen in (
        ("dict_triplet_202404.json", [q for q in questions if q.experiment == "ex202404"]),
        ("dict_triplet_202407.json", questions),
    ):
        (folder / name).write_text(json.dumps(_configuration(chosen), indent=4), encoding="utf-8")
    with (folder / "inst_sim_abx_answers.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*COLUMNS, *(f"answer_{name}" for name in ANSWERS), "choice_time"])
        for number, row in enumerate(_answers(questions, listeners, seed)):
            writer.writerow([number, *row])
    (folder / "truth.json").write_text(json.dumps(asdict(listeners), indent=2) + "\n", encoding="utf-8")
    return listeners


def _questions(clips: Sequence[_Clip], part: str, kind: str, count: int, seed: int) -> Iterator[_Question]:
    """Different tracks throughout for XAB; another clip of the reference's track for XYC."""
    rng = generator("questions", seed, part, kind)
    heard = [clip for clip in clips if part in clip.segment.parts]
    tracks = sorted({clip.track.number for clip in heard})
    if len(tracks) < 3:
        return
    clips_of = Counter(clip.track.number for clip in heard)
    several = [track for track in tracks if clips_of[track] > 1]
    for number in range(count):
        place = (str(number // SAMPLES_A_SET), str(number % SAMPLES_A_SET))
        if kind == "XAB":
            chosen = [_one(heard, int(track), rng) for track in rng.choice(tracks, 3, replace=False)]
        else:
            own = int(rng.choice(several))
            other = int(rng.choice([track for track in tracks if track != own]))
            pair = [clip for clip in heard if clip.track.number == own]
            x, y = (pair[int(index)] for index in rng.choice(len(pair), 2, replace=False))
            chosen = [x, y, _one(heard, other, rng)]
        experiment = "ex202407" if part == MIX or number % 2 else "ex202404"
        yield _Question(place, part, kind, (chosen[0], chosen[1], chosen[2]), experiment)


def _one(clips: Sequence[_Clip], track: int, rng: np.random.Generator) -> _Clip:
    several = [clip for clip in clips if clip.track.number == track]
    return several[int(rng.integers(len(several)))]


def _configuration(questions: Sequence[_Question]) -> dict[str, dict[str, dict[str, dict[str, object]]]]:
    """Set -> sample -> test -> part -> role -> values."""
    found: dict[str, dict[str, dict[str, dict[str, object]]]] = {}
    for question in questions:
        first, second = question.place
        test = "test1" if question.roles == "XYC" else "test2"
        roles = {role: clip.values(role) for role, clip in zip(question.roles, question.clips, strict=True)}
        found.setdefault(first, {}).setdefault(second, {}).setdefault(test, {})[question.part] = roles
    return found


def _answers(questions: Sequence[_Question], listeners: Listeners, seed: int) -> Iterator[list[str]]:
    """Rows without their number: the votes of 5 to 12 subjects a question, and a check for each subject."""
    subjects = 24
    for number, question in enumerate(questions):
        rng = generator("answers", seed, question.part, question.roles, number)
        both_orders = question.roles == "XYC" and question.part != MIX and number % 3 == 0
        voters = rng.permutation(subjects)[: int(rng.integers(5, 13))]
        odds: dict[tuple[int, int, int], list[float]] = {}
        for turn, subject in enumerate(voters.tolist()):
            # Y stands in the second slot of every other XYC question, and in both in turn where both orders are asked.
            turned = question.roles == "XYC" and (turn % 2 == 1 if both_orders else number % 2 == 1)
            order = (0, 2, 1) if turned else (0, 1, 2)
            if order not in odds:
                x, a, b = (question.clips[index].segment for index in order)
                odds[order] = [listeners.log_odds(x, a, b, question.part, perspective) for perspective in ANSWERS]
            given = [listeners.answer(value, rng) for value in odds[order]]
            for index, rarely in ((0, 0.1), (2, 0.4 if question.part == "drums" else 0.1)):
                if rng.random() < rarely:
                    given[index] = "NA"
            paths = [question.path(index) for index in order]
            yield [question.experiment, f"subject{subject + 1}", *paths, *given, str(int(rng.integers(4_000, 60_000)))]
    for subject in range(subjects):
        rng = generator("checks", seed, subject)
        for letter in rng.permutation(["A", "B"]).tolist():
            answer = letter if rng.random() > listeners.lapse / 2 else "BA"["AB".index(letter)]
            grade = answer + ("+" if rng.random() < 0.9 else "-")
            yield [
                "ex202407",
                f"subject{subject + 1}",
                *CHECKS[letter],
                *[grade] * 4,
                str(int(rng.integers(4_000, 60_000))),
            ]
