"""Where a sync folder's documents go: the host in a program's settings, or the one that a service has. Pure.

What is read here belongs to the clinician and may say anything: only what is a host's name by its letters goes on. A
service whose customers have hosts of their own (OneDrive, rclone, Syncthing) has none here: it stays unknown.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})+")
_MAX_URL = 2048
_MAX_HOST = 253
SERVICE_HOSTS = {
    "dropbox": "dropbox.com",
    "googledrive": "drive.google.com",
    "kdrive": "kdrive.infomaniak.com",
    "mega": "mega.nz",
    "pcloud": "pcloud.com",
}


def host_of(untrusted: str) -> str:
    """The host in an address (https://host…, or the bare name), lower case; "" when there is none."""
    text = untrusted.strip()
    if len(text) > _MAX_URL or not text.isascii() or not text.isprintable():
        return ""
    try:
        host = (urlsplit(text if "://" in text else f"https://{text}").hostname or "").removesuffix(".")
    except ValueError:
        return ""
    return host if len(host) <= _MAX_HOST and _HOST.fullmatch(host) else ""
