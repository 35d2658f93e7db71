"""Where files are decoded and analysed for the server: worker processes, which may die of one without ending the server.

Light tasks (length, outline, WAV) have a worker of their own, so that none of them waits for a query. Every task has a time
that goes by its file's size, and whoever would wait too long for a free worker is told that the server is busy.

Workers that are asked to get ready do it while nobody waits: what comes first finds processes that are up, and models loaded.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundalike.analysis.recipe import is_heavy
from soundalike.errors import AudioError, InputError, SoundalikeError
from soundalike.jobs.worker_pool import (
    PoolClosedError,
    WorkerLimits,
    WorkerLostError,
    WorkerPool,
    WorkerStartError,
)

if TYPE_CHECKING:
    from soundalike.analysis.analyser import Analyser
    from soundalike.analysis.recipe import Recipe
    from soundalike.analysis.segments import Segment
    from soundalike.audio.waveform import Waveform
    from soundalike.config import Runtime

SECONDS = 30.0
BYTES_PER_SECOND = 1_000_000
"""A task may take so long, and a second more for each so many bytes of its file."""

PATIENCE = 10.0
"""By how much more with neural models, which are slower than the built-in ones by more than that."""

WAIT = 60.0
"""Seconds that a task may wait for a free worker."""

MOST_WAITING = 24
"""Tasks that may wait for a worker; each holds a thread of the server, which has 40."""

LONGEST = 3 * 3600.0
"""Seconds of audio that a file may hold: a small file may decode to days."""

LONGEST_STEM = 900.0
"""Seconds of a stem that are sent at once."""

MOST_WAV_BYTES = 1 << 30
"""Of a file that is sent as WAV."""

PIECE_VALUES = 1 << 26
PIECE_SECONDS = 1_800.0
"""Samples times channels (256 MB) and seconds that are decoded at once."""

LIGHT_BYTES, HEAVY_BYTES = 2 << 30, 6 << 30
"""Memory that a worker may take, where the system can bound it; one with neural models may take all."""

log = logging.getLogger("soundalike.web")


class BusyError(SoundalikeError):
    """There is more to do than can be done now."""


@dataclass(frozen=True)
class Look:
    """Length (s), rate (Hz), channels, loudness (LUFS) and the outline (n, 2) of a file; kind and tempo (BPM) too where `name`,
    what people call it, is given."""

    path: Path
    peaks: int
    name: str | None = None


@dataclass(frozen=True)
class MakeQuery:
    """The query of a file, or of a region of it, with all parts; few: of that many windows alone, those that represent the
    file best, so that the first answer is there soon."""

    path: Path
    region: tuple[float, float | None] | None
    few: int | None = None


@dataclass(frozen=True)
class Stem:
    """A stem, or the mix, of some seconds of a file, as a WAV file in memory."""

    path: Path
    part: str
    start: float
    end: float | None


@dataclass(frozen=True)
class AsWav:
    """A file, or some seconds of it, written to `out` as 16-bit WAV, for browsers that cannot decode its format."""

    path: Path
    out: Path
    start: float = 0.0
    end: float | None = None


Task = Look | MakeQuery | Stem | AsWav


@dataclass(frozen=True)
class GetReady:
    """Import what a look needs, and for queries load the models, all tried on a moment of noise."""

    queries: bool


class Desk:
    """Workers with the library's models, which load at the first query, or before it where they were told to `get_ready`."""

    def __init__(self, recipe: Recipe, runtime: Runtime) -> None:
        """Starts nothing: a worker comes up with its first task."""
        self._heavy = is_heavy(recipe)
        count = 1 if self._heavy else 2  # the built-in models are small and quick to load
        threads = runtime.cores if self._heavy else max(1, runtime.cores // count)
        make = partial(_make, recipe, runtime, None if self._heavy else HEAVY_BYTES)
        self._queries = BoundedPool(WorkerPool(make, count, threads=threads, tasks_per_worker=1))
        light = partial(_make, recipe, runtime, LIGHT_BYTES)
        self._looks = BoundedPool(WorkerPool(light, 1, tasks_per_worker=1))

    def ask(self, task: Task) -> Any:
        """What the task gives. Raises what it raised, AudioError where its file crashed the worker or took too long,
        BusyError where no worker gets free in time."""
        try:
            size = task.path.stat().st_size
        except OSError as error:
            raise AudioError(f"{task.path.name} cannot be read ({error.strerror})") from None
        light = isinstance(task, Look | AsWav)
        seconds = (SECONDS + size / BYTES_PER_SECOND) * (PATIENCE if self._heavy and not light else 1)
        try:
            future = (self._looks if light else self._queries).run(task, seconds)
        except PoolClosedError:
            raise BusyError("the server is ending") from None
        failure = future.exception()
        if failure is None:
            return future.result()
        if isinstance(failure, PoolClosedError):
            raise BusyError("the server is ending")
        if isinstance(failure, WorkerLostError):
            raise AudioError(f"{task.path.name}: the process that reads it {failure}; the file is left out")
        if isinstance(failure, SoundalikeError):
            raise failure
        if isinstance(failure, MemoryError):
            raise AudioError(f"{task.path.name}: needs more memory than one file may take; use a part of it")
        log.error("%s", type(task).__name__, exc_info=failure)
        raise AudioError(f"{task.path.name}: cannot be used (unexpected {type(failure).__name__})")

    def get_ready(self) -> None:
        """Start all free workers and have them load what they will need; returns at once.

        What goes wrong with that (weights that are not here, say) is told to whoever asks for what needs it.
        """
        seconds = WorkerLimits.start_seconds * (PATIENCE if self._heavy else 1)
        self._queries.warm_up(GetReady(queries=True), seconds)
        self._looks.warm_up(GetReady(queries=False), seconds)

    def pids(self) -> list[int]:
        """Process ids of the workers."""
        return [*self._queries.pids(), *self._looks.pids()]

    def close(self) -> None:
        """End the workers, with what they are doing."""
        self._queries.close()
        self._looks.close()


class BoundedPool:
    """A pool for whose workers a bounded number of tasks wait, each for a bounded time."""

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool
        self._places = threading.BoundedSemaphore(MOST_WAITING + pool.capacity)

    def run(self, task: Any, seconds: float) -> Future[Any]:
        """The future of a task, once it is done. Raises BusyError if no worker is free in time."""
        if not self._places.acquire(blocking=False):
            raise BusyError("many files are being read already; try again in a moment")
        try:
            future = self._pool.submit(task, seconds)
            wait([future], WAIT)
            if future.cancel():  # no worker has begun it
                raise BusyError(f"other files have kept the server busy for {WAIT:.0f} s; try again in a moment")
            wait([future])
            return future
        finally:
            self._places.release()

    def warm_up(self, task: Any, seconds: float) -> None:
        """Start the workers and have each that is idle do a task whose outcome nobody waits for."""
        try:
            self._pool.warm_up(task, seconds)
        except WorkerStartError as error:
            log.warning("%s", error)

    def pids(self) -> list[int]:
        """Process ids of the workers."""
        return self._pool.pids()

    def close(self) -> None:
        """End the workers, with what they are doing."""
        self._pool.close()


def _make(recipe: Recipe, runtime: Runtime, most_bytes: int | None) -> Callable[[Any], Any]:
    """Inside the worker: does tasks; models load when a query is first made."""
    from soundalike.analysis.analyser import Analyser

    _bound_memory(most_bytes)
    analyser = Analyser(recipe, runtime)

    def work(task: Any) -> Any:
        if isinstance(task, Look):
            return _look(task)
        if isinstance(task, MakeQuery):
            from soundalike.search.query import query_from_file

            return query_from_file(_with_few(analyser, task.few), task.path, region=task.region)
        if isinstance(task, Stem):
            start, end = _seconds_of(task)
            stems, rate = analyser.stems(task.path, start, end, parts=[task.part])
            return _wav(stems[task.part][None], rate)
        if isinstance(task, AsWav):
            return _write_wav(task)
        if isinstance(task, GetReady):
            return _try_out(analyser if task.queries else None)
        raise SoundalikeError(f"no such task: {task!r}")

    return work


def _try_out(analyser: Analyser | None) -> None:
    """Look at a file of noise, and with an analyser make a query of it: what is imported, read or compiled at its first use
    is then there. Raises as `Analyser.load`."""
    import tempfile

    import numpy as np
    import soundfile

    with tempfile.TemporaryDirectory(prefix="soundalike-") as folder:
        path = Path(folder) / "noise.wav"
        soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal((3 * 44_100, 2)).clip(-3, 3), 44_100)
        _look(Look(path, 10, path.name))
        if analyser is not None:
            from soundalike.search.query import query_from_file

            analyser.load()
            query_from_file(analyser, path, region=(1.0, 1.5))


