"""pCloud: table ``syncfolder`` of ``~/.pcloud/data.db``; its virtual drive is a mount that the channel sees itself.

Source: pcloudcom/console-client lib/pclsync/pdatabase.h (syncfolder: localpath, synctype).
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.channels.discover.reading import Found, Home

FILES = (("pcloud", ".pcloud/data.db"),)


def find(home: Home) -> Iterator[Found]:
    """The local side of each synchronised folder."""
    for table in ("syncfolder", "syncfolderdelayed"):
        for (value,) in home.rows(".pcloud/data.db", f"SELECT localpath FROM {table}"):  # noqa: S608 - our words
            path = home.expand(value) if isinstance(value, str) else None
            if path is not None:
                yield Found("pcloud", path)
