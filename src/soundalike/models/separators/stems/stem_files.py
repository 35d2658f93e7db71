"""The files that are the true stems of a mixture, and their parts.

Layouts, of which the first match counts (NAME is the mixture's name without its suffix; case and the Unicode composition are
ignored):

    mix.flac, metadata.yaml and stems/S00.flac ...     Slakh2100: the metadata name the instrument of each stem
    NAME.wav and NAME.stems/drums.wav ...              named by part
    NAME.wav and stems/NAME/drums.wav ...
    NAME.wav and NAME/drums.wav ...                    if at least one file there has a part's name
    NAME.wav and stems/drums.wav ...                   if NAME.wav is the only audio file in its folder, or a `mix`
    mixture.wav and drums.wav ... beside it            MUSDB18-HQ, or `mix`

A stem file of Native Instruments (`stem_container`) contains its stems and needs none of these.

A part's name may have a number before or after it (`01 drums.flac`, `guitar 2.wav`), and several files of a part are
summed. A file called `mix` or `mixture` among stems is not a stem.

Slakh (Manilow et al. 2019; https://github.com/ethman/slakh-utils): `stems` in metadata.yaml maps S00 and so on to `inst_class`
(Bass, Drums, Guitar and Piano are parts here, all others are residuals) and `audio_rendered`. BabySlakh's metadata mark
every stem as not rendered although the files exist; so that mark only excuses a missing file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from soundalike.audio.file_names import fold
from soundalike.audio.suffixes import AUDIO_SUFFIXES
from soundalike.errors import AudioError
from soundalike.models.separators.stems.stem_container import contained_stems, is_stem_container
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
"""The part by a stem's name in lower case, without number."""

CLASSES: dict[str, str] = {"Bass": "bass", "Drums": "drums", "Guitar": "guitar", "Piano": "piano"}
"""The part by Slakh's `inst_class`; all others are residuals."""

MIXTURES = frozenset({"mix", "mixture"})
METADATA = "metadata.yaml"
STEMS_FOLDER = "stems"

_NUMBERED = re.compile(r"[\d\s._-]*(?P<name>[^\W\d_](?:.*[^\W\d_])?)[\d\s._-]*")


@dataclass(frozen=True)
class Listing:
    """The sorted names of the audio files and of the folders in a folder."""

    audio: tuple[str, ...]
    folders: tuple[str, ...]
    has_metadata: bool


ListFolder = Callable[[Path], Listing]


def list_folder(folder: Path) -> Listing:
    """The contents of a folder without hidden entries; empty if it cannot be listed."""
    try:
        with os.scandir(folder) as entries:
            names = sorted((entry.name, entry.is_dir()) for entry in entries if not entry.name.startswith("."))
    except OSError:
        return Listing((), (), False)
    files = [name for name, is_folder in names if not is_folder]
    return Listing(
        audio=tuple(name for name in files if os.path.splitext(name)[1].lower() in AUDIO_SUFFIXES),
        folders=tuple(name for name, is_folder in names if is_folder),
        has_metadata=METADATA in files,
    )