def _bound_memory(most: int | None) -> None:
    """A file that decodes to more than that costs an error, not the machine."""
    if most is None:
        return
    try:
        import resource
    except ImportError:  # Windows
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or hard > most:
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


def _with_few(analyser: Analyser, few: int | None) -> Analyser:
    """The same models, which look at `few` windows of a song."""
    if few is None:
        return analyser
    from dataclasses import replace

    from soundalike.analysis.window_selection import selection_version

    return analyser.with_recipe(replace(analyser.recipe, windows=few, windows_version=selection_version()))


def segments_of(path: Path, start: float = 0.0, end: float | None = None) -> Iterator[Segment]:
    """The segments of a file from `start` to `end`.

    Raises AudioError for a file that goes on for longer than `LONGEST`, whatever its header claims.
    """
    from soundalike.analysis.segments import read_segments

    for segment in read_segments(path, start, end, seconds=PIECE_SECONDS, values=PIECE_VALUES):
        yield segment
        if segment.end - start > LONGEST:
            raise AudioError(f"{path.name} lasts longer than {LONGEST / 3600:.0f} hours; use a part of it, or index it")


def _look(task: Look) -> dict[str, Any]:
    from soundalike.audio.audio_summary import AudioSummary

    summary = AudioSummary(task.peaks)
    told: dict[str, Any] = {}
    for segment in segments_of(task.path):
        if not summary.duration and task.name is not None:
            told = _kind_and_tempo(task.path, task.name, segment.waveform)
        summary.add(segment.waveform, segment.offset)
    return {
        "duration": summary.duration,
        "sample_rate": segment.waveform.sample_rate,
        "channels": segment.waveform.channels,
        "loudness": summary.loudness(),
        "peaks": summary.overview(),
        **told,
    }


