"""MEGA: folders are recognised by their marks, since the settings are encrypted with a key of the session.

That holds for ``MEGAsync.cfg`` and for the SDK's own file. Folders are recognised by what the client leaves at the
top of each: ``.megaignore`` (from version 5) or ``.debris``.

Source: meganz/MEGAsync src/MEGASync/control/EncryptedSettings.cpp; meganz/sdk include/megaapi.h (MEGA_DEBRIS_FOLDER).
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.channels.discover.reading import Found, Home

FILES = ()
_SETTINGS = (".local/share/data/Mega Limited/MEGAsync", ".megaCmd")
_MARKS = (".megaignore", ".debris")
_DEPTH = 3
_LOOKED_AT = 3_000  # folders


def find(home: Home) -> Iterator[Found]:
    """Marked folders of the home, three levels deep, and ``~/MEGA``; a problem when MEGA is used and none is found."""
    if not any(home.is_folder(place) for place in _SETTINGS):
        return
    found = list(_marked(home))
    found += [home.at(name) for name in ("MEGA", "MEGAsync") if home.is_folder(name) and home.at(name) not in found]
    for path in found:
        yield Found("mega", path)
    if not found:
        yield Found("mega", problem="not-stated")


def _marked(home: Home) -> Iterator[bytes]:
    level, looked = [""], 0
    for _ in range(_DEPTH):
        below: list[str] = []
        for base in level:
            for name in home.folders(base or "."):
                looked += 1
                if looked > _LOOKED_AT:
                    return
                path = f"{base}/{name}" if base else name
                if name.startswith("."):
                    continue
                if any(home.exists(f"{path}/{mark}") for mark in _MARKS):
                    yield home.at(path)
                else:
                    below.append(path)
        level = below
