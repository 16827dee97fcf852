"""Lets the user that syncs read the audit log, and nothing else of the agent's: an access list on its folder.

The log's files are made with mode 0640 and by an agent whose umask lets nobody in; a default list on the folder holds
for whatever is made later. What has mode 0600 (keys of the log, of private parts) stays closed. posix_acl(5), written
as the kernel takes it, so that no program is needed for it.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

from agent.errors import N_, HostError

_ACCESS, _DEFAULT = "system.posix_acl_access", "system.posix_acl_default"
_VERSION = struct.pack("<I", 2)
_ENTRY = struct.Struct("<HHI")
_OWNER, _USER, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x10, 0x20
_NOBODY = 0xFFFFFFFF
_READ, _WRITE, _SEARCH = 4, 2, 1
_SHARED = (".slog", "head.json", "prefix.json", "holds.json")


def share_log(folder: Path, uid: int) -> None:
    """Let ``uid`` list ``folder`` and read the log in it, now and later. Raises HostError: the file system cannot."""
    try:
        os.setxattr(folder, _DEFAULT, _list(_READ | _WRITE, uid, _READ), follow_symlinks=False)
        os.setxattr(folder, _ACCESS, _list(7, uid, _READ | _SEARCH), follow_symlinks=False)
        for name in os.listdir(folder):
            if name.endswith(_SHARED):
                os.setxattr(folder / name, _ACCESS, _list(_READ | _WRITE, uid, _READ), follow_symlinks=False)
    except OSError as error:
        raise HostError(
            N_("the user that syncs cannot be let in: {why}"), where=str(folder), why=error.strerror,
            hint=N_("the audit log should lie on a file system with access lists (ext4, xfs, btrfs)"),
        ) from error  # fmt: skip


def _list(owner: int, uid: int, others: int) -> bytes:
    """The list: its owner, ``uid`` and the group with ``others``, nobody else."""
    entries = [(_OWNER, owner, _NOBODY), (_USER, others, uid), (_GROUP, others, _NOBODY), (_MASK, others, _NOBODY)]
    return _VERSION + b"".join(_ENTRY.pack(*entry) for entry in [*entries, (_OTHER, 0, _NOBODY)])