@dataclass(frozen=True)
class Layout:
    """Where the stems of a mixture are: their folder, the names of the audio files in it except the mixture, and the file
    with the metadata that assigns them to parts (None: their names do)."""

    folder: Path
    names: tuple[str, ...]
    metadata: Path | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that the stems depend on, sorted by name."""
        stems = tuple(self.folder / name for name in self.names)
        return stems if self.metadata is None else tuple(sorted((*stems, self.metadata), key=lambda path: path.name))


def layout_of(mixture: Path, listing_of: ListFolder = list_folder) -> Layout | None:
    """The layout of the stems of `mixture`, None if it has no stems."""
    if is_stem_container(mixture.name):
        return None
    here = mixture.parent
    listing = listing_of(here)
    name, is_mix = fold(mixture.stem), is_mixture(mixture.name)
    folders = {fold(folder): here / folder for folder in listing.folders}
    stems = folders.get(STEMS_FOLDER)
    if is_mix and stems and listing.has_metadata and (there := listing_of(stems).audio):
        return Layout(stems, there, here / METADATA)
    places = [(folders.get(f"{name}.{STEMS_FOLDER}"), False)]
    if stems:
        inner = {fold(folder): stems / folder for folder in listing_of(stems).folders}
        places.append((inner.get(name), False))
    if name != STEMS_FOLDER:
        places.append((folders.get(name), True))
    if is_mix or listing.audio == (mixture.name,):
        places.append((stems, False))
    for place, must_name_parts in places:
        if place is not None and (there := listing_of(place).audio):
            if must_name_parts and not any(part_from_name(file) for file in there):
                continue
            return Layout(place, there)
    beside = tuple(file for file in listing.audio if not is_mixture(file))
    if is_mix and any(part_from_name(file) for file in beside):
        return Layout(here, beside)
    return None


def is_stem(path: Path, listing_of: ListFolder = list_folder) -> bool:
    """Whether a file is a stem of a mixture, or deeper in a folder of stems (such as a submix)."""
    if any(_owners(folder, listing_of) for folder in (path.parent, path.parent.parent)):
        return True
    if is_mixture(path.name):
        return False
    mixtures = [path.parent / name for name in listing_of(path.parent).audio if is_mixture(name)]
    layouts = [layout_of(mixture, listing_of) for mixture in mixtures]
    return any(layout is not None and layout.folder == path.parent for layout in layouts)


def _owners(folder: Path, listing_of: ListFolder) -> list[Path]:
    """The mixtures whose stems are in `folder`, without mixtures in `folder` itself."""
    above, name = folder.parent, fold(folder.name)
    if above == folder:
        return []
    audio = listing_of(above).audio
    named = {name, name.removesuffix(f".{STEMS_FOLDER}")}
    candidates = [above / file for file in audio if fold(os.path.splitext(file)[0]) in named]
    if name == STEMS_FOLDER:
        candidates += [above / file for file in audio if is_mixture(file) or len(audio) == 1]
    if fold(above.name) == STEMS_FOLDER:
        further = listing_of(above.parent).audio
        candidates += [above.parent / file for file in further if fold(os.path.splitext(file)[0]) == name]
    layouts = {candidate: layout_of(candidate, listing_of) for candidate in candidates}
    return [candidate for candidate, layout in layouts.items() if layout is not None and layout.folder == folder]


def is_mixture(name: str) -> bool:
    """Whether a file name is one that datasets use for mixtures; a number before or after it is ignored."""
    return _plain(name) in MIXTURES


def part_from_name(name: str) -> str | None:
    """The part that a file name stands for, None if none."""
    return NAMES.get(_plain(name))


def _plain(name: str) -> str:
    match = _NUMBERED.fullmatch(os.path.splitext(name)[0])
    return match["name"].lower() if match else ""


def assign(mixture: Path, listing_of: ListFolder = list_folder) -> dict[str, tuple[Path, ...]]:
    """The stem files of `mixture` by part, without absent parts.

    Raises AudioError if there are no stems, if one is missing or exists twice, or if one cannot be assigned to a part.
    """
    if is_stem_container(mixture.name):
        return contained_stems(mixture)
    layout = layout_of(mixture, listing_of)
    if layout is None:
        raise AudioError(
            f"{mixture}: there are no stems beside it; put them into the folder {mixture.stem}.stems, named by part: "
            f"{', '.join(f'{part}.wav' for part in STEMS)}"
        )
    seen: dict[str, str] = {}
    for name in layout.names:
        stem = fold(os.path.splitext(name)[0])
        if stem in seen:
            raise AudioError(
                f"{mixture}: {seen[stem]} and {name} in {layout.folder} are the same stem; keep one of them"
            )
        seen[stem] = name
    metadata = layout.metadata
    parts = _parts_by_name(mixture, layout) if metadata is None else _parts_of_slakh(mixture, layout, metadata)
    return {part: files for part in STEMS if (files := tuple(layout.folder / n for n, p in parts if p == part))}


def _parts_by_name(mixture: Path, layout: Layout) -> list[tuple[str, str]]:
    parts = []
    for name in layout.names:
        part = part_from_name(name)
        if part is not None:
            parts.append((name, part))
        elif not is_mixture(name):
            raise AudioError(
                f"{mixture}: the stem {name} in {layout.folder} does not have the name of a part; the names are "
                f"{', '.join(NAMES)}, with or without a number"
            )
    if not parts:
        raise AudioError(f"{mixture}: {layout.folder} has no stems; name them by part: {', '.join(NAMES)}")
    return parts


def _parts_of_slakh(mixture: Path, layout: Layout, metadata: Path) -> list[tuple[str, str]]:
    stems = _read_metadata(metadata)
    names = {os.path.splitext(name)[0]: name for name in layout.names}
    unknown = sorted(set(names) - set(stems))
    if unknown:
        raise AudioError(
            f"{mixture}: {metadata} does not list the stem {names[unknown[0]]}; it lists {', '.join(sorted(stems))}"
        )
    missing = sorted(
        key for key, values in stems.items() if key not in names and values.get("audio_rendered") is not False
    )
    if missing:
        raise AudioError(
            f"{mixture}: the stems {', '.join(missing)} are missing in {layout.folder}, but {METADATA} lists them; "
            "download them again, or set their audio_rendered to false"
        )
    return [(names[key], CLASSES.get(str(stems[key].get("inst_class")), "residuals")) for key in sorted(names)]


def _read_metadata(path: Path) -> dict[str, dict[str, Any]]:
    """The facts about each stem of a Slakh track, by its name."""
    import yaml

    try:
        values = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, yaml.YAMLError) as error:
        raise AudioError(f"{path}: cannot be read as YAML ({' '.join(str(error).split())})") from None
    stems = values.get("stems") if isinstance(values, dict) else None
    if not isinstance(stems, dict) or not stems or not all(isinstance(facts, dict) for facts in stems.values()):
        raise AudioError(f"{path}: lists no stems; Slakh's metadata have `stems:` with S00, S01 and so on below it")
    return {str(name): facts for name, facts in stems.items()}
