"""Inst-Sim-ABX: which of two clips of Slakh2100 listeners found more similar to a third (Hashizume & Toda, arXiv 2502.02138).

Conventions
- An answer is a row: reference, sample_a, sample_b, and one grade for each perspective (A+, A-, B-, B+). Answers to the
  same three paths are votes for one triplet, in whichever experiment they were given.
- An *attention check* has its reference among its candidates. Checks are counted but are not triplets.
- A clip's name is its path in the table: `set2/2/piano/X_1913-28.wav` is the part piano of segment 28 of Track01913, in the
  role X. Roles are independent of slots: in XYC triplets Y is sample_a or sample_b.
- Other tables need only the columns in `NEEDED`. A clip's part is the name of its folder if that is one of `PARTS`, else
  `mix`. Its track is in a column of `TRACK_COLUMNS`, or the part of its path that a pattern matches; otherwise each file
  counts as a track of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import Any

from soundalike.errors import InputError
from soundalike.parts import MIX, PARTS
from soundalike.preferences.triplets import (
    GRADES,
    PERSPECTIVES,
    Ballot,
    Grade,
    Perspective,
    Triplet,
)
from soundalike.research.datasets.csv_tables import column_names, named_rows, parse_number, read_csv, read_text
from soundalike.research.datasets.slakh import ClipCut

ANSWERS_HINT = (
    "Inst-Sim-ABX (for research that cites its paper) is at https://github.com/zume06/Inst-Sim-ABX-Dataset; "
    "use its folder"
)

ANSWERS_FILE = "inst_sim_abx_answers.csv"
CONFIGURATION_FILES = ("dict_triplet_202404.json", "dict_triplet_202407.json")

CLIP_COLUMNS = ("reference", "sample_a", "sample_b")
NEEDED = (*CLIP_COLUMNS, "answer_total")
"""Required columns of a table of answers."""

TRACK_COLUMNS = ("reference_track", "sample_a_track", "sample_b_track")
"""Optional columns: the tracks that the clips are cut from."""

_NO_ANSWER = frozenset({"", "NA", "N/A"})
_GRADE_OF: dict[str, Grade] = {**{grade: grade for grade in GRADES}, "A": "A-", "B": "B-"}
_MINUS_SIGNS = str.maketrans("−–—", "---")
_CLIP = re.compile(
    rf"(?:.*/)?set\d+/\d+/(?P<part>{'|'.join(PARTS)})/(?P<role>[XABYC])_(?P<track>\d{{1,5}})-(?P<segment>\d+)\.\w+"
)


@dataclass(frozen=True)
class ClipName:
    """Contents of a clip's path. segment and role (X, A, B, Y or C) are None for clips of other datasets."""

    part: str
    track: str
    segment: int | None
    role: str | None


@dataclass(frozen=True)
class Checks:
    """Attention checks: how many were answered, and how many correctly.

    Someone who does not listen is correct half of the time, so the share of inattentive answers is about twice the share
    of wrong checks. The published answers exclude listeners who failed, so there it is a lower bound.
    """

    asked: int = 0
    right: int = 0


@dataclass(frozen=True)
class Answers:
    """A table of answers.

    triplets: in the order of their first answers, with all votes and ballots; answers: number of rows, including attention
    checks. subjects: number of listeners, 0 if unknown; checks: attention checks; listener_checks: by listener.
    tracks_known: whether the track of every clip is known, rather than each file counted as one.
    """

    triplets: tuple[Triplet, ...]
    answers: int
    subjects: int
    checks: Checks
    listener_checks: Mapping[str, Checks] = field(default_factory=dict)
    tracks_known: bool = True


def clip_name(path: str) -> ClipName:
    """Parse the path of a clip, of Inst-Sim-ABX or any other."""
    match = _CLIP.fullmatch(path)
    if match:
        return ClipName(match["part"], track_name(int(match["track"])), int(match["segment"]), match["role"])
    folder = PureWindowsPath(path).parent.name  # accepts / and \
    return ClipName(folder if folder in PARTS else MIX, path, None, None)


def track_name(number: int) -> str:
    """Slakh's name for a track: 1913 -> Track01913."""
    return f"Track{number:05d}"


