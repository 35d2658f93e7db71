from __future__ import annotations

from pathlib import Path

import pytest

from soundalike.errors import InputError
from soundalike.listening.design import QUESTIONS
from soundalike.listening.instructions import (
    Section,
    default_instructions,
    default_text,
    parse_instructions,
    read_instructions,
)

PAGES = {"consent", "level", "headphones", "practice", "break", "thanks"}


def test_the_english_texts_are_complete() -> None:
    texts = default_instructions()
    assert (texts.title, texts.language) == ("Which one sounds more like X?", "en")
    assert set(texts.sections) == PAGES | set(QUESTIONS)
    assert all(section.heading and section.text for section in texts.sections.values())
    assert "{number}" in texts.labels["progress"]
    assert "This paragraph is not shown" not in str(texts.sections)


def test_a_folder_without_the_file_has_the_english_texts(tmp_path: Path) -> None:
    assert read_instructions(tmp_path) == default_instructions()
    (tmp_path / "instructions.md").write_text(default_text(), encoding="utf-8")
    assert read_instructions(tmp_path) == default_instructions()


def test_a_translation_replaces_what_it_has(tmp_path: Path) -> None:
    text = (
        "\ufeff# Was klingt eher wie X? {lang=de}\r\n\r\n## Willkommen  {#consent}\r\n\r\nSie hören **Musik**.\r\n\r\n"
        "### Dauer\r\n\r\n10 Minuten\r\n\r\n## Texte {#labels}\r\n\r\n- agree: Einverstanden\r\n"
        "- progress: {number} von {total}\r\n"
    )
    (tmp_path / "instructions.md").write_bytes(text.encode())
    texts = read_instructions(tmp_path)
    assert (texts.title, texts.language) == ("Was klingt eher wie X?", "de")
    assert texts.sections["consent"] == Section("Willkommen", "Sie hören **Musik**.\n\n### Dauer\n\n10 Minuten")
    assert texts.labels["agree"] == "Einverstanden"
    assert texts.labels["progress"] == "{number} von {total}"
    assert texts.sections["thanks"] == default_instructions().sections["thanks"]
    assert texts.labels["play"] == "Play"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("## Hello", "needs its name in braces"),
        ("## Hello {#hello}", "unknown section 'hello'; the names are consent"),
        ("## One {#level}\n## Two {#level}", "two sections 'level'"),
        ("## L {#labels}\n- agre: Yes", "unknown label 'agre'"),
        ("## L {#labels}\n- progress: some", r"'progress' must contain \{number\}, \{total\}"),
        ("## L {#labels}\n- play: Play {x}", "'play' must contain no words in braces"),
    ],
)
def test_mistakes_in_the_file_are_named(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_instructions(text)


@pytest.mark.parametrize("data", [b"\xff\xfe", b"x" * (257 << 10)])
def test_files_that_are_no_instructions_are_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "instructions.md").write_bytes(data)
    with pytest.raises(InputError, match=r"instructions\.md"):
        read_instructions(tmp_path)
