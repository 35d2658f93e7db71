"""Inst-Sim-ABX: which of two clips of Slakh2100 listeners found more similar to a third (Hashizume & Toda, arXiv 2502.02138).

Conventions
- An answer is a row: reference, sample_a, sample_b, and one grade for each perspective (A+, A-, B-, B+). Answers to the
  same three paths are votes for one triplet, in whichever experiment they were given.
- An *attention check* has its reference among its candidates. Checks are counted but are not triplets.
- A clip's name is its path in the table: `set2/2/piano/X_1913-28.wav` is the part piano of segment 28 of Track01913, in the
  role X. Roles are independent of slots: in XYC triplets Y is sample_a or sample_b.
- Other tables need only the columns in `NEEDED`. A clip's part is the name of its folder if that is one of `PARTS`, else
  `mix`; each file counts as a track of its own.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

from soundalike.errors import InputError
from soundalike.parts import MIX, PARTS
from soundalike.preferences.triplets import GRADES, PERSPECTIVES, Grade, Perspective, Triplet, Votes
from soundalike.research.datasets.slakh import ClipCut

ANSWERS_HINT = (
    "Inst-Sim-ABX (for research that cites its paper) is at https://github.com/zume06/Inst-Sim-ABX-Dataset; use its "
    "folder"
)

ANSWERS_FILE = "inst_sim_abx_answers.csv"
CONFIGURATION_FILES = ("dict_triplet_202404.json", "dict_triplet_202407.json")

NEEDED = ("reference", "sample_a", "sample_b", "answer_total")
"""Required columns of a table of answers."""

_NO_ANSWER = frozenset({"", "NA", "N/A"})
_GRADE_OF: dict[str, Grade] = {**{grade: grade for grade in GRADES}, "A": "A-", "B": "B-"}
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

    asked: int
    right: int


@dataclass(frozen=True)
class Answers:
    """A table of answers.

    triplets: in the order of their first answers, with all votes; answers: number of rows, including attention checks.
    subjects: number of listeners, 0 if unknown; checks: attention checks.
    """

    triplets: tuple[Triplet, ...]
    answers: int
    subjects: int
    checks: Checks


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


def read_answers(path: Path) -> Answers:
    """Read the answers in a CSV file, or in a folder that contains `inst_sim_abx_answers.csv`, directly or in `csvs`.

    Raises InputError, with the line, for missing columns, incomplete rows and invalid answers.
    """
    if not path.exists():
        raise InputError(f"{path} does not exist; use a CSV file of answers, or a folder; {ANSWERS_HINT}")
    file = _find(path, ANSWERS_FILE, "csvs") if path.is_dir() else path
    if file is None:
        raise InputError(f"{path} contains no {ANSWERS_FILE}; {ANSWERS_HINT}")
    votes: dict[tuple[str, str, str], dict[Perspective, list[int]]] = {}
    heads: dict[tuple[str, str, str], tuple[str, tuple[str, str, str]]] = {}
    subjects = set()
    answers = asked = right = 0
    for where, row in _rows(file):
        question = (row["reference"], row["sample_a"], row["sample_b"])
        grades = _grades(where, row)
        answers += 1
        subjects.add(row.get("subject_id", ""))
        if _is_check(where, question):
            asked += 1
            chosen = row["sample_a"] if grades["total"].startswith("A") else row["sample_b"]
            right += chosen == row["reference"]
            continue
        if question not in votes:
            heads[question] = _part_and_tracks(where, question)
            votes[question] = {}
        for perspective, grade in grades.items():
            votes[question].setdefault(perspective, [0] * len(GRADES))[GRADES.index(grade)] += 1
    if not answers:
        raise InputError(f"{file} contains no answers, only a header; each answer is a row")
    triplets = tuple(
        Triplet(*question, *heads[question], {perspective: _tuple(counts) for perspective, counts in given.items()})
        for question, given in votes.items()
    )
    return Answers(triplets, answers, len(subjects - {""}), Checks(asked, right))


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


def _rows(file: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The location of each row for messages, and its cells by column. Empty lines are skipped."""
    reader = csv.reader(io.StringIO(_read_text(file), newline=""))
    try:
        header = [name.strip() for name in next(reader, [])]
        wrong = [name for name in NEEDED if header.count(name) != 1]
        if wrong:
            raise InputError(
                f"{file}, line 1: exactly one column {wrong[0]!r} is needed, but the columns are "
                f"{', '.join(header) or 'none'}; needed are {', '.join(NEEDED)}, separated by commas"
            )
        for row in reader:
            where = f"{file}, line {reader.line_num}"
            if len(row) < 2 and not "".join(row).strip():
                continue
            if len(row) != len(header):
                raise InputError(
                    f"{where}: {len(row)} cells, but the header has {len(header)} columns; complete the row"
                )
            yield where, {name: cell.strip() for name, cell in zip(header, row, strict=True)}
    except csv.Error as error:
        raise InputError(f"{file}, line {reader.line_num}: not CSV ({error})") from None


def _grades(where: str, row: dict[str, str]) -> dict[Perspective, Grade]:
    """The answer from each perspective that has one; `total` is required."""
    found: dict[Perspective, Grade] = {}
    for perspective in PERSPECTIVES:
        column = f"answer_{perspective}"
        answer = row.get(column, "")
        if answer in _NO_ANSWER and perspective != "total":
            continue
        if answer not in _GRADE_OF:
            none_allowed = "" if perspective == "total" else ", or NA for none"
            raise InputError(f"{where}: {column} is {answer!r}; it must be {', '.join(GRADES)}, A or B{none_allowed}")
        found[perspective] = _GRADE_OF[answer]
    return found


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


def _part_and_tracks(where: str, question: tuple[str, str, str]) -> tuple[str, tuple[str, str, str]]:
    x, a, b = (clip_name(path) for path in question)
    if not x.part == a.part == b.part:
        raise InputError(
            f"{where}: compares {x.part} with {a.part} and {b.part}; the clips of a triplet must be of one part"
        )
    return x.part, (x.track, a.track, b.track)


def _tuple(counts: list[int]) -> Votes:
    first, second, third, fourth = counts
    return first, second, third, fourth


def _read_json(file: Path) -> Any:
    try:
        return json.loads(_read_text(file))
    except json.JSONDecodeError as error:
        raise InputError(f"{file}: not JSON ({error}); download it again; {ANSWERS_HINT}") from None


def _read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read as UTF-8 text: {error}") from None


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
