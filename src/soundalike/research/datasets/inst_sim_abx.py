"""Inst-Sim-ABX: which of two clips of Slakh2100 listeners found more like a third (Hashizume & Toda, arXiv 2502.02138).

Conventions
- An answer is a row: reference, sample_a, sample_b, and by perspective a grade, A+ A- B- B+. Answers to the same three
  paths are votes for one triplet, whichever experiment they come from.
- An *attention check* has its reference among its candidates. Checks are counted and are no triplets.
- A clip's name is its path in the table: `set2/2/piano/X_1913-28.wav` is of the part piano, the track Track01913 and its
  segment 28, and has the role X. Its *slot* (sample_a) is another matter: in XYC questions Y stands in either.
- One's own table needs the columns of `NEEDED` alone. A clip's part is the folder that it lies in, if that is one of
  `PARTS`, else `mix`; each file counts as a track of its own.
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
    "Inst-Sim-ABX (for research that cites its paper) is at https://github.com/zume06/Inst-Sim-ABX-Dataset; give the "
    "folder of it"
)

ANSWERS_FILE = "inst_sim_abx_answers.csv"
CONFIGURATION_FILES = ("dict_triplet_202404.json", "dict_triplet_202407.json")

NEEDED = ("reference", "sample_a", "sample_b", "answer_total")
"""Columns that every table of answers has."""

_NO_ANSWER = frozenset({"", "NA", "N/A"})
_GRADE_OF: dict[str, Grade] = {**{grade: grade for grade in GRADES}, "A": "A-", "B": "B-"}
_CLIP = re.compile(
    rf"(?:.*/)?set\d+/\d+/(?P<part>{'|'.join(PARTS)})/(?P<role>[XABYC])_(?P<track>\d{{1,5}})-(?P<segment>\d+)\.\w+"
)


@dataclass(frozen=True)
class ClipName:
    """What a clip's path says. segment and role (X, A, B, Y or C) are None where it is not of this dataset."""

    part: str
    track: str
    segment: int | None
    role: str | None


@dataclass(frozen=True)
class Checks:
    """Attention checks: how many were asked, and how many of them were answered rightly.

    One who does not listen is right half of the time, so the share of answers given without listening is about twice the
    share of wrong ones. The published answers have been cleaned of listeners who failed, so there it is a lower bound.
    """

    asked: int
    right: int


@dataclass(frozen=True)
class Answers:
    """triplets: in the order of their first answers, with all their votes; answers: rows, checks among them; subjects:
    listeners, 0 where the table does not tell; checks: attention checks."""

    triplets: tuple[Triplet, ...]
    answers: int
    subjects: int
    checks: Checks


def clip_name(path: str) -> ClipName:
    """What the path of a clip says of it: one of Inst-Sim-ABX, or any other."""
    match = _CLIP.fullmatch(path)
    if match:
        return ClipName(match["part"], track_name(int(match["track"])), int(match["segment"]), match["role"])
    folder = PureWindowsPath(path).parent.name  # takes / and \
    return ClipName(folder if folder in PARTS else MIX, path, None, None)


def track_name(number: int) -> str:
    """Slakh's name of a track: 1913 -> Track01913."""
    return f"Track{number:05d}"


def read_answers(path: Path) -> Answers:
    """The answers in a CSV file, or in a folder that holds `inst_sim_abx_answers.csv`, itself or in `csvs`.

    Raises InputError, with the line, for columns that are missing, rows that are not whole and answers that are none.
    """
    if not path.exists():
        raise InputError(f"there is no {path}; name a CSV file of answers, or a folder; {ANSWERS_HINT}")
    file = _find(path, ANSWERS_FILE, "csvs") if path.is_dir() else path
    if file is None:
        raise InputError(f"{path} holds no {ANSWERS_FILE}; {ANSWERS_HINT}")
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
        raise InputError(f"{file} holds no answers, only a header; each answer is a row")
    triplets = tuple(
        Triplet(*question, *heads[question], {perspective: _tuple(counts) for perspective, counts in given.items()})
        for question, given in votes.items()
    )
    return Answers(triplets, answers, len(subjects - {""}), Checks(asked, right))


def read_configurations(folder: Path) -> dict[str, ClipCut]:
    """Where each clip was cut from its track, by its name in the table of answers.

    folder: it holds `dict_triplet_202404.json` and `dict_triplet_202407.json`, or one of them, itself or in
    `sample_configs`. Raises InputError where it holds neither, for one that is not whole, and for a clip that is cut
    in two ways.
    """
    files = [file for name in CONFIGURATION_FILES if (file := _find(folder, name, "sample_configs"))]
    if not files:
        raise InputError(f"{folder} holds neither {' nor '.join(CONFIGURATION_FILES)}; {ANSWERS_HINT}")
    cuts: dict[str, ClipCut] = {}
    for file in files:
        for where, place, values in _clips(file, _read_json(file), ()):
            name, cut = _cut(where, place, values)
            if cuts.setdefault(name, cut) != cut:
                raise InputError(f"{where}: {name} is {cut}, but was {cuts[name]} before; a clip has one cut")
    return cuts


