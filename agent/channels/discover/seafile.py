"""Seafile: ``~/.ccnet/seafile.ini`` holds the path of the data folder, whose ``repo.db`` knows the libraries.

Table RepoProperty has a row with key ``worktree`` for each library; the default data folder is
``~/Seafile/.seafile-data``.

Source: haiwen/seafile daemon/repo-mgr.c (RepoProperty, worktree); manual.seafile.com «seaf-cli init».
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from agent.channels.discover.reading import Found, Home

FILES = (("seafile", ".ccnet/seafile.ini"), ("seafile", "Seafile/.seafile-data/repo.db"))
_QUERY = "SELECT value FROM RepoProperty WHERE key = 'worktree'"


def find(home: Home) -> Iterator[Found]:
    """The folder of each library on this laptop."""
    stated = home.expand((home.read(".ccnet/seafile.ini") or "").strip())
    places = [".seafile/seafile-data", "Seafile/.seafile-data", "seafile-client/seafile-data"]
    if stated is not None:
        places.insert(0, os.fsdecode(stated))  # absolute: joining keeps it as it is
    for place in places:
        for (value,) in home.rows(f"{place}/repo.db", _QUERY):
            path = home.expand(value) if isinstance(value, str) else None
            if path is not None:
                yield Found("seafile", path)
