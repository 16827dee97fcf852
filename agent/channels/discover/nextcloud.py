r"""Nextcloud and ownCloud desktop: ``[Accounts]`` of nextcloud.cfg / owncloud.cfg, one key a folder.

``0\Folders\1\localPath=/home/x/Nextcloud/`` (also ``Multifolders`` and ``FoldersWithPlaceholders``).

Source: owncloud/client src/gui/folder.cpp and accountmanager.cpp (nextcloud/desktop inherits them); Qt INI escapes.
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.channels.discover.reading import Found, Home, ini_items, qt_value

FILES = (
    ("nextcloud", ".config/Nextcloud/nextcloud.cfg"),
    ("nextcloud", ".local/share/data/Nextcloud/nextcloud.cfg"),
    ("nextcloud", ".var/app/com.nextcloud.desktopclient.nextcloud/config/Nextcloud/nextcloud.cfg"),
    ("nextcloud", "snap/nextcloud-desktop-client/current/.config/Nextcloud/nextcloud.cfg"),
    ("owncloud", ".config/ownCloud/owncloud.cfg"),
    ("owncloud", ".local/share/data/ownCloud/owncloud.cfg"),
    ("owncloud", ".var/app/com.owncloud.desktop_client/config/ownCloud/owncloud.cfg"),
)


def find(home: Home) -> Iterator[Found]:
    """Every folder of every account, paused ones too: pausing is one click away from sending."""
    for service, name in FILES:
        for folder in local_paths(home, home.read(name)):
            yield Found(service, folder)


def local_paths(home: Home, text: str | None) -> Iterator[bytes]:
    r"""The ``…\localPath`` values of a configuration of this family."""
    for _, key, value in ini_items(text or ""):
        if key.replace("%5C", "\\").split("\\")[-1] == "localPath":
            path = home.expand(qt_value(value))
            if path is not None:
                yield path
