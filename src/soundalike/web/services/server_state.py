"""An open library for the server: its present state, what was uploaded, and queries that were made already."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from soundalike.audio.waveform_overview import OVERVIEW_POINTS, overview_to_int8
from soundalike.config import Runtime
from soundalike.errors import AudioError, InputError, SoundalikeError
from soundalike.library.storage.location import Location
from soundalike.library.storage.store import Library
from soundalike.listening.favourites import Favourites
from soundalike.listening.user_profiles import profiles_of
from soundalike.models.encoders import TextEncoder
from soundalike.search.candidates import Candidates, candidates
from soundalike.search.filters import Filters, make_filters
from soundalike.search.finder import Finder
from soundalike.search.index.recall import stored_recall
from soundalike.search.index.table_rows import TABLES
from soundalike.search.index.vector_index import VectorIndex
from soundalike.search.near_duplicates import first_copies
from soundalike.search.plan import SearchPlan
from soundalike.search.query import Query, query_from_item
from soundalike.search.request import SearchRequest
from soundalike.search.results import Hit
from soundalike.similarity.profiles import Profile
from soundalike.web import schemas
from soundalike.web.services.library_snapshot import Item, Shelf
from soundalike.web.services.maps import Maps
from soundalike.web.services.media_workers import AsWav, BusyError, Desk, Look, MakeQuery, Stem, Task
from soundalike.web.services.overview_store import Overview, OverviewStore
from soundalike.web.services.uploads import Upload, Uploads
from soundalike.web.services.wav_cache import WavCache

if TYPE_CHECKING:
    from soundalike.jobs.ray import Machines

QUERIES = 64
KEPT_COSINES = 128 << 20
"""Bytes: at 100,000 windows of 4 parts, those of 80 references."""

PEAKS = 1_200
KEPT_PEAKS = 500
MANY = 1e9

LOOK_AGAIN = 2.0
"""Seconds after which the library on disk is looked at again when somebody asks for its state."""

SECONDS_FOR_PEAKS = 3.0
"""How long one request may make outlines that the library has not; the next one goes on."""


class Session:
    """What the server holds. Thread-safe: searches run side by side, files are read by the desk's workers.

    The library's state is one object that is replaced as a whole: a request takes `shelf` once and keeps to it.
    """

    def __init__(self, library: Location, runtime: Runtime, uploads: Uploads, cluster: Machines | None = None) -> None:
        """cluster: a Ray cluster that searches in place of this process. Raises LibraryError where there is no library."""
        self._runtime = runtime
        self._library = library
        finder = Finder.open(library, device=runtime.device, cosine_cache_bytes=KEPT_COSINES, cluster=cluster)
        self._shelf = Shelf.of(finder)
        self.uploads = uploads
        self._wavs = WavCache(uploads.folder)
        self.maps = Maps()
        self.favourites = Favourites(library)
        self._desk = Desk(self._shelf.finder.library.recipe, runtime)
        self._queries: OrderedDict[Hashable, Query] = OrderedDict()
        self._peaks: OrderedDict[str, schemas.PeaksOut] = OrderedDict()
        self._outlines = OverviewStore()
        self._lock = threading.Lock()
        self._looking = threading.Lock()
        self._searching = threading.BoundedSemaphore(runtime.cores)
        self._looked = time.monotonic()
        self._ready = False

    def get_ready(self) -> None:
        """Have the workers start and load their models now, and again when the library gets other models; returns at once."""
        self._ready = True
        self._desk.get_ready()

    @property
    def shelf(self) -> Shelf:
        """The library as it is served now."""
        return self._shelf

    def close(self) -> None:
        """End the workers, forget uploads."""
        self._desk.close()
        self.maps.close()
        self.uploads.close()

    def look_again(self) -> Shelf:
        """Serve what the library has become; at most every `LOOK_AGAIN` seconds, by one thread at a time.

        Raises LibraryError where the library cannot be read any more.
        """
        if time.monotonic() - self._looked < LOOK_AGAIN or not self._looking.acquire(blocking=False):
            return self._shelf
        try:
            before = self._shelf
            finder = before.finder.refreshed()
            if finder is not before.finder:
                shelf = Shelf.of(finder)
                len(shelf)  # its items are read now, not by whoever asks first
                if finder.library.recipe != before.finder.library.recipe:
                    former, self._desk = self._desk, Desk(finder.library.recipe, self._runtime)
                    former.close()
                    if self._ready:
                        self._desk.get_ready()
                self._shelf = shelf
        finally:
            self._looked = time.monotonic()
            self._looking.release()
        return self._shelf

    def state(self) -> schemas.StateOut:
        """The library's state in short."""
        shelf = self.look_again()
        return schemas.StateOut(state=shelf.state, items=len(shelf))

    def describe(self, *, answers: int, reveal: bool) -> schemas.LibraryOut:
        """The library in numbers."""
        from soundalike.audio.decode import EXTENSIONS

        shelf = self.look_again()
        library = shelf.finder.library
        spreads = shelf.finder.opened.spread(library.recipe.parts)
        return schemas.LibraryOut(
            name=library.path.name,
            state=shelf.state,
            parts=list(library.recipe.parts),
            encoder=library.recipe.encoder,
            separator=library.recipe.separator,
            text=self._knows_text(shelf.finder),
            counts=shelf.counts,
            spread={part: spread.deviation if spread.deviation > 0 else None for part, spread in spreads.items()},
            licences=library.licences,
            profiles=[profile.name for profile in profiles_of(self._library)[0] if self._fits(shelf, profile)],
            extensions=sorted(EXTENSIONS),
            most_bytes=self.uploads.max_bytes,
            favourites=sum(name in shelf for name in self.favourites.ids()),
            answers=answers,
            reveal=reveal,
            search={table: _search_of(library, shelf.finder.indexes[table]) for table in TABLES},
        )

    def _knows_text(self, finder: Finder) -> bool:
        """Whether the encoder has text; a library of models that are not here has none to offer."""
        try:
            return isinstance(finder.analyser.encoder, TextEncoder)
        except SoundalikeError:
            return False

    def item(self, name: str) -> dict[str, Any]:
        """The item with this id, as of `schemas.ItemOut`. Raises InputError where there is none."""
        shelf = self._shelf
        return shelf.out([shelf.item(name)], self.favourites.ids())[0]

    def wav(self, name: str) -> Path:
        """The item's file as a WAV file, kept for a while."""
        path = self._shelf.file_of(name)
        return self._wavs.get(path, lambda out: self.ask(AsWav(path, out), path.name))

    def peaks(self, name: str) -> schemas.PeaksOut:
        """The item's fine peaks, kept once they were looked at."""
        shelf = self._shelf
        content = shelf.item(name)["content"]
        with self._lock:
            if content in self._peaks:
                self._peaks.move_to_end(content)
                return self._peaks[content]
        path = shelf.file_of(name)
        found = self.ask(Look(path, PEAKS), path.name)
        made = schemas.PeaksOut(duration=found["duration"], peaks=found["peaks"].round(3).tolist())
        with self._lock:
            self._peaks[content] = made
            while len(self._peaks) > KEPT_PEAKS:
                self._peaks.popitem(last=False)
        return made

    def outlines(self, names: Sequence[str]) -> schemas.PeaksOfItems:
        """Outlines of items. Raises InputError for an item that is not there."""
        shelf = self._shelf
        items = shelf.items(dict.fromkeys(names))
        known = self._outlines.get(shelf.finder.library, list(dict.fromkeys(item["content"] for item in items)))
        until = time.monotonic() + SECONDS_FOR_PEAKS
        for item in items:
            if item["content"] not in known and time.monotonic() < until:
                made = self._make_outline(shelf, item)
                if made is not None:
                    known[item["content"]] = made
        return schemas.PeaksOfItems(
            peaks={item["id"]: schemas.OverviewOut.of(known.get(item["content"])) for item in items}
        )

    def _make_outline(self, shelf: Shelf, item: Item) -> Overview | None:
        """The outline of an item that the library has none of; None where its file cannot be read now."""
        try:
            found = self.ask(Look(shelf.file_of(item["id"]), OVERVIEW_POINTS), item["path"])
        except (AudioError, BusyError):
            return None
        made = (found["duration"], *overview_to_int8(found["peaks"]))
        self._outlines.put(shelf.finder.library, item["content"], made)
        return made

    def look(self, upload: Upload) -> schemas.UploadOut:
        """Length, kind, tempo and peaks of an upload. Raises AudioError where it cannot be decoded; it is forgotten then."""
        try:
            found = self.ask(Look(upload.path, PEAKS, upload.name), upload.name)
        except SoundalikeError:
            self.uploads.forget(upload)
            raise
        return schemas.UploadOut(id=upload.id, name=upload.name, **{**found, "peaks": found["peaks"].round(3).tolist()})

    def stem(self, path: Path, name: str, part: str, start: float, end: float | None) -> bytes:
        """A stem of a file, known to people as `name`, as WAV. Raises InputError for a part that the library has not."""
        self._shelf.finder.check_parts([part])
        return bytes(self.ask(Stem(path, part, start, end), name))

    def search(self, asked: schemas.Search) -> dict[str, Any]:
        """Hits, and candidates if asked for, as of `schemas.SearchResultOut`. Raises as `Finder.similar`."""
        shelf = self._shelf
        favourites = self.favourites.ids()
        plan = self._plan(shelf, asked)
        with self._searching:
            found = shelf.finder.answer(plan)
            sent = candidates(shelf.finder, plan, asked.candidates) if asked.candidates else None
        query = plan.query
        items = shelf.items(hit.id for hit in found.hits)
        folded = _folded(shelf, items)
        if sent is not None:
            sent = _without(sent, {items[place]["id"] for places in folded.values() for place in places})
        return {
            "hits": self._hits(shelf, found.hits, items, folded, favourites),
            "weights": found.weights,
            "effective": found.effective,
            "weighting": found.weighting,
            "silent": found.silent,
            "same": len(found.same),
            "searched": found.searched,
            "share": found.share,
            "kinds": found.kinds,
            "label": query.label,
            "windows": list(zip(query.starts.tolist(), query.ends.tolist(), strict=True)),
            "candidates": None if sent is None else _candidates(shelf, sent, favourites),
        }

    def _plan(self, shelf: Shelf, asked: schemas.Search) -> SearchPlan:
        references = [one for one in (asked.upload, asked.item, asked.text) if one is not None]
        if len(references) != 1:
            raise InputError("give one of upload, item and text")
        request = SearchRequest.of(
            None if asked.text is not None else self.query_of(shelf, asked.upload, asked.item, asked.region, asked.few),
            text=asked.text,
            weights=asked.weights,
            profile=self._profile(asked.profile),
            part=asked.part,
            filters=_filters(asked.filters),
            raw=asked.raw,
            n=asked.n,
        )
        plan = shelf.finder.plan(request)
        return self._favourites_of(shelf, plan) if asked.filters.favourite else plan

    def _favourites_of(self, shelf: Shelf, plan: SearchPlan) -> SearchPlan:
        """The plan, of favourites alone."""
        return replace(plan, admitted=plan.admitted & shelf.only(self.favourites.ids()))

    def profiles(self) -> schemas.ProfilesOut:
        """Learnt weights that fit the library's models."""
        found, unusable = profiles_of(self._library)
        names = schemas.ProfileOut.model_fields
        return schemas.ProfilesOut(
            profiles=[
                schemas.ProfileOut(**{name: getattr(profile, name) for name in names})
                for profile in found
                if self._fits(self._shelf, profile)
            ],
            unusable=unusable,
        )

    def _fits(self, shelf: Shelf, profile: Profile) -> bool:
        recipe = shelf.finder.library.recipe
        return (profile.encoder, profile.separator) == (recipe.encoder, recipe.separator)

    def _profile(self, name: str | None) -> Profile | None:
        """The profile with this name. Raises InputError where there is none: a name must not reach for files here."""
        if name is None:
            return None
        found, _ = profiles_of(self._library)
        for profile in found:
            if profile.name == name:
                return profile
        raise InputError(f"no profile {name[:80]!r}; there are {', '.join(profile.name for profile in found)}")

    def query_of(
        self,
        shelf: Shelf,
        upload: str | None,
        item: str | None,
        region: tuple[float, float | None] | None,
        few: int | None = None,
    ) -> Query:
        """The query of an upload or else an item with all parts, made once. Raises InputError where there is no such thing,
        AudioError where it cannot be used."""
        few = few if region is None and upload is not None else None
        key = (shelf.state, upload, item, region, few)
        with self._lock:
            if key in self._queries:
                self._queries.move_to_end(key)
                return self._queries[key]
        if upload is not None:
            dropped = self.uploads.get(upload)
            query = self._made(MakeQuery(dropped.path, region, few), dropped.name)
        else:
            assert item is not None  # the caller has looked
            if region is None:
                query = query_from_item(shelf.finder.library, shelf.item(item))
            else:
                path = shelf.file_of(item)
                query = self._made(MakeQuery(path, region), path.name)
        with self._lock:
            self._queries[key] = query
            while len(self._queries) > QUERIES:
                self._queries.popitem(last=False)
        return query

    def _made(self, task: MakeQuery, name: str) -> Query:
        query = self.ask(task, name)
        assert isinstance(query, Query)
        return replace(query, label=query.label.replace(task.path.name, name))

    def ask(self, task: Task, name: str) -> Any:
        """The desk's answer; its errors name the file as people know it."""
        try:
            return self._desk.ask(task)
        except SoundalikeError as error:
            raise type(error)(str(error).replace(str(task.path), name).replace(task.path.name, name)) from None

    def _hits(
        self,
        shelf: Shelf,
        hits: Sequence[Hit],
        items: Sequence[Item],
        folded: Mapping[int, Sequence[int]],
        favourites: Collection[str],
    ) -> list[dict[str, Any]]:
        """Hits as of `schemas.HitOut`; folded: by the place of each that is shown, those that it stands for."""
        copies = {
            place: [*hits[place].copies, *(path for copy in others for path in (hits[copy].path, *hits[copy].copies))]
            for place, others in folded.items()
        }
        shown = [(hits[place], paths) for place, paths in copies.items()]
        return [
            {
                "item": item,
                "start": hit.start,
                "end": hit.end,
                "score": hit.score,
                "contributions": hit.contributions,
                "silent": hit.silent,
                "copies": len(paths),
                "copy_paths": paths,
                "deviations": hit.deviations,
                "above": hit.above,
            }
            for (hit, paths), item in zip(shown, shelf.out((items[n] for n in copies), favourites), strict=True)
        ]

    def items(self, text: str, filters: schemas.FilterFields, offset: int, limit: int) -> dict[str, Any]:
        """Items whose path, title or artist contains `text`, in the order of their paths; as of `schemas.ItemsPage`."""
        shelf, favourites = self._shelf, self.favourites.ids()
        found = shelf.matching(text, _filters(filters), favourites if filters.favourite else None)
        shown = shelf.catalogue.items(found[offset : offset + limit])
        return {"total": len(found), "items": shelf.out(shown, favourites)}

    def favourite_items(self) -> dict[str, Any]:
        """Favourites that the library has, in the order in which they were marked; as of `schemas.ItemsOut`."""
        shelf, favourites = self._shelf, self.favourites.ids()
        found = shelf.items(name for name in favourites if name in shelf)
        return {"items": shelf.out(found, favourites)}


