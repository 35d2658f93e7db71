"""Audio and waveforms of items and uploads: WAV files, stems, peaks and overviews."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from cachetools import LRUCache

from soundalike.audio.waveform_overview import OVERVIEW_POINTS, overview_to_int8
from soundalike.errors import AudioError, InputError, SoundalikeError
from soundalike.web import schemas
from soundalike.web.services.library_snapshot import Item, LibrarySnapshot
from soundalike.web.services.media_tasks import MAX_STEM_SECONDS, ExtractStem, Summarise, WriteWav
from soundalike.web.services.media_workers import BusyError
from soundalike.web.services.overview_store import Overview, OverviewStore
from soundalike.web.services.served_library import ServedLibrary
from soundalike.web.services.uploads import MAX_KEPT, Upload, Uploads
from soundalike.web.services.wav_cache import WavCache

MEDIA_TYPES = {
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".m4a": "audio/mp4",
    ".mp4": "audio/mp4",
    ".aac": "audio/aac",
}
"""Formats that browsers can play, by suffix; they are sent unchanged, all others as WAV."""

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
        self._descriptions: LRUCache[str, schemas.UploadOut] = LRUCache(MAX_KEPT)
        self._lock = threading.Lock()

    def wav(self, path: Path) -> Path:
        """A file as WAV, cached."""
        return self._wavs.get(path, lambda out: self._library.run_task(WriteWav(path, out), path.name))

    def excerpt(self, path: Path, name: str, start: float, end: float | None) -> bytes:
        """A range of seconds of a file, as WAV with the file's channels. Raises InputError if it is outside the file or long."""
        end = start + MAX_STEM_SECONDS if end is None else end
        if not start < end <= start + MAX_STEM_SECONDS:
            raise InputError(
                f"{start:g} s to {end:g} s is not an excerpt; give a later end, at most {MAX_STEM_SECONDS:.0f} s later"
            )
        with tempfile.TemporaryDirectory(dir=self._uploads.folder) as folder:
            out = Path(folder) / "excerpt.wav"
            self._library.run_task(WriteWav(path, out, start, end), name)
            if not out.exists():
                raise InputError(f"{name} ends before {start:g} s")
            return out.read_bytes()

    def stem(self, path: Path, name: str, part: str, start: float, end: float | None) -> bytes:
        """A stem of a file, called `name` in messages, as WAV. Raises InputError for a part that the library does not have."""
        self._library.snapshot.finder.check_parts([part])
        return bytes(self._library.run_task(ExtractStem(path, part, start, end), name))

    def upload_stem(self, upload_id: str, part: str, start: float, end: float | None) -> bytes:
        """A stem of an upload, as WAV. Raises InputError if there is no such upload or part."""
        upload = self._uploads.get(upload_id)
        return self.stem(upload.path, upload.name, part, start, end)

    def playable(self, path: Path) -> Path:
        """A file in a format that browsers can play: itself, or a cached WAV."""
        return path if path.suffix.lower() in MEDIA_TYPES else self.wav(path)

    def fine_overview(self, path: Path, name: str, points: int) -> schemas.OverviewOut:
        """A waveform overview of a file with many points, for a picture that can be enlarged."""
        summary = self._library.run_task(Summarise(path, points), name)
        low, high = overview_to_int8(summary["peaks"])
        return schemas.OverviewOut(duration=summary["duration"], low=low.tolist(), high=high.tolist())

    def describe_upload(self, upload: Upload) -> schemas.UploadOut:
        """Duration, kind, tempo, key and peaks of an upload, cached. Raises AudioError if it cannot be decoded; it is deleted
        then."""
        with self._lock:
            known = self._descriptions.get(upload.id)
        if known is None:
            known = self._describe(upload)
            with self._lock:
                self._descriptions[upload.id] = known
        return known

    def _describe(self, upload: Upload) -> schemas.UploadOut:
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
