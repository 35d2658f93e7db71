"""What training needs to know about each track before it draws from it: tempo, and the level of each part over time.

The results are appended to a file track by track, so that an interrupted scan resumes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike.audio import decode
from soundalike.audio.level import rms_level
from soundalike.audio.metadata.tempo import estimate_tempo
from soundalike.config import replace_file
from soundalike.errors import AudioError, InputError
from soundalike.parts import MIX
from soundalike.research.datasets.slakh import SLAKH_PARTS, ClipCut, Slakh

STEP = 0.5
"""Seconds that each level is measured over."""

_FORMAT = 1
_PIECE = 60.0
"""Seconds that are decoded at a time."""
_TEMPO_SECONDS = 90.0

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class TrackFacts:
    """A track's length (s), tempo (BPM, None if there is no pulse), and the power (steps,) of `mix` and of its parts, each over
    STEP seconds. A part that the track lacks is missing."""

    track: str
    seconds: float
    tempo: float | None
    powers: Mapping[str, Float64]

    def level(self, part: str, start: float, seconds: float) -> float:
        """The level (dB of full scale) of a part from `start` on for `seconds`; -inf if it is silent or missing."""
        if part not in self.powers:
            return -math.inf
        first, last = math.floor(start / STEP), math.ceil((start + seconds) / STEP)
        power = float(self.powers[part][first:last].mean()) if last > first else 0.0
        return 10 * math.log10(power) if power > 0 else -math.inf


def scan_tracks(
    slakh: Slakh, file: Path, on_progress: Callable[[int, int], None] = lambda done, total: None
) -> tuple[tuple[TrackFacts, ...], dict[str, str]]:
    """The facts of all tracks of `slakh`, and the unusable tracks with the reason; what is in `file` is not measured again.

    Raises InputError if no track is usable or there is none, OSError if `file` cannot be written.
    """
    known = _read(file, slakh.root)
    file.parent.mkdir(parents=True, exist_ok=True)
    header = {"format": _FORMAT, "slakh": str(slakh.root.resolve())}
    records = [header, *map(_to_json, known.values())]
    replace_file(file, "".join(json.dumps(record) + "\n" for record in records))  # without a line that was interrupted
    problems = slakh.missing(slakh.tracks)
    found = []
    with file.open("a", encoding="utf-8") as lines:
        for done, track in enumerate(slakh.tracks, 1):
            if track not in problems and track not in known:
                try:
                    facts = scan_track(slakh, track)
                except AudioError as error:
                    problems[track] = str(error)
                else:
                    known[track] = facts
                    lines.write(json.dumps(_to_json(facts)) + "\n")
                    lines.flush()
            if track in known and track not in problems:
                found.append(known[track])
            on_progress(done, len(slakh.tracks))
    if not found:
        raise InputError(f"{slakh.root} has no usable track: {next(iter(problems.values()))}")
    return tuple(found), problems


def scan_track(slakh: Slakh, track: str) -> TrackFacts:
    """The facts of one track. Raises AudioError if it cannot be decoded or a stem is missing."""
    info = decode.probe(slakh.mixture(track))
    powers: dict[str, list[float]] = {}
    for clip in _pieces(track, info.frames, info.sample_rate):
        for part in (MIX, *SLAKH_PARTS):
            waveform = slakh.cut_mixture(clip) if part == MIX else slakh.cut_stem(clip, part)
            if waveform is not None:
                powers.setdefault(part, []).extend(_powers(waveform.mono(), waveform.sample_rate))
    middle = max(0.0, (info.duration - _TEMPO_SECONDS) / 2)
    excerpt = decode.read(slakh.mixture(track), middle, _TEMPO_SECONDS)
    tempo = estimate_tempo(excerpt.mono(), excerpt.sample_rate).value
    return TrackFacts(
        track,
        info.duration,
        None if tempo is None else float(tempo),
        {part: np.array(values) for part, values in powers.items()},
    )


def _pieces(track: str, frames: int, rate: int) -> Iterator[ClipCut]:
    size = round(_PIECE * rate)
    for start in range(0, frames, size):
        yield ClipCut(track, start, min(start + size, frames), rate)


def _powers(samples: NDArray[np.float32], rate: int) -> list[float]:
    size = round(STEP * rate)
    levels = [rms_level(samples[start : start + size]) for start in range(0, len(samples), size)]
    return [float(f"{10 ** (level / 10):.4g}") if math.isfinite(level) else 0.0 for level in levels]


def _to_json(facts: TrackFacts) -> dict[str, Any]:
    powers = {part: values.tolist() for part, values in facts.powers.items()}
    return {"track": facts.track, "seconds": facts.seconds, "tempo": facts.tempo, "powers": powers}


def _read(file: Path, root: Path) -> dict[str, TrackFacts]:
    """The facts in a file of the same dataset; none if there is no such file, or it is of another one."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
        header = json.loads(lines[0])
        if header != {"format": _FORMAT, "slakh": str(root.resolve())}:
            return {}
    except (OSError, ValueError, IndexError):
        return {}
    found = {}
    for values in _records(lines[1:]):
        powers = {part: np.array(power, dtype=float) for part, power in values["powers"].items()}
        found[values["track"]] = TrackFacts(values["track"], values["seconds"], values["tempo"], powers)
    return found


def _records(lines: Sequence[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            yield json.loads(line)
        except ValueError:  # the last line of a run that was interrupted
            return
