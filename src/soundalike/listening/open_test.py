"""A listening test with its vectors and answers, as read from its folder."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from soundalike.library.storage.location import Location
from soundalike.listening.answer_record import AnswerRecord
from soundalike.listening.answer_store import AnswerStore
from soundalike.listening.design import ANSWERS_FILE, Design, folder_of_design, read_design
from soundalike.listening.excerpt_vectors import ExcerptVectors, read_vectors


@dataclass(frozen=True)
class OpenTest:
    """folder; design; records: all answers so far, in the order in which they were given."""

    folder: Path
    design: Design
    records: tuple[AnswerRecord, ...]

    @classmethod
    def open(cls, location: Location, name: str) -> OpenTest:
        """The test `name` of the library at `location`. Raises LibraryError if there is none, InputError if it is damaged."""
        folder = folder_of_design(location, name)
        design = read_design(folder)
        store = AnswerStore(folder / ANSWERS_FILE)
        try:
            return cls(folder, design, tuple(store.records()))
        finally:
            store.close()

    @cached_property
    def vectors(self) -> ExcerptVectors:
        """The vectors of the excerpts. Raises InputError if they cannot be read."""
        return read_vectors(self.folder, self.design)
