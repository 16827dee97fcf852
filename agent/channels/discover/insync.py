"""Insync (Google Drive, OneDrive, Dropbox): SQLite files, ``settings.db`` and ``data/<kind>-<account>.db``.

The schema is not published and changes; so every column whose name speaks of a path is asked for absolute folders,
and the topmost ones that exist are taken. Without any, ``~/Insync`` when it is there.

Source: the description of version 3.7 in a public Ansible role («Insync Role», settings.db and cloud databases).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from agent.channels.discover.reading import Found, Home

FILES = ()
_BASES = (".config/Insync", ".config/Insync-headless", "snap/insync/current/.config/Insync")
_COLUMN = re.compile(r"path|folder|root|location", re.IGNORECASE)
_WORD = re.compile(r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")


def find(home: Home) -> Iterator[Found]:
    """The base folder of each account, as well as it can be known."""
    bases = [base for base in _BASES if home.is_folder(base)]
    found: set[bytes] = set()
    for base in bases:
        names = [
            "settings.db",
            *(f"{sub}/{name}" for sub in ("data", "dbs") for name in home.files(f"{base}/{sub}", ".db")),
        ]
        for name in names[:32]:
            found |= _folders(home, f"{base}/{name}")
    top = {path for path in found if not any(path.startswith(other + b"/") for other in found)}
    if not top and bases:
        top = {home.at(f"Insync/{name}") for name in home.folders("Insync")} or (
            {home.at("Insync")} if home.is_folder("Insync") else set()
        )
        if not top:
            yield Found("insync", problem="not-stated")
    for path in sorted(top):
        yield Found("insync", path)


def _folders(home: Home, name: str) -> set[bytes]:
    found: set[bytes] = set()
    for (table,) in home.rows(name, "SELECT name FROM sqlite_master WHERE type = 'table' LIMIT 64"):
        if not isinstance(table, str) or not _WORD.match(table):
            continue
        columns = [row[1] for row in home.rows(name, f'PRAGMA table_info("{table}")')]
        for column in columns[:64]:
            if not isinstance(column, str) or not _WORD.match(column) or not _COLUMN.search(column):
                continue
            query = (
                f'SELECT DISTINCT "{column}" FROM "{table}" WHERE "{column}" LIKE \'/%\' ORDER BY length("{column}")'  # noqa: S608 - both checked
            )
            for (value,) in home.rows(name, query):
                path = home.expand(value) if isinstance(value, str) else None
                if path is not None and path not in {home.path, b"/"} and _is_sync_folder(home, path):
                    found.add(path)
    return found


def _is_sync_folder(home: Home, path: bytes) -> bool:
    hidden = path.startswith(home.path + b"/.")
    return not hidden and os.path.isdir(path)
