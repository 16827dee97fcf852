"""Dropbox: ``~/.dropbox/info.json``, an object of accounts with a ``path`` each.

Older: the second line of ``host.db`` in base64. Maestral, a free client of the same service: ``path`` in section
``[sync]`` of ``~/.config/maestral/*.ini``.

Basis: info.json agrees with public examples; the older form and Maestral's are from knowledge of the programs.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator

from agent.channels.discover.reading import Found, Home, ini_items

PLACES = (".dropbox", ".var/app/com.dropbox.Client/.dropbox", "snap/dropbox/common/.dropbox")
FILES = tuple(("dropbox", f"{place}/info.json") for place in PLACES)
_ACCOUNTS = 16


def find(home: Home) -> Iterator[Found]:
    """The folder of each account; when Dropbox is set up and says nothing, ``~/Dropbox``."""
    paths = [path for place in PLACES for path in _accounts(home, place)]
    paths += list(_maestral(home))
    if not paths and any(home.is_folder(place) for place in PLACES) and home.is_folder("Dropbox"):
        paths = [home.at("Dropbox")]
    for path in paths:
        yield Found("dropbox", path)


def _accounts(home: Home, place: str) -> Iterator[bytes]:
    try:
        info = json.loads(home.read(f"{place}/info.json") or "null")
    except (ValueError, RecursionError):
        info = None
    found = False
    for account in list(info.values())[:_ACCOUNTS] if isinstance(info, dict) else []:
        path = home.expand(str(account.get("path", ""))) if isinstance(account, dict) else None
        if path is not None:
            found = True
            yield path
    if not found:
        yield from _host_db(home, place)


def _host_db(home: Home, place: str) -> Iterator[bytes]:
    lines = (home.read(f"{place}/host.db") or "").splitlines()
    if len(lines) >= 2:
        try:
            text = base64.b64decode(lines[1], validate=True).decode("utf-8", "surrogateescape")
        except (ValueError, binascii.Error):
            return
        path = home.expand(text)
        if path is not None:
            yield path


def _maestral(home: Home) -> Iterator[bytes]:
    for name in home.files(".config/maestral", ".ini"):
        for section, key, value in ini_items(home.read(f".config/maestral/{name}") or ""):
            path = home.expand(value.strip("'\"")) if (section, key) == ("sync", "path") else None
            if path is not None:
                yield path
