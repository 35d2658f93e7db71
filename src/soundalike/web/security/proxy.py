"""How a reverse proxy publishes the server: under which names and which path."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from soundalike.web.security.base_path import check_base_path
from soundalike.web.security.hosts import allowed_names


@dataclass(frozen=True)
class Proxy:
    """names: of hosts, in lower case, by which browsers may call the server, besides its own address; base_path: the path under
    which they see it, such as `/sound`, or empty."""

    names: frozenset[str] = frozenset()
    base_path: str = ""

    @classmethod
    def of(cls, names: Iterable[str] = (), base_path: str = "") -> Self:
        """From what a user gave. Raises InputError for a name or path that is not possible."""
        return cls(allowed_names(names), check_base_path(base_path))

    def addresses(self) -> list[str]:
        """The addresses (https) under which the names are probably published."""
        return [f"https://{f'[{name}]' if ':' in name else name}{self.base_path}/" for name in sorted(self.names)]


NO_PROXY = Proxy()
