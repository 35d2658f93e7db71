"""The design of a listening test: its excerpts, its triplets and its questions, in the readable file `design.json`.

A test is a folder `listening-tests/NAME` of a library (of a library on object storage, a folder of this machine):

| file | what it contains |
|---|---|
| `design.json` | the design, with its seed |
| `instructions.md` | what listeners read first; may be edited or translated |
| `clips/PART/*.flac` | the excerpts at equal loudness |
| `vectors.npz` | the vectors of the excerpts, so that fitting does not depend on the library's later state |
| `answers.sqlite` | the answers |
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from soundalike.config import replace_file
from soundalike.errors import InputError, LibraryError
from soundalike.library.storage.location import Location
from soundalike.listening.listening_folder import folder_of
from soundalike.parts import PARTS
from soundalike.preferences.listeners import parse_rule
from soundalike.preferences.triplets import KINDS, Kind

FOLDER = "listening-tests"
DESIGN_FILE = "design.json"
INSTRUCTIONS_FILE = "instructions.md"
CLIPS_FOLDER = "clips"
VECTORS_FILE = "vectors.npz"
ANSWERS_FILE = "answers.sqlite"
FORMAT = 1

Question = Literal["overall", "timbre", "rhythm", "melody"]
QUESTIONS: tuple[Question, ...] = get_args(Question)

Presentation = Literal["mix", "stems"]
PRESENTATIONS: tuple[Presentation, ...] = get_args(Presentation)

Origin = Literal["random", "active"]
ORIGINS: tuple[Origin, ...] = get_args(Origin)

Entry = TypeVar("Entry")

SCREENING = ("checks>=0.75", "seconds>=3")
"""Listeners must get three of four catch trials right, and take 3 s or more for a trial in the median."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Excerpt:
    """A stretch of a song that listeners hear.

    item: id of the song in the library, which is its track; path: of its file then. part: a stem, or `mix`.
    start, seconds: its place in the song. clip: file name in `clips/`, with `/`. gain: in dB, applied for equal loudness.
    """

    id: str
    item: str
    path: str
    part: str
    start: float
    seconds: float
    clip: str
    gain: float = 0.0


@dataclass(frozen=True)
class DesignTriplet:
    """A reference and two candidates, as ids of excerpts. In `XYC` one candidate is from the reference's own song.

    origin: drawn at random, or chosen by the active design; only random ones measure agreement on held-out answers.
    block: 0, or the number of the extension that added it.
    """

    id: str
    kind: Kind
    part: str
    x: str
    a: str
    b: str
    origin: Origin = "random"
    block: int = 0


@dataclass(frozen=True)
class ActiveGoal:
    """When an active test ends: the 95 % interval of (weight of `first` - weight of `second`) is at most `width` wide.

    second: empty for the weight of `first` alone. width: of weights whose mean size is 1. random_share: of random triplets.
    """

    first: str
    second: str = ""
    width: float = 0.5
    random_share: float = 0.25

    def __post_init__(self) -> None:
        if not 0 < self.width < math.inf:
            raise InputError(f"the width of the goal is {self.width:g}; it must be more than 0")
        if not 0 <= self.random_share <= 1:
            raise InputError(f"the share of random triplets is {self.random_share:g}; it must be from 0 to 1")


@dataclass(frozen=True)
class Design:
    """A listening test. questions: one pass of trials each, `overall` first; encoder, separator: of the library's vectors.

    catch_share, repeat_share: catch trials and repeated trials as shares of the triplets of a pass.
    weighted_parts: the parts that weights are fitted for. loudness: of the clips in LUFS. screening: rules that listeners must
    pass, fixed before anyone answers (`soundalike.preferences.listeners.parse_rule`).
    goal: of an active test, else None.
    """

    name: str
    seed: int
    questions: tuple[Question, ...]
    presentation: Presentation
    encoder: str
    separator: str
    weighted_parts: tuple[str, ...]
    loudness: float
    excerpts: tuple[Excerpt, ...]
    triplets: tuple[DesignTriplet, ...]
    catch_share: float = 0.1
    repeat_share: float = 0.1
    screening: tuple[str, ...] = SCREENING
    goal: ActiveGoal | None = None
    created: str = ""
    format: int = field(default=FORMAT)

    def __post_init__(self) -> None:
        _check_design(self)

    @cached_property
    def by_id(self) -> Mapping[str, Excerpt]:
        """The excerpts by their ids."""
        return {excerpt.id: excerpt for excerpt in self.excerpts}

    @cached_property
    def triplet_by_id(self) -> Mapping[str, DesignTriplet]:
        """The triplets by their ids."""
        return {triplet.id: triplet for triplet in self.triplets}

    @property
    def blocks(self) -> int:
        """Number of blocks of triplets: 1, and one more for each extension."""
        return 1 + max(triplet.block for triplet in self.triplets)

    def extended(self, triplets: tuple[DesignTriplet, ...]) -> Design:
        """The design with more triplets, which must be of a new block: trials of earlier blocks stay as they are."""
        return replace(self, triplets=self.triplets + triplets)


def folder_of_tests(library: Location) -> Path:
    """Folder of the listening tests of `library`."""
    if isinstance(library, Path):
        return library / FOLDER
    return folder_of(library).with_name(folder_of(library).name + "-tests")


def folder_of_design(library: Location, name: str) -> Path:
    """Folder of the test `name`. Raises InputError for a name that is not a plain file name."""
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{name!r} cannot be the name of a listening test; use up to 64 letters, digits, dots, dashes and underscores"
        )
    return folder_of_tests(library) / name


