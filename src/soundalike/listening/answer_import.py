"""Answers to a test's clips from a CSV file in the format of Inst-Sim-ABX: exported elsewhere, or given in another program.

A listener of the file becomes a listener of the test with a pseudonym of its own. Trials have ids that follow from the listener's
name in the file, so that importing a file again adds nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from soundalike.errors import InputError
from soundalike.listening.answer_record import AnswerRecord
from soundalike.listening.answer_store import AnswerStore
from soundalike.listening.answered_triplets import PERSPECTIVE_OF
from soundalike.listening.design import ANSWERS_FILE, Design, DesignTriplet
from soundalike.preferences.triplets import OPPOSITE, Grade
from soundalike.research.datasets.csv_tables import column_names, named_rows, parse_number, read_csv
from soundalike.research.datasets.inst_sim_abx import CLIP_COLUMNS, NEEDED, parse_grades

PREFIX = "csv-"


@dataclass(frozen=True)
class ImportedAnswers:
    """listeners: name in the file -> pseudonym; stored: answers that are new; known: answers that were there already."""

    listeners: Mapping[str, str]
    stored: int
    known: int


def import_answers(folder: Path, design: Design, file: Path) -> ImportedAnswers:
    """Import a CSV file of answers into the test in `folder`.

    Raises InputError, with the line, for what is not such a file, and for clips or triplets that the test does not have; then
    nothing is imported.
    """
    records = list(_records(design, file))
    if not records:
        raise InputError(f"{file} contains no answers, only a header; each answer is a row")
    store = AnswerStore(folder / ANSWERS_FILE)
    try:
        names = _pseudonyms(store, dict.fromkeys(record.listener for record in records))
        stored = store.import_records(_renamed(record, names[record.listener]) for record in records)
    finally:
        store.close()
    return ImportedAnswers(names, stored, len(records) - stored)


def _renamed(record: AnswerRecord, name: str) -> AnswerRecord:
    return AnswerRecord(**{**vars(record), "listener": name})


def _pseudonyms(store: AnswerStore, names: Mapping[str, None]) -> dict[str, str]:
    """The pseudonym of each listener of the file: that of an earlier import, else a new one."""
    earlier = {record.trial[: len(_prefix(""))]: record.listener for record in store.records() if _is_imported(record)}
    new = [name for name in names if _prefix(name) not in earlier]
    invited = dict(zip(new, store.invite(len(new)), strict=True)) if new else {}
    return {name: invited[name].name if name in invited else earlier[_prefix(name)] for name in names}


def _is_imported(record: AnswerRecord) -> bool:
    return record.trial.startswith(PREFIX)


def _prefix(listener: str) -> str:
    """Beginning of the trials' ids, of a fixed length."""
    return f"{PREFIX}{hashlib.blake2b(listener.encode(), digest_size=6).hexdigest()}-"


def _records(design: Design, file: Path) -> Iterator[AnswerRecord]:
    """The answers in the file, under the listeners' names there."""
    table = read_csv(file, lambda header: set(NEEDED) <= set(column_names(header)))
    clips = {excerpt.clip: excerpt.id for excerpt in design.excerpts}
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    first: dict[str, str] = {}
    for where, row in named_rows(table, NEEDED):
        triplet, swapped, catch = _find(design, where, [_clip(clips, where, row[name]) for name in CLIP_COLUMNS])
        listener = row.get("subject_id", "")
        grades = parse_grades(where, row)
        for question in design.questions:
            grade = grades.get(PERSPECTIVE_OF[question])
            if grade is None:
                continue
            name = f"{_prefix(listener)}{question}-{triplet.id}{'-catch' if catch else ''}"
            trial = name if name not in first else f"{name}-swapped" if swapped else f"{name}-again"
            oriented: Grade = OPPOSITE[grade] if swapped else grade
            yield AnswerRecord(
                listener,
                trial,
                triplet.id,
                question,
                oriented,
                swapped,
                catch,
                first.get(name),
                0.0,
                0.0,
                0.0,
                0,
                now,
                _seconds(where, row.get("choice_time", "")),
            )
            first.setdefault(name, trial)


def _clip(clips: Mapping[str, str], where: str, path: str) -> str:
    """The excerpt of a clip's path."""
    name = path.replace("\\", "/")
    if name not in clips:
        raise InputError(
            f"{where}: {path!r} is not a clip of this test; fit weights to answers about other clips with `soundalike fit "
            "ANSWERS --audio FOLDER`"
        )
    return clips[name]


def _find(design: Design, where: str, excerpts: Sequence[str]) -> tuple[DesignTriplet, bool, bool]:
    """The triplet of three excerpts, whether B comes first, and whether it is a catch trial."""
    x, a, b = excerpts
    for triplet in design.triplets:
        if triplet.x != x:
            continue
        if (triplet.a, triplet.b) in ((a, b), (b, a)):
            return triplet, triplet.a == b, False
        if x in (a, b) and triplet.b in (a, b):
            return triplet, b == x, True
    raise InputError(f"{where}: the test does not compare these three clips; its triplets are in design.json")


def _seconds(where: str, text: str) -> float:
    """Seconds from milliseconds; 0 if unknown."""
    try:
        return 0.0 if text.upper() in ("", "NA", "N/A") else parse_number(text) / 1000
    except ValueError:
        raise InputError(f"{where}: choice_time is {text!r}; it must be a number of milliseconds, or NA") from None
