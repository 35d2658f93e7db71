"""What the server's worker processes do with a file: summarise it, make a query of it, extract a stem, convert it to WAV.

Tasks are sent to `media_workers`; everything else here runs inside a worker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundalike.config import TemporaryFolder
from soundalike.errors import AudioError, InputError, SoundalikeError

if TYPE_CHECKING:
    from soundalike.analysis.analyser import Analyser
    from soundalike.analysis.recipe import Recipe
    from soundalike.analysis.segments import Segment
    from soundalike.audio.waveform import Waveform
    from soundalike.config import Runtime

MAX_SECONDS = 3 * 3600.0
"""Of audio that a file may contain: a small file may decode to days."""

MAX_STEM_SECONDS = 900.0
"""Of a stem that is sent at once."""

MAX_WAV_BYTES = 1 << 30
"""Of a file that is sent as WAV."""

SEGMENT_VALUES = 1 << 26
SEGMENT_SECONDS = 1_800.0
"""Samples times channels (256 MB) and seconds that are decoded at once."""


@dataclass(frozen=True)
class Summarise:
    """Duration (s), sample rate (Hz), channels, loudness (LUFS) and overview (peaks, 2) of a file; if `name`, the name that
    people know it by, is given, also its kind, tempo (BPM) and key with their sources."""

    path: Path
    peaks: int
    name: str | None = None


@dataclass(frozen=True)
class MakeQuery:
    """The query of a file, or of a region of it, with all parts. few: use only so many representative windows, for a quick
    first result; kind: what the file is, instead of an estimate."""

    path: Path
    region: tuple[float, float | None] | None
    few: int | None = None
    kind: str | None = None


@dataclass(frozen=True)
class FindOnsets:
    """The onsets in a part of a file (or of a region of it) in groups of similar ones: arrays by name, with starts, ends (N,)
    in s of the file, vectors (N, D), and group (N,), the number of each onset's group, the largest group first."""

    path: Path
    part: str
    region: tuple[float, float | None] | None = None


@dataclass(frozen=True)
class ExtractStem:
    """A stem, or the mix, of a range of seconds of a file, as a WAV file in memory."""

    path: Path
    part: str
    start: float
    end: float | None


@dataclass(frozen=True)
class WriteWav:
    """Write a file, or a range of its seconds, to `out` as 16-bit WAV, for browsers that cannot decode its format."""

    path: Path
    out: Path
    start: float = 0.0
    end: float | None = None


@dataclass(frozen=True)
class WarmUp:
    """Import what a summary needs; for queries load the models too. All of it is tried on a moment of noise."""

    queries: bool


Task = Summarise | MakeQuery | FindOnsets | ExtractStem | WriteWav


def make_worker(recipe: Recipe, runtime: Runtime, max_bytes: int | None) -> Callable[[Any], Any]:
    """Inside a worker process: the function that carries out tasks. Models are loaded for the first query.

    max_bytes: the memory that the process may take; None: all.
    """
    from soundalike.analysis.analyser import Analyser

    limit_memory(max_bytes)
    analyser = Analyser(recipe, runtime)

    def work(task: Any) -> Any:
        if isinstance(task, Summarise):
            return summarise(task)
        if isinstance(task, MakeQuery):
            return _make_query(analyser, task)
        if isinstance(task, FindOnsets):
            return _find_onsets(analyser, task)
        if isinstance(task, ExtractStem):
            start, end = stem_range(task)
            stems, rate = analyser.stems(task.path, start, end, parts=[task.part])
            return _wav_bytes(stems[task.part][None], rate)
        if isinstance(task, WriteWav):
            return write_wav(task)
        if isinstance(task, WarmUp):
            return _warm_up(analyser if task.queries else None)
        raise SoundalikeError(f"no such task: {task!r}")

    return work


def limit_memory(max_bytes: int | None) -> None:
    """Limit the memory of this process, so that a file that decodes to more raises MemoryError."""
    if max_bytes is None:
        return
    try:
        import resource
    except ImportError:  # Windows
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or hard > max_bytes:
        resource.setrlimit(resource.RLIMIT_DATA, (max_bytes, hard))


def _warm_up(analyser: Analyser | None) -> None:
    """Summarise a file of noise and, with an analyser, make a query of it, so that everything is imported, loaded and
    compiled. Raises as `Analyser.load`."""
    import numpy as np
    import soundfile

    with TemporaryFolder() as folder:
        path = folder / "noise.wav"
        soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal((3 * 44_100, 2)).clip(-3, 3), 44_100)
        summarise(Summarise(path, 10, path.name))
        if analyser is not None:
            analyser.load()
            _make_query(analyser, MakeQuery(path, (1.0, 1.5)))


def _make_query(analyser: Analyser, task: MakeQuery) -> Any:
    from soundalike.analysis.window_selection import selection_version
    from soundalike.search.query import query_from_file

    if task.few is not None:
        recipe = replace(analyser.recipe, windows=task.few, windows_version=selection_version())
        analyser = analyser.with_recipe(recipe)
    return query_from_file(analyser, task.path, region=task.region, kind=None if task.region else task.kind)


