"""How the hospital's directory is asked who somebody is: a file that an administrator writes. Asks nobody itself.

TOML, of which an unknown key refuses the whole. The secret lies in a file of its own and is in no message and no
``repr``. docs/admin-guide.md, « Officers of the hospital's directory ».
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from agent.errors import N_, ConfigError
from collector.officers.roles import Role

MAX_FILE = 64 << 10
MAX_VALUES = 64  # of one role
MAX_TEXT = 512
_TEXTS = {"issuer", "client_id", "client_secret_file", "name_claim", "ca_file", "acr", "label", "scope"}
_KEYS = _TEXTS | {"roles_claim", "roles"}


@dataclass(frozen=True, slots=True)
class Provider:
    """An OpenID Connect provider, and what of its claims makes an officer.

    ``roles``: for each of our roles, the values of the claim that give it. ``roles_claim``: the claim, as a path into
    the token. ``acr``: how the directory must have recognised the person ("": as it likes). ``ca_file``: PEM of the
    hospital's own authorities ("": those of the system). ``label``: what the page calls it. ``scope``: what is asked
    for; some directories give roles only then.
    """

    issuer: str
    client_id: str
    roles: Mapping[str, frozenset[str]]
    roles_claim: tuple[str, ...] = ("groups",)
    name_claim: str = "preferred_username"
    ca_file: str = ""
    acr: str = ""
    scope: str = "openid profile"
    label: str = ""
    secret: str = field(default="", repr=False)

    @property
    def host(self) -> str:
        """The machine that is asked."""
        return urlsplit(self.issuer).hostname or ""

    def roles_of(self, claims: Mapping[str, Any]) -> tuple[str, ...]:
        """Our roles for somebody with these claims; hostile values give none."""
        found: Any = claims
        for step in self.roles_claim:
            found = found.get(step) if isinstance(found, dict) else None
        values = {found} if isinstance(found, str) else set(filter(_is_text, found)) if isinstance(found, list) else ()
        return tuple(sorted(role for role, given in self.roles.items() if given & set(values)))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def read_provider(path: Path) -> Provider:
    """The provider in a file. Raises ConfigError: unreadable, an unknown key, something missing or out of place."""
    found = _parsed(path)
    for name in sorted(set(found) - _KEYS):
        raise _wrong(path, N_("unknown key {key}"), key=name[:60])
    for name in _TEXTS & set(found):
        if not isinstance(found[name], str) or len(found[name]) > MAX_TEXT:
            raise _wrong(path, N_("{key} is a text"), key=name)
    issuer = found.get("issuer", "")
    parts = urlsplit(issuer)
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise _wrong(path, N_("{key} is an address that begins with https://"), key="issuer")
    if not found.get("client_id"):
        raise _wrong(path, N_("{key} is missing"), key="client_id")
    texts = {name: found[name] for name in _TEXTS - {"client_secret_file"} if found.get(name)}
    if "openid" not in found.get("scope", "openid").split():
        raise _wrong(path, N_("{key} holds the word openid"), key="scope")
    secret = _secret(path, found["client_secret_file"]) if found.get("client_secret_file") else ""
    claim = _claim(path, found.get("roles_claim", "groups"))
    return Provider(**texts, roles=_roles(path, found.get("roles", {})), roles_claim=claim, secret=secret)


def _parsed(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.loads(file.read(MAX_FILE).decode("utf-8"))
    except OSError as error:
        raise _wrong(path, N_("cannot be read: {why}"), why=error.strerror or "") from error
    except (ValueError, RecursionError) as error:
        raise _wrong(path, N_("this is not TOML")) from error


def _claim(path: Path, value: Any) -> tuple[str, ...]:
    steps = [value] if isinstance(value, str) else value
    if not isinstance(steps, list) or not 0 < len(steps) <= 8 or not all(_is_text(step) and step for step in steps):
        raise _wrong(path, N_("{key} is the name of a claim, or a list of names, one in the other"), key="roles_claim")
    return tuple(steps)


def _roles(path: Path, value: Any) -> dict[str, frozenset[str]]:
    """A table of ours to lists of theirs. Nobody may become an officer by an empty list or an empty text."""
    if not isinstance(value, dict) or not value or set(value) - set(Role):
        raise _wrong(path, N_("[roles] says who is which of these: {roles}"), roles=", ".join(Role))
    for role, given in value.items():
        good = (
            isinstance(given, list) and 0 < len(given) <= MAX_VALUES and all(_is_text(each) and each for each in given)
        )
        if not good:
            raise _wrong(path, N_("roles.{role} is a list of texts, none of them empty"), role=role)
    return {role: frozenset(given) for role, given in value.items()}


def _secret(path: Path, name: str) -> str:
    place = path.parent / name
    try:
        with place.open("rb") as file:
            text = file.read(MAX_TEXT).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise _wrong(place, N_("cannot be read: {why}"), why=why) from error
    if not text or not text.isprintable():
        raise _wrong(place, N_("this file should hold one secret, on one line"))
    return text


def _wrong(path: Path, message: str, **fields: str) -> ConfigError:
    return ConfigError(
        message,
        where=str(path),
        hint=N_("see the administrator's guide: officers of the hospital's directory"),
        **fields,
    )
