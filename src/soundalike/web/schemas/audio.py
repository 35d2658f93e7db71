"""What is read from the audio of uploads and items: facts, onsets, waveforms."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from soundalike.web.schemas.fields import Kind
from soundalike.web.schemas.items import ItemOut


class UploadOut(BaseModel):
    """An upload. peaks: lowest and highest sample of equal intervals; loudness in LUFS, null for silence; kind, tempo (BPM, null
    if unknown) and key: what indexing would determine."""

    id: str
    name: str
    duration: float
    sample_rate: int
    channels: int
    loudness: float | None
    kind: Kind
    tempo: float | None
    tempo_source: str | None
    key: str | None
    key_source: str | None
    peaks: list[tuple[float, float]]


class OnsetGroupOut(BaseModel):
    """Similar onsets, the loudest first: starts, ends in s of the file. near: the one-shots that are most similar to them;
    sound_class: on which the named ones agree, with their share of the vote in class_share; null if they do not."""

    starts: list[float]
    ends: list[float]
    near: list[ItemOut]
    sound_class: str | None
    class_share: float | None


class OnsetsOut(BaseModel):
    """The onsets of a part of a reference in groups, the largest first; only the largest have `near`."""

    part: str
    groups: list[OnsetGroupOut]


class PeaksOut(BaseModel):
    """The waveform of an item: as of an upload."""

    duration: float
    peaks: list[tuple[float, float]]


class OverviewOut(BaseModel):
    """A waveform overview: lowest and highest sample of equal intervals, -127..0 and 0..127."""

    duration: float
    low: list[int]
    high: list[int]

    @classmethod
    def of(cls, kept: tuple[float, NDArray[np.int8], NDArray[np.int8]] | None) -> Self | None:
        """From duration, low and high as they are stored."""
        return None if kept is None else cls(duration=kept[0], low=kept[1].tolist(), high=kept[2].tolist())


class PeaksOfItems(BaseModel):
    """Waveform overviews by item; null if there is none yet."""

    peaks: dict[str, OverviewOut | None]
