"""Decoding texts whose encoding is not stated, or stated wrongly."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundalike.audio.metadata.text_encodings import code_page_name, decode_text, repair_text

WESTERN = (
    *(
        "élève père mère",
        "créée",
        "naïveté",
        "Façade à l’œuvre",
        "Õllesummer",
        "œœ",
        "“Ça” va",
        "Señor Ñandú",
        "Ærø",
        "Åse",
    ),
    *("Ñoño", "–—–", "‰ ƒ", "‹Ölü›", "Öyö", "Häähyö", "Žižek", "Ðiðrik", "Pâté", "Größenwahn Äußerung", "…à la mode…"),
)
TEXTS = ("Björk", "Café® Ü", "plain", "Ab", "Motörhead – “Ace”", "120", "Am")


@pytest.mark.parametrize("end", [b"", b"\0", b"\0\0", b"\0\0\0"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", TEXTS)
def test_western_texts_in_usual_encodings(text: str, encoding: str, end: bytes) -> None:
    assert decode_text(text.encode(encoding) + end) == text


def test_a_single_letter() -> None:
    assert decode_text(b"A") == decode_text(b"A\0") == decode_text(b"A\0\0\0") == decode_text(b"\0A\0\0") == "A"


@pytest.mark.parametrize("text", ["Кино — Группа крови", "Ξυλούρης", "אריק איינשטיין", "فيروز"])
def test_other_alphabets_in_unicode(text: str) -> None:
    for encoding in ("utf-8", "utf-16", "utf-16-le", "utf-16-be"):
        assert decode_text(text.encode(encoding) + b"\0\0") == text


@pytest.mark.parametrize("text", ["坂本龍一", "パフューム", "방탄소년단"])
def test_ideographs_in_unicode_with_a_byte_order_mark(text: str) -> None:
    assert decode_text(text.encode("utf-8") + b"\0") == text
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        assert decode_text(mark + text.encode(encoding) + b"\0\0") == text


def test_a_truncated_utf16_text_keeps_its_characters() -> None:
    assert decode_text("Café Ü".encode("utf-16-le")[:-1]) == "Café Ü"


def test_what_follows_the_terminator_is_left_out() -> None:
    assert decode_text(b"Bj\xf6rk\0garbage from a buffer") == "Björk"
    assert decode_text("Björk\0more".encode("utf-16-le")) == "Björk"


def test_a_stated_code_page_is_used_for_what_is_not_utf8() -> None:
    assert decode_text("Кино".encode("cp1251"), code_page_name(1251)) == "Кино"
    assert decode_text("坂本龍一".encode("cp932"), code_page_name(932)) == "坂本龍一"
    assert decode_text("Кино".encode(), code_page_name(1251)) == "Кино"
    assert code_page_name(4) is None


@pytest.mark.parametrize(
    ("text", "code_page"),
    [
        ("Кино", "cp1251"),
        ("Группа крови (live) 1988", "cp1251"),
        ("Ёлка и Ко", "cp1251"),
        ("坂本龍一", "cp932"),
        ("千のナイフ", "cp932"),
        ("パフューム 01", "cp932"),
        ("YMO - ライディーン", "cp932"),
        ("Lemon / 米津玄師 (live)", "cp932"),
        ("Кино", "koi8-r"),
        ("Виктор Цой", "koi8-r"),
        ("ГРУППА КРОВИ", "koi8-r"),
        ("ГРУППА КРОВИ", "cp1251"),
        ("ДДТ - Это всё", "koi8-r"),
        ("ДДТ - Это всё", "cp1251"),
        ("Любэ", "koi8-r"),
        ("звезда по имени Солнце", "koi8-r"),
    ],
)
def test_cyrillic_and_japanese_code_pages_are_recognised(text: str, code_page: str) -> None:
    assert decode_text(text.encode(code_page)) == text
    assert repair_text(text.encode(code_page).decode("latin-1")) == text


@pytest.mark.parametrize(
    "text", ["Ärzte", "Øya", "ÄÖÜ", "Sigur Rós – Ágætis byrjun", "“Ace” of “Spades”", "Été", "É", "ÇA", *WESTERN]
)
def test_western_texts_are_not_taken_for_others(text: str) -> None:
    assert decode_text(text.encode("cp1252")) == text
    if not any(ord(character) > 255 for character in text):
        assert repair_text(text) == text


@pytest.mark.parametrize("text", ["千のナイフ", "パフューム 01", "あいみょん", "椎名林檎", "君が代"])
@pytest.mark.parametrize("end", [b"", b"\0\0", b"\0\0\0"])
def test_east_asian_words_in_utf16_without_a_byte_order_mark(text: str, end: bytes) -> None:
    for encoding in ("utf-16-le", "utf-16-be"):
        assert decode_text(text.encode(encoding) + end) == text


def test_fields_of_a_cue_sheet_in_shift_jis() -> None:
    sheet = (
        'REM COMMENT "ExactAudioCopy v1.6"\r\nTITLE "Live 1979"\r\nFILE "ライディーン.wav" WAVE\r\n  TRACK 01 AUDIO\r\n'
    )
    assert decode_text(sheet.encode("cp932")) == sheet


@given(st.binary(max_size=40))
def test_any_bytes_are_decoded(data: bytes) -> None:
    assert "\0" not in decode_text(data)


@pytest.mark.parametrize("text", [*TEXTS, "坂本龍一", "Кино"])
def test_texts_decoded_as_latin1_are_repaired(text: str) -> None:
    assert repair_text(text) == text
    assert repair_text(text.encode().decode("latin-1")) == text
    if text not in ("坂本龍一", "Кино"):
        assert repair_text(text.encode("cp1252").decode("latin-1")) == text