def without_cut(triplets: Iterable[Triplet], cuts: Iterable[str]) -> list[str]:
    """The clips of `triplets` that are not among `cuts`, in the order in which they come."""
    known = set(cuts)
    clips = dict.fromkeys(clip for triplet in triplets for clip in (triplet.reference, triplet.a, triplet.b))
    return [clip for clip in clips if clip not in known]


def _find(folder: Path, name: str, inner: str) -> Path | None:
    return next((file for file in (folder / name, folder / inner / name) if file.is_file()), None)


def _rows(file: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Where each row stands, and its cells by column. Empty lines are left out."""
    reader = csv.reader(io.StringIO(_read_text(file), newline=""))
    try:
        header = [name.strip() for name in next(reader, [])]
        wrong = [name for name in NEEDED if header.count(name) != 1]
        if wrong:
            raise InputError(
                f"{file}, line 1: one column {wrong[0]!r} is needed, but the columns are {', '.join(header) or 'none'}; needed "
                f"are {', '.join(NEEDED)}, parted by commas"
            )
        for row in reader:
            where = f"{file}, line {reader.line_num}"
            if len(row) < 2 and not "".join(row).strip():
                continue
            if len(row) != len(header):
                raise InputError(
                    f"{where}: {len(row)} cells, but the header names {len(header)} columns; complete the row"
                )
            yield where, {name: cell.strip() for name, cell in zip(header, row, strict=True)}
    except csv.Error as error:
        raise InputError(f"{file}, line {reader.line_num}: not CSV ({error})") from None


def _grades(where: str, row: dict[str, str]) -> dict[Perspective, Grade]:
    """The answer from each perspective that has one; `total` always has."""
    found: dict[Perspective, Grade] = {}
    for perspective in PERSPECTIVES:
        column = f"answer_{perspective}"
        answer = row.get(column, "")
        if answer in _NO_ANSWER and perspective != "total":
            continue
        if answer not in _GRADE_OF:
            besides = "" if perspective == "total" else ", or NA for none"
            raise InputError(f"{where}: {column} is {answer!r}; answers are {', '.join(GRADES)}, A or B{besides}")
        found[perspective] = _GRADE_OF[answer]
    return found


def _is_check(where: str, question: tuple[str, str, str]) -> bool:
    """Whether a question has its reference among its candidates. Raises InputError where there is nothing to ask."""
    reference, a, b = question
    if not all(question):
        raise InputError(f"{where}: a clip is missing; reference, sample_a and sample_b are paths")
    if a == b:
        raise InputError(f"{where}: sample_a and sample_b are both {a}; two clips are needed to choose from")
    if reference in (a, b):
        return True
    if re.match(r"dummy[A-Z]?\d*\.", PureWindowsPath(reference).name):
        raise InputError(
            f"{where}: {reference} is a check by its name, but neither candidate is the same; correct the row"
        )
    return False


def _part_and_tracks(where: str, question: tuple[str, str, str]) -> tuple[str, tuple[str, str, str]]:
    x, a, b = (clip_name(path) for path in question)
    if not x.part == a.part == b.part:
        raise InputError(
            f"{where}: compares {x.part} with {a.part} and {b.part}; the clips of a triplet are of one part"
        )
    return x.part, (x.track, a.track, b.track)


def _tuple(counts: list[int]) -> Votes:
    first, second, third, fourth = counts
    return first, second, third, fourth


def _read_json(file: Path) -> Any:
    try:
        return json.loads(_read_text(file))
    except json.JSONDecodeError as error:
        raise InputError(f"{file}: not JSON ({error}); fetch it again; {ANSWERS_HINT}") from None


def _read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read as text in UTF-8: {error}") from None


def _clips(file: Path, values: Any, place: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...], dict[str, Any]]]:
    """Set, sample, test, part, role -> a clip's values: where each stands, in words and as these five keys."""
    where = f"{file}, {'/'.join(place) or 'all of it'}"
    if not isinstance(values, dict):
        raise InputError(f"{where}: {values!r:.60} is no JSON object; the levels are set, sample, test, part, role")
    if len(place) == 5:
        yield where, place, values
        return
    for key, inner in values.items():
        yield from _clips(file, inner, (*place, key))


def _cut(where: str, place: tuple[str, ...], values: dict[str, Any]) -> tuple[str, ClipCut]:
    """A clip's name in the table of answers, and its cut."""
    numbers = [values.get(key) for key in ("ID", "index_s", "index_e", "sr")]
    track, start, end, rate = (number if type(number) is int else -1 for number in numbers)
    if track < 0 or not 0 <= start < end or rate <= 0:
        raise InputError(
            f"{where}: ID, index_s, index_e and sr are {', '.join(map(str, numbers))}; whole numbers are needed, index_e after "
            "index_s"
        )
    name = f"set{place[0]}/{place[1]}/{place[3]}/{values.get('filename')}"
    if clip_name(name).track != track_name(track):
        raise InputError(f"{where}: {name} is not named after the track {track}; names are like X_{track}-28.wav")
    return name, ClipCut(track_name(track), start, end, rate)
