"""What each reader reports about one file, from its bytes to what would be indexed: for bug reports.

Each section is computed by itself in a worker process, so that a reader that fails, crashes or hangs is named and the others
still report.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from soundalike.audio.file_part import part_of_address
from soundalike.errors import AudioError, InputError, SoundalikeError
from soundalike.jobs.worker_pool import WorkerLostError, WorkerPool

Section = dict[str, Any]
"""Facts by name, JSON-ready; `error` instead if the reader failed."""

_SEGMENT_SECONDS, _SEGMENT_VALUES = 600.0, 1 << 26  # decoded at once

SECONDS = 120.0
"""A section may take so long, and a second more for each megabyte."""


def diagnose(path: Path) -> dict[str, Section]:
    """The sections about the file at `path`, by name, in the order of `SECTIONS`, after `versions` and `file`.

    Raises InputError if there is no such file.
    """
    file = part_of_address(path).file
    if not file.is_file():
        raise InputError(f"{path}: no such file" if not file.exists() else f"{path}: not a file; give an audio file")
    report: dict[str, Section] = {"versions": versions(), "file": _file(file)}
    seconds = SECONDS + file.stat().st_size / 1e6
    with WorkerPool(_load, 1) as pool:
        for name in SECTIONS:
            future = pool.submit((name, path), seconds)
            error = future.exception()
            report[name] = _failed(error, path, name) if error is not None else future.result()
    report["indexing"].setdefault("warnings", []).extend(warnings(report))
    return report


def versions() -> Section:
    """The versions of the software that reads files."""
    import av
    import soundfile

    return {
        "libsndfile": soundfile.__libsndfile_version__,
        "libavformat": ".".join(map(str, av.library_versions["libavformat"])),
        "pyav": av.__version__,
        "system": platform.platform(),
    }


def warnings(report: dict[str, Section]) -> list[str]:
    """What is unusual about a file, one sentence each."""
    file, header, sound = report["file"], report["header"], report["sound"]
    indexing = report["indexing"]
    found = []
    if not file["suffix_known"] and file["suffix"] == ".cue":
        found.append("it is a cue sheet, which divides an audio file into tracks: run this command on that file")
    elif not file["suffix_known"]:
        found.append(f"a scan of its folder leaves it out: {file['suffix'] or 'no suffix'} is not known as audio")
    if file["readable"] is False:
        found.append("there is no permission to read it")
    stated, decoded = header.get("frames"), sound.get("frames")
    if stated and decoded and abs(stated - decoded) > 1:
        found.append(f"its header states {stated} frames, but {decoded} can be decoded")
    if header.get("corrected"):
        found.append("its container deviates from the standard and is corrected before decoding")
    if header.get("links", 1) > 1:
        found.append(f"it is a chain of {header['links']} streams, which are joined")
    if sound.get("channels_cancel"):
        found.append("its channels cancel; opposed ones are inverted before the mean is taken")
    if sound.get("offset_removed"):
        found.append("it has a DC offset, drift or rumble, which is removed before embedding")
    if (sound.get("peak_db") or -1.0) > 0.0:
        found.append(f"its samples exceed full scale by {sound['peak_db']:.1f} dB")
    loop = report["tags"].get("loop_chunk")
    kind = indexing.get("kind")
    if loop and loop["one_shot"] is not None and kind is not None and loop["one_shot"] != (kind == "one-shot"):
        marked = "a one-shot" if loop["one_shot"] else "a loop"
        found.append(f"its {loop['source']} chunk marks {marked}, but by its length or sound it is a {kind}")
    if indexing.get("stem_problem"):
        found.append(f"it has no stems for `--separator stems`: {indexing['stem_problem']}")
    tempo, named = indexing.get("tempo"), report["tags"].get("name_tempo")
    if named is not None and tempo and tempo["source"] != "name" and abs(tempo["value"] - named) > 1:
        found.append(f"its name states {named:g} BPM, but the source '{tempo['source']}' counts: {tempo['value']:g}")
    return found


def _load() -> Callable[[tuple[str, Path]], Section]:
    def compute(task: tuple[str, Path]) -> Section:
        name, path = task
        return SECTIONS[name](path)

    return compute


def _failed(error: BaseException, path: Path, name: str) -> Section:
    if isinstance(error, WorkerLostError):
        return {"error": f"the process that reads it {error}"}
    if isinstance(error, SoundalikeError | OSError | ValueError):
        return {"error": str(error).removeprefix(str(part_of_address(path).file)).lstrip(" :")}
    return {"error": f"unexpected {type(error).__name__} in {name}: {error}"}


def _file(file: Path) -> Section:
    from soundalike.audio.suffixes import AUDIO_SUFFIXES

    facts = file.stat()
    readable = os.access(file, os.R_OK)
    begin = b""
    if readable:
        with file.open("rb") as handle:
            begin = handle.read(16)
    suffix = file.suffix.lower()
    return {
        "path": str(file).encode("utf-8", "backslashreplace").decode(),
        "bytes": facts.st_size,
        "modified": datetime.fromtimestamp(facts.st_mtime, UTC).isoformat(timespec="seconds"),
        "suffix": suffix.encode("utf-8", "backslashreplace").decode(),
        "suffix_known": suffix in AUDIO_SUFFIXES,
        "readable": readable,
        "begins_with": "".join(chr(byte) if 32 <= byte < 127 else "." for byte in begin),
    }


def _libsndfile(path: Path) -> Section:
    from soundalike.audio import sndfile

    return sndfile.describe(part_of_address(path).file)


def _ffmpeg(path: Path) -> Section:
    from soundalike.audio import ffmpeg

    return ffmpeg.describe(part_of_address(path).file)


def _header(path: Path) -> Section:
    """What decoding takes from the headers."""
    from soundalike.audio import decode
    from soundalike.audio.byte_view import WHOLE_FILE
    from soundalike.audio.sources import sources

    info = decode.probe(path)
    parts = sources(part_of_address(path).file)
    return {
        "decoder": {"soundfile": "libsndfile", "pyav": "FFmpeg"}[info.decoder],
        "codec": info.codec,
        "frames": info.frames,
        "seconds": info.duration,
        "sample_rate": info.sample_rate,
        "channels": info.channels,
        "links": len(parts),
        "corrected": len(parts) == 1 and parts[0] != WHOLE_FILE,
    }


def _sound(path: Path) -> Section:
    """What the decoded samples are like."""
    import numpy as np

    from soundalike.analysis.segments import read_segments
    from soundalike.audio.audio_summary import AudioSummary
    from soundalike.audio.offset import remove_offset

    summary, frames, peak, power = AudioSummary(), 0, 0.0, 0.0
    cancel = moved = False
    sums: Any = 0.0
    for segment in read_segments(path, seconds=_SEGMENT_SECONDS, values=_SEGMENT_VALUES):
        samples = segment.waveform.samples
        summary.add(segment.waveform, segment.offset)
        frames += samples.shape[1]
        peak = max(peak, float(np.abs(samples).max()))
        power += float(np.einsum("ij,ij->", samples, samples, dtype=np.float64)) / len(samples)
        sums = sums + samples.sum(axis=1, dtype=np.float64)
        mean = samples.mean(axis=0, dtype=np.float32)
        cancel = cancel or (len(samples) > 1 and not np.array_equal(segment.waveform.mono(), mean))
        moved = moved or remove_offset(segment.waveform) is not segment.waveform
    return {
        "frames": frames,
        "seconds": summary.duration,
        "peak_db": _decibels(peak**2),
        "rms_db": _decibels(power / frames),
        "loudness_lufs": summary.loudness(),
        "mean": [round(float(value) / frames, 6) for value in sums],
        "offset_removed": moved,
        "channels_cancel": bool(cancel),
    }


def _decibels(power: float) -> float | None:
    import math

    return round(10 * math.log10(power), 2) if power > 0 else None


def _tags(path: Path) -> Section:
    from soundalike.audio.metadata.filename_metadata import metadata_from_filename
    from soundalike.audio.metadata.tags import read_tags

    tags = asdict(read_tags(path))
    loop = tags.pop("loop")
    tempo, key = metadata_from_filename(path.stem)
    return {**tags, "loop_chunk": loop, "name_tempo": tempo, "name_key": key}


def _indexing(path: Path) -> Section:
    """What an index run with the built-in models would store."""
    from soundalike.analysis.analyser import Analyser
    from soundalike.analysis.recipe import make_recipe
    from soundalike.audio.metadata.facts import resolve_facts

    analysis = Analyser(make_recipe(parts=("mix",))).analyse(path)
    estimates = (analysis.tempo, analysis.key)
    tempo, key = resolve_facts(analysis.tags, path.stem, estimates, is_loop=analysis.kind == "loop")
    return {
        "kind": analysis.kind,
        "seconds": analysis.duration,
        "windows": len(analysis.starts),
        "tempo": None if tempo is None else asdict(tempo),
        "key": None if key is None else asdict(key),
        "estimated_tempo": asdict(analysis.tempo),
        "estimated_key": asdict(analysis.key),
        **_divided(path),
    }


def _divided(path: Path) -> Section:
    """The tracks or stems that the file is divided into."""
    from soundalike.audio.suffixes import AUDIO_SUFFIXES
    from soundalike.library.indexing.cue_tracks import tracks_of
    from soundalike.models.separators.stems.stem_container import contained_stems, is_stem_container

    result: Section = {"tracks": [], "stems": {}, "stem_problem": None}
    if part_of_address(path).is_excerpt:
        return result
    result["tracks"] = [asdict(track) for track in tracks_of(path, AUDIO_SUFFIXES)]
    if is_stem_container(path.name):
        try:
            result["stems"] = {part: [file.name for file in files] for part, files in contained_stems(path).items()}
        except AudioError as error:  # the mixture is indexed nevertheless
            result["stem_problem"] = str(error).removeprefix(str(path)).lstrip(" :")
    return result


SECTIONS: dict[str, Callable[[Path], Section]] = {
    "libsndfile": _libsndfile,
    "ffmpeg": _ffmpeg,
    "header": _header,
    "sound": _sound,
    "tags": _tags,
    "indexing": _indexing,
}
"""The sections by name, in their order; each raises what its reader raises."""