def _find_onsets(analyser: Analyser, task: FindOnsets) -> dict[str, Any]:
    import numpy as np

    from soundalike.analysis.onset_groups import group_onsets

    start, end = task.region or (0.0, None)
    stems, rate = analyser.stems(task.path, start, end, parts=[task.part])
    groups = group_onsets(analyser, stems[task.part], rate)
    return {
        "group": np.repeat(np.arange(len(groups)), [len(group.starts) for group in groups]),
        "starts": start + np.concatenate([group.starts for group in groups]),
        "ends": start + np.concatenate([group.ends for group in groups]),
        "vectors": np.concatenate([group.vectors for group in groups]),
    }


def segments_of(path: Path, start: float = 0.0, end: float | None = None) -> Iterator[Segment]:
    """The segments of a file from `start` to `end`.

    Raises AudioError for a file that is longer than `MAX_SECONDS`, whatever its header states.
    """
    from soundalike.analysis.segments import read_segments

    for segment in read_segments(path, start, end, seconds=SEGMENT_SECONDS, values=SEGMENT_VALUES):
        yield segment
        if segment.end - start > MAX_SECONDS:
            raise AudioError(
                f"{path.name} is longer than {MAX_SECONDS / 3600:.0f} hours; use an excerpt, or add it to the library"
            )


def summarise(task: Summarise) -> dict[str, Any]:
    """The values of `Summarise`, by name."""
    from soundalike.audio.audio_summary import AudioSummary

    summary = AudioSummary(task.peaks)
    facts: dict[str, Any] = {}
    for segment in segments_of(task.path):
        if not summary.duration and task.name is not None:
            facts = _kind_and_facts(task.path, task.name, segment.waveform)
        summary.add(segment.waveform, segment.offset)
    return {
        "duration": summary.duration,
        "sample_rate": segment.waveform.sample_rate,
        "channels": segment.waveform.channels,
        "loudness": summary.loudness(),
        "peaks": summary.overview(),
        **facts,
    }


def _kind_and_facts(path: Path, name: str, first: Waveform) -> dict[str, Any]:
    """Kind, tempo and key as indexing determines them. first: the file's first segment."""
    from soundalike.analysis.kinds import detect_kind
    from soundalike.analysis.preparation import MIN_KEY_CONFIDENCE, confident_tempo
    from soundalike.analysis.segments import SEGMENT_SECONDS
    from soundalike.audio import decode
    from soundalike.audio.metadata import facts
    from soundalike.audio.metadata.tags import read_tags

    info, tags = decode.probe(path), read_tags(path)
    kind = detect_kind(info.duration, first, tags, Path(name).stem)
    mono = first.mono()[: round(SEGMENT_SECONDS * first.sample_rate)]
    tempo, key = facts.resolve_facts(tags, Path(name).stem)
    if tempo is None:
        estimate = confident_tempo(mono, first.sample_rate, kind, first.duration)
        tempo, _ = facts.resolve_facts(tags, "", (estimate, None))
    if key is None:
        estimate = facts.estimate_key(mono, first.sample_rate)
        known = estimate if estimate.confidence >= MIN_KEY_CONFIDENCE else None
        _, key = facts.resolve_facts(tags, "", (None, known))
    return {
        "kind": kind,
        "tempo": None if tempo is None else tempo.value,
        "tempo_source": None if tempo is None else tempo.source,
        "key": None if key is None else key.value,
        "key_source": None if key is None else key.source,
    }


def stem_range(task: ExtractStem) -> tuple[float, float]:
    """Start and end (s) of a stem. Raises InputError if they are outside the file, or too far apart."""
    from soundalike.audio import decode

    duration = decode.probe(task.path).duration
    end = duration if task.end is None else min(task.end, duration)
    if not task.start < end:
        raise InputError(f"{task.path.name} lasts {duration:.2f} s; {task.start:g} s to {end:g} s is not inside it")
    if end - task.start > MAX_STEM_SECONDS:
        raise InputError(
            f"{end - task.start:.0f} s of a stem were requested, but at most {MAX_STEM_SECONDS:.0f} s are sent at once: give "
            "start and end"
        )
    return task.start, end


def write_wav(task: WriteWav) -> None:
    """Carry out a `WriteWav`. Raises AudioError if the WAV file would be too large."""
    import numpy as np
    import soundfile

    out: soundfile.SoundFile | None = None
    try:
        for segment in segments_of(task.path, task.start, task.end):
            audio = segment.waveform
            if out is None:
                out = soundfile.SoundFile(
                    task.out, "w", audio.sample_rate, audio.channels, format="WAV", subtype="PCM_16"
                )
            if (out.frames + audio.samples.shape[1]) * audio.channels * 2 > MAX_WAV_BYTES:
                raise AudioError(f"{task.path.name} is too long to be sent as WAV; use an excerpt")
            out.write(np.clip(audio.samples, -1, 1).T)
    finally:
        if out is not None:
            out.close()


def _wav_bytes(samples: Any, rate: int) -> bytes:
    """samples: (channels, N)."""
    import io

    import numpy as np
    import soundfile

    out = io.BytesIO()
    soundfile.write(out, np.clip(samples, -1, 1).T, rate, format="WAV", subtype="PCM_16")
    return out.getvalue()
