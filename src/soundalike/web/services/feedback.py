"""Answers from the page: checked, completed with the clips that were played, stored; and exported for fitting."""

from __future__ import annotations

import secrets
import shutil
import threading
from contextlib import suppress
from pathlib import Path

import numpy as np

from soundalike.config import replacing
from soundalike.errors import AudioError, InputError, NotFoundError
from soundalike.library.storage.item_parts import digest_of
from soundalike.listening.answer_export import clip_name, triplet_rows, write_zip
from soundalike.listening.answers import AlikeAnswer, Answer, Answers, CloserAnswer, HeardClip
from soundalike.listening.listening_folder import folder_of, locked_folder
from soundalike.parts import MIX, ordered
from soundalike.search.query import Query
from soundalike.search.request import Region
from soundalike.web import schemas
from soundalike.web.services.library_snapshot import LibrarySnapshot
from soundalike.web.services.media_tasks import WriteWav
from soundalike.web.services.media_workers import WAIT, BusyError
from soundalike.web.services.query_cache import QueryCache, ReferenceKey
from soundalike.web.services.served_library import ServedLibrary
from soundalike.web.services.uploads import Upload, Uploads

MAX_CLIP_SECONDS = 30.0
"""A longer reference is represented by its most typical window, a longer hit by its beginning."""

CLIPS = "clips"
"""Folder beside the answers: clips of uploads, which are deleted with the server. Only the user who runs it can read them, and
each is deleted with the last answer about it."""


