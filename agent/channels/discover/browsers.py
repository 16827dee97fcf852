"""Where browsers and mail programs save: the profiles of Firefox, Thunderbird and Chromium's family.

Firefox, ``prefs.js``: ``browser.download.folderList`` 0 desktop, 1 downloads, 2 ``browser.download.dir``. Thunderbird
also has ``messenger.save.dir``. Chromium, ``Preferences``: JSON, ``download.default_directory``,
``savefile.default_directory``.

Basis: knowledge of these programs, not a document that was read for it; Chromium's two keys agree with public scripts
that set them. A profile that differs is simply not found: the folder can be listed in agent.toml.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from agent.channels.discover import xdg
from agent.channels.discover.reading import Found, Home, ini_items

_MOZILLA = (
    ("firefox", ".mozilla/firefox"),
    ("firefox", ".config/mozilla/firefox"),
    ("firefox", "snap/firefox/common/.mozilla/firefox"),
    ("firefox", ".var/app/org.mozilla.firefox/.mozilla/firefox"),
    ("firefox", ".var/app/org.mozilla.firefox/config/mozilla/firefox"),
    ("firefox", ".librewolf"),
    ("firefox", ".var/app/io.gitlab.librewolf-community/.librewolf"),
    ("thunderbird", ".thunderbird"),
    ("thunderbird", "snap/thunderbird/common/.thunderbird"),
    ("thunderbird", ".var/app/org.mozilla.Thunderbird/.thunderbird"),
)
_CHROMIUM = (
    ("chromium", ".config/chromium"),
    ("chromium", "snap/chromium/common/chromium"),
    ("chromium", ".var/app/org.chromium.Chromium/config/chromium"),
    ("chrome", ".config/google-chrome"),
    ("chrome", ".config/google-chrome-beta"),
    ("chrome", ".config/google-chrome-unstable"),
    ("chrome", ".var/app/com.google.Chrome/config/google-chrome"),
    ("brave", ".config/BraveSoftware/Brave-Browser"),
    ("brave", "snap/brave/current/.config/BraveSoftware/Brave-Browser"),
    ("brave", ".var/app/com.brave.Browser/config/BraveSoftware/Brave-Browser"),
    ("edge", ".config/microsoft-edge"),
    ("edge", ".var/app/com.microsoft.Edge/config/microsoft-edge"),
    ("vivaldi", ".config/vivaldi"),
    ("opera", ".config/opera"),
)
FILES = tuple((service, f"{base}/profiles.ini") for service, base in _MOZILLA)
_PREF = re.compile(
    r'^user_pref\("(browser\.download\.(?:dir|folderList)|messenger\.save\.dir)",\s*("(?:[^"\\\n]|\\.)*"|\d+)\);',
    re.MULTILINE,
)
_PROFILES = 64


def find(home: Home) -> Iterator[Found]:
    """The folders set in the profiles; what is left at its default is the desktop's download folder."""
    for service, base in _MOZILLA:
        for profile in _profiles(home, base):
            for path in _saved_to(home, home.read(f"{profile}/prefs.js") or ""):
                yield Found(service, path)
    for service, base in _CHROMIUM:
        for name in ("", *home.folders(base)[:_PROFILES]):
            for path in _chromium(home, home.read(f"{base}/{name}/Preferences")):
                yield Found(service, path)


def _profiles(home: Home, base: str) -> list[str]:
    names = [f"{base}/{name}" for name in home.folders(base)]
    for _, key, value in ini_items(home.read(f"{base}/profiles.ini") or ""):
        if key == "Path" and "\0" not in value:
            names.append(value if value.startswith("/") else f"{base}/{value}")
    return list(dict.fromkeys(names))[:_PROFILES]


def _saved_to(home: Home, text: str) -> Iterator[bytes]:
    prefs = {}
    for key, literal in _PREF.findall(text):
        try:
            prefs[key] = json.loads(literal, strict=False)
        except ValueError:
            continue
    kept = [prefs.get("messenger.save.dir")]
    folder_list = prefs.get("browser.download.folderList")
    if folder_list in {2, None}:
        kept.append(prefs.get("browser.download.dir"))
    for value in kept:
        path = home.expand(value) if isinstance(value, str) else None
        if path is not None:
            yield path
    desktop = xdg.user_dir(home, "DESKTOP") if folder_list == 0 else None
    if desktop is not None:
        yield desktop


def _chromium(home: Home, text: str | None) -> Iterator[bytes]:
    try:
        preferences = json.loads(text or "null")
    except (ValueError, RecursionError):
        return
    for group in ("download", "savefile"):
        section = preferences.get(group) if isinstance(preferences, dict) else None
        value = section.get("default_directory") if isinstance(section, dict) else None
        path = home.expand(value) if isinstance(value, str) else None
        if path is not None:
            yield path
