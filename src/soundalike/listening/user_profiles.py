"""The user's own weight profiles of a library: JSON files in `listening/profiles`, as `soundalike fit` and
`soundalike listen fit` write them."""

from __future__ import annotations

import json
from pathlib import Path

from soundalike.config import replace_file
from soundalike.errors import InputError, LibraryError
from soundalike.library.storage.location import Location
from soundalike.listening.listening_folder import folder_of, locked_folder
from soundalike.similarity.profiles import Profile, load_profile, shipped_profiles

FOLDER = "profiles"
MAX_PROFILES = 100


def profiles_of(library: Location) -> tuple[list[Profile], dict[str, str]]:
    """The shipped profiles and those in the library's folder, and file name -> reason for invalid files."""
    found = {profile.name: profile for profile in shipped_profiles()}
    unusable: dict[str, str] = {}
    for place in sorted((folder_of(library) / FOLDER).glob("*.json"))[:MAX_PROFILES]:
        try:
            profile = load_profile(str(place))
        except InputError as error:
            unusable[place.name] = str(error).replace(str(place), place.name)
        else:
            found[profile.name] = profile
    return list(found.values()), unusable


def save_profile(location: Location, profile: Profile) -> Path:
    """Save a profile in the library's folder, where the page and `similar --profile NAME` find it; returns its path.

    Raises InputError if a shipped profile has that name, LibraryError if the folder cannot be written.
    """
    if profile.name in {shipped.name for shipped in shipped_profiles()}:
        raise InputError(f"{profile.name!r} is the name of a shipped profile; give the test another name")
    with locked_folder(location) as folder:
        place = folder / FOLDER / f"{profile.name}.json"
        try:
            place.parent.mkdir(exist_ok=True)
            replace_file(place, json.dumps(profile.to_json(), indent=2, ensure_ascii=False) + "\n")
        except OSError as error:
            raise LibraryError(f"{place} cannot be written ({error.strerror or error})") from None
    return place


def profile_named(location: Location, name_or_path: str) -> Profile:
    """A profile of the library by its name, else as `load_profile`. Raises InputError."""
    profiles, _ = profiles_of(location)
    for profile in profiles:
        if profile.name == name_or_path:
            return profile
    if not Path(name_or_path).is_file():
        names = ", ".join(profile.name for profile in profiles)
        raise InputError(f"no profile {name_or_path!r}: it is neither a file nor one of {names}")
    return load_profile(name_or_path)
