"""Answers that come from the page: checked, completed by what was heard, kept; and given out again for fitting."""

from __future__ import annotations

import secrets
import shutil
import threading
from pathlib import Path

import numpy as np

from soundalike.errors import AudioError, InputError
from soundalike.library.storage.location import Location
from soundalike.listening.answer_export import clip_name, rows_of, write_zip
from soundalike.listening.answers import Alike, Answer, Answers, Closer, Heard
from soundalike.listening.listening_folder import folder_of, writing
from soundalike.parts import MIX, ordered
from soundalike.search.query import Query
from soundalike.web import schemas
from soundalike.web.services.library_snapshot import Shelf
from soundalike.web.services.media_workers import WAIT, AsWav, BusyError
from soundalike.web.services.server_state import Session

LONGEST_CLIP = 30.0
"""Seconds; of a longer reference the window that is most like all of it stands for it, of a longer hit its beginning."""

CLIPS = "clips"
"""Folder beside the answers: what was heard of uploads, which are gone with the server."""


class Judging:
    """The answers of a session's library."""

    def __init__(self, session: Session, library: Location) -> None:
        self._session = session
        self._library = library
        self._answers = Answers(library)
        self._exporting = threading.Lock()

    def add(self, asked: schemas.AlikeIn | schemas.CloserIn) -> schemas.AnswerKept:
        """Keep an answer. Raises InputError for items, uploads or seconds that there are not."""
        shelf = self._session.shelf
        weights = None if asked.weights is None else dict(asked.weights)
        ordered(weights or ())
        made: Answer
        if isinstance(asked, schemas.AlikeIn):
            hit = self._hit(shelf, asked.hit)
            made = Alike(self._reference(shelf, asked.reference), weights, hit, asked.alike)
        else:
            a, b = self._hit(shelf, asked.a), self._hit(shelf, asked.b)
            if a.key == b.key:
                raise InputError("a and b are the same sound; say which of two is closer")
            made = Closer(self._reference(shelf, asked.reference), weights, a, b, asked.closer, asked.sure)
        return schemas.AnswerKept(id=self._answers.add(made), count=self.count())

    def withdraw(self, name: str) -> None:
        """Take an answer back."""
        self._answers.withdraw(name)

    def count(self) -> int:
        """How many answers there are."""
        return len(self._answers.all())

    def describe(self) -> schemas.AnswersOut:
        """The answers in numbers."""
        answers = list(self._answers.all().values())
        alike = sum(isinstance(one, Alike) for one in answers)
        return schemas.AnswersOut(count=len(answers), triplets=len(rows_of(answers)), alike=alike)

    def export(self, folder: Path) -> Path:
        """A zip file of answers and clips in `folder`, which the caller deletes. Raises InputError where there is nothing to
        learn from, BusyError where another is being made."""
        if not self._exporting.acquire(timeout=WAIT):
            raise BusyError("answers are being exported already; try again in a moment")
        place = folder / f"{secrets.token_hex(16)}.zip"
        shelf = self._session.shelf
        try:
            write_zip(place, self._answers.all().values(), lambda heard, out: self._cut(shelf, heard, out))
            return place
        except BaseException:
            place.unlink(missing_ok=True)
            raise
        finally:
            self._exporting.release()

    def _hit(self, shelf: Shelf, hit: schemas.HitIn) -> Heard:
        item = shelf.item(hit.item)
        end = min(hit.end, item["duration"], hit.start + LONGEST_CLIP)
        if not hit.start < end:
            raise InputError(
                f"{item['path']} lasts {item['duration']:.2f} s; {hit.start:g} s to {hit.end:g} s is no part of it"
            )
        return Heard(item["content"], f"{item['root']}/{item['path']}", item["id"], hit.start, round(end, 3))

    def _reference(self, shelf: Shelf, asked: schemas.ReferenceIn) -> Heard:
        """What was heard of a reference: its region, or the window that is most like all of it."""
        query = self._session.query_of(shelf, asked.upload, asked.item, asked.region)
        start, end = _stretch(query, asked.region)
        if asked.item is not None:
            item = shelf.item(asked.item)
            return Heard(item["content"], f"{item['root']}/{item['path']}", item["id"], start, end)
        assert asked.upload is not None  # the model has looked
        upload = self._session.uploads.get(asked.upload)
        (digest,) = query.digests
        heard = Heard(digest, upload.name, None, start, end)
        with writing(self._library) as folder:
            (folder / CLIPS).mkdir(exist_ok=True)
            place = folder / CLIPS / clip_name(heard)
        if not place.is_file():
            self._write_clip(upload.path, upload.name, heard, place)
        return heard

    def _cut(self, shelf: Shelf, heard: Heard, out: Path) -> None:
        """Write what was heard to `out`. Raises AudioError where that cannot be heard any more."""
        if heard.item is None:
            kept = folder_of(self._library) / CLIPS / clip_name(heard)
            if not kept.is_file():
                raise AudioError(f"what was heard of {heard.path} is not there any more")
            shutil.copyfile(kept, out)
            return
        if heard.item not in shelf:
            raise AudioError(f"{heard.path} is no item of the library any more")
        if shelf.item(heard.item)["content"].partition(":")[0] != heard.key[0]:
            raise AudioError(f"{heard.path} has changed since it was heard")
        self._write_clip(shelf.file_of(heard.item), heard.path, heard, out)

    def _write_clip(self, path: Path, name: str, heard: Heard, out: Path) -> None:
        temporary = out.with_name(f"{secrets.token_hex(8)}.tmp")
        try:
            self._session.ask(AsWav(path, temporary, heard.start, heard.end), name)
            temporary.replace(out)
        except OSError as error:
            raise AudioError(f"the clip of {name} cannot be kept ({error.strerror or error})") from None
        finally:
            temporary.unlink(missing_ok=True)


def _stretch(query: Query, region: tuple[float, float | None] | None) -> tuple[float, float]:
    """The seconds that stand for a reference."""
    first, last = float(query.starts.min()), float(query.ends.max())
    if region is not None:
        first, last = region[0], last if region[1] is None else min(region[1], last)
    if query.is_clip:
        last = min(last, first + LONGEST_CLIP)
    if (region is not None or query.is_clip) and last - first <= LONGEST_CLIP:
        return round(first, 3), round(last, 3)
    mix = query.vectors[:, query.parts.index(MIX)]
    best = int(np.argmax(mix @ mix.sum(axis=0)))
    return round(float(query.starts[best]), 3), round(float(query.ends[best]), 3)
