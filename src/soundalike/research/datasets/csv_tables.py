"""Reading CSV files as spreadsheet programs write them: any of the usual separators, encodings and decimal marks."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from soundalike.errors import InputError

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}


@dataclass(frozen=True)
class CsvRows:
    """The rows of a CSV file. lines: line number of each row (of its last line); empty rows are left out."""

    file: Path
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]

    def location(self, index: int) -> str:
        """Where a row is, for messages."""
        return f"{self.file}, line {self.lines[index]}"


def read_text(file: Path) -> str:
    """The text of a file in UTF-8, UTF-16 or, if it is neither, Windows-1252 or Latin-1.

    Raises InputError for a file that cannot be read or is not text.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror or error}") from None
    for encoding in _encodings(content):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise InputError(f"{file} is not a text file; save the table as CSV in UTF-8")


def _encodings(content: bytes) -> Sequence[str]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ["utf-16"]
    if b"\0" in content[:1000]:  # UTF-16 without a byte order mark: every other byte of ASCII is 0
        return ["utf-16-be" if content[:1] == b"\0" else "utf-16-le"]
    return ["utf-8-sig", "cp1252", "latin-1"]


def read_csv(file: Path, is_header: Callable[[Sequence[str]], bool] = lambda _: True) -> CsvRows:
    """Read a CSV file, separated by commas, semicolons or tabs.

    is_header: whether the first row, split by the right separator, is as expected; used to choose among the separators.
    Raises InputError for a file that is not CSV.
    """
    text = read_text(file)
    first = text.lstrip().partition("\n")[0]
    by_count = sorted(SEPARATORS, key=first.count, reverse=True)
    separator = next((one for one in by_count if is_header(_split(first, one))), by_count[0])
    rows, lines = [], []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append(tuple(cell.strip() for cell in row))
                lines.append(reader.line_num)
    except csv.Error as error:
        raise InputError(f"{file}, line {reader.line_num}: not CSV ({error}); save the table as CSV in UTF-8") from None
    return CsvRows(file, tuple(rows), tuple(lines))


def _split(line: str, separator: str) -> list[str]:
    return next(csv.reader([line.rstrip("\r")], delimiter=separator), [])


def named_rows(table: CsvRows, needed: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """The location of each row below the header for messages, and its cells by lower-case column name.

    Raises InputError unless each of the `needed` columns occurs exactly once and all rows are complete.
    """
    header = column_names(table.rows[0]) if table.rows else []
    wrong = [name for name in needed if header.count(name) != 1]
    if wrong:
        raise InputError(
            f"{table.file}, line {table.lines[0] if table.lines else 1}: exactly one column {wrong[0]!r} is needed, but the "
            f"columns are {', '.join(header) or 'none'}; needed are {', '.join(needed)}, separated by "
            f"{', '.join(SEPARATORS.values())}"
        )
    for index, row in enumerate(table.rows[1:], start=1):
        if len(row) != len(header):
            raise InputError(
                f"{table.location(index)}: {len(row)} cells, but the header has {len(header)} columns; complete the row (a "
                'cell that contains the separator must be in "quotes")'
            )
        yield table.location(index), dict(zip(header, row, strict=True))


def column_names(header: Sequence[str]) -> list[str]:
    """Column names in lower case, without surrounding spaces."""
    return [name.strip().lower() for name in header]


def parse_number(text: str) -> float:
    """A number with a decimal point or comma. Raises ValueError for anything else."""
    return float(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