def names_of_designs(library: Location) -> list[str]:
    """The names of the listening tests of `library`."""
    return sorted(place.parent.name for place in folder_of_tests(library).glob(f"*/{DESIGN_FILE}"))


def read_design(folder: Path) -> Design:
    """The design in a test's folder, under the folder's name. Raises LibraryError if it is missing, InputError if not valid."""
    place = folder / DESIGN_FILE
    try:
        values = json.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LibraryError(
            f"there is no listening test in {folder}; make one with `soundalike listen new {folder.name}`"
        ) from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"{place} cannot be read as a design: {error}") from None
    return replace(design_of(values, str(place)), name=folder.name)


def write_design(folder: Path, design: Design) -> None:
    """Write or replace the design of a test's folder. Raises OSError."""
    replace_file(folder / DESIGN_FILE, json.dumps(asdict(design), indent=1, ensure_ascii=False) + "\n")


def design_of(values: Any, where: str = DESIGN_FILE) -> Design:
    """The design in parsed JSON. Raises InputError, naming `where` and the entry, for missing, unknown or invalid fields."""
    if not isinstance(values, dict) or "triplets" not in values:
        raise InputError(f"{where} is not the design of a listening test: it must be a JSON object with triplets")
    if values.get("format") != FORMAT:
        raise InputError(
            f"{where} has format {values.get('format')!r}; this version of soundalike reads format {FORMAT}"
        )
    excerpts = tuple(
        _entry(Excerpt, entry, f"{where}, excerpt {n}") for n, entry in _entries(values, "excerpts", where)
    )
    triplets = tuple(
        _entry(DesignTriplet, entry, f"{where}, triplet {n}") for n, entry in _entries(values, "triplets", where)
    )
    goal = values.get("goal")
    try:
        return _entry(
            Design,
            {
                **values,
                "questions": tuple(values.get("questions", ())),
                "weighted_parts": tuple(values.get("weighted_parts", ())),
                "screening": tuple(values.get("screening", SCREENING)),
                "excerpts": excerpts,
                "triplets": triplets,
                "goal": None if goal is None else _entry(ActiveGoal, goal, f"{where}, goal"),
            },
            where,
        )
    except InputError as error:
        raise InputError(str(error) if where in str(error) else f"{where}: {error}") from None


def _entries(values: Mapping[str, Any], name: str, where: str) -> list[tuple[int, Any]]:
    entries = values.get(name)
    if not isinstance(entries, list):
        raise InputError(f"{where}: {name} must be a list")
    return list(enumerate(entries, 1))


def _entry(kind: type[Entry], values: Any, where: str) -> Entry:
    """A dataclass of `kind` from JSON values."""
    if not isinstance(values, dict):
        raise InputError(f"{where} must be a JSON object, not {values!r:.60}")
    known = {one.name: one for one in fields(kind)}  # type: ignore[arg-type]
    unknown = [name for name in values if name not in known]
    if unknown:
        raise InputError(f"{where} has the unknown field {unknown[0]!r}; the fields are {', '.join(known)}")
    for name, value in values.items():
        allowed = _JSON_TYPES.get(str(known[name].type))
        if allowed is not None and (not isinstance(value, allowed) or isinstance(value, bool)):
            raise InputError(f"{where}: {name} is {value!r:.60}; it must be {known[name].type}")
    try:
        return kind(**values)
    except TypeError as error:
        raise InputError(f"{where}: {str(error).partition('() ')[2] or error}") from None


_JSON_TYPES: Mapping[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (int, float)}


def _check_design(design: Design) -> None:
    """Raise InputError for a design that no test can be run from."""
    _check_choices("question", design.questions, QUESTIONS)
    _check_choices("presentation", (design.presentation,), PRESENTATIONS)
    _check_choices("part", design.weighted_parts, PARTS)
    for rule in design.screening:
        parse_rule(rule)
    if not design.triplets:
        raise InputError("the design has no triplets, so there is nothing to ask")
    for name in ("catch_share", "repeat_share"):
        if not 0 <= getattr(design, name) <= 0.5:
            raise InputError(f"{name} is {getattr(design, name):g}; it must be from 0 to 0.5")
    blocks = {triplet.block for triplet in design.triplets}
    if blocks != set(range(len(blocks))):
        raise InputError(
            f"the triplets have the blocks {sorted(blocks)[:10]}; blocks are numbered from 0 without a gap"
        )
    known = {excerpt.id for excerpt in design.excerpts}
    for what, ids in (("excerpt", [e.id for e in design.excerpts]), ("triplet", [t.id for t in design.triplets])):
        if len(set(ids)) < len(ids):
            raise InputError(f"two {what}s have the same id {next(i for i in ids if ids.count(i) > 1)!r}")
    for triplet in design.triplets:
        _check_choices(f"kind of triplet {triplet.id}", (triplet.kind,), KINDS)
        _check_choices(f"origin of triplet {triplet.id}", (triplet.origin,), ORIGINS)
        missing = [name for name in (triplet.x, triplet.a, triplet.b) if name not in known]
        if missing:
            raise InputError(f"triplet {triplet.id} names the excerpt {missing[0]!r}, which the design does not have")
        if len({triplet.x, triplet.a, triplet.b}) < 3:
            raise InputError(f"triplet {triplet.id} names an excerpt twice; x, a and b must differ")


def _check_choices(what: str, values: tuple[str, ...], allowed: tuple[str, ...]) -> None:
    unknown = [value for value in values if value not in allowed]
    if unknown:
        raise InputError(f"unknown {what} {unknown[0]!r}; choose from {', '.join(allowed)}")
    if not values or len(set(values)) < len(values):
        raise InputError(f"a design needs each {what} once, and at least one")
