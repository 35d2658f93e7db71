"""The profiles that fit a served library: those shipped with soundalike and those in the library's own folder."""

from __future__ import annotations

from soundalike.errors import InputError
from soundalike.library import Library
from soundalike.listening.user_profiles import profiles_of
from soundalike.similarity.profiles import Profile
from soundalike.web import schemas
from soundalike.web.services.served_library import ServedLibrary


class LibraryProfiles:
    """Profiles by name."""

    def __init__(self, library: ServedLibrary) -> None:
        self._library = library

    def describe(self) -> schemas.ProfilesOut:
        """The profiles that fit the library's models."""
        profiles, unusable = profiles_of(self._library.location)
        library = self._library.snapshot.library
        fields = schemas.ProfileOut.model_fields
        return schemas.ProfilesOut(
            profiles=[
                schemas.ProfileOut(**{name: getattr(profile, name) for name in fields})
                for profile in profiles
                if _fits(profile, library)
            ],
            unusable=unusable,
        )

    def names(self) -> list[str]:
        """Names of the profiles that fit the library's models."""
        profiles, _ = profiles_of(self._library.location)
        return [profile.name for profile in profiles if _fits(profile, self._library.snapshot.library)]

    def get(self, name: str) -> Profile:
        """The profile with this name. Raises InputError if there is none: a client cannot name files of the server."""
        profiles, _ = profiles_of(self._library.location)
        for profile in profiles:
            if profile.name == name:
                return profile
        raise InputError(f"no profile {name[:80]!r}; available: {', '.join(profile.name for profile in profiles)}")


def _fits(profile: Profile, library: Library) -> bool:
    return (profile.encoder, profile.separator) == (library.recipe.encoder, library.recipe.separator)