class Feedback:
    """The answers of one library."""

    def __init__(self, library: ServedLibrary, uploads: Uploads, queries: QueryCache) -> None:
        self._library = library
        self._uploads = uploads
        self._queries = queries
        self._answers = Answers(library.location)
        self._exporting = threading.Lock()
        self._deleting_clips = threading.Lock()

    def add(self, request: schemas.AlikeIn | schemas.CloserIn) -> schemas.AnswerKept:
        """Store an answer. Raises InputError for items, uploads, parts or seconds that do not exist."""
        snapshot = self._library.snapshot
        weights = None if request.weights is None else dict(request.weights)
        ordered(weights or ())  # raises for a part that does not exist
        answer: Answer
        if isinstance(request, schemas.AlikeIn):
            hit = self._hit(snapshot, request.hit)
            answer = AlikeAnswer(self._reference(snapshot, request.reference), weights, hit, request.alike)
        else:
            a, b = self._hit(snapshot, request.a), self._hit(snapshot, request.b)
            if a.key == b.key:
                raise InputError("a and b are the same sound; compare two different hits")
            answer = CloserAnswer(
                self._reference(snapshot, request.reference), weights, a, b, request.closer, request.sure
            )
        with self._deleting_clips:
            answer_id = self._answers.add(answer)
        clip = self._clip_of(answer.reference)
        if clip is not None and not clip.is_file():  # deleted just now, with another answer
            self._keep_clip(self._uploads.get(request.reference.upload or ""), answer.reference)
        return schemas.AnswerKept(id=answer_id, count=self.count())

    def withdraw(self, answer_id: str) -> None:
        """Withdraw an answer, and delete the clip of its upload unless another answer is about the same. Raises NotFoundError if
        there is no answer with this id."""
        withdrawn = self._answers.all().get(answer_id)
        if withdrawn is None:
            raise NotFoundError(f"there is no answer {answer_id[:80]!r}, or it was already withdrawn")
        with self._deleting_clips:
            self._answers.withdraw(answer_id)
            clip = self._clip_of(withdrawn.reference)
            if clip not in {self._clip_of(answer.reference) for answer in self.answers()} - {None}:
                _delete(clip)

    def answers(self) -> list[Answer]:
        """The answers that were not withdrawn, oldest first."""
        return list(self._answers.all().values())

    def count(self) -> int:
        """The number of answers."""
        return self._answers.count()

    def describe(self) -> schemas.AnswersOut:
        """The answers in numbers."""
        answers = self.answers()
        alike = sum(isinstance(one, AlikeAnswer) for one in answers)
        return schemas.AnswersOut(count=len(answers), triplets=len(triplet_rows(answers)), alike=alike)

    def export(self, folder: Path) -> Path:
        """A zip file of answers and clips in `folder`, which the caller deletes.

        Raises InputError if there is nothing to fit to, BusyError if another export is running.
        """
        if not self._exporting.acquire(timeout=WAIT):
            raise BusyError("another export of the answers is running; try again in a moment")
        path = folder / f"{secrets.token_hex(16)}.zip"
        snapshot = self._library.snapshot
        try:
            write_zip(path, self.answers(), lambda heard, out: self._write_heard(snapshot, heard, out))
            return path
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        finally:
            self._exporting.release()

    def _hit(self, snapshot: LibrarySnapshot, hit: schemas.HitIn) -> HeardClip:
        item = snapshot.item(hit.item)
        end = min(hit.end, item["duration"], hit.start + MAX_CLIP_SECONDS)
        if not hit.start < end:
            raise InputError(
                f"{item['path']} lasts {item['duration']:.2f} s; {hit.start:g} s to {hit.end:g} s is not inside it"
            )
        return HeardClip(item["content"], f"{item['root']}/{item['path']}", item["id"], hit.start, round(end, 3))

    def _reference(self, snapshot: LibrarySnapshot, reference: schemas.ReferenceIn) -> HeardClip:
        """The part of a reference that the listener heard: its region, or its most typical window. Stores a clip of an upload."""
        query = self._queries.get(snapshot, ReferenceKey(reference.upload, reference.item, reference.region))
        start, end = representative_seconds(query, reference.region)
        if reference.item is not None:
            item = snapshot.item(reference.item)
            return HeardClip(item["content"], f"{item['root']}/{item['path']}", item["id"], start, end)
        assert reference.upload is not None  # checked by the schema
        upload = self._uploads.get(reference.upload)
        (digest,) = query.digests
        heard = HeardClip(digest, upload.name, None, start, end)
        with locked_folder(self._library.location) as folder:
            (folder / CLIPS).mkdir(exist_ok=True)
            with suppress(OSError):  # a folder of another user, in a shared library
                (folder / CLIPS).chmod(0o700)
        self._keep_clip(upload, heard)
        return heard

    def _clip_of(self, heard: HeardClip) -> Path | None:
        """Where the clip of an upload lies; None for an item, which the library has."""
        return folder_of(self._library.location) / CLIPS / clip_name(heard) if heard.item is None else None

    def _keep_clip(self, upload: Upload, heard: HeardClip) -> None:
        """Write the clip of an upload, if there is none yet."""
        clip = self._clip_of(heard)
        if clip is not None and not clip.is_file():
            self._write_clip(upload.path, upload.name, heard, clip)

    def _write_heard(self, snapshot: LibrarySnapshot, heard: HeardClip, out: Path) -> None:
        """Write the clip that was heard to `out`. Raises AudioError if its file was deleted or has changed."""
        if heard.item is None:
            clip = self._clip_of(heard)
            if clip is None or not clip.is_file():
                raise AudioError(f"the clip of {heard.path} was deleted")
            shutil.copyfile(clip, out)
            return
        if heard.item not in snapshot:
            raise AudioError(f"{heard.path} is no longer in the library")
        if digest_of(snapshot.item(heard.item)["content"]) != heard.key[0]:
            raise AudioError(f"{heard.path} has changed since it was heard")
        self._write_clip(snapshot.file_of(heard.item), heard.path, heard, out)

    def _write_clip(self, path: Path, name: str, heard: HeardClip, out: Path) -> None:
        try:
            with replacing(out) as temporary:
                temporary.touch(mode=0o600)
                self._library.run_task(WriteWav(path, temporary, heard.start, heard.end), name)
        except OSError as error:
            raise AudioError(f"the clip of {name} cannot be written ({error.strerror or error})") from None


def _delete(clip: Path | None) -> None:
    """Delete a clip; one that cannot be deleted now (a read-only folder) stays."""
    if clip is not None:
        with suppress(OSError):
            clip.unlink(missing_ok=True)


def representative_seconds(query: Query, region: Region | None) -> tuple[float, float]:
    """Start and end (s) of what represents a reference in a clip: its region or, if that is too long, its most typical window."""
    first, last = float(query.starts.min()), float(query.ends.max())
    if region is not None:
        first, last = region[0], last if region[1] is None else min(region[1], last)
    if query.is_clip:
        last = min(last, first + MAX_CLIP_SECONDS)
    if (region is not None or query.is_clip) and last - first <= MAX_CLIP_SECONDS:
        return round(first, 3), round(last, 3)
    mix = query.vectors[:, query.parts.index(MIX)]
    best = int(np.argmax(mix @ mix.sum(axis=0)))
    return round(float(query.starts[best]), 3), round(float(query.ends[best]), 3)
