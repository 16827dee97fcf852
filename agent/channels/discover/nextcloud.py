r"""Nextcloud and ownCloud desktop: ``[Accounts]`` of nextcloud.cfg / owncloud.cfg, one key a folder.

``0\Folders\1\localPath=/home/x/Nextcloud/`` (also ``Multifolders`` and ``FoldersWithPlaceholders``),
``0\url=https://cloud.example`` for its server.

Source: owncloud/client src/gui/folder.cpp and accountmanager.cpp (nextcloud/desktop inherits them); Qt INI escapes.
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.channels.discover.reading import Found, Home, ini_items, qt_value
from agent.channels.hosts import host_of

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
        text = home.read(name)
        servers = dict(_servers(text))
        for account, folder in _folders(home, text):
            yield Found(service, folder, host=servers.get(account, ""))


def local_paths(home: Home, text: str | None) -> Iterator[bytes]:
    r"""The ``…\localPath`` values of a configuration of this family."""
    return (path for _, path in _folders(home, text))


def _folders(home: Home, text: str | None) -> Iterator[tuple[str, bytes]]:
    """The account's number and the folder."""
    for _, key, value in ini_items(text or ""):
        parts = key.replace("%5C", "\\").split("\\")
        if parts[-1] == "localPath":
            path = home.expand(qt_value(value))
            if path is not None:
                yield parts[0], path


def _servers(text: str | None) -> Iterator[tuple[str, str]]:
    r"""The account's number and its server: ``0\url=https://cloud.example``."""
    for _, key, value in ini_items(text or ""):
        parts = key.replace("%5C", "\\").split("\\")
        if len(parts) == 2 and parts[1] == "url":
            yield parts[0], host_of(qt_value(value))
