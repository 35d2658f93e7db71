"""An open library for the server: the finder, what was uploaded, and queries that were made already."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from soundalike.candidates import candidates
from soundalike.encoders import TextEncoder
from soundalike.errors import AudioError, InputError, SoundalikeError
from soundalike.finder import Finder, Hit, Question
from soundalike.library.brought import kept_copy
from soundalike.library.filters import Filters, make_filters
from soundalike.library.location import Location
from soundalike.library.neighbours import stored_spread
from soundalike.library.query import Query
from soundalike.runtime import Runtime
from soundalike.web import models
from soundalike.web.desk import AsWav, Desk, Look, MakeQuery, Stem
from soundalike.web.uploads import Upload, Uploads
from soundalike.weights import fitting_profile, shipped_profiles

QUERIES = 64
PEAKS = 1_200
MANY = 1e9


class Session:
    """What the server holds. Thread-safe: searches run side by side, files are looked at one after the other."""

    def __init__(self, library: Location, runtime: Runtime, uploads: Uploads) -> None:
        """Raises LibraryError where there is no library."""
        self.finder = Finder.open(library, device=runtime.device)
        self.uploads = uploads
        self._desk = Desk(self.finder.library.recipe, runtime)
        self._queries: OrderedDict[Hashable, Query] = OrderedDict()
        self._peaks: dict[str, models.PeaksOut] = {}
        self._lock = threading.Lock()
        self._items = {item["id"]: item for item in self.finder.items}

    def close(self) -> None:
        """End the worker, forget uploads."""
        self._desk.close()
        self.uploads.close()

    def describe(self) -> models.LibraryOut:
        """The library in numbers."""
        from soundalike.audio.decode import EXTENSIONS

        library = self.finder.library
        counts: dict[str, int] = {}
        for item in self.finder.items:
            counts[item["kind"]] = counts.get(item["kind"], 0) + 1
        spreads = stored_spread(self.finder.vectors, "windows", library.recipe.parts)
        fitting = fitting_profile(library.recipe.encoder, library.recipe.separator)
        return models.LibraryOut(
            name=library.path.name,
            parts=list(library.recipe.parts),
            encoder=library.recipe.encoder,
            separator=library.recipe.separator,
            text=self._knows_text(),
            counts=counts,
            spread={part: spread.deviation if spread.deviation > 0 else None for part, spread in spreads.items()},
            licences=library.licences,
            profiles=[profile.name for profile in shipped_profiles() if fitting and profile.name == fitting.name],
            extensions=sorted(EXTENSIONS),
            most_bytes=self.uploads.most_bytes,
        )

    def _knows_text(self) -> bool:
        """Whether the encoder has text; a library of models that are not here has none to offer."""
        try:
            return isinstance(self.finder.analyser.encoder, TextEncoder)
        except SoundalikeError:
            return False

    def item(self, name: str) -> Mapping[str, Any]:
        """The item with this id. Raises InputError where there is none."""
        if name not in self._items:
            raise InputError(f"the library has no item {name[:80]!r}")
        return self._items[name]

    def file_of(self, name: str) -> Path:
        """The item's file. Raises InputError where there is no such item, AudioError where its file is not there now."""
        item = self.item(name)
        path = kept_copy(self.finder.library.absolute(item["root"], item["path"]))
        if not path.is_file():
            raise AudioError(f"{item['path']} is not there now; `soundalike index` looks at its folder again")
        return path

    def wav(self, name: str) -> bytes:
        """The item's file as WAV."""
        path = self.file_of(name)
        return bytes(self._ask(AsWav(path), path.name))

    def peaks(self, name: str) -> models.PeaksOut:
        """The item's peaks, kept once they were looked at."""
        if name not in self._peaks:
            path = self.file_of(name)
            found = self._ask(Look(path, PEAKS), path.name)
            self._peaks[name] = models.PeaksOut(duration=found["duration"], peaks=found["peaks"])
        return self._peaks[name]

    def look(self, upload: Upload) -> models.UploadOut:
        """Length and peaks of an upload. Raises AudioError where it cannot be decoded."""
        found = self._ask(Look(upload.path, PEAKS), upload.name)
        return models.UploadOut(id=upload.id, name=upload.name, **found)

    def stem(self, upload: Upload, part: str, start: float, end: float | None) -> bytes:
        """A stem of an upload as WAV. Raises InputError for a part that the library has not."""
        self.finder.check_parts([part])
        return bytes(self._ask(Stem(upload.path, part, start, end), upload.name))

    def search(self, asked: models.Search) -> models.Answer:
        """Hits, and candidates if asked for. Raises as `Finder.similar`."""
        filters = _filters(asked.filters)
        question = self._question(asked, filters)
        found = self.finder.answer(question, n=asked.n)
        sent = candidates(self.finder, question, asked.candidates) if asked.candidates else None
        query = question.query
        return models.Answer(
            hits=[self._hit(hit) for hit in found.hits],
            weights=found.weights,
            effective=found.effective,
            weighting=found.weighting,
            silent=list(found.silent),
            same=len(found.same),
            searched=found.searched,
            kinds=list(found.kinds),
            label=query.label,
            windows=[(float(a), float(b)) for a, b in zip(query.starts, query.ends, strict=True)],
            candidates=None
            if sent is None
            else models.CandidatesOut(
                parts=list(sent.parts),
                items=[self._out(item) for item in sent.items],
                rows=[
                    (int(item), round(float(a), 3), round(float(b), 3), [round(float(c), 5) for c in row])
                    for item, a, b, row in zip(sent.of_item, sent.starts, sent.ends, sent.cosines, strict=True)
                ],
            ),
        )

    def _question(self, asked: models.Search, filters: Filters) -> Question:
        references = [one for one in (asked.upload, asked.item, asked.text) if one is not None]
        if len(references) != 1:
            raise InputError("give one of upload, item and text")
        return self.finder.question(
            None if asked.text is not None else self._query(asked),
            text=asked.text,
            weights=asked.weights,
            profile=asked.profile,
            part=asked.part,
            filters=filters,
            raw=asked.raw,
        )

    def _query(self, asked: models.Search) -> Query:
        """The query of an upload or item with all parts, made once."""
        few = asked.few if asked.region is None and asked.upload is not None else None
        key = (asked.upload, asked.item, asked.region, few)
        with self._lock:
            if key in self._queries:
                self._queries.move_to_end(key)
                return self._queries[key]
        if asked.upload is not None:
            upload = self.uploads.get(asked.upload)
            query = self._made(MakeQuery(upload.path, asked.region, few), upload.name)
        else:
            assert asked.item is not None  # the caller has looked
            item = self.item(asked.item)
            if asked.region is None:
                query = self.finder.query(item["id"])
            else:
                path = self.file_of(asked.item)
                query = self._made(MakeQuery(path, asked.region), path.name)
        with self._lock:
            self._queries[key] = query
            while len(self._queries) > QUERIES:
                self._queries.popitem(last=False)
        return query

    def _made(self, task: MakeQuery, name: str) -> Query:
        query = self._ask(task, name)
        assert isinstance(query, Query)
        return query

    def _ask(self, task: Look | MakeQuery | Stem | AsWav, name: str) -> Any:
        """The desk's answer; its errors name the file as people know it."""
        try:
            return self._desk.ask(task)
        except SoundalikeError as error:
            raise type(error)(str(error).replace(str(task.path), name).replace(task.path.name, name)) from None

    def _hit(self, hit: Hit) -> models.HitOut:
        return models.HitOut(
            item=self._out(self._items[hit.id]),
            start=hit.start,
            end=hit.end,
            score=hit.score,
            contributions=hit.contributions,
            silent=list(hit.silent),
            copies=len(hit.copies),
            deviations=hit.deviations,
            above=hit.above,
        )

    def _out(self, item: Mapping[str, Any]) -> models.ItemOut:
        """An item as it goes over the wire."""
        names = models.ItemOut.model_fields.keys() - {"name", "path"}
        path = self.finder.library.absolute(item["root"], item["path"])
        return models.ItemOut(name=item["path"], path=str(path), **{name: item[name] for name in names})

    def items(self, text: str, filters: models.FilterFields, offset: int, limit: int) -> models.Items:
        """Items whose path, title or artist contains `text`, in the order of their paths."""
        chosen = _filters(filters)
        wanted = text.casefold()
        found = [
            item
            for item in self._items.values()
            if chosen.admits(item)
            and (not wanted or any(wanted in (item[name] or "").casefold() for name in ("path", "title", "artist")))
        ]
        found.sort(key=lambda item: (item["root"], item["path"]))
        return models.Items(total=len(found), items=[self._out(item) for item in found[offset : offset + limit]])


def _filters(asked: models.FilterFields) -> Filters:
    tempo = None if asked.tempo is None else (asked.tempo[0] or 0.0, MANY if asked.tempo[1] is None else asked.tempo[1])
    return make_filters(
        kinds=tuple(asked.kinds),
        durations=asked.duration or (None, None),
        tempo=tempo,
        key=asked.key or None,
        paths=(asked.path,) if asked.path else (),
    )
