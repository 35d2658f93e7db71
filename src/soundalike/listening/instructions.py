"""What listeners read: the texts of a test in its `instructions.md`, which may be edited or translated.

The file is Markdown: a title, then a section for each page of the test. The name in braces after a heading says which page it
is for, `## Willkommen {#consent}`; `{lang=de}` after the title is the language. The section `labels` lists the texts of
buttons and messages. What the file does not have is taken from `default_instructions.md`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from soundalike.errors import InputError
from soundalike.listening.design import INSTRUCTIONS_FILE

DEFAULT_FILE = "default_instructions.md"
MAX_BYTES = 256 << 10
LABELS = "labels"

_HEADING = re.compile(r"(#{1,2})\s+(.*?)\s*(?:\{\s*(#|lang=)([A-Za-z0-9_-]+)\s*\})?\s*#*\s*")
_LABEL = re.compile(r"[-*]\s+([a-z_]+)\s*:\s*(.+)")
_PLACEHOLDER = re.compile(r"\{[a-z]+\}")


@dataclass(frozen=True)
class Section:
    """The heading of a page and its text, both Markdown."""

    heading: str
    text: str


@dataclass(frozen=True)
class Instructions:
    """The texts of a test. language: as in HTML's `lang`; sections, labels: by their names."""

    title: str
    language: str
    sections: Mapping[str, Section]
    labels: Mapping[str, str]


def default_text() -> str:
    """The English instructions, to be written beside a new design."""
    return (resources.files("soundalike") / "listening" / DEFAULT_FILE).read_text(encoding="utf-8")


@cache
def default_instructions() -> Instructions:
    """The English instructions."""
    return _parsed(default_text(), DEFAULT_FILE, Instructions("", "en", {}, {}))


def read_instructions(folder: Path) -> Instructions:
    """The instructions of the test in `folder`. Raises InputError for a file that cannot be read, with a section or label that
    does not exist, or without a placeholder that a label needs."""
    place = folder / INSTRUCTIONS_FILE
    try:
        with place.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise InputError(f"{place} has more than {MAX_BYTES >> 10} kB; listeners should not have to read so much")
        return parse_instructions(data.decode("utf-8-sig"), str(place))
    except FileNotFoundError:
        return default_instructions()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{place} cannot be read as UTF-8 text: {error}") from None


def parse_instructions(text: str, where: str = INSTRUCTIONS_FILE) -> Instructions:
    """The instructions in a text; `where` is for messages. Raises InputError as `read_instructions`."""
    return _parsed(text, where, default_instructions())


def _parsed(text: str, where: str, default: Instructions) -> Instructions:
    title, language = default.title, default.language
    texts: dict[str, list[str]] = {}
    headings: dict[str, str] = {}
    current: list[str] = []  # before the first section: notes for whoever edits the file
    for line in text.splitlines():
        match = _HEADING.fullmatch(line)
        if match is None:
            current.append(line)
        elif match[1] == "#":
            title, language = match[2], match[4] if match[3] == "lang=" else language
        else:
            name = _section_name(match, default, where)
            if name in headings:
                raise InputError(f"{where} has two sections {name!r}; join them")
            headings[name], texts[name] = match[2], (current := [])
    labels = {**default.labels, **_labels(texts.pop(LABELS, []), default, where)}
    sections = {name: Section(headings[name], "\n".join(lines).strip()) for name, lines in texts.items()}
    return Instructions(title, language, {**default.sections, **sections}, labels)


def _section_name(match: re.Match[str], default: Instructions, where: str) -> str:
    name = match[4] if match[3] == "#" else None
    if name is None:
        raise InputError(f"{where}: the heading {match[2]!r} needs its name in braces, such as {{#consent}}")
    if default.sections and name not in default.sections and name != LABELS:
        raise InputError(
            f"{where} has the unknown section {name!r}; the names are {', '.join(default.sections)}, {LABELS}"
        )
    return name


def _labels(lines: list[str], default: Instructions, where: str) -> dict[str, str]:
    labels: dict[str, str] = {}
    for line in lines:
        match = _LABEL.fullmatch(line.strip())
        if match is None:
            continue
        name, text = match[1], match[2]
        if default.labels and name not in default.labels:
            raise InputError(f"{where} has the unknown label {name!r}; the names are {', '.join(default.labels)}")
        expected = set(_PLACEHOLDER.findall(default.labels.get(name, text)))
        found = set(_PLACEHOLDER.findall(text))
        if found != expected:
            wanted = ", ".join(sorted(expected)) or "no words in braces"
            raise InputError(f"{where}: the label {name!r} must contain {wanted}")
        labels[name] = text
    return labels
