"""CSV files as spreadsheet programs write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from soundalike.errors import InputError
from soundalike.research.datasets.csv_tables import named_rows, parse_number, read_csv, read_text
from soundalike.research.datasets.dissimilarity_matrices import read_dissimilarities


def write(folder: Path, content: bytes) -> Path:
    file = folder / "table.csv"
    file.write_bytes(content)
    return file


def test_rows_keep_their_line_numbers_and_empty_rows_are_skipped(tmp_path: Path) -> None:
    table = read_csv(write(tmp_path, b"a,b\n\n1,2\n,\n3,4\n"))
    assert table.rows == (("a", "b"), ("1", "2"), ("3", "4"))
    assert table.lines == (1, 3, 5)
    assert [row for _, row in named_rows(table, ("a",))] == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]


def test_the_header_decides_among_separators(tmp_path: Path) -> None:
    """Commas in a header with semicolons are part of its names."""
    file = write(tmp_path, b"a, or b, or c;x\n1;2\n")
    assert read_csv(file, lambda header: "x" in header).rows[1] == ("1", "2")


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0", b"\xff\xfe\x00"])
def test_files_that_are_not_text_are_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match=r"table\.csv is not a text file; save the table as CSV in UTF-8"):
        read_text(write(tmp_path, content))


def test_an_unclosed_quote_is_refused_with_the_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line"):
        list(named_rows(read_csv(write(tmp_path, b'a,b\n"1,2\n3,4\n')), ("a", "b")))


@pytest.mark.parametrize(("text", "number"), [("1.5", 1.5), ("1,5", 1.5), ("-2", -2.0), ("1e3", 1000.0)])
def test_decimal_points_and_commas(text: str, number: float) -> None:
    assert parse_number(text) == number


@pytest.mark.parametrize("text", ["", "1,2,3", "1.000,5", "x"])
def test_other_numbers_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="could not convert"):
        parse_number(text)


def test_a_matrix_with_semicolons_and_decimal_commas(tmp_path: Path) -> None:
    content = ";a.wav;b.wav;c.wav\na.wav;0;1,5;2\nb.wav;1,5;0;\nc.wav;2;;0\n".encode("utf-16")
    matrix = read_dissimilarities(write(tmp_path, content))
    assert matrix.sounds == ("a.wav", "b.wav", "c.wav")
    assert matrix.values[0, 1] == 1.5