def _folded(shelf: Shelf, items: Sequence[Item]) -> dict[int, list[int]]:
    """By the place of each hit that is no near-identical copy of a better one, in order: the places of its copies."""
    contents = pa.array([item["content"] for item in items], pa.string())
    first = list(range(len(items)))
    for table in TABLES:
        index = shelf.finder.indexes[table]
        of_table = index.rows.index_of(contents)
        places = np.flatnonzero(of_table >= 0)
        copies = first_copies(index, of_table[places]) if len(places) > 1 else []
        for place, copy in zip(places.tolist(), copies, strict=False):
            first[place] = int(places[copy])
    found: dict[int, list[int]] = {place: [] for place, of in enumerate(first) if place == of}
    for place, of in enumerate(first):
        if place != of:
            found[of].append(place)
    return found


def _without(sent: Candidates, unwanted: Collection[str]) -> Candidates:
    """Candidates without these items."""
    gone = [place for place, item in enumerate(sent.items) if item["id"] in unwanted]
    if not gone:
        return sent
    kept = ~np.isin(sent.of_item, gone)
    number = np.cumsum(~np.isin(np.arange(len(sent.items)), gone)) - 1
    return replace(
        sent,
        items=type(sent.items)(item for item in sent.items if item["id"] not in unwanted),
        of_item=number[sent.of_item[kept]],
        starts=sent.starts[kept],
        ends=sent.ends[kept],
        cosines=sent.cosines[kept],
    )


