"""OneDrive by abraunegg: ``sync_dir = "~/OneDrive"`` in ``~/.config/onedrive/config``; every further account has a
configuration folder of its own, recognised by its ``items.sqlite3`` or ``refresh_token``.

Source: abraunegg/onedrive, docs/application-config-options.md (sync_dir) and docs/advanced-usage.md (more accounts).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.channels.discover.reading import Found, Home

FILES = (("onedrive", ".config/onedrive/config"),)
_SYNC_DIR = re.compile(r"""^\s*sync_dir\s*=\s*["']([^"'\n]{1,4000})["']""", re.MULTILINE)
_MARKS = ("items.sqlite3", "refresh_token", "config.hash", ".config.hash")


def find(home: Home) -> Iterator[Found]:
    """The folder of each account; ``~/OneDrive`` where a configuration says nothing."""
    for name in home.folders(".config"):
        base = f".config/{name}"
        if name.startswith("onedrive") or any(home.exists(f"{base}/{mark}") for mark in _MARKS):
            matches = _SYNC_DIR.findall(home.read(f"{base}/config") or "")
            path = home.expand(matches[-1]) if matches else home.at("OneDrive")
            if path is not None and (matches or home.is_folder("OneDrive")):
                yield Found("onedrive", path)
