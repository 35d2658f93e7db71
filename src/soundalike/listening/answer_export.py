"""Answers exported for fitting weights: a table of triplets and a folder of WAV clips.

A "closer" answer is a triplet: A+ or B+ if the listener was sure, else A- or B-. Each pair of an "alike" and a "not alike"
answer about the same reference is a triplet too, in which the alike hit is closer; of several answers about one hit the last
one counts, and each reference gives at most `MAX_PAIRS` pairs. The clip whose name sorts first is A, so that neither letter is
favoured.
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
from soundalike.listening.answers import AlikeAnswer, Answer, CloserAnswer, HeardClip

MAX_PAIRS = 200
SUBJECT = "page"
"""Value of subject_id: the page does not ask for names."""

COLUMNS = ("reference", "sample_a", "sample_b", "answer_total", "subject_id")


@dataclass(frozen=True)
class Row:
    """One row of the table."""

    reference: HeardClip
    a: HeardClip
    b: HeardClip
    grade: str


def clip_name(heard: HeardClip) -> str:
    """File name of a clip; the same sound always has the same name."""
    content, start, end = heard.key
    digest = hashlib.blake2b(content.encode(), digest_size=8).hexdigest()
    return f"{digest}-{round(1000 * start)}-{round(1000 * end)}.wav"


def triplet_rows(answers: Iterable[Answer]) -> list[Row]:
    """The triplets that follow from answers; a hit that is the reference itself gives none."""
    rows: list[Row] = []
    by_reference: dict[tuple[str, float, float], dict[tuple[str, float, float], AlikeAnswer]] = {}
    for answer in answers:
        if isinstance(answer, CloserAnswer):
            rows += _row(answer.reference, answer.a, answer.b, answer.closer.upper() + ("+" if answer.sure else "-"))
        else:
            by_reference.setdefault(answer.reference.key, {})[answer.hit.key] = answer
    for hits in by_reference.values():
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
        rows += islice(pairs, MAX_PAIRS)
    return rows


def _row(reference: HeardClip, a: HeardClip, b: HeardClip, grade: str) -> list[Row]:
    """One row, or none if two of the three are the same sound."""
    same = len({reference.key, a.key, b.key}) < 3
    return [] if same else [Row(reference, a, b, grade)]


def write_zip(place: Path, answers: Iterable[Answer], cut: Callable[[HeardClip, Path], None]) -> dict[str, str]:
    """Write `answers.csv`, its clips in `clips/` and a `README.txt` into the zip file `place`; returns omissions with reasons.

    cut: writes a clip to a WAV file; if it raises SoundalikeError, the answers about that clip are omitted. Raises InputError if
    no triplet is left.
    """
    answers = list(answers)
    rows = triplet_rows(answers)
    if not rows:
        raise InputError(
            f"{len(answers)} answers make no triplet yet; answer which of two hits is closer, or mark one hit of a reference "
            "as alike and another as not alike"
        )
    left_out: dict[str, str] = {}
    available: set[str] = set()
    with zipfile.ZipFile(place, "w", zipfile.ZIP_STORED) as archive, TemporaryDirectory(dir=place.parent) as folder:
        for heard in {clip_name(one): one for row in rows for one in (row.reference, row.a, row.b)}.values():
            name = clip_name(heard)
            try:
                cut(heard, Path(folder) / name)
                archive.write(Path(folder) / name, f"clips/{name}")
                available.add(name)
            except SoundalikeError as error:
                left_out[f"{heard.path} {heard.start:g}-{heard.end:g} s"] = str(error)
            finally:
                (Path(folder) / name).unlink(missing_ok=True)
        lines = [[*map(clip_name, (row.reference, row.a, row.b)), row.grade, SUBJECT] for row in rows]
        lines = [line for line in lines if available.issuperset(line[:3])]
        if not lines:
            reason = next(iter(left_out.values()))
            raise InputError(f"none of the {len(rows)} triplets has all its clips: {reason}")
        archive.writestr("answers.csv", _table(lines))
        archive.writestr("README.txt", _readme(len(answers), len(lines), left_out))
    return left_out


def _table(lines: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([COLUMNS, *lines])
    return out.getvalue()


def _readme(answers: int, triplets: int, left_out: dict[str, str]) -> str:
    text = (
        f"{answers} answers, {triplets} triplets: which of two clips is closer to a third (A+ A- B- B+).\n"
        "Fit weights to them with\n\n    soundalike fit answers.csv --audio clips/\n"
    )
    if left_out:
        text += "\nOmitted, with all answers about them:\n\n" + "".join(f"- {k}: {v}\n" for k, v in left_out.items())
    return text