def read_answers(path: Path, track_pattern: str | None = None) -> Answers:
    """Read the answers in a CSV file, or in a folder that contains `inst_sim_abx_answers.csv`, directly or in `csvs`.

    track_pattern: regular expression that finds the track in a clip's path; the track is its first group, else the whole
    match. Raises InputError, with the line, for missing columns, incomplete rows and invalid answers.
    """
    if not path.exists():
        raise InputError(f"{path} does not exist; use a CSV file of answers, or a folder; {ANSWERS_HINT}")
    file = _find(path, ANSWERS_FILE, "csvs") if path.is_dir() else path
    if file is None:
        raise InputError(f"{path} contains no {ANSWERS_FILE}; {ANSWERS_HINT}")
    tracks = _TrackFinder(track_pattern)
    triplets: dict[tuple[str, str, str], Triplet] = {}
    ballots: dict[tuple[str, str, str], list[Ballot]] = {}
    checks: dict[str, Checks] = {}
    listeners, answers = set(), 0
    table = read_csv(file, lambda header: set(NEEDED) <= set(column_names(header)))
    for where, row in named_rows(table, NEEDED):
        clips = (row["reference"], row["sample_a"], row["sample_b"])
        ballot = _ballot(where, row)
        answers += 1
        listeners.add(ballot.listener)
        if _is_check(where, clips):
            chosen = row["sample_a"] if ballot.grades["total"].startswith("A") else row["sample_b"]
            before = checks.get(ballot.listener, Checks())
            checks[ballot.listener] = Checks(before.asked + 1, before.right + (chosen == row["reference"]))
            continue
        if clips not in triplets:
            part, clip_tracks = _part(where, clips), tracks.find(where, row)
            triplets[clips] = Triplet(*clips, part, clip_tracks, {})
        ballots.setdefault(clips, []).append(ballot)
    if not answers:
        raise InputError(f"{file} contains no answers, only a header; each answer is a row")
    return Answers(
        tuple(triplet.with_ballots(ballots[clips]) for clips, triplet in triplets.items()),
        answers,
        len(listeners - {""}),
        Checks(sum(c.asked for c in checks.values()), sum(c.right for c in checks.values())),
        checks,
        not tracks.unknown,
    )


def _ballot(where: str, row: Mapping[str, str]) -> Ballot:
    time = row.get("choice_time", "")
    try:
        seconds = None if time.upper() in _NO_ANSWER else parse_number(time) / 1000
    except ValueError:
        raise InputError(f"{where}: choice_time is {time!r}; it must be a number of milliseconds, or NA") from None
    return Ballot(
        parse_grades(where, row), listener=row.get("subject_id", ""), experiment=row.get("ex_name", ""), seconds=seconds
    )


class _TrackFinder:
    """Finds the tracks of clips. unknown: whether any file had to count as a track of its own."""

    def __init__(self, pattern: str | None) -> None:
        try:
            self._pattern = None if pattern is None else re.compile(pattern)
        except re.error as error:
            raise InputError(f"--track-pattern {pattern!r} is not a regular expression: {error}") from None
        self.unknown = False

    def find(self, where: str, row: Mapping[str, str]) -> tuple[str, str, str]:
        """The tracks of a row's clips."""
        x, a, b = (self._track(where, row[c], row.get(t, "")) for c, t in zip(CLIP_COLUMNS, TRACK_COLUMNS, strict=True))
        return x, a, b

    def _track(self, where: str, clip: str, given: str) -> str:
        if given:
            return given
        if self._pattern is not None:
            match = self._pattern.search(clip)
            if match is None:
                raise InputError(
                    f"{where}: --track-pattern {self._pattern.pattern!r} matches nothing in {clip}; it must find the track in "
                    "the path of every clip, for example '^([^/]+)/' for a folder of each track"
                )
            return match[1] if self._pattern.groups and match[1] else match[0]
        name = clip_name(clip)
        self.unknown = self.unknown or name.segment is None
        return name.track


def read_configurations(folder: Path) -> dict[str, ClipCut]:
    """Read where each clip was cut from its track, by its name in the table of answers.

    folder: contains `dict_triplet_202404.json` or `dict_triplet_202407.json` or both, directly or in `sample_configs`. Raises
    InputError if it contains neither, for an incomplete file, and for a clip with two different cuts.
    """
    files = [file for name in CONFIGURATION_FILES if (file := _find(folder, name, "sample_configs"))]
    if not files:
        raise InputError(f"{folder} contains neither {' nor '.join(CONFIGURATION_FILES)}; {ANSWERS_HINT}")
    cuts: dict[str, ClipCut] = {}
    for file in files:
        for where, place, values in _clips(file, _read_json(file), ()):
            name, cut = _cut(where, place, values)
            if cuts.setdefault(name, cut) != cut:
                raise InputError(f"{where}: {name} is {cut}, but {cuts[name]} elsewhere; a clip must have one cut")
    return cuts


