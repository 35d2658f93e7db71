"""The answers of a test as tables: CSV as in Inst-Sim-ABX, and Parquet with everything.

The CSV file has the columns of Inst-Sim-ABX, in their order, and the track of each clip. A row is a listener's answer to a
triplet from all perspectives; sample_a is the candidate that was shown first. `answer_total` must not be missing there, so
triplets without an overall preference are in the Parquet file only. Repeated trials are left out too: a reader cannot tell which
came first.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from soundalike.config import replacing
from soundalike.errors import InputError
from soundalike.listening.answer_record import AnswerRecord
from soundalike.listening.answered_triplets import PERSPECTIVE_OF, grade_of
from soundalike.listening.design import Design, Question
from soundalike.preferences.triplets import OPPOSITE, Grade
from soundalike.research.datasets.inst_sim_abx import CLIP_COLUMNS, TRACK_COLUMNS

CSV_COLUMNS = (
    "",  # a running number
    "ex_name",
    "subject_id",
    *CLIP_COLUMNS,
    "answer_timbre",
    "answer_rhythm",
    "answer_melody",
    "answer_total",
    "choice_time",
    *TRACK_COLUMNS,
)
NO_ANSWER = "NA"


@dataclass(frozen=True)
class AnswerTable:
    """text: the CSV file; rows: how many; left_out: triplets of a listener without an overall preference."""

    text: str
    rows: int
    left_out: int


def to_csv(design: Design, records: Sequence[AnswerRecord]) -> AnswerTable:
    """The answers in the format of Inst-Sim-ABX. Raises InputError if no triplet has an overall preference."""
    grouped: dict[tuple[str, str, bool], dict[Question, AnswerRecord]] = {}
    for record in records:
        if record.repeat_of is None and record.triplet in design.triplet_by_id:
            question = next(one for one in design.questions if one == record.question)
            grouped.setdefault((record.listener, record.triplet, record.catch), {})[question] = record
    rows = [row for answers in grouped.values() if (row := _csv_row(design, answers)) is not None]
    triplets = [answers for (_, _, catch), answers in grouped.items() if not catch]
    if not rows:
        raise InputError(
            f"{design.name} has no overall answers, which the CSV format needs; the Parquet file has all answers"
            if grouped
            else f"{design.name} has no answers yet"
        )
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    writer.writerows([number, *row] for number, row in enumerate(rows))
    return AnswerTable(out.getvalue(), len(rows), sum(_csv_row(design, answers) is None for answers in triplets))


def _csv_row(design: Design, answers: dict[Question, AnswerRecord]) -> list[str] | None:
    """One row without its number; None without an overall preference."""
    overall = answers.get("overall")
    if overall is None or grade_of(overall) is None:
        return None
    triplet = design.triplet_by_id[overall.triplet]
    x, a, b = (design.by_id[name] for name in (triplet.x, triplet.x if overall.catch else triplet.a, triplet.b))
    first, second = (b, a) if overall.swapped else (a, b)
    grades = {
        f"answer_{PERSPECTIVE_OF[question]}": _as_shown(one, overall.swapped) for question, one in answers.items()
    }
    values = {
        "ex_name": design.name,
        "subject_id": overall.listener,
        **dict(zip(CLIP_COLUMNS, (one.clip for one in (x, first, second)), strict=True)),
        **grades,
        "choice_time": str(round(1000 * overall.seconds)) if overall.seconds else NO_ANSWER,
        **dict(zip(TRACK_COLUMNS, (one.item for one in (x, first, second)), strict=True)),
    }
    return [values.get(column, NO_ANSWER) for column in CSV_COLUMNS[1:]]


def _as_shown(record: AnswerRecord, swapped: bool) -> str:
    """The grade where A is the candidate shown first in the overall trial."""
    grade: Grade | None = grade_of(record)
    return NO_ANSWER if grade is None else OPPOSITE[grade] if swapped else grade


def write_parquet(place: Path, design: Design, records: Sequence[AnswerRecord]) -> None:
    """Write all answers, repeats, catch trials and `cant_tell` included, with the clips and songs of their triplets.

    Raises OSError.
    """
    known = [record for record in records if record.triplet in design.triplet_by_id]
    columns: dict[str, list[object]] = {field.name: [] for field in fields(AnswerRecord)}
    more = ("kind", "part", "origin", "block", "clip_x", "clip_a", "clip_b", "song_x", "song_a", "song_b")
    columns |= {name: [] for name in more}
    for record in known:
        triplet = design.triplet_by_id[record.triplet]
        x, a, b = (design.by_id[name] for name in (triplet.x, triplet.x if record.catch else triplet.a, triplet.b))
        values = {
            **asdict(record),
            "kind": triplet.kind,
            "part": triplet.part,
            "origin": triplet.origin,
            "block": triplet.block,
            **{f"clip_{name}": one.clip for name, one in zip("xab", (x, a, b), strict=True)},
            **{f"song_{name}": one.item for name, one in zip("xab", (x, a, b), strict=True)},
        }
        for name, column in columns.items():
            column.append(values[name])
    table = pa.table(columns, schema=_SCHEMA)
    with replacing(place) as temporary:
        pq.write_table(table.replace_schema_metadata({"soundalike.test": design.name}), temporary)


_TYPES = {"str": pa.string(), "bool": pa.bool_(), "float": pa.float64(), "int": pa.int64()}
_SCHEMA = pa.schema(
    [(field.name, _TYPES.get(str(field.type), pa.string())) for field in fields(AnswerRecord)]
    + [(name, pa.string()) for name in ("kind", "part", "origin")]
    + [("block", pa.int64())]
    + [(f"{what}_{name}", pa.string()) for what in ("clip", "song") for name in "xab"]
)
