"""Answers as triplets and clips, so that weights can be fitted to them: a table of answers and a folder of WAV files.

A "closer" answer is a triplet as it stands: A+ or B+ where the listener was sure, else A- or B-. Of "alike" and "not alike" for
the same reference each pair is one, too: the alike hit is the closer one; of several answers about one hit the last counts,
and each reference gives at most `MOST_PAIRS` such pairs. Which of the two is called A goes by their names, so that neither
letter is favoured.
"""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from tempfile import TemporaryDirectory

from soundalike.errors import InputError, SoundalikeError
from soundalike.listening.answers import Alike, Answer, Closer, Heard

MOST_PAIRS = 200
SUBJECT = "page"
"""Who answered: the page does not ask for names."""

COLUMNS = ("reference", "sample_a", "sample_b", "answer_total", "subject_id")


@dataclass(frozen=True)
class Row:
    """One answer of the table."""

    reference: Heard
    a: Heard
    b: Heard
    grade: str


def clip_name(heard: Heard) -> str:
    """The name of a clip's file: the same sound has the same name."""
    content, start, end = heard.key
    digest = hashlib.blake2b(content.encode(), digest_size=8).hexdigest()
    return f"{digest}-{round(1000 * start)}-{round(1000 * end)}.wav"


def rows_of(answers: Iterable[Answer]) -> list[Row]:
    """The triplets that answers make; a hit that is the reference itself makes none."""
    rows: list[Row] = []
    judged: dict[tuple[str, float, float], dict[tuple[str, float, float], Alike]] = {}
    for answer in answers:
        if isinstance(answer, Closer):
            rows += _row(answer.reference, answer.a, answer.b, answer.closer.upper() + ("+" if answer.sure else "-"))
        else:
            judged.setdefault(answer.reference.key, {})[answer.hit.key] = answer
    for hits in judged.values():
        alike = [one for one in hits.values() if one.alike]
        other = [one for one in hits.values() if not one.alike]
        pairs = (
            row
            for near, far in product(alike, other)
            for row in (
                _row(near.reference, near.hit, far.hit, "A-")
                if clip_name(near.hit) < clip_name(far.hit)
                else _row(near.reference, far.hit, near.hit, "B-")
            )
        )
        rows += islice(pairs, MOST_PAIRS)
    return rows


def _row(reference: Heard, a: Heard, b: Heard, grade: str) -> list[Row]:
    """One row; none where two of the three are the same sound."""
    same = len({reference.key, a.key, b.key}) < 3
    return [] if same else [Row(reference, a, b, grade)]


def write_zip(place: Path, answers: Iterable[Answer], cut: Callable[[Heard, Path], None]) -> dict[str, str]:
    """Write `answers.csv`, the clips it names in `clips/` and a `README.txt` into the zip file `place`; what had to be left
    out, and why.

    cut: writes what was heard to a WAV file; what it raises (SoundalikeError) costs the answers about that clip. Raises
    InputError where no triplet is left.
    """
    answers = list(answers)
    rows = rows_of(answers)
    if not rows:
        raise InputError(
            f"{len(answers)} answers make no triplet yet; say which of two hits is closer, or mark one hit of a reference as "
            "alike and another as not alike"
        )
    left_out: dict[str, str] = {}
    there: set[str] = set()
    with zipfile.ZipFile(place, "w", zipfile.ZIP_STORED) as archive, TemporaryDirectory(dir=place.parent) as folder:
        for heard in {clip_name(one): one for row in rows for one in (row.reference, row.a, row.b)}.values():
            name = clip_name(heard)
            try:
                cut(heard, Path(folder) / name)
                archive.write(Path(folder) / name, f"clips/{name}")
                there.add(name)
            except SoundalikeError as error:
                left_out[f"{heard.path} {heard.start:g}-{heard.end:g} s"] = str(error)
            finally:
                (Path(folder) / name).unlink(missing_ok=True)
        lines = [[*map(clip_name, (row.reference, row.a, row.b)), row.grade, SUBJECT] for row in rows]
        lines = [line for line in lines if there.issuperset(line[:3])]
        if not lines:
            words = next(iter(left_out.values()))
            raise InputError(f"none of the {len(rows)} triplets has all its clips: {words}")
        archive.writestr("answers.csv", _table(lines))
        archive.writestr("README.txt", _words(len(answers), len(lines), left_out))
    return left_out


def _table(lines: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([COLUMNS, *lines])
    return out.getvalue()


def _words(answers: int, triplets: int, left_out: dict[str, str]) -> str:
    text = (
        f"{answers} answers, {triplets} triplets: which of two clips is closer to a third (A+ A- B- B+).\n"
        "Weights are fitted to them by\n\n    soundalike fit answers.csv --audio clips/\n"
    )
    if left_out:
        text += "\nLeft out, with all answers about them:\n\n" + "".join(f"- {k}: {v}\n" for k, v in left_out.items())
    return text
