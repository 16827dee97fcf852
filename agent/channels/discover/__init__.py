"""How each sync client and browser writes down its folders, one file a client or small group.

Runs in the discovery child, without privilege, as the user whose files these are. Every module has a
``find(home: Home) -> Iterator[Found]`` that raises nothing but OSError and ValueError; ``CLOUD`` and ``DOWNLOADS`` list
them. Module docstrings say what each format rests on.
"""

from __future__ import annotations

from agent.channels.discover import (
    browsers,
    dropbox,
    insync,
    kdrive,
    mega,
    nextcloud,
    onedrive,
    pcloud,
    rclone,
    seafile,
    syncthing,
    xdg,
)

CLOUD = (nextcloud, dropbox, onedrive, rclone, insync, mega, pcloud, syncthing, seafile, kdrive)
DOWNLOADS = (xdg, browsers)
