"""Syncthing: ``<folder path="…">`` of ``config.xml``, which lay in ``~/.config/syncthing`` before 1.27.

Source: docs.syncthing.net «Configuration» (folder element, locations).
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.channels.discover.reading import Found, Home

_BASES = (
    ".local/state/syncthing",
    ".config/syncthing",
    ".local/share/syncthing",
    "snap/syncthing/common/syncthing",
    ".var/app/me.kozec.syncthingtk/config/syncthing",
    ".var/app/com.github.zocker_160.SyncThingy/.local/state/syncthing",
)
FILES = tuple(("syncthing", f"{base}/config.xml") for base in _BASES)


def find(home: Home) -> Iterator[Found]:
    """The path of each shared folder; a document type declaration is refused (entities can be bombs)."""
    import xml.etree.ElementTree as ET

    for _, name in FILES:
        text = home.read(name)
        if text is None or "<!DOCTYPE" in text or "<!ENTITY" in text:
            continue
        try:
            tree = ET.fromstring(text.encode("utf-8", "surrogateescape"))  # noqa: S314 - see above
        except (ET.ParseError, ValueError, RecursionError):
            continue
        for folder in tree.findall("folder"):
            path = home.expand(folder.get("path", ""))
            if path is not None:
                yield Found("syncthing", path)
