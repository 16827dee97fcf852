"""The desktop's download folder: ``XDG_DOWNLOAD_DIR="$HOME/…"`` in ``~/.config/user-dirs.dirs``, and the usual names.

Source: freedesktop.org xdg-user-dirs, user-dirs.dirs(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.channels.discover.reading import Found, Home

FILES = (("downloads", ".config/user-dirs.dirs"),)
_LINE = re.compile(r'^\s*XDG_([A-Z]+)_DIR\s*=\s*"((?:[^"\\\n]|\\.){0,4000})"', re.MULTILINE)
_USUAL = ("Téléchargements", "Downloads")


def find(home: Home) -> Iterator[Found]:
    """The configured folder and the usual ones that exist."""
    stated = user_dir(home, "DOWNLOAD")
    if stated is not None:
        yield Found("downloads", stated)
    for name in _USUAL:
        if home.is_folder(name):
            yield Found("downloads", home.at(name))


def user_dir(home: Home, word: str) -> bytes | None:
    """One of the user directories (DOWNLOAD, DESKTOP, …); None when not stated or set to the home itself (= off)."""
    for key, value in reversed(_LINE.findall(home.read(".config/user-dirs.dirs") or "")):
        if key == word:
            path = home.expand(re.sub(r"\\(.)", r"\1", value))
            return None if path == home.path else path
    return None
