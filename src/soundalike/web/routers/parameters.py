"""Types of path and query parameters that several routers share."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from soundalike.web import schemas

Start = Annotated[float, Query(ge=0, le=1e6, allow_inf_nan=False, description="seconds")]
End = Annotated[
    float | None, Query(ge=0, le=1e6, allow_inf_nan=False, description="seconds; null: the end of the file")
]
Part = Annotated[str, Query(max_length=40)]
Points = Annotated[int, Query(ge=100, le=48_000, description="of the overview")]
Bound = Annotated[float | None, Query(ge=0, le=1e6, allow_inf_nan=False)]
Offset = Annotated[int, Query(ge=0, le=10**9)]
Limit = Annotated[int, Query(ge=1, le=500)]
FileName = Annotated[str, Query(max_length=500)]
FolderBeginning = Annotated[str, Query(max_length=1_000, description="the beginning of a path")]
Text = Annotated[str, Query(max_length=200)]
PathText = Annotated[str | None, Query(max_length=1_000, description="a text or pattern that root and path match")]
CollectionName = Annotated[str | None, Query(max_length=200, description="only items of this collection")]
Key = Annotated[str | None, Query(max_length=200)]
Kinds = Annotated[list[schemas.Kind], Query(max_length=3)]
Classes = Annotated[list[schemas.ClassName], Query(max_length=20, description="classes of one-shots, such as snare")]
Ids = Annotated[list[schemas.Id], Query(min_length=1, max_length=100)]
