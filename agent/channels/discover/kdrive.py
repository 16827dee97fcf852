"""kDrive (Infomaniak): table ``sync`` of ``~/.config/kDrive/.parms.db``; before that ``kDrive.cfg`` in ownCloud's form.

Source: Infomaniak/desktop-kDrive src/libparms/db/parmsdb.cpp (CREATE_SYNC_TABLE: localPath).
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.channels.discover.nextcloud import local_paths
from agent.channels.discover.reading import Found, Home

FILES = (("kdrive", ".config/kDrive/.parms.db"), ("kdrive", ".config/kDrive/kDrive.cfg"))


def find(home: Home) -> Iterator[Found]:
    """The local side of each synchronised folder."""
    for (value,) in home.rows(".config/kDrive/.parms.db", "SELECT localPath FROM sync"):
        path = home.expand(value) if isinstance(value, str) else None
        if path is not None:
            yield Found("kdrive", path)
    for path in local_paths(home, home.read(".config/kDrive/kDrive.cfg")):
        yield Found("kdrive", path)
