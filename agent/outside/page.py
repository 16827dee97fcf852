"""``OUVRIR.html``: one offline page that opens sealed files in any desktop browser.

Owns what is put into the page (an identity under a phrase, sealed files) and how it is put onto a volume. The page
itself is built from ``web/`` and is part of the package; its content security policy names the hash of its only script,
so that nothing that is put in can run. Never overwrites a file that is not such a page.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Sequence
from importlib import resources

from agent.errors import N_, ChangedError
from agent.fsys.atomic import write_all
from agent.fsys.draft import Draft
from agent.fsys.openat import open_regular

NAME = b"OUVRIR.html"
LARGEST = 20 << 20  # bytes of sealed files within a page: mail systems refuse more
_SLOT = b'<script type="application/json" id="held">{}</script>'
_SLOT_START, _SLOT_END = _SLOT.split(b"{}")
_MAX_PAGE = 64 << 20  # bytes


def page(identity: bytes = b"", files: Sequence[tuple[str, bytes]] = (), language: str = "") -> bytes:
    """The page, with an identity file that a phrase opens, with sealed files, or bare.

    ``language`` is ``fr`` or ``en``; empty: the browser's. Raises ValueError when the files are too large for a page.
    """
    if sum(len(data) for _, data in files) > LARGEST:
        raise ValueError("too large for a page")
    held: dict[str, object] = {}
    if identity:
        held["identity"] = base64.b64encode(identity).decode("ascii")
    if files:
        held["files"] = [{"name": name, "data": base64.b64encode(data).decode("ascii")} for name, data in files]
    if language:
        held["language"] = language
    text = json.dumps(held).replace("<", "\\u003c")  # a name cannot end the block
    before, _, after = template().partition(_SLOT)
    return before + _SLOT_START + text.encode("ascii") + _SLOT_END + after


def template() -> bytes:
    """The page as it was built, with nothing in it. Raises RuntimeError when the package is incomplete."""
    built = (resources.files("agent.outside") / "ouvrir.html").read_bytes()
    if built.count(_SLOT) != 1:
        raise RuntimeError("ouvrir.html is not the page that web/build.mjs makes")
    return built


def is_page(content: bytes) -> bool:
    """Whether this is a page of ours, of this version or another."""
    return content.startswith(b"<!doctype html>") and _SLOT_START in content


def place(folder_fd: int, content: bytes, owner: int = -1) -> bool:
    """Put the page into a folder under its name, whole or not at all; False when this very page is there already.

    ``owner``: the uid whose it is to be, as far as the file system has owners (-1: whoever writes it).

    Raises ChangedError: another file has the name; OSError.
    """
    there = _read(folder_fd)
    if there == content:
        return False
    if there is not None and not is_page(there):
        raise ChangedError(N_("a file named OUVRIR.html is there already, and is not ours"))
    with Draft(folder_fd) as draft:
        write_all(draft.fd, content)
        draft.own(owner, -1, 0o644)
        os.fsync(draft.fd)
        if there is None:
            draft.publish(NAME)
        else:
            draft.replace(NAME)
    return True


def _read(folder_fd: int) -> bytes | None:
    try:
        fd = open_regular(folder_fd, NAME)
    except FileNotFoundError:
        return None
    with os.fdopen(fd, "rb") as file:
        return file.read(_MAX_PAGE)