def _kind_and_tempo(path: Path, name: str, first: Waveform) -> dict[str, Any]:
    """As indexing would tell them, from a file's first piece."""
    from soundalike.analysis.kinds import detect_kind
    from soundalike.analysis.preparation import confident_tempo
    from soundalike.analysis.segments import SEGMENT_SECONDS
    from soundalike.audio import decode
    from soundalike.audio.metadata import facts
    from soundalike.audio.metadata.tags import read_tags

    info, tags = decode.probe(path), read_tags(path)
    kind = detect_kind(info.duration, first, tags)
    mono = first.mono()[: round(SEGMENT_SECONDS * first.sample_rate)]
    stated, _ = facts.resolve_facts(tags, Path(name).stem)
    if stated is None:
        stated, _ = facts.resolve_facts(
            tags, "", (confident_tempo(mono, first.sample_rate, kind, first.duration), None)
        )
    return {"kind": kind, "tempo": None if stated is None else stated.value}


def _seconds_of(task: Stem) -> tuple[float, float]:
    """The seconds of a stem. Raises InputError where the file has them not, or they are too many."""
    from soundalike.audio import decode

    duration = decode.probe(task.path).duration
    end = duration if task.end is None else min(task.end, duration)
    if not task.start < end:
        raise InputError(f"{task.path.name} lasts {duration:.2f} s; {task.start:g} s to {end:g} s is no part of it")
    if end - task.start > LONGEST_STEM:
        raise InputError(
            f"{end - task.start:.0f} s of a stem were asked for; {LONGEST_STEM:.0f} s can be sent at once: name start and end"
        )
    return task.start, end


def _write_wav(task: AsWav) -> None:
    import numpy as np
    import soundfile

    written: soundfile.SoundFile | None = None
    try:
        for segment in segments_of(task.path, task.start, task.end):
            piece = segment.waveform
            if written is None:
                written = soundfile.SoundFile(
                    task.out, "w", piece.sample_rate, piece.channels, format="WAV", subtype="PCM_16"
                )
            if (written.frames + piece.samples.shape[1]) * piece.channels * 2 > MOST_WAV_BYTES:
                raise AudioError(f"{task.path.name} is too long to be sent as WAV; use a part of it")
            written.write(np.clip(piece.samples, -1, 1).T)
    finally:
        if written is not None:
            written.close()


def _wav(samples: Any, rate: int) -> bytes:
    import io

    import numpy as np
    import soundfile

    out = io.BytesIO()
    soundfile.write(out, np.clip(samples, -1, 1).T, rate, format="WAV", subtype="PCM_16")
    return out.getvalue()
