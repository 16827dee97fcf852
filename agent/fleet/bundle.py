"""A signed policy as one file: the repository's files in a tar, for the agent and for a USB stick. Pure but for tar.

Names are those of the repository (``metadata/3.root.json``, ``targets/…``) and ``authority.json``. Nothing is ever
unpacked onto a disk: what is read is a table of names and bytes, bounded.
"""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Mapping

from agent.fleet.release import MAX_BUNDLE, malformed

AUTHORITY = "authority.json"
MAX_FILES = 1000
_NAME = re.compile(r"(metadata|targets)/([A-Za-z0-9_-]+/)?[A-Za-z0-9][A-Za-z0-9._-]{0,150}")


def pack(files: Mapping[str, bytes]) -> bytes:
    """The bundle, the same for the same files."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(files[name]), 0o644
            tar.addfile(entry, io.BytesIO(files[name]))
    return out.getvalue()


def unpack(untrusted: bytes) -> dict[str, bytes]:
    """Name → bytes. Raises PolicyError: not a bundle, too large, a name that no repository has."""
    if len(untrusted) > MAX_BUNDLE:
        raise malformed()
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(untrusted), mode="r:") as tar:
            for entry in tar:
                found[entry.name] = _content(tar, entry)
                if len(found) > MAX_FILES:
                    raise malformed()
    except (tarfile.TarError, OSError, ValueError, EOFError, RecursionError) as error:
        raise malformed() from error
    return found


def _content(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    known = entry.name == AUTHORITY or _NAME.fullmatch(entry.name)
    if not known or not entry.isreg() or entry.size > MAX_BUNDLE or entry.issparse():
        raise malformed()
    file = tar.extractfile(entry)
    data = file.read(entry.size) if file is not None else b""
    if len(data) != entry.size:
        raise malformed()
    return data
