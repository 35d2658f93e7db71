"""Which files are the true stems of a mixture, and of which parts.

Layouts, the first that fits (NAME is the mixture's name without its suffix; letter case does not matter):

    mix.flac, metadata.yaml and stems/S00.flac ...     Slakh2100: the metadata say what each stem is
    NAME.wav and NAME.stems/drums.wav ...              named by part
    NAME.wav and stems/NAME/drums.wav ...
    NAME.wav and NAME/drums.wav ...                    where at least one file there has a part's name
    NAME.wav and stems/drums.wav ...                   where NAME.wav is the only audio in its folder, or a `mix`
    mixture.wav and drums.wav ... beside it            MUSDB18-HQ, or `mix`

A part's name may have a number before or after it, and several files of a part are summed: `01 drums.flac`,
`guitar 2.wav`. A file called `mix` or `mixture` among stems is no stem.

Slakh (Manilow et al. 2019; https://github.com/ethman/slakh-utils): `stems` in metadata.yaml maps S00 and so on to `inst_class`
(Bass, Drums, Guitar and Piano are parts of their own here, all others residuals) and `audio_rendered`. BabySlakh's
metadata call every stem unrendered though they are there; so a file that is there counts, and only a missing one is
excused by that mark.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from soundalike.audio.decode import EXTENSIONS
from soundalike.errors import AudioError
from soundalike.parts import STEMS

NAMES: dict[str, str] = {
    "bass": "bass",
    "drum": "drums",
    "drums": "drums",
    "guitar": "guitar",
    "guitars": "guitar",
    "piano": "piano",
    "vocal": "vocals",
    "vocals": "vocals",
    "other": "residuals",
    "others": "residuals",
    "residual": "residuals",
    "residuals": "residuals",
}
"""A stem's name (lower case, without number) -> its part."""

CLASSES: dict[str, str] = {"Bass": "bass", "Drums": "drums", "Guitar": "guitar", "Piano": "piano"}
"""Slakh's `inst_class` -> part; all others are residuals."""

MIXTURES = frozenset({"mix", "mixture"})
METADATA = "metadata.yaml"
STEMS_FOLDER = "stems"

_NUMBERED = re.compile(r"[\d\s._-]*(?P<name>[^\W\d_](?:.*[^\W\d_])?)[\d\s._-]*")


@dataclass(frozen=True)
class Listing:
    """Names in a folder: audio files, and folders; sorted."""

    audio: tuple[str, ...]
    folders: tuple[str, ...]
    has_metadata: bool


Look = Callable[[Path], Listing]


def look(folder: Path) -> Listing:
    """What is in a folder; nothing where it cannot be listed. Hidden entries are left out."""
    try:
        with os.scandir(folder) as entries:
            there = sorted((entry.name, entry.is_dir()) for entry in entries if not entry.name.startswith("."))
    except OSError:
        return Listing((), (), False)
    files = [name for name, is_folder in there if not is_folder]
    return Listing(
        audio=tuple(name for name in files if os.path.splitext(name)[1].lower() in EXTENSIONS),
        folders=tuple(name for name, is_folder in there if is_folder),
        has_metadata=METADATA in files,
    )


