"""Audio and waveforms of items and uploads: WAV files, stems, peaks and overviews."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

from cachetools import LRUCache

from soundalike.audio.waveform_overview import OVERVIEW_POINTS, overview_to_int8
from soundalike.errors import AudioError, SoundalikeError
from soundalike.web import schemas
from soundalike.web.services.library_snapshot import Item, LibrarySnapshot
from soundalike.web.services.media_tasks import ExtractStem, Summarise, WriteWav
from soundalike.web.services.media_workers import BusyError
from soundalike.web.services.overview_store import Overview, OverviewStore
from soundalike.web.services.served_library import ServedLibrary
from soundalike.web.services.uploads import Upload, Uploads
from soundalike.web.services.wav_cache import WavCache

PEAKS = 1_200
MAX_CACHED_PEAKS = 500

OVERVIEW_SECONDS = 3.0
"""How long one request may compute overviews that the library does not have; the next request continues."""


class Media:
    """Audio and waveform overviews of items and uploads. Thread-safe; the library's workers read the files."""

    def __init__(self, library: ServedLibrary, uploads: Uploads) -> None:
        self._library = library
        self._uploads = uploads
        self._wavs = WavCache(uploads)
        self._overviews = OverviewStore()
        self._peaks: LRUCache[str, schemas.PeaksOut] = LRUCache(MAX_CACHED_PEAKS)
        self._lock = threading.Lock()

    def wav(self, path: Path) -> Path:
        """A file as WAV, cached."""
        return self._wavs.get(path, lambda out: self._library.run_task(WriteWav(path, out), path.name))

    def stem(self, path: Path, name: str, part: str, start: float, end: float | None) -> bytes:
        """A stem of a file, called `name` in messages, as WAV. Raises InputError for a part that the library does not have."""
        self._library.snapshot.finder.check_parts([part])
        return bytes(self._library.run_task(ExtractStem(path, part, start, end), name))

    def upload_stem(self, upload_id: str, part: str, start: float, end: float | None) -> bytes:
        """A stem of an upload, as WAV. Raises InputError if there is no such upload or part."""
        upload = self._uploads.get(upload_id)
        return self.stem(upload.path, upload.name, part, start, end)

    def describe_upload(self, upload: Upload) -> schemas.UploadOut:
        """Duration, kind, tempo and peaks of an upload. Raises AudioError if it cannot be decoded; it is deleted then."""
        try:
            summary = self._library.run_task(Summarise(upload.path, PEAKS, upload.name), upload.name)
        except SoundalikeError:
            self._uploads.forget(upload)
            raise
        peaks = summary.pop("peaks").round(3).tolist()
        return schemas.UploadOut(id=upload.id, name=upload.name, peaks=peaks, **summary)

    def peaks(self, item_id: str) -> schemas.PeaksOut:
        """Many peaks of an item's waveform, cached."""
        snapshot = self._library.snapshot
        content = snapshot.item(item_id)["content"]
        with self._lock:
            if content in self._peaks:
                return self._peaks[content]
        path = snapshot.file_of(item_id)
        summary = self._library.run_task(Summarise(path, PEAKS), path.name)
        peaks = schemas.PeaksOut(duration=summary["duration"], peaks=summary["peaks"].round(3).tolist())
        with self._lock:
            self._peaks[content] = peaks
        return peaks

    def overviews(self, item_ids: Sequence[str]) -> schemas.PeaksOfItems:
        """Waveform overviews of items. Raises InputError for an item that does not exist."""
        snapshot = self._library.snapshot
        items = snapshot.items(dict.fromkeys(item_ids))
        known = self._overviews.get(snapshot.library, list(dict.fromkeys(item["content"] for item in items)))
        deadline = time.monotonic() + OVERVIEW_SECONDS
        for item in items:
            if item["content"] not in known and time.monotonic() < deadline:
                overview = self._compute_overview(snapshot, item)
                if overview is not None:
                    known[item["content"]] = overview
        return schemas.PeaksOfItems(
            peaks={item["id"]: schemas.OverviewOut.of(known.get(item["content"])) for item in items}
        )

    def _compute_overview(self, snapshot: LibrarySnapshot, item: Item) -> Overview | None:
        """The overview of an item, stored beside the library; None if its file cannot be read now."""
        try:
            summary = self._library.run_task(Summarise(snapshot.file_of(item["id"]), OVERVIEW_POINTS), item["path"])
        except (AudioError, BusyError):
            return None
        overview = (summary["duration"], *overview_to_int8(summary["peaks"]))
        self._overviews.put(snapshot.library, item["content"], overview)
        return overview
