"""Types of single fields, and the base of all requests."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Weight = Annotated[float, Field(ge=-1_000, le=1_000, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]
Id = Annotated[str, Field(min_length=1, max_length=200)]
Kind = Literal["song", "loop", "one-shot"]
MapKind = Literal["song", "loop", "one-shot", "all"]
ClassName = Annotated[str, Field(max_length=40)]
PartName = Annotated[str, Field(max_length=40)]
ShortText = Annotated[str, Field(max_length=200)]


class Strict(BaseModel):
    """Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")
