"""The user's own weight profiles of a library: JSON files in `listening/profiles`, as `soundalike fit` writes them."""

from __future__ import annotations

from soundalike.errors import InputError
from soundalike.library.storage.location import Location
from soundalike.listening.listening_folder import folder_of
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