def _candidates(shelf: Shelf, sent: Candidates, favourites: Collection[str]) -> dict[str, Any]:
    """Candidates as of `schemas.CandidatesOut`."""
    starts, ends = sent.starts.round(3).tolist(), sent.ends.round(3).tolist()
    cosines = sent.cosines.astype(np.float64).round(5).tolist()
    return {
        "parts": sent.parts,
        "items": shelf.out(sent.items, favourites),
        "rows": list(zip(sent.of_item.tolist(), starts, ends, cosines, strict=True)),
    }


def _filters(asked: schemas.FilterFields) -> Filters:
    tempo = None if asked.tempo is None else (asked.tempo[0] or 0.0, MANY if asked.tempo[1] is None else asked.tempo[1])
    return make_filters(
        kinds=tuple(asked.kinds),
        durations=asked.duration or (None, None),
        tempo=tempo,
        key=asked.key or None,
        paths=(asked.path,) if asked.path else (),
    )


def _search_of(library: Library, index: VectorIndex) -> schemas.SearchOut:
    """How a table is searched, as far as that is known without measuring."""
    found = None if index.exact else stored_recall(library, index)
    return schemas.SearchOut(
        by=index.method,
        rows=len(index.rows),
        recall=None if found is None else dict(found.by_weights),
        worst=None if found is None else found.worst[1],
    )
