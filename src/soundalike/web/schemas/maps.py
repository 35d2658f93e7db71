"""Maps of the library."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel

from soundalike.web.schemas.fields import Kind


class MapOut(BaseModel):
    """The map: x, y in 0..1, similar items close together. state: `making` (ask again), `none` (no such items) or `ready`; total:
    the number of items, of which a large library shows a subset; tempo in BPM and sound_class (of one-shots), null if unknown."""

    state: Literal["ready", "making", "none"]
    progress: float
    total: int
    ids: list[str]
    x: list[float]
    y: list[float]
    kind: list[Kind]
    tempo: list[float | None]
    folder: list[str]
    names: list[str]
    sound_class: list[str | None]

    @classmethod
    def empty(cls, state: Literal["making", "none"], progress: float = 0.0) -> Self:
        """A map without points."""
        return cls(
            state=state,
            progress=progress,
            total=0,
            ids=[],
            x=[],
            y=[],
            kind=[],
            tempo=[],
            folder=[],
            names=[],
            sound_class=[],
        )