def without_cut(triplets: Iterable[Triplet], cuts: Iterable[str]) -> list[str]:
    """The clips of `triplets` that are not among `cuts`, in order."""
    known = set(cuts)
    clips = dict.fromkeys(clip for triplet in triplets for clip in (triplet.reference, triplet.a, triplet.b))
    return [clip for clip in clips if clip not in known]


def _find(folder: Path, name: str, inner: str) -> Path | None:
    return next((file for file in (folder / name, folder / inner / name) if file.is_file()), None)


def parse_grades(where: str, row: Mapping[str, str]) -> dict[Perspective, Grade]:
    """The answer of a row from each perspective that has one; `total` is required. Raises InputError."""
    grades: dict[Perspective, Grade] = {}
    for perspective in PERSPECTIVES:
        column = f"answer_{perspective}"
        answer = row.get(column, "").upper().replace(" ", "").translate(_MINUS_SIGNS)
        if answer in _NO_ANSWER and perspective != "total":
            continue
        if answer not in _GRADE_OF:
            none_allowed = "" if perspective == "total" else ", or NA for none"
            raise InputError(
                f"{where}: {column} is {row.get(column, '')!r}; it must be {', '.join(GRADES)}, A or B{none_allowed}"
            )
        grades[perspective] = _GRADE_OF[answer]
    return grades


def _is_check(where: str, question: tuple[str, str, str]) -> bool:
    """Whether the reference is among the candidates. Raises InputError for an impossible triplet."""
    reference, a, b = question
    if not all(question):
        raise InputError(f"{where}: a clip is missing; reference, sample_a and sample_b must be paths")
    if a == b:
        raise InputError(f"{where}: sample_a and sample_b are both {a}; they must differ")
    if reference in (a, b):
        return True
    if re.match(r"dummy[A-Z]?\d*\.", PureWindowsPath(reference).name):
        raise InputError(
            f"{where}: {reference} is an attention check by its name, but neither candidate is the same clip; correct the row"
        )
    return False


def _part(where: str, clips: tuple[str, str, str]) -> str:
    x, a, b = (clip_name(path).part for path in clips)
    if not x == a == b:
        raise InputError(f"{where}: compares {x} with {a} and {b}; the clips of a triplet must be of one part")
    return x


def _read_json(file: Path) -> Any:
    try:
        return json.loads(read_text(file))
    except json.JSONDecodeError as error:
        raise InputError(f"{file}: not JSON ({error}); download it again; {ANSWERS_HINT}") from None


def _clips(file: Path, values: Any, place: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...], dict[str, Any]]]:
    """The values of each clip with its location, as a message and as five keys: set, sample, test, part, role."""
    where = f"{file}, {'/'.join(place) or 'all of it'}"
    if not isinstance(values, dict):
        raise InputError(f"{where}: {values!r:.60} is not a JSON object; the levels are set, sample, test, part, role")
    if len(place) == 5:
        yield where, place, values
        return
    for key, inner in values.items():
        yield from _clips(file, inner, (*place, key))


def _cut(where: str, place: tuple[str, ...], values: dict[str, Any]) -> tuple[str, ClipCut]:
    """The name of a clip in the table of answers, and its cut."""
    numbers = [values.get(key) for key in ("ID", "index_s", "index_e", "sr")]
    track, start, end, rate = (number if type(number) is int else -1 for number in numbers)
    if track < 0 or not 0 <= start < end or rate <= 0:
        raise InputError(
            f"{where}: ID, index_s, index_e and sr are {', '.join(map(str, numbers))}; they must be whole numbers, with index_e "
            "after index_s"
        )
    name = f"set{place[0]}/{place[1]}/{place[3]}/{values.get('filename')}"
    if clip_name(name).track != track_name(track):
        raise InputError(f"{where}: {name} does not match the track {track}; names are like X_{track}-28.wav")
    return name, ClipCut(track_name(track), start, end, rate)
