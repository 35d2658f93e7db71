"""Which names and addresses the server may be called by, in the Host header of a request."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from soundalike.errors import InputError

_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")


def is_loopback(host: str) -> bool:
    """Whether a host name or address is that of this machine only."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def host_name(host: str) -> str:
    """The name or address in a Host header, in lower case without the port; empty if there is none."""
    try:
        return (urlsplit(f"//{host}").hostname or "").removesuffix(".")
    except ValueError:
        return ""


def allowed_names(names: Iterable[str]) -> frozenset[str]:
    """Names as browsers send them: lower case, international ones in ASCII.

    Raises InputError for what is not a name or address, such as one with a scheme, a port or a wildcard.
    """
    return frozenset(_allowed_name(name) for name in names)


def _allowed_name(name: str) -> str:
    bare = name.strip().strip("[]").removesuffix(".").lower()
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        pass
    try:
        ascii_name = bare.encode("idna").decode()
    except UnicodeError:
        ascii_name = ""
    if not _NAME.fullmatch(ascii_name):
        raise InputError(
            f"{name!r} is not the name of a host; give it without scheme, port or wildcard, such as music.example"
        )
    return ascii_name


def is_address_of(name: str, listening: str) -> bool:
    """Whether a server that listens on an address beyond loopback may be called `name`: by that address, or by any address
    if it listens on all (`0.0.0.0`)."""
    if name == listening:
        return True
    try:
        return ipaddress.ip_address(listening).is_unspecified and bool(ipaddress.ip_address(name))
    except ValueError:
        return False