@dataclass(frozen=True)
class Layout:
    """Where a mixture's stems lie: their folder, the names of the audio files in it that are not the mixture, and the
    metadata that say what they are (None: their names do)."""

    folder: Path
    names: tuple[str, ...]
    metadata: Path | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that the stems depend on, by name."""
        stems = tuple(self.folder / name for name in self.names)
        return stems if self.metadata is None else tuple(sorted((*stems, self.metadata), key=lambda path: path.name))


def layout_of(mixture: Path, look: Look = look) -> Layout | None:
    """The layout of the stems of `mixture`; None where it has none."""
    here = mixture.parent
    listing = look(here)
    name, is_mix = mixture.stem.lower(), is_mixture(mixture.name)
    folders = {folder.lower(): here / folder for folder in listing.folders}
    stems = folders.get(STEMS_FOLDER)
    if is_mix and stems and listing.has_metadata and (there := look(stems).audio):
        return Layout(stems, there, here / METADATA)
    places = [(folders.get(f"{name}.{STEMS_FOLDER}"), False)]
    if stems:
        inner = {folder.lower(): stems / folder for folder in look(stems).folders}
        places.append((inner.get(name), False))
    if name != STEMS_FOLDER:
        places.append((folders.get(name), True))
    if is_mix or listing.audio == (mixture.name,):
        places.append((stems, False))
    for place, must_name_parts in places:
        if place is not None and (there := look(place).audio):
            if must_name_parts and not any(part_named(file) for file in there):
                continue
            return Layout(place, there)
    beside = tuple(file for file in listing.audio if not is_mixture(file))
    if is_mix and any(part_named(file) for file in beside):
        return Layout(here, beside)
    return None


def is_stem(path: Path, look: Look = look) -> bool:
    """Whether a file is a stem of some mixture, or lies deeper in a folder of stems (a submix, say)."""
    if any(_owners(folder, look) for folder in (path.parent, path.parent.parent)):
        return True
    if is_mixture(path.name):
        return False
    mixtures = [path.parent / name for name in look(path.parent).audio if is_mixture(name)]
    layouts = [layout_of(mixture, look) for mixture in mixtures]
    return any(layout is not None and layout.folder == path.parent for layout in layouts)


def _owners(folder: Path, look: Look) -> list[Path]:
    """The mixtures whose stems lie in `folder` (those beside them in one folder left out)."""
    above, name = folder.parent, folder.name.lower()
    if above == folder:
        return []
    audio = look(above).audio
    named = {name, name.removesuffix(f".{STEMS_FOLDER}")}
    candidates = [above / file for file in audio if os.path.splitext(file)[0].lower() in named]
    if name == STEMS_FOLDER:
        candidates += [above / file for file in audio if is_mixture(file) or len(audio) == 1]
    if above.name.lower() == STEMS_FOLDER:
        further = look(above.parent).audio
        candidates += [above.parent / file for file in further if os.path.splitext(file)[0].lower() == name]
    layouts = {candidate: layout_of(candidate, look) for candidate in candidates}
    return [candidate for candidate, layout in layouts.items() if layout is not None and layout.folder == folder]


def is_mixture(name: str) -> bool:
    """Whether a file name is one that datasets give to mixtures; a number before or after does not matter."""
    return _plain(name) in MIXTURES


def part_named(name: str) -> str | None:
    """The part that a file name says; None where it says none."""
    return NAMES.get(_plain(name))


def _plain(name: str) -> str:
    match = _NUMBERED.fullmatch(os.path.splitext(name)[0])
    return match["name"].lower() if match else ""


def assign(mixture: Path, look: Look = look) -> dict[str, tuple[Path, ...]]:
    """The stem files of each part of `mixture`, absent parts left out.

    Raises AudioError where it has no stems, where one is missing or there twice, and where one cannot be assigned.
    """
    layout = layout_of(mixture, look)
    if layout is None:
        raise AudioError(
            f"{mixture}: has no stems beside it; put them into the folder {mixture.stem}.stems, named by part: "
            f"{', '.join(f'{part}.wav' for part in STEMS)}"
        )
    seen: dict[str, str] = {}
    for name in layout.names:
        stem = os.path.splitext(name)[0].lower()
        if stem in seen:
            raise AudioError(
                f"{mixture}: {seen[stem]} and {name} in {layout.folder} would count twice; leave one of them"
            )
        seen[stem] = name
    metadata = layout.metadata
    parts = _parts_by_name(mixture, layout) if metadata is None else _parts_of_slakh(mixture, layout, metadata)
    return {part: files for part in STEMS if (files := tuple(layout.folder / n for n, p in parts if p == part))}


def _parts_by_name(mixture: Path, layout: Layout) -> list[tuple[str, str]]:
    found = []
    for name in layout.names:
        part = part_named(name)
        if part is not None:
            found.append((name, part))
        elif not is_mixture(name):
            raise AudioError(
                f"{mixture}: the stem {name} in {layout.folder} has no part's name; the names are {', '.join(NAMES)}, with "
                "or without a number"
            )
    if not found:
        raise AudioError(f"{mixture}: {layout.folder} holds no stems; name them by part: {', '.join(NAMES)}")
    return found


def _parts_of_slakh(mixture: Path, layout: Layout, metadata: Path) -> list[tuple[str, str]]:
    stems = _read_metadata(metadata)
    there = {os.path.splitext(name)[0]: name for name in layout.names}
    unknown = sorted(set(there) - set(stems))
    if unknown:
        raise AudioError(
            f"{mixture}: {metadata} says nothing of the stem {there[unknown[0]]}; it names {', '.join(sorted(stems))}"
        )
    missing = sorted(
        key for key, values in stems.items() if key not in there and values.get("audio_rendered") is not False
    )
    if missing:
        raise AudioError(
            f"{mixture}: the stems {', '.join(missing)} are missing in {layout.folder}, though {METADATA} names them; fetch "
            "them again, or set their audio_rendered to false"
        )
    return [(there[key], CLASSES.get(str(stems[key].get("inst_class")), "residuals")) for key in sorted(there)]


def _read_metadata(path: Path) -> dict[str, dict[str, Any]]:
    """`stems` of a Slakh track: name -> its facts."""
    import yaml

    try:
        values = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, yaml.YAMLError) as error:
        raise AudioError(f"{path}: cannot be read as YAML ({' '.join(str(error).split())})") from None
    stems = values.get("stems") if isinstance(values, dict) else None
    if not isinstance(stems, dict) or not stems or not all(isinstance(facts, dict) for facts in stems.values()):
        raise AudioError(f"{path}: names no stems; Slakh's metadata have `stems:` with S00, S01 and so on below it")
    return {str(name): facts for name, facts in stems.items()}
